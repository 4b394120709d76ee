"""Named places at which a fault test may break the process; without one armed, reaching a place costs a dict lookup."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from sentinel.errors import SettingsError

__all__ = ["FailpointError", "arm", "arm_from_text", "disarm", "reach"]


class FailpointError(Exception):
    """Raised at a place that was armed with `raise`; no room foresees it, as with a real surprise."""


@dataclass(slots=True)
class _Armed:
    action: Callable[[], None]
    left: int  # how often the place is still passed, this time included, until it acts


_armed: dict[str, _Armed] = {}


def reach(name: str) -> None:
    """Say that the process has come to the place `name`; does nothing unless a test armed it."""
    armed = _armed.get(name)
    if armed is None:
        return
    armed.left -= 1
    if armed.left == 0:
        armed.action()


def arm(name: str, action: Callable[[], None], *, nth: int = 1) -> None:
    """Run `action` when the place `name` is reached for the `nth` time (from 1), and not again."""
    _armed[name] = _Armed(action, nth)


def disarm() -> None:
    """Forget all that was armed."""
    _armed.clear()


def arm_from_text(text: str) -> None:
    """Arm from `name:action[:nth]`, several parted by commas; the actions are `kill` (SIGKILL) and `raise`.

    Raises SettingsError where the text says anything else.
    """
    for part in text.split(","):
        name, _, rest = part.strip().partition(":")
        action, _, nth = rest.partition(":")
        if not name or action not in _ACTIONS or not (nth or "1").isdigit() or nth == "0":
            raise SettingsError(f"arm a failpoint: {part!r} is not name:action[:nth] with {' or '.join(_ACTIONS)}")
        arm(name, _ACTIONS[action], nth=int(nth or "1"))


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise() -> None:
    raise FailpointError("a failpoint was reached")


_ACTIONS: dict[str, Callable[[], None]] = {"kill": _kill, "raise": _raise}
