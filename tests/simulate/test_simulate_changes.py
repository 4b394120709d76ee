"""Days on which nothing is wrong and something is new, and an application in words that nobody taught."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sentinel.simulate.changes import CHANGES, change_days
from sentinel.simulate.unread import CLIENTS, GUESSES, TONGUES, unread_suite

START = datetime(2026, 11, 7, tzinfo=UTC)
TAUGHT_BEFORE = {"release", "nightly batch", "weekend"}
"""Changes whose lines training knows in part."""


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_begins_where_it_says(name: str) -> None:
    """What training must not know begins after it, what it knows in part begins in it; a seed gives the same lines."""
    lines, taught = change_days(name, seed=3, start=START), CHANGES[name][1]
    own = lines.filter("is_change")

    assert lines["timestamp"].is_sorted()
    assert (own["timestamp"][0] < START + timedelta(days=taught)) == (name in TAUGHT_BEFORE)
    assert own.equals(change_days(name, seed=3, start=START).filter("is_change"))


@pytest.mark.parametrize("taught", [False, True])
def test_an_unread_suite_has_all_attacks_and_clients(taught: bool) -> None:
    """The second day has each kind of attack, and clients that no label marks; the first has attacks where so said."""
    tongue = TONGUES["swedish"]

    suite = unread_suite(seed=2, tongue=tongue, lines_a_day=3_000.0, start=START, taught=taught, each=1)

    attacks = suite.lines.filter(pl.col("label") == 1)
    assert set(attacks["attack"]) == set(suite.attacks["attack"]) == {f"{kind}#0" for kind in GUESSES}
    assert attacks["timestamp"].min() >= START + timedelta(days=1)
    normal = suite.lines.filter(pl.col("label") == 0)
    assert len(CLIENTS) == 5
    assert normal["message"].str.contains("10.8.0.77", literal=True).any()
    strangers = normal.filter(pl.col("message").str.contains(r"198\.1[89]\."))
    assert strangers.is_empty() != taught
