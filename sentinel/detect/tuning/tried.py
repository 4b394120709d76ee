"""Multiply one number for one run, before anything has read it: what an ablation tries."""

import importlib
import sys

from sentinel.detect.tuning.numbers import Value, numbers
from sentinel.errors import TerminalError

__all__ = ["tried_of", "try_number"]

_TRIED: dict[str, Value] = {}


def try_number(name: str, factor: float) -> None:
    """Let `room.NAME` be so many times itself in this process, whole where it is whole; 0 switches it off.

    Files take numbers over when they are imported, and kernels bake them in: this has to come before both. Raises
    TerminalError where it does not, and for an unknown name.
    """
    value = next((number.value for number in numbers() if number.name == name), None)
    if value is None:
        raise TerminalError(f"try {name}: there is no such number; docs/numbers.md lists them")
    if "sentinel.detect.kernel.jit" in sys.modules:
        raise TerminalError(f"try {name}: the detector is at work already; a number is tried in a process of its own")
    room, _, constant = name.partition(".")
    _TRIED[name] = _times(value, factor)
    setattr(importlib.import_module(f"sentinel.detect.tuning.{room}"), constant, _TRIED[name])


def _times(value: Value, factor: float) -> Value:
    if isinstance(value, tuple):
        return tuple(round(part * factor) if isinstance(part, int) else part * factor for part in value)
    return round(value * factor) if isinstance(value, int) else value * factor


def tried_of(room: str = "") -> str:
    """What is tried of a room, of all rooms without one; empty where numbers are as they stand in their files."""
    return ", ".join(
        f"{name}={value}" for name, value in sorted(_TRIED.items()) if name.startswith(f"{room}." * bool(room))
    )
