"""The whole stack as children of one process: settings in, everything up until a signal comes, nothing left behind."""

import os
import sys

from sentinel.settings import Settings

__all__ = ["up"]


def up(settings: Settings, *, sample: bool) -> int:
    """Become the supervisor. It stays for as long as the stack, so it is a small process without the rooms loaded."""
    sys.stdout.flush()
    arguments = [sys.executable, "-m", "sentinel.stack", *([] if sample else ["--no-sample"])]
    os.execv(sys.executable, arguments)  # noqa: S606 our own module, no shell
