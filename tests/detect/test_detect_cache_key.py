"""Machine code is used again exactly where nothing that it was compiled from has changed."""

import ast
import importlib
import pkgutil
import shutil
from pathlib import Path

import numba
import pytest

import sentinel.detect
from sentinel.detect.kernel.cache_key import cache_key, key_files

ROOM = Path(sentinel.detect.__file__).parent
SCAN, COMBINE, WALK = "read/scan.py", "judge/combine.py", "remember/state_pass.py"


def key_after_an_edit(folder: Path, kernel: str, edited: str) -> str:
    """The key of a kernel's file in a copy of the room in which one file has one line more."""
    room = folder / edited.replace("/", "-")
    shutil.copytree(ROOM, room, ignore=shutil.ignore_patterns("__pycache__"))
    with (room / edited).open("a") as file:
        file.write("\n# edited\n")
    return cache_key(room, room / kernel)


@pytest.mark.parametrize(
    ("kernel", "edited"),
    [
        (SCAN, SCAN),
        (SCAN, "read/shapes.py"),  # kernels that it calls
        (SCAN, "lexicon/words.py"),  # tables that are baked in,
        (SCAN, "lexicon/pt.toml"),  # the words that they are made of,
        (SCAN, "lexicon/spelling.py"),  # and how these are read
        (COMBINE, "judge/features.py"),  # places of columns
        (COMBINE, "remember/raw.py"),
        (COMBINE, "kernel/jit.py"),  # how all are compiled
    ],
)
def test_key_changes_with_whatever_a_kernel_is_made_of(tmp_path: Path, kernel: str, edited: str) -> None:
    """A kernel is compiled anew when its file, one it calls, or data that it bakes in has changed."""
    assert key_after_an_edit(tmp_path, kernel, edited) != cache_key(ROOM, ROOM / kernel)


@pytest.mark.parametrize("kernel", [SCAN, COMBINE, WALK])
@pytest.mark.parametrize("edited", ["explain/explain.py", "scorer.py", "models/manifest.py", "silence/watchdog.py"])
def test_key_stays_when_what_only_calls_kernels_changes(tmp_path: Path, kernel: str, edited: str) -> None:
    """An edit of words, models or silences compiles nothing anew."""
    assert key_after_an_edit(tmp_path, kernel, edited) == cache_key(ROOM, ROOM / kernel)


def test_judges_edit_leaves_the_scanner_alone(tmp_path: Path) -> None:
    """Each file of kernels has a key of its own."""
    assert key_after_an_edit(tmp_path, SCAN, COMBINE) == cache_key(ROOM, ROOM / SCAN)


def test_every_global_a_kernel_reads_comes_from_a_file_of_its_key() -> None:
    """Whatever name a compiled function takes from elsewhere in the room is followed to a file that its key covers."""
    read = 0
    for module in pkgutil.walk_packages([str(ROOM)], "sentinel.detect."):
        names = vars(importlib.import_module(module.name))
        for kernel in [value for value in names.values() if isinstance(value, numba.core.dispatcher.Dispatcher)]:
            file = Path(kernel.py_func.__code__.co_filename)
            covered = key_files(ROOM, file)
            origins = {
                alias.asname or alias.name: node.module
                for node in ast.walk(ast.parse(file.read_bytes()))
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sentinel.")
                for alias in node.names
            }
            for name in kernel.py_func.__code__.co_names:
                if name in origins:
                    read += 1
                    assert ROOM.parents[1].joinpath(*origins[name].split(".")).with_suffix(".py") in covered, name
    assert read > 200
