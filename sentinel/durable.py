"""Files that are either wholly there or not at all, also after a power cut, and read without surprises."""

import errno
import os
import secrets
import stat
from pathlib import Path

__all__ = ["make_private", "make_private_dir", "read_file", "sync_dir", "write_file"]


def make_private_dir(path: Path) -> Path:
    """Create `path` and its parents, readable by the owner alone, so that they survive a power cut, and return it.

    Harmless when it is there already.
    """
    for folder in reversed([folder for folder in (path, *path.parents) if not folder.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_dir(folder.parent)
    path.mkdir(mode=0o700, exist_ok=True)  # raises where something else is in its place
    return path


def make_private(path: Path) -> bool:
    """Take a folder's rights from all but its owner; True when others had some. Raises OSError where it is not ours."""
    if not path.stat().st_mode & 0o077:
        return False
    path.chmod(0o700)
    return True


def sync_dir(path: Path) -> None:
    """Make the entries of a folder survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read_file(path: Path, *, max_bytes: int, follow_link: bool = False) -> bytes:
    """The whole of a regular file of at most `max_bytes`. Raises OSError, which names the file.

    Never waits: a FIFO, a device, a folder or (unless `follow_link`) a link in its place is an error, too.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_link else os.O_NOFOLLOW))
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        with os.fdopen(fd, "rb", closefd=False) as file:
            content = file.read(max_bytes + 1)
    finally:
        os.close(fd)
    if len(content) > max_bytes:
        raise OSError(errno.EFBIG, f"larger than {max_bytes} bytes", str(path))
    return content


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
