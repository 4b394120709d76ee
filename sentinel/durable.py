"""Files that are either wholly there or not at all, also after a power cut."""

import os
import secrets
from pathlib import Path

__all__ = ["make_private_dir", "sync_dir", "write_file"]


def make_private_dir(path: Path) -> Path:
    """Create `path` and its parents, readable by the owner alone, so that they survive a power cut, and return it.

    Harmless when it is there already.
    """
    for folder in reversed([folder for folder in (path, *path.parents) if not folder.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_dir(folder.parent)
    path.mkdir(mode=0o700, exist_ok=True)  # raises where something else is in its place
    return path


def sync_dir(path: Path) -> None:
    """Make the entries of a folder survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace the file at `path` by `content`: temp file beside it, write, fsync, rename, fsync the folder.

    A reader sees the old content or the new one. Raises OSError, which names the file, and leaves the old one when the
    disk fails.
    """
    temp = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temp.replace(path)
    except BaseException as exc:
        temp.unlink(missing_ok=True)
        if isinstance(exc, OSError) and exc.filename is None:
            raise OSError(exc.errno, exc.strerror, str(path)) from exc
        raise
    sync_dir(path.parent)
