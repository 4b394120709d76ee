"""What is collected, as data: folders, files and globs, what is left out, where links may end, where a start begins."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sentinel.collect.globs import Glob, base_of

__all__ = ["Watched"]


@dataclass(frozen=True, slots=True)
class Watched:
    """The places whose log files are read: all of a folder, one file, or whatever a glob finds (`*`, `?`, `[…]`, `**`).

    A glob of `exclude` without a slash leaves out files and folders of that name, one with a slash those whose path
    ends like it (an absolute one: whose path it is). `links` are the folders under which symbolic links may end. With
    `begins_now` the files that are there at the very first start are read from their end. With `is_part` these are not
    all the places there are: what is not found in them is not gone.
    """

    places: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    begins_now: bool = False
    is_part: bool = False

    @classmethod
    def under(cls, *places: Path) -> Self:
        """All of these places, and nothing special."""
        return cls(tuple(map(str, places)))

    def __str__(self) -> str:
        return os.pathsep.join(self.places)

    def roots(self) -> list[str]:
        """The folders and files below which something may change, without those too wide to be listened to."""
        places = [os.path.abspath(place) for place in self.places]  # noqa: PTH100  (Path.absolute leaves `..` in)
        found = {*(base_of(place)[0] for place in places), *self.links}
        return sorted(path for path in found if path.strip("/"))

    def excluded(self) -> "Exclusion":
        """What leaves names and paths out."""
        return Exclusion(self.exclude)


class Exclusion:
    """Globs of names and of paths; see `Watched.exclude`."""

    def __init__(self, globs: Iterable[str]) -> None:
        globs = [glob for glob in globs if glob.strip("/")]
        self._names = [Glob(glob.strip("/")) for glob in globs if "/" not in glob.strip("/")]
        paths = [glob.rstrip("/") for glob in globs if "/" in glob.strip("/")]
        self._plain = {path for path in paths if path.startswith("/") and base_of(path)[1] == ""}
        paths = [path for path in paths if path not in self._plain]
        self._paths = [Glob(glob.lstrip("/") if glob.startswith("/") else f"**/{glob}") for glob in paths]

    def holds(self, name: str, path: str) -> bool:
        """Whether this file or folder is left out; what lies below a folder that is, is never asked about."""
        if path in self._plain or (self._names and any(glob.matches(name) for glob in self._names)):
            return True
        return bool(self._paths) and any(glob.matches(path) for glob in self._paths)
