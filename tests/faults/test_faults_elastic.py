"""Against a real Elasticsearch that is killed, blocked and offered documents it cannot index."""

from pathlib import Path

import pytest

from tests.elastic_server import ElasticServer
from tests.faults.real_elastic import run

EVENTS, KILLS = 20_000, 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_elasticsearch_holds_what_was_issued_in_the_end(elastic_server: ElasticServer, tmp_path: Path) -> None:
    """Killed with SIGKILL, read-only for a while, some documents refused: what it holds is what the oracle issued."""
    outcome = run(tmp_path, elastic_server, seed=41, events=EVENTS, kills=KILLS)

    assert outcome.verdict.passed, outcome.verdict.explain()
    assert outcome.verdict.dead > 0
    assert outcome.verdict.acknowledged >= EVENTS
