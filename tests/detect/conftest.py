"""Lines of a small fleet and a model trained on them, made once."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.learn.fit import Trained, fit
from sentinel.simulate import fleet

START = datetime(2026, 3, 2, tzinfo=UTC)
NOW = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture(scope="session")
def fleet_lines() -> pl.DataFrame:
    """Eight hours of a fleet, as records."""
    lines = fleet(seed=5, start=START, duration_s=8 * 3600)
    return lines.with_columns(attributes=pl.lit(None, dtype=pl.String))


@pytest.fixture(scope="session")
def past(fleet_lines: pl.DataFrame) -> pl.DataFrame:
    """The first six hours: what is learnt from."""
    return fleet_lines.filter(pl.col("timestamp") < START + timedelta(hours=6))


@pytest.fixture(scope="session")
def present(fleet_lines: pl.DataFrame) -> pl.DataFrame:
    """The last two hours: what is scored."""
    return fleet_lines.filter(pl.col("timestamp") >= START + timedelta(hours=6))


@pytest.fixture(scope="session")
def trained(past: pl.DataFrame) -> Trained:
    """A model of the past."""
    return fit(past, now=NOW, seed=1, trees=60)


@pytest.fixture
def scorer(trained: Trained) -> Scorer:
    """A scorer that has seen the past."""
    return Scorer(trained.model, trained.state)
