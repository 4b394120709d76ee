"""A Parquet history into another store: every record once, by its own id and partition, also after being broken off."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sentinel.errors import TerminalError, TransientError
from sentinel.pipeline import history
from sentinel.pipeline.history import load_history
from sentinel.pipeline.parts import Sentinel
from sentinel.records import ANOMALIES, ANOMALY_COLUMNS, EVENTS, RECORD_SCHEMA
from sentinel.store import MemoryStore, Outcome, ParquetStore, Store, open_store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def records(first: int, count: int, *, spool: str = "aaaa", partition: str = "2026.11") -> pl.DataFrame:
    moments = {"timestamp": NOW, "received": NOW, "source": "shop", "partition": partition, "spool": spool}
    rows = [
        {"event_id": f"{spool}{n:018d}", "sequence": n, "message": f"m{n}", **moments}
        for n in range(first, first + count)
    ]
    return pl.DataFrame(rows, schema=RECORD_SCHEMA)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Two spools, two partitions, three anomalies: 1,003 records."""
    folder = tmp_path / "history"
    source = ParquetStore(folder)
    source.write(records(1, 400, partition="2026.10"))
    source.write(records(401, 300))
    source.write(records(1, 300, spool="bbbb"))
    verdict = pl.DataFrame(schema=ANOMALY_COLUMNS).clear(3).with_columns(is_anomaly=pl.lit(True), event=pl.lit("e"))
    source.write(pl.concat([records(1, 3), verdict], how="horizontal"), stream=ANOMALIES)
    return folder


@pytest.fixture
def in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BATCH_RECORDS", 100)


def content(store: Store, stream: str = EVENTS) -> pl.DataFrame:
    return pl.concat(list(store.scan(stream=stream)))


def test_history_is_loaded_once_with_ids_and_partitions(sentinel: Sentinel, store: MemoryStore, kept: Path) -> None:
    """What is in the files is in the store, the same to the letter; a second run changes nothing; the books balance."""
    reports = [load_history(sentinel, kept) for _ in range(2)]

    source = ParquetStore(kept)
    assert content(store).equals(content(source))
    assert content(store, ANOMALIES).equals(content(source, ANOMALIES))
    assert [dict(report.counts) for report in reports] == [
        {"found": 1_003, "resumed": 0, "loaded": 1_003, "refused": 0},
    ] * 2
    assert [(row["stream"], row["partition"], row["loaded"]) for row in reports[0].rows] == [
        ("anomalies", "2026.11", 3),
        ("events", "2026.10", 400),
        ("events", "2026.11", 600),
    ]


@pytest.mark.parametrize("writes", [0, 1, 5, 9, 10])
def test_broken_off_run_is_gone_on_with(
    sentinel: Sentinel, store: MemoryStore, kept: Path, in_small_steps: None, writes: int
) -> None:
    """The next run begins where the last one ended, and together they balance."""
    left = [writes]
    write = store.write

    def tired(frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        left[0] -= 1
        if left[0] < 0:
            raise TransientError("it is away")
        return write(frame, stream=stream)

    store.write = tired  # type: ignore[method-assign]
    with pytest.raises(TransientError, match="it is away"):
        load_history(sentinel, kept, patience_s=-1.0, sleep=lambda seconds: None)
    left[0] = 1_000
    report = load_history(sentinel, kept)

    assert report.counts["found"] == sum(report.counts[name] for name in ("resumed", "loaded", "refused")) == 1_003
    assert report.counts["resumed"] == min(100 * writes, 1_000)
    assert (store.count(EVENTS), store.count(ANOMALIES)) == (1_000, 3)


def test_kill_between_store_and_mark_doubles_nothing(
    sentinel: Sentinel, store: MemoryStore, kept: Path, in_small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written and not noted is offered again, and is there once."""

    def die(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(history, "reach", die)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            load_history(sentinel, kept)
    monkeypatch.undo()

    report = load_history(sentinel, kept)

    assert report.counts["found"] == report.counts["loaded"] == 1_003
    assert store.count(EVENTS) == 1_000


def test_refused_records_are_named_and_the_rest_is_loaded(
    sentinel: Sentinel, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record the store refuses for good is told with its id and reason; one refused for now is offered again."""
    store, busy = MemoryStore(), {"m7", "m8"}
    write = store.write

    def choosy(frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        texts = frame["message"].to_list()
        dead = {row: "400 no" for row, text in enumerate(texts) if text == "m5" and stream == EVENTS}
        retry = np.array([text in busy for text in texts])
        delivered = ~retry
        delivered[list(dead)] = False
        busy.clear()
        write(frame.filter(pl.Series(delivered)), stream=stream)
        return Outcome(delivered, retry, dead, "429")

    monkeypatch.setattr(store, "write", choosy)

    report = load_history(replace(sentinel, store=store), kept, sleep=lambda seconds: None)

    assert (report.counts["refused"], report.counts["loaded"]) == (2, 1_001)
    assert any("aaaa000000000000000005 is refused: 400 no" in note for note in report.notes)
    assert store.count(EVENTS) == 998


def test_folder_that_is_no_history_and_store_of_files_are_refused(sentinel: Sentinel, kept: Path) -> None:
    """Each with what to do instead."""
    with pytest.raises(TerminalError, match="no folder events"):
        load_history(sentinel, kept.parent)
    with pytest.raises(TerminalError, match="set ELASTIC_ADDR"):
        load_history(replace(sentinel, store=ParquetStore(kept.parent / "other")), kept)


def test_history_reaches_a_real_elasticsearch(
    sentinel: Sentinel, kept: Path, elastic_url: str, elastic_index: str, open_home: Callable[[], Sentinel]
) -> None:
    """Ids, partitions and content are those of the files; twice is once."""
    store = open_store(addr=elastic_url, index=elastic_index, folder=kept)
    counts = [dict(load_history(replace(sentinel, store=store), kept).counts) for _ in range(2)]
    store.refresh()

    try:
        assert content(store).equals(content(ParquetStore(kept)))
        assert (store.count(EVENTS), store.count(ANOMALIES)) == (1_000, 3)
        assert counts[0] == counts[1] == {"found": 1_003, "resumed": 0, "loaded": 1_003, "refused": 0}
    finally:
        store.prune("9999.12")
        store.close()
