"""Verdicts wait for those who ask for them, and for nobody else."""

import polars as pl

from sentinel.pipeline.recent import KEPT_S, Recent
from sentinel.spool import Span


def _verdicts(first: int, last: int) -> pl.DataFrame:
    return pl.DataFrame({"sequence": range(first, last + 1), "nats": 1.0})


def test_verdicts_of_a_span_come_from_all_rounds_it_went_through() -> None:
    """By sequence; what was not scored yet is left out."""
    recent = Recent()
    recent.add(1, 3, _verdicts(1, 3), 0.0)
    recent.add(4, 6, _verdicts(4, 6), 1.0)

    found = recent.of(Span(3, 8))

    assert found == {3: {"nats": 1.0}, 4: {"nats": 1.0}, 5: {"nats": 1.0}, 6: {"nats": 1.0}}


def test_verdicts_are_let_go_when_nobody_waits_any_more() -> None:
    """Those of a big body held tens of megabytes until as many rounds had come again."""
    recent = Recent()
    for round_number in range(20):
        recent.add(round_number, round_number, _verdicts(round_number, round_number), float(round_number))

    recent.let_go(19.0 + KEPT_S)

    assert len(recent) == 1
    assert recent.of(Span(0, 18)) == {}
