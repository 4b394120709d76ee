"""R1, R5 and R13: killed at random, the store away, the spool full; nothing lost, nothing twice, books balance."""

from pathlib import Path

import pytest

from tests.faults import kill, outage

KILLS, HTTP_EVENTS, FILE_LINES = 12, 20_000, 20_000
SEED = 20261123


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_is_lost_or_twice_when_all_is_killed_at_random(tmp_path: Path) -> None:
    """Server and verbs die at random, files rotate, Elasticsearch resets, loses answers and is away."""
    outcome = kill.run(tmp_path, seed=SEED, kills=KILLS, http_events=HTTP_EVENTS, file_lines=FILE_LINES)

    assert outcome.verdict.passed, outcome.verdict.explain()
    assert outcome.kills.total() >= KILLS
    assert min(outcome.kills["server"], outcome.kills["verb"]) > 0
    assert outcome.verdict.acknowledged > 0.9 * (HTTP_EVENTS + FILE_LINES)
    assert outcome.rotations > 0


@pytest.mark.slow
def test_outage_is_survived_at_a_steady_intake(tmp_path: Path) -> None:
    """What came in while Elasticsearch was away is delivered once when it is back."""
    found = outage.run(tmp_path, seed=3, rate=1000, down_s=6, warm_s=2)

    assert found.verdict.passed, found.verdict.explain()
    assert found.backlog > 0


@pytest.mark.slow
def test_full_spool_refuses_with_503_and_a_time_to_come_back(tmp_path: Path) -> None:
    """At its bound the spool takes nothing more and loses nothing; after the outage it takes again."""
    found = outage.fill(tmp_path, seed=5, tries_after=60)

    assert set(found.refused) == {"503"}
    assert "" not in found.retry_after
    assert found.ready_again
    assert found.verdict.passed, found.verdict.explain()
