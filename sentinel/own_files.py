"""What a setting names of a user's own: files and folders in, the texts of their TOML files out, or a clear word."""

import os
from pathlib import Path

from sentinel.errors import SettingsError

__all__ = ["own_files", "own_text"]

MAX_FILE_BYTES = 1 << 20


def own_files(path: Path, what: str, setting: str) -> list[Path]:
    """The file, or a folder's `*.toml` by name. Raises SettingsError for a folder without one.

    `what` begins the message and `setting` is named in it.
    """
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.toml"))
    if not found:
        raise SettingsError(f"{what} {path}: the folder has no *.toml; fix {setting}")
    return found


def own_text(path: Path, what: str, setting: str) -> str:
    """The text of a file. Raises SettingsError for one that cannot be read, is over 1 MiB, or is not UTF-8."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise SettingsError(f"{what} {path}: is larger than 1 MiB; fix {setting}")
            return file.read().decode("utf-8-sig")
    except OSError as exc:
        raise SettingsError(f"{what} {path}: cannot be read ({exc.strerror}); fix {setting}") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{what} {path}: is not UTF-8 (byte {exc.start}); fix {setting}") from exc
