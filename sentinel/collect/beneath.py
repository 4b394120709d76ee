"""A base folder and a path below it in, the open folder that holds its last part out; links are not followed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["FOLDER", "folder_of"]

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def folder_of(base: str, below: str) -> Iterator[tuple[int, str]]:
    """The file descriptor of the folder that holds `below`, and the name in it. Raises OSError.

    Only `base` itself may be reached through links: each folder is opened by its name in the one above.
    """
    *folders, name = below.split("/")
    fd = os.open(base, FOLDER)
    try:
        for folder in folders:
            above, fd = fd, os.open(folder, FOLDER | os.O_NOFOLLOW, dir_fd=fd)
            os.close(above)
        yield fd, name
    finally:
        os.close(fd)
