"""The four flows, run one after the other against a Prefect server of their own: each leaves its table, and a repeat
changes nothing."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactCollectionFilter, ArtifactCollectionFilterKey
from prefect.states import State
from prefect.testing.utilities import prefect_test_harness

from flows.collect_files import collect_files
from flows.load_elastic import load_elastic
from flows.retrain_detector import retrain_detector
from flows.score_batch import score_batch
from sentinel.errors import TerminalError, TransientError
from sentinel.settings import load_settings
from sentinel.simulate import append_files, fleet
from sentinel.wiring import opened
from tasks.policy import is_transient

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    # Prefect leaves its event sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

LINES_S = 3600.0


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """A Prefect server for these tests, started once."""
    with prefect_test_harness(server_startup_timeout=180):
        yield
    gc.collect()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a watched folder of their own; Parquet as the store."""
    monkeypatch.setenv("LOG_SENTINEL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOG_SENTINEL_DIR", str(tmp_path / "in"))
    monkeypatch.setenv("ELASTIC_ADDR", "")
    (tmp_path / "in").mkdir()
    return tmp_path


def ledger() -> tuple[int, int, int]:
    """Accepted, delivered, waiting."""
    with opened(load_settings()) as sentinel:
        books = sentinel.spool.ledger()
        return books.accepted, books.delivered, books.waiting


async def table_of(key: str) -> str:
    """The newest table of this key, as JSON text."""
    async with get_client() as client:
        found = await client.read_latest_artifacts(
            artifact_filter=ArtifactCollectionFilter(key=ArtifactCollectionFilterKey(any_=[key]))
        )
    assert found[0].type == "table"
    return str(found[0].data)


async def test_flows_do_the_whole_job_when_run_in_order(server: None, home: Path) -> None:
    """Collect, load, train, score; each run completes with its table, and the second changes nothing."""
    now = datetime.now(UTC)
    start = datetime.fromtimestamp(now.timestamp() - LINES_S, UTC)
    written = sum(append_files(fleet(seed=1, start=start, duration_s=LINES_S), home / "in").values())

    assert "no model yet" in str((await score_batch(return_state=True)).message)
    await collect_files(return_state=True)
    collected = ledger()
    await load_elastic(return_state=True)
    loaded = ledger()
    trained: State[None] = await retrain_detector(max_records=10_000, return_state=True)
    scored: State[None] = await score_batch(return_state=True)
    again = [await flow(return_state=True) for flow in (collect_files, load_elastic, score_batch)]

    assert collected == (written, 0, written)
    assert loaded == (written, written, 0)
    assert trained.is_completed(), trained.message
    assert f"scored={written}" in str(scored.message)
    assert "accepted=0" in str(again[0].message)
    assert "delivered=0" in str(again[1].message)
    assert "scored=0" in str(again[2].message)
    assert ledger() == loaded
    for key in ("collect-files", "load-elastic", "retrain-detector", "score-batch"):
        assert await table_of(key)


async def test_flow_fails_and_says_why_when_its_folder_is_missing(server: None, home: Path) -> None:
    """A failure that no repeat can cure is not repeated, and its message names the way out."""
    (home / "in").rmdir()

    state: State[None] = await collect_files(return_state=True)

    assert state.is_failed()
    assert "LOG_SENTINEL_DIR" in str(state.message)


@pytest.mark.parametrize(("error", "is_repeated"), [(TransientError("later"), True), (TerminalError("never"), False)])
async def test_only_passing_failures_are_repeated(error: Exception, is_repeated: bool) -> None:
    """Prefect repeats what may work later, and nothing else."""
    from prefect.states import exception_to_failed_state

    state = await exception_to_failed_state(error)

    assert await is_transient(None, None, state) is is_repeated
