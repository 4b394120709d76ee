"""A model knows when each template last came in the lines that taught it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.detect.learn.fit import fit
from sentinel.detect.models.model import Model

START = datetime(2026, 3, 2, tzinfo=UTC)
KEPT, OLD = "order <NUM> kept", "cache <NUM> warmed"


def lines(rows: list[tuple[int, str]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "timestamp": pl.Series([START + timedelta(seconds=at) for at, _ in rows], dtype=pl.Datetime("ns", "UTC")),
            "level": ["info"] * len(rows),
            "source": ["shop"] * len(rows),
            "host": ["web-1"] * len(rows),
            "message": [text for _, text in rows],
            "attributes": pl.Series([None] * len(rows), dtype=pl.String),
        }
    )


@pytest.fixture(scope="module")
def model() -> Model:
    rows = [(60 * i, f"order {i} kept") for i in range(200)] + [(60 * i + 5, f"cache {i} warmed") for i in range(40)]
    return fit(lines(rows), now=START).model


def seen_s(model: Model, template: str) -> float:
    return model.last_seen()[template] - START.timestamp()


def test_model_knows_when_each_template_last_came(model: Model) -> None:
    """The time of the newest line of each; the same once the model went through its parts."""
    again = Model.from_parts(*model.to_parts())

    assert [seen_s(one, name) for one in (model, again) for name in (KEPT, OLD)] == [11_940.0, 2_345.0] * 2


def test_retrain_remembers_what_the_champion_saw(model: Model) -> None:
    """A template that came no more keeps the time that the champion knows."""
    later = fit(lines([(90_000 + 60 * i, f"order {i} kept") for i in range(100)]), now=START, champion=model).model

    assert [seen_s(later, name) for name in (KEPT, OLD)] == [95_940.0, 2_345.0]


def test_model_of_before_knows_no_times(model: Model) -> None:
    """A model that was kept without them serves, and says of no template when it came."""
    arrays, tables = model.to_parts()
    del arrays["template_seen"]

    old = Model.from_parts(arrays, tables)

    assert all(np.isnan(at_s) for at_s in old.last_seen().values())
    assert list(old.last_seen()) == list(model.last_seen())
