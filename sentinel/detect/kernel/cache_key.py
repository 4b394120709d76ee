"""Say which state of a kernel machine code belongs to: a digest of all files that can change what is compiled."""

import hashlib
import re
from functools import cache
from pathlib import Path

from sentinel.detect.tuning.tried import tried_of

__all__ = ["cache_key", "key_files"]

_IMPORT = re.compile(rb"^\s*(?:from|import)\s+sentinel\.detect((?:\.\w+)*)", re.MULTILINE)


def key_files(room: Path, kernel: Path) -> list[Path]:
    """The file `kernel`, all it imports within `room` (the folder sentinel/detect), and the data beside them, in order.

    A kernel bakes the globals it reads into its machine code, so a file of mere constants counts as well, and so do
    the lexicon's words. A file that only calls kernels does not.
    """
    waiting, found = [kernel], set[Path]()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imported(room, path))
    return sorted(found.union(*(folder.glob("*.toml") for folder in {path.parent for path in found})))


def cache_key(room: Path, kernel: Path) -> str:
    """Twelve hexadecimal digits that change whenever the kernels of the file `kernel` may have to be compiled anew."""
    digest = hashlib.sha256()
    for path in key_files(room, kernel):
        digest.update(f"{path.relative_to(room)}\0".encode())
        digest.update(path.read_bytes())
        if path.parent.name == "tuning":
            digest.update(tried_of(path.stem).encode())
    return digest.hexdigest()[:12]


@cache
def _imported(room: Path, path: Path) -> tuple[Path, ...]:
    """The modules of the room that a file imports; of a package all files, since what is taken from it is not said."""
    found: list[Path] = []
    for dotted in _IMPORT.findall(path.read_bytes()):
        module = room.joinpath(*dotted.decode().split(".")[1:])
        found.extend(module.rglob("*.py") if module.is_dir() else [module.with_suffix(".py")])
    return tuple(found)
