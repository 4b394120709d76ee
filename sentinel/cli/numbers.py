"""Numbers among a command's arguments: their bounds are named when one lies outside."""

import argparse
import math
from collections.abc import Callable

__all__ = ["MAX_SEED", "real", "whole"]

MAX_SEED = 2**32 - 1  # what numpy and scikit-learn take


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """A type for argparse: a whole number from `low` to `high` (None: without an end)."""

    def read(text: str) -> int:
        value = int(text)
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{text} is not {_span(low, high)}")
        return value

    read.__name__ = "whole number"  # argparse names it where the text is no number at all
    return read


def real(low: float, high: float) -> Callable[[str], float]:
    """A type for argparse: a number from `low` to `high`."""

    def read(text: str) -> float:
        value = float(text)
        if not math.isfinite(value) or not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not {_span(low, high)}")
        return value

    read.__name__ = "number"
    return read


def _span(low: float, high: float | None) -> str:
    return f"{low} or more" if high is None else f"from {low} to {high}"
