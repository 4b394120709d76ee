"""Retention: whole partitions go when all of their days are past, by the verb that delivers, on every store."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from sentinel.errors import TransientError
from sentinel.pipeline.deliver import deliver
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.retention import oldest_partition, prune_store
from sentinel.records import RECORD_SCHEMA
from sentinel.store import MemoryStore, ParquetStore, Store, open_store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY_S = 86_400.0


def records(partition: str, sequence: int) -> pl.DataFrame:
    row = {"event_id": f"{sequence:022d}", "spool": "a", "sequence": sequence, "partition": partition}
    moments = {"timestamp": NOW, "received": NOW, "message": "m"}
    return pl.DataFrame([row | moments], schema=RECORD_SCHEMA)


def partitions(store: Store) -> list[str]:
    return sorted({p for frame in store.scan() for p in frame["partition"]})


@pytest.fixture(params=["memory", "parquet"])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    store = MemoryStore() if request.param == "memory" else ParquetStore(tmp_path / "store")
    for sequence, partition in enumerate(("2025.11", "2026.09", "2026.10", "2026.11"), start=1):
        store.write(records(partition, sequence))
    return store


def test_delivery_deletes_partitions_past_their_days(sentinel: Sentinel, filled: Store) -> None:
    """Months of which every day is past the retention go; the others stay, and the report says which went."""
    kept = replace(sentinel, store=filled, retention_days=30)

    report = deliver(kept, clock=NOW.timestamp)

    assert partitions(filled) == ["2026.10", "2026.11"]
    assert report.counts["partitions_deleted"] == 2
    assert any("2026.09" in note for note in report.notes)


@pytest.mark.parametrize("period", ["month", "day"])
@pytest.mark.parametrize("days", [1, 2, 31, 400])
def test_current_partition_is_never_past(period: str, days: int) -> None:
    """On no day of two years does retention reach the partition that is written to."""
    for day in range(731):
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
        current = f"{now:%Y.%m}" if period == "month" else f"{now:%Y.%m.%d}"

        before = oldest_partition(period, days, now)

        assert before is not None
        assert before <= current


@pytest.mark.parametrize(("period", "days"), [("none", 30), ("month", 0)])
def test_nothing_is_deleted_without_a_retention(sentinel: Sentinel, filled: Store, period: str, days: int) -> None:
    """One partition for ever, or a retention of 0 days, keeps everything."""
    kept = replace(sentinel, store=filled, period=period, retention_days=days)

    assert prune_store(kept, NOW.timestamp()) == ([], ())
    assert len(partitions(filled)) == 4


def test_clock_that_leaps_ahead_deletes_nothing_for_a_day(sentinel: Sentinel, filled: Store) -> None:
    """A clock that is suddenly years ahead costs no history: there is a day to notice it."""
    kept = replace(sentinel, store=filled, retention_days=30)
    prune_store(kept, NOW.timestamp())

    wrong = prune_store(kept, NOW.timestamp() + 3_000 * DAY_S)
    right = prune_store(kept, NOW.timestamp() + DAY_S)

    assert wrong[0] == right[0] == []
    assert "clock has leapt" in wrong[1][0]
    assert partitions(filled) == ["2026.10", "2026.11"]


def test_machine_that_was_off_for_weeks_prunes_a_day_later(sentinel: Sentinel, filled: Store) -> None:
    """After a day of steady clock what is past goes, also when the leap was true."""
    kept = replace(sentinel, store=filled, retention_days=30)
    prune_store(kept, NOW.timestamp())

    for hour in range(26):
        prune_store(kept, NOW.timestamp() + 50 * DAY_S + hour * 3_600.0)

    assert partitions(filled) == []


def test_store_that_refuses_to_delete_stops_nothing_else(
    sentinel: Sentinel, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, open_home: Callable[[], Sentinel]
) -> None:
    """Without the right to delete indices delivery goes on, and the report names what is missing."""

    def refuse(before: str) -> list[str]:
        raise TransientError("prune logs: a privilege is missing: delete_index")

    monkeypatch.setattr(store, "prune", refuse)

    report = deliver(replace(sentinel, retention_days=30), clock=NOW.timestamp)

    assert "delete_index" in report.notes[0]


def test_old_indices_of_a_real_elasticsearch_go(
    sentinel: Sentinel, elastic_url: str, elastic_index: str, tmp_path: Path
) -> None:
    """Whole indices past their days are deleted with the delivery; the current one, and what is not ours, stay."""
    from elasticsearch import Elasticsearch

    kept = {f"{elastic_index}-{name}" for name in ("events-2026.11", "anomalies", "incidents", "eventsource-2020.01")}
    store = open_store(addr=elastic_url, index=elastic_index, folder=tmp_path, retention_days=30, period="month")
    client = Elasticsearch(elastic_url)
    store.setup()
    for sequence, partition in enumerate(("2025.11", "2026.11"), start=1):
        store.write(records(partition, sequence))
    client.indices.create(index=f"{elastic_index}-eventsource-2020.01")
    try:
        report = deliver(replace(sentinel, store=store, retention_days=30), clock=NOW.timestamp)
        left = set(client.indices.get(index=f"{elastic_index}-*"))
    finally:
        client.indices.delete(index=",".join(kept))
        client.close()
        store.close()

    assert report.notes == (f"deleted {elastic_index}-events-2025.11",)
    assert left == kept
