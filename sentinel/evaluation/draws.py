"""How much hangs on the few sessions that teach: the same sequences again and again, others drawn to learn from."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sentinel.evaluation.sessions import WHOLE, SessionCase, fault_sequences, score_whole, sequences_case

__all__ = ["DRAWN", "drawn_case", "run_draws"]

DRAWN = 25  # as many as the set itself gives to teach
ABOUT = "event ids of instance life cycles; 25 normal ones of all are drawn to teach, the others are judged"


def run_draws(data: Path, draws: Sequence[int], *, seed: int) -> Iterator[dict[str, Any]]:
    """One row a draw of OpenStack's normal sequences, its number the seed of the draw; figures of whole sessions."""
    for draw in draws:
        yield {**score_whole(drawn_case(data, draw), seed=seed), "draw": draw, "method": WHOLE}


def drawn_case(data: Path, draw: int) -> SessionCase:
    """The sequences that this draw teaches, and all others with the faulty ones to be judged."""
    normal = fault_sequences(data, "openstack_train") + fault_sequences(data, "openstack_test_normal")
    faulty = fault_sequences(data, "openstack_test_abnormal")
    order = np.random.default_rng(draw).permutation(len(normal)).tolist()
    train, test = ([normal[i] for i in part] for part in (order[:DRAWN], sorted(order[DRAWN:])))
    labels = [0] * len(test) + [1] * len(faulty)
    return sequences_case("OpenStack, drawn", ABOUT, train, [*test, *faulty], labels)
