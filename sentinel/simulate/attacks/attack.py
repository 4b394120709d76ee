"""What an attack is: the lines it adds, the lines it takes away, and who did it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sentinel.simulate.attacks.stage import Stage
from sentinel.simulate.clock import Row, Span

__all__ = ["Attack", "Hidden", "Recipe"]


@dataclass(frozen=True, slots=True)
class Hidden:
    """Lines of one source that do not come: `share` in (0, 1] of those inside the span."""

    source: str
    span: Span
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: `rows` are its lines, `actor` the address, user or part that it is about."""

    kind: str
    wording: str
    actor: str
    source: str
    span: Span
    rows: tuple[Row, ...] = ()
    hidden: tuple[Hidden, ...] = field(default=())


Recipe = Callable[[random.Random, float, Stage], Attack]
"""Dice, the moment it begins (Unix time in seconds) and the stage give one attack."""
