"""R2: whatever dies at a named place, the next run ends as if nothing had happened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.crash_points import COLLECT, HISTORY, INTAKE, LOAD, PLACES, places_in_code, run_history, run_place
from tests.faults.fake_control import FakeElastic

DELIVERY = sorted(place for place, who in PLACES.items() if {COLLECT, INTAKE, LOAD} & set(who))


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeElastic]:
    with FakeElastic() as running:
        yield running


def test_every_place_in_the_code_is_exercised() -> None:
    """No place is named in the code without a test that dies there, and none here that is gone from the code."""
    assert places_in_code() == set(PLACES)


@pytest.mark.slow
@pytest.mark.parametrize("place", DELIVERY)
def test_nothing_is_lost_or_twice_when_it_dies_here(place: str, fake: FakeElastic, tmp_path: Path) -> None:
    """Each of those that pass this place dies there twice; then all is stored once, and the books balance."""
    trial = run_place(place, tmp_path, fake, seed=11)

    assert trial.wrong == []
    assert trial.verdict.passed, trial.verdict.explain()
    assert {who: count for who, count in trial.deaths.items() if count < 2} == {}
    assert set(trial.deaths) == set(PLACES[place])


@pytest.mark.slow
def test_history_that_is_moved_by_dying_runs_arrives_once(fake: FakeElastic, tmp_path: Path) -> None:
    """`load --from-parquet` dies twice and is run twice to its end: every record is there once."""
    trial = run_history(tmp_path, fake, seed=13)

    assert trial.wrong == []
    assert trial.verdict.passed, trial.verdict.explain()
    assert trial.deaths == {HISTORY: 2}
