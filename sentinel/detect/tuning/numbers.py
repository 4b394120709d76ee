"""List the numbers that somebody chose, with all that is known of each."""

import importlib
from dataclasses import dataclass
from typing import get_type_hints

from sentinel.detect.tuning.origin import About

__all__ = ["ROOMS", "Number", "Value", "numbers"]

ROOMS = ("read", "lexicon", "memory", "remember", "judge", "sessions", "silence", "explain", "learn")
Value = int | float | tuple[int | float, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number by its name, `room.NAME`."""

    name: str
    value: Value
    about: About


def numbers() -> tuple[Number, ...]:
    """All numbers, in the order of the rooms and of their files."""
    found = []
    for room in ROOMS:
        module = importlib.import_module(f"sentinel.detect.tuning.{room}")
        for name, hint in get_type_hints(module, include_extras=True).items():
            found.append(Number(f"{room}.{name}", getattr(module, name), hint.__metadata__[0]))
    return tuple(found)
