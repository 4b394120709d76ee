"""The key of our Prefect server: made once, kept in a Prefect profile that its owner alone may read, found by the CLI.

Without a key Prefect runs anybody's command: whoever reaches its port makes a deployment whose job is a shell command.
The server and its clients take the key from the profile, never from a command line or an environment that others see.
"""

import os
import secrets
import stat
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from sentinel import secrecy
from sentinel.durable import make_private_dir, write_file
from sentinel.errors import SettingsError

__all__ = ["PROFILE", "keep_key", "point_to"]

PROFILE = "log-sentinel"
USER = "sentinel"
FOR_CLIENTS, FOR_SERVER = "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING"


def keep_key(path: Path) -> str:
    """The key in the profile file at `path`, as `user:password`; a new one where there is none that is ours alone.

    Raises SettingsError for a file of ours that holds no usable key.
    """
    content = _read_own(path)
    key = _key_of(content, path) if content is not None else _make_key(path)
    user, _, password = key.partition(":")
    secrecy.learn_login(user, password)
    return key


def _make_key(path: Path) -> str:
    key = f"{USER}:{secrets.token_urlsafe(32)}"
    lines = [
        f'active = "{PROFILE}"',
        f"[profiles.{PROFILE}]",
        f'{FOR_CLIENTS} = "{key}"',
        f'{FOR_SERVER} = "{key}"',
    ]
    write_file(path, "\n".join([*lines, ""]).encode())
    return key


def point_to(profile: Path, pointer: Path) -> bool:
    """Make `pointer`, the file that `prefect.toml` names, lead to `profile`. False where that folder is another's.

    A link and no copy: the key stays in one file, and a home that is deleted takes it along.
    """
    if os.path.realpath(pointer) == os.path.realpath(profile):
        return True
    new = pointer.with_name(f".{pointer.name}.{secrets.token_hex(6)}")
    try:
        make_private_dir(pointer.parent)
        new.symlink_to(profile)
        new.replace(pointer)
    except OSError:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        return False
    return True


def _read_own(path: Path) -> bytes | None:
    """The file's content; None where it is missing, a link, another user's, or readable by others: not secret."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        is_secret = found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        return file.read() if stat.S_ISREG(found.st_mode) and is_secret else None


def _key_of(content: bytes, path: Path) -> str:
    """The one key that server and clients are given."""
    try:
        found: dict[str, Any] = tomllib.loads(content.decode())
        profile = found["profiles"][found["active"]]
        key, same = profile[FOR_SERVER], profile[FOR_CLIENTS]
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as exc:
        raise SettingsError(
            f"read the key of Prefect's server in {path}: {exc!r}; delete the file: a new one is made"
        ) from exc
    if not isinstance(key, str) or key != same or not key.partition(":")[2]:
        raise SettingsError(
            f"{path}: {FOR_SERVER} and {FOR_CLIENTS} must be one user:password; delete it for a new one"
        )
    return key
