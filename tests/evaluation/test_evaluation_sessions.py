"""Session sets: read as their files tell, measured whole and by line, with the trivial figures beside them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.evaluation.case import records_of
from sentinel.evaluation.sessions import WHOLE, SessionCase, run_sessions

START = datetime(2026, 5, 4, tzinfo=UTC)
USUAL = ["request begins", "row read", "row read", "answer written", "request over"]
BROKEN = ["request begins", "row read", "disk unreadable", "page lost"]


def records(sessions: list[list[str]], prefix: str, start: datetime) -> pl.DataFrame:
    rows = [
        (start + timedelta(minutes=i, seconds=at), "api", text, f"{prefix}{i}")
        for i, session in enumerate(sessions)
        for at, text in enumerate(session)
    ]
    frame = pl.DataFrame(rows, schema=["timestamp", "source", "message", "session"], orient="row")
    return records_of(frame.with_columns(level=pl.lit(None, pl.String())))


@pytest.fixture
def case() -> SessionCase:
    """Three hundred usual requests teach; of sixty, every tenth breaks, and the very last one has only begun."""
    test = [BROKEN if i % 10 == 3 else USUAL for i in range(59)] + [USUAL[:2]]
    truth = pl.DataFrame({"session": [f"s{i}" for i in range(60)], "label": [int(i % 10 == 3) for i in range(60)]})
    later = START + timedelta(days=1)
    return SessionCase("made", "made", records([USUAL] * 300, "t", START), records(test, "s", later), truth)


def test_whole_sessions_are_told_apart_when_they_differ(case: SessionCase) -> None:
    """Ours finds all six and nothing else, the unfinished one included; no method on counts beats the bound."""
    rows = {row["method"]: row for row in run_sessions(case, seed=0)}
    assert rows[WHOLE]["f1_own"] == 1.0
    assert rows["flag everything"]["f1_own"] == pytest.approx(2 * 6 / 66)
    bound = rows["bound: counts and labels known"]["f1_best"]
    assert all(row["f1_best"] <= bound + 1e-9 for row in rows.values())
    assert np.isnan(rows["bound: counts and labels known"]["f1_own"])
