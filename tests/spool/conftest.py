"""Spools of a test's own, and records to put into them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from sentinel import failpoints
from sentinel.records import ANOMALY_COLUMNS, RECORD_SCHEMA
from sentinel.spool import Spool

START = datetime(2026, 11, 23, 12, tzinfo=UTC)

MakeRecords = Callable[..., pl.DataFrame]


@pytest.fixture(scope="session")
def make_records() -> MakeRecords:
    """`make_records(n, first=0, sources=("sshd",), message=…)`: n records with distinct ids, sources in turn."""

    def make(
        n: int, first: int = 0, sources: tuple[str | None, ...] = ("sshd",), message: str = "hello"
    ) -> pl.DataFrame:
        rows = range(first, first + n)
        columns: dict[str, object] = {
            "event_id": [f"gen0000000{i:012d}" for i in rows],
            "partition": ["2026.11"] * n,
            "timestamp": [START + timedelta(seconds=i) for i in rows],
            "received": [START + timedelta(seconds=i) for i in rows],
            "source": [sources[i % len(sources)] for i in rows],
            "message": [f"{message} {i}" for i in rows],
        }
        return pl.DataFrame({name: columns.get(name, [None] * n) for name in RECORD_SCHEMA}, schema=RECORD_SCHEMA)

    return make


@pytest.fixture(scope="session")
def make_anomalies(make_records: MakeRecords) -> MakeRecords:
    """`make_anomalies(n, first=0)`: n anomalies, about records of the same numbers."""

    def make(n: int, first: int = 0) -> pl.DataFrame:
        missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in ANOMALY_COLUMNS.items()]
        return make_records(n, first).with_columns(missing)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def spool(folder: Path) -> Iterator[Spool]:
    with Spool.open(folder, min_free_bytes=0) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.disarm()


@pytest.fixture(scope="session")
def append() -> Callable[..., object]:
    """`append(spool, frame, stream="events")`: one frame in a transaction of its own; its span."""

    def run(spool: Spool, frame: pl.DataFrame, stream: str = "events") -> object:
        with spool.transaction() as tx:
            return tx.append(frame, stream)

    return run


@pytest.fixture(scope="session")
def deliver() -> Callable[..., None]:
    """`deliver(spool, to_sequence, dead=None, reader="deliver")`: move a reader in a transaction of its own."""

    def run(spool: Spool, to_sequence: int, dead: dict[int, str] | None = None, reader: str = "deliver") -> None:
        with spool.lease(reader) as lease:
            assert lease is not None
            with spool.transaction() as tx:
                tx.move(lease, to_sequence, dead=dead)

    return run
