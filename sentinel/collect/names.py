"""What a file's name says: rotated, packed, and under which name it began."""

import re

__all__ = ["is_living_name", "is_packed_name", "is_rotated_name", "stem"]

PACKED = (".gz", ".zst", ".bz2", ".xz")
ROTATED_NAME = re.compile(r"\.[0-9]{1,3}$")  # app.log.1: nobody begins to write there
ROTATION = re.compile(r"([.-][0-9]+)*(\.gz|\.zst|\.bz2|\.xz)?$")


def is_packed_name(path: str) -> bool:
    """Whether a file of this name is an archive of a form that is unpacked here."""
    return path.endswith(PACKED)


def is_rotated_name(path: str) -> bool:
    """Whether a file of this name was written under another one."""
    return ROTATED_NAME.search(path) is not None


def is_living_name(path: str) -> bool:
    """Whether a file of this name may still be written to: it is neither an archive nor rotated."""
    return not is_packed_name(path) and not is_rotated_name(path)


def stem(path: str) -> str:
    """The name before rotation: app.log of app.log, app.log.1, app.log-20261123.gz."""
    return ROTATION.sub("", path)
