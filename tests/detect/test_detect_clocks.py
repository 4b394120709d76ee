"""Clocks that jump, lines that come late: one wrong time does no lasting harm."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.learn.fit import Trained
from sentinel.detect.read.coded import Line
from sentinel.detect.remember.raw import RAW, RAW_INDEX
from sentinel.detect.remember.state import empty_memory
from sentinel.detect.remember.state_pass import walk

YEAR = timedelta(days=365)
GUESS = "Failed password for root from 203.0.113.9 port 4{i} ssh2"


def lines(start: datetime, texts: list[str], gap_s: float, source: str = "sshd") -> pl.DataFrame:
    times = [start + timedelta(seconds=gap_s * i) for i in range(len(texts))]
    return pl.DataFrame(
        {
            "timestamp": pl.Series(times).dt.cast_time_unit("ns").cast(pl.Datetime("ns", "UTC")),
            "level": pl.Series([None] * len(texts), dtype=pl.String),
            "source": [source] * len(texts),
            "host": ["h1"] * len(texts),
            "message": texts,
            "attributes": pl.Series([None] * len(texts), dtype=pl.String),
        }
    )


def guesses(start: datetime, count: int) -> pl.DataFrame:
    return lines(start, [GUESS.format(i=i) for i in range(count)], 0.7)


@pytest.mark.parametrize("jump", [YEAR, timedelta(hours=2), timedelta(minutes=50), -timedelta(hours=30), -YEAR])
def test_one_wrong_time_leaves_normal_lines_normal(trained: Trained, present: pl.DataFrame, jump: timedelta) -> None:
    """After one line of every template with a wrong time, an hour of normal traffic is as quiet as without it."""
    first, rest = present.head(600), present[600:2600]
    odd = first.unique(["source"], keep="first", maintain_order=True).with_columns(
        timestamp=pl.lit(first["timestamp"][-1] + jump).cast(pl.Datetime("ns", "UTC"))
    )
    plain, jumped = Scorer(trained.model, trained.state), Scorer(trained.model, trained.state)
    plain.score(first)
    jumped.score(pl.concat([first, odd.select(first.columns)]))

    quiet, after = plain.score(rest)["is_anomaly"].sum(), jumped.score(rest)["is_anomaly"].sum()

    assert after <= quiet + 12


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_brute_force_is_found_in_spite_of_a_wrong_time(
    trained: Trained, present: pl.DataFrame, jump: timedelta
) -> None:
    """A line of another actor with a wrong time in the middle of an attack does not end it."""
    scorer = Scorer(trained.model, trained.state)
    scorer.score(present.head(500))
    now = present["timestamp"][499]
    odd = lines(now + jump, ["Failed password for ann from 10.20.0.5 port 1 ssh2"], 1.0)
    attack = guesses(now, 24)

    verdicts = scorer.score(pl.concat([attack[:12], odd, attack[12:]]))

    assert verdicts["is_anomaly"][:12].to_list().index(True) <= 4
    assert verdicts["is_anomaly"][18:].all()
    assert verdicts["kind"][-1] == "brute_force"


def test_a_backlog_after_the_newest_lines_has_rates_of_its_own() -> None:
    """A second file whose lines lie 50 minutes back decays as any: its rates are not the sum of all its lines."""
    memory, template, source = empty_memory(core=1024, edge=1024), hash_text("a template"), hash_text("sshd")

    for start in (0.0, 600.0):
        raw = np.empty((3_600, len(RAW)))
        n = len(raw)
        walk(
            memory,
            Line(
                start + np.arange(n),
                np.ones(n, np.int64),
                np.full(n, source, np.uint64),
                np.full(n, template, np.uint64),
                np.zeros(n, np.int64),
                np.zeros((n, 4), np.uint64),
                np.full((n, 4), np.nan),
                np.ones(n),
            ),
            raw,
        )

        assert raw[:, RAW_INDEX["template0"]].max() < 17.0
        assert raw[:, RAW_INDEX["source1"]].max() < 182.0
