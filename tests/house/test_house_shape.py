"""The house keeps its shape: sizes, the order of rooms, one home per vendor, a lock without addresses."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("sentinel", "serving", "flows", "tasks", "deployments")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
VENDORS = {
    "elasticsearch": ("sentinel/store",),
    "sklearn": ("sentinel/detect", "sentinel/evaluation"),
    "joblib": ("sentinel/detect",),
    "fastapi": ("serving",),
    "uvicorn": ("serving",),
    "prefect": ("tasks", "flows", "deployments"),
}
MAX_FUNCTION_LINES = 40
MAX_FILE_LINES = 300
# A compiled kernel takes every table as an argument of its own and calls nothing that numba does not know.
MAX_KERNEL_LINES = 80
MAX_KERNEL_FILE_LINES = 400
KERNEL = "compiled"


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node):
        docstring = node.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def is_kernel(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == KERNEL for mark in node.decorator_list)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_and_functions_stay_small(path: Path) -> None:
    """A file has at most 300 lines and says in its docstring what it is; a function has at most 40 lines. Compiled
    kernels may be longer."""
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    kernels = [node for node in functions if is_kernel(node)]

    long = {
        node.name: function_lines(node)
        for node in functions
        if function_lines(node) > (MAX_KERNEL_LINES if node in kernels else MAX_FUNCTION_LINES)
    }
    most = MAX_KERNEL_FILE_LINES if len(kernels) > len(functions) / 2 else MAX_FILE_LINES

    assert long == {}
    assert len(path.read_text().splitlines()) <= most
    assert ast.get_docstring(tree) or not tree.body


@pytest.mark.parametrize("vendor", VENDORS)
def test_vendor_has_one_home(vendor: str) -> None:
    """A vendor's library is imported in its own room only."""
    users = {str(path.relative_to(ROOT)) for path in FILES if vendor in imported(ast.parse(path.read_text()))}

    strangers = {user for user in users if not user.startswith(VENDORS[vendor])}

    assert users, f"nobody imports {vendor}: is its home still the right one?"
    assert strangers == set()


def test_order_of_rooms_is_told_the_same_everywhere() -> None:
    """The docstring of `sentinel` names the rooms in the order of the import contract."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [re.split(r"\s*[|:]\s*", layer) for layer in contracts[0]["layers"]]
    rooms = [name.removeprefix("sentinel.") for layer in layers for name in layer]
    told = ast.get_docstring(ast.parse((ROOT / "sentinel/__init__.py").read_text())) or ""

    places = [re.search(rf"\b{room}\b", told.split("rooms,")[1]) for room in rooms]

    assert [room for room, place in zip(rooms, places, strict=True) if place is None] == []
    assert [place.start() for place in places if place] == sorted(place.start() for place in places if place)


def test_lock_holds_hashes_and_no_address() -> None:
    """The lock pins every package exactly, with hashes, and names no address of any registry."""
    lock = (ROOT / "requirements.lock").read_text()

    assert "://" not in lock
    assert re.findall(r"^[A-Za-z0-9][^\s=]*(?![^\n]*==)", lock, re.MULTILINE) == []
    assert lock.count("--hash=sha256:") > 150


@pytest.mark.parametrize("module", ["serving.app", "sentinel.cli"])
def test_import_leaves_out_what_is_slow_or_foreign(module: str) -> None:
    """The server and the command start without Prefect, scikit-learn, joblib and matplotlib."""
    code = f"import sys, {module}; print(sorted({{'prefect', 'sklearn', 'joblib', 'matplotlib'}} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_commands_that_only_move_records_wait_for_no_detector() -> None:
    """The command line and what opens a home do without numba until a verb asks for the models."""
    code = "import sys, sentinel.cli, sentinel.wiring; print(sorted({'numba', 'sentinel.detect'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_no_test_folder_is_a_package() -> None:
    """An `__init__.py` under tests/ would hide the top-level rooms from Prefect's loader."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_numbered_placeholders_of_sql_have_names() -> None:
    """`?1` beside a sequence warns on Python 3.12 and is refused by 3.14: what is used twice has a name."""
    numbered = re.compile(r"(?:[=<>,(] ?|WHERE |LIMIT )\?[1-9]")
    said = [f"{path.relative_to(ROOT)}: {line}" for path in FILES for line in path.read_text().splitlines()]

    assert [line for line in said if "spool/" in line and numbered.search(line)] == []
