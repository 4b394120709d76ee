"""What a score is: −ln p under normal traffic in nats, the same in [0, 1], the threshold, and whose verdict it is."""

from typing import TYPE_CHECKING, Protocol, TypeVar

from sentinel.detect.tuning.judge import THRESHOLD_NATS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

__all__ = ["THRESHOLD_NATS", "Judge", "nats_to_score", "nats_to_scores"]

Many = TypeVar("Many", "npt.NDArray[np.float64]", "pl.Series")


class Judge(Protocol):
    """What signs a verdict: the model's version and its confidence, "low" or "normal"."""

    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def confidence(self) -> str: ...  # noqa: D102


def nats_to_score(nats: float) -> float:
    """The score in [0, 1] of −ln p: 0.5 at 7.5 nats."""
    return float(1.0 - 2.0 ** (-nats / THRESHOLD_NATS))


def nats_to_scores(nats: Many) -> Many:
    """The same of many at once."""
    return 1.0 - 2.0 ** (-nats / THRESHOLD_NATS)
