"""The page of memory that tells the shim which calls are to fail; shared with the process under test, changed live."""

import errno
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ERRORS", "OPERATIONS", "Control", "Failure"]

LAYOUT = struct.Struct("<8I224s")
OPERATIONS = {
    "open": 1,
    "write": 2,
    "truncate": 4,
    "sync": 8,
    "rename": 16,
    "unlink": 32,
    "read": 64,
    "mkdir": 128,
}
ERRORS = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "EMFILE": errno.EMFILE, "short": 0}
SENSIBLE = {
    "open": ("EIO", "EMFILE", "ENOSPC"),
    "write": ("EIO", "ENOSPC", "short"),
    "truncate": ("EIO", "ENOSPC"),
    "sync": ("EIO", "ENOSPC"),
    "rename": ("EIO", "ENOSPC"),
    "unlink": ("EIO",),
    "read": ("EIO",),
    "mkdir": ("EIO", "ENOSPC"),
}
"""What a kernel may answer to which call."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Which call fails how: the `nth` that matches, and with `is_sticky` all that follow."""

    operation: str
    error: str
    nth: int = 1
    is_sticky: bool = False
    match: str = ""  # only calls whose path holds this text

    def __str__(self) -> str:
        often = "for ever" if self.is_sticky else "once"
        return f"{self.operation} {self.match or '*'} → {self.error} {often}, call {self.nth}"


class Control:
    """The page, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(bytes(mmap.PAGESIZE))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def arm(self, failure: Failure) -> None:
        """Let calls fail from now on."""
        operation, error = OPERATIONS[failure.operation], ERRORS[failure.error]
        LAYOUT.pack_into(
            self._page, 0, 0, operation, error, failure.nth, failure.is_sticky, 0, 0, 0, failure.match.encode()
        )
        struct.pack_into("<I", self._page, 0, 1)

    def disarm(self) -> int:
        """Let nothing fail; how many calls did since `arm`."""
        struct.pack_into("<I", self._page, 0, 0)
        return self.failed

    @property
    def failed(self) -> int:
        """How many calls have failed since `arm`."""
        return int(LAYOUT.unpack_from(self._page)[6])
