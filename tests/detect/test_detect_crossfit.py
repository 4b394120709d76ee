"""What training lines may teach, by themselves: an incident in the window does not, single odd lines do."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.detect.learn.corpus import read
from sentinel.detect.learn.crossfit import CrossFit
from sentinel.simulate import fleet, inject

START = datetime(2026, 3, 2, tzinfo=UTC)
COLUMNS = ["timestamp", "level", "source", "host", "message", "attributes"]


@pytest.fixture(scope="module")
def life() -> pl.DataFrame:
    """Ten hours of a fleet."""
    return fleet(seed=6, start=START, duration_s=10 * 3600)


def left_out(lines: pl.DataFrame) -> np.ndarray:
    """Which lines may not teach."""
    corpus = read(lines.with_columns(attributes=pl.lit(None, pl.String())).select(COLUMNS), None)
    ok: np.ndarray = CrossFit(corpus).clean(np.ones(len(corpus), bool), 0)
    return ~ok


@pytest.mark.parametrize(("kind", "seed"), [("error_burst", 4), ("rate_spike", 5)])
def test_an_incident_does_not_teach_from_its_first_line(life: pl.DataFrame, kind: str, seed: int) -> None:
    """The crowd goes, and with it the lines before it was called one; few normal lines are lost."""
    suite = inject(life, seed=seed, kinds=(kind,), each=2, since=START + timedelta(hours=4))
    out, label = left_out(suite.lines), suite.lines["label"].to_numpy()
    attacks = suite.lines.with_columns(out=pl.Series(out)).filter(pl.col("label") == 1)
    shares = attacks.group_by("attack").agg(pl.col("out").mean(), pl.col("out").head(5).mean().alias("first"))

    assert shares["out"].mean() > 0.75  # type: ignore[operator]
    assert shares["first"].max() == 1.0
    assert out[label == 0].mean() < 0.04  # the morning is busier than the night


def test_single_odd_lines_teach(life: pl.DataFrame) -> None:
    """A failure never seen before, six times in a window: the threshold has to bear it."""
    every = life.height // 7
    odd = life.gather(range(every, 7 * every, every)).with_columns(
        level=pl.lit("error"), source=pl.lit("relay"), message=pl.lit("handshake failed, plan b does not answer either")
    )
    lines = pl.concat([life, odd]).sort("timestamp", maintain_order=True)
    out = left_out(lines)

    assert not out[(lines["source"] == "relay").to_numpy()].any()
    assert out.mean() < 0.03


def test_a_job_that_ran_once_teaches_though_it_was_a_crowd(life: pl.DataFrame) -> None:
    """Lines that came in it alone, blame nobody and tell of no trouble; a flood of a known line does not teach."""
    at = [START + timedelta(hours=7, seconds=0.8 * i) for i in range(600)]
    texts = ("ledger {} summed up", "statement {} printed", "index of {} rebuilt")
    usual = life.filter(pl.col("level") == "info")["message"][0]
    job = pl.DataFrame({"timestamp": at, "message": [texts[i % 3].format(1000 + i) for i in range(600)]}).with_columns(
        level=pl.lit("info"), source=pl.lit("ledger"), host=pl.lit("app-2")
    )
    flood = job.with_columns(pl.lit(usual).alias("message"), pl.col("timestamp") + timedelta(hours=1))
    lines = pl.concat([life, *(part.select(life.columns).cast(dict(life.schema)) for part in (job, flood))])
    corpus = read(lines.with_columns(attributes=pl.lit(None, pl.String())).select(COLUMNS), None)
    cross = CrossFit(corpus)
    everything = np.ones(len(corpus), bool)
    out = everything & ~cross.clean(everything, 0)

    jobs = cross.jobs(out)

    source = lines.sort("timestamp", maintain_order=True).select("source", "message")
    is_job = (source["source"] == "ledger").to_numpy() & source["message"].str.contains(
        "summed|printed|rebuilt"
    ).to_numpy()
    is_flood = (source["source"] == "ledger").to_numpy() & ~is_job
    assert jobs[is_job & out].all()
    assert not jobs[is_flood].any()
    assert out[is_job].mean() > 0.9
