"""Points in time and the dice: a span, arrivals that follow the day, regular ticks. Nothing here reads the clock."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi

__all__ = ["DAY_S", "Row", "Span", "arrivals", "dice", "ticks"]

DAY_S = 86_400.0
PEAK_S = 14 * 3600.0  # the busiest moment of a day, in seconds after midnight UTC

Row = tuple[float, str | None, str, str, str]
"""Unix time in seconds, level, source, host, message."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_s` (included) to `end_s` (not included), Unix time in seconds."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """Seconds from start to end."""
        return self.end_s - self.start_s

    def __contains__(self, at_s: float) -> bool:
        return self.start_s <= at_s < self.end_s


def dice(seed: int, *names: str) -> random.Random:
    """The generator of one part of the world: the same seed and names give the same numbers, on every machine."""
    return random.Random("/".join((str(seed), *names)))  # noqa: S311  # made-up logs, not secrets


def rhythm(at_s: float, depth: float) -> float:
    """How busy the day is at this moment: 1 at the peak, 1 − `depth` twelve hours later."""
    return 1.0 - depth * 0.5 * (1.0 - cos(2.0 * pi * (at_s - PEAK_S) / DAY_S))


def arrivals(rng: random.Random, span: Span, per_day: float, *, depth: float = 0.7) -> Iterator[float]:
    """Moments of a Poisson process, in order, `per_day` on average; `depth` in [0, 1] is how quiet nights are."""
    peak_rate = per_day / DAY_S / (1.0 - depth / 2.0)
    at_s = span.start_s
    while True:
        at_s += rng.expovariate(peak_rate)
        if at_s >= span.end_s:
            return
        if rng.random() < rhythm(at_s, depth):
            yield at_s


def ticks(rng: random.Random, span: Span, period_s: float, *, jitter_s: float = 0.2) -> Iterator[float]:
    """Moments of a timer: every `period_s`, each late by up to `jitter_s`, never drifting."""
    at_s = span.start_s + rng.random() * period_s
    while at_s < span.end_s:
        yield min(at_s + rng.random() * jitter_s, span.end_s - 1e-6)
        at_s += period_s
