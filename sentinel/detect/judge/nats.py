"""What a score is: −ln p under normal traffic in nats, the same in [0, 1], the threshold, and whose verdict it is."""

from typing import Protocol

import numpy as np

__all__ = ["THRESHOLD_NATS", "Judge", "nats_to_score", "score_to_nats"]

THRESHOLD_NATS = 7.5  # p < 1/1,800 under normal traffic


class Judge(Protocol):
    """What signs a verdict: the model's version and its confidence, "low" or "normal"."""

    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def confidence(self) -> str: ...  # noqa: D102


def nats_to_score(nats: float) -> float:
    """The score in [0, 1] of −ln p: 0.5 at 7.5 nats."""
    return float(1.0 - 2.0 ** (-nats / THRESHOLD_NATS))


def score_to_nats(score: float) -> float:
    """The inverse of `nats_to_score`, for scores below 1."""
    return float(-THRESHOLD_NATS * np.log2(1.0 - score))
