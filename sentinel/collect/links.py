"""A symbolic link in, the regular file under an allowed folder where it ends out; any other link is not followed."""

import os
import stat
from collections.abc import Sequence

from sentinel.collect.beneath import folder_of

__all__ = ["Links"]


class Links:
    """Follows links that end under one of `roots`, and no others.

    Where a link ends is read first and only then opened, from the root down and never through a link: what was
    swapped in between is not reached.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = [os.path.realpath(root) for root in roots]

    def end_of(self, location: str) -> tuple[str, str, os.stat_result] | None:
        """(root, path below it, what is there) of a link's end; None where it may not be followed."""
        if not self._roots:
            return None
        end = os.path.realpath(location)
        root = next((root for root in self._roots if end.startswith(root.rstrip("/") + "/")), None)
        if root is None:
            return None
        below = end[len(root.rstrip("/")) + 1 :]
        try:
            seen = _look(root, below)
        except OSError:
            return None
        return (root, below, seen) if stat.S_ISREG(seen.st_mode) else None


def _look(root: str, below: str) -> os.stat_result:
    """What stands at `below`, each folder opened in the one above it."""
    with folder_of(root, below) as (fd, name):
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
