"""The folder that holds all state: made for its owner alone, and never one that others need."""

import logging
import os
import re
import stat
from pathlib import Path

from sentinel.durable import make_private, make_private_dir
from sentinel.errors import SettingsError, TransientError
from sentinel.settings import Settings

__all__ = ["is_for_others", "open_home"]

log = logging.getLogger(__name__)

SYSTEM_FOLDERS = re.compile(
    r"/|/(bin|boot|dev|etc|home|lib|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp)|/usr(/[^/]+)?|/var(/(lib|log|run|tmp))?"
)
"""Folders whose rights are not ours to take (Filesystem Hierarchy Standard 3.0)."""


def open_home(settings: Settings) -> Path:
    """The home, made where it is missing, for its owner alone: what had wider rights is tightened, and that is said.

    Raises SettingsError for a folder of the system or of others, TransientError where it cannot be made.
    """
    home = settings.log_sentinel_home
    own = "set LOG_SENTINEL_HOME to a folder of its own"
    try:
        if is_for_others(home.absolute()):
            raise SettingsError(f"make LOG_SENTINEL_HOME {home}: it holds what others need, and would be closed; {own}")
        make_private_dir(home)
    except OSError as exc:
        advice = "set LOG_SENTINEL_HOME to a folder that this user may write, or see to the disk or the folder's rights"
        raise TransientError(f"make LOG_SENTINEL_HOME {home}: {exc.strerror}; {advice}") from exc
    try:
        if make_private(home):
            log.warning("tightened home=%s: others could look into it, now its owner alone can", home)
    except OSError as exc:
        if home.stat().st_mode & stat.S_IWOTH:
            raise SettingsError(f"use LOG_SENTINEL_HOME {home}: everybody may write there; {own}") from exc
        log.warning("home=%s belongs to another user, and others can look into it; %s", home, own)
    return home


def is_for_others(folder: Path) -> bool:
    """Whether a folder is the system's, a user's home, or for everybody, as /tmp is."""
    if SYSTEM_FOLDERS.fullmatch(str(folder)) or str(folder) == os.path.expanduser("~"):  # noqa: PTH111 needs no home
        return True
    return folder.is_dir() and bool(folder.stat().st_mode & stat.S_ISVTX)
