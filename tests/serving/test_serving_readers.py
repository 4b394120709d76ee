"""The live readers: deliver takes turns and backs off, detect moves the model and wakes who waits for a verdict."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from sentinel.records import ANOMALIES, EVENTS, RECORD_SCHEMA
from sentinel.spool import Span, Spool
from sentinel.store import MemoryStore
from serving.deliver import BUSY_S, IDLE_S, SETUP_RETRY_S, DeliverReader
from serving.detect import DetectReader

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def records(n: int, first: int = 0) -> pl.DataFrame:
    rows = [
        {"event_id": f"{first + i:022d}", "partition": "2026.11", "timestamp": NOW, "received": NOW, "message": f"m{i}"}
        for i in range(n)
    ]
    return pl.DataFrame(rows, schema=RECORD_SCHEMA)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool.open(tmp_path / "spool", min_free_bytes=1) as opened:
        yield opened


def accept(spool: Spool, n: int, first: int = 0) -> None:
    with spool.transaction() as tx:
        tx.append(records(n, first))


def test_deliver_turn_brings_all_to_the_store_and_then_rests(spool: Spool) -> None:
    """A small round, as an idle one, is followed by a rest, which news may end."""
    store = MemoryStore()
    reader = DeliverReader(spool, store)
    accept(spool, 10)

    pauses = [reader.turn(), reader.turn()]

    assert store.count(EVENTS) == 10
    assert pauses == [IDLE_S, IDLE_S]
    assert reader.error is None


def test_deliver_turn_says_why_when_the_store_is_away(spool: Spool) -> None:
    """The records stay, the reason shows, the pause is kept; when the store is back, all is delivered."""
    now_s, seen = [1_000.0], []
    store = MemoryStore()

    def observe(reader: str, took_s: float, *, is_retry: bool) -> None:
        seen.append((reader, is_retry))

    reader = DeliverReader(spool, store, clock=lambda: now_s[0], observe=observe)
    accept(spool, 10)
    reader.turn()
    accept(spool, 5, first=10)

    store.away = "it is being restarted"
    assert 0 < reader.turn() <= IDLE_S
    assert "restarted" in (reader.error or "")
    assert 0 < reader.turn() <= IDLE_S  # the pause is not over: no attempt
    store.away = None
    now_s[0] += 60.0
    reader.turn()

    assert reader.error is None
    assert store.count(EVENTS) == 15
    assert seen == [("deliver", False), ("deliver", True), ("deliver", False)]


def test_deliver_does_not_rest_while_a_backlog_is_left(spool: Spool) -> None:
    """After an outage the first round is small; what is left keeps the reader going all the same."""
    now_s = [1_000.0]
    store = MemoryStore()
    reader = DeliverReader(spool, store, clock=lambda: now_s[0])
    accept(spool, 6_000)
    store.away = "it is being restarted"
    for _ in range(8):
        reader.turn()
        now_s[0] += 60.0
    store.away = None

    pauses = [reader.turn(), reader.turn(), reader.turn()]

    assert pauses == [0.0, 0.0, IDLE_S]
    assert store.count(EVENTS) == 6_000


def test_deliver_waits_when_the_templates_cannot_be_written(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written into a store that is not set up."""
    from sentinel.errors import TransientError

    store = MemoryStore()

    def fail() -> list[str]:
        raise TransientError("set up templates: connection refused")

    monkeypatch.setattr(store, "setup", fail)
    reader = DeliverReader(spool, store)
    accept(spool, 1)

    assert reader.turn() == SETUP_RETRY_S
    assert reader.error == "set up templates: connection refused"
    monkeypatch.undo()
    reader.turn()
    assert store.count(EVENTS) == 1
    assert reader.error is None


def test_deliver_comes_back_soon_when_another_holds_the_lease(spool: Spool) -> None:
    """Whoever drains beside it has its turn; nobody waits for the other."""
    reader = DeliverReader(spool, MemoryStore())

    with spool.lease("deliver") as lease:
        assert lease is not None
        assert reader.turn() == BUSY_S


class FakeLive:
    """Scores on `round`; each record's verdict is its sequence."""

    def __init__(self, *, lease: bool = True) -> None:
        self.head, self.last, self.lease = 0, 0, lease
        self.model: SimpleNamespace | None = None
        self.champion: str | None = None
        self.stopped = self.reloads = 0

    def start(self, *, wait_s: float = 0.0) -> bool:
        return self.lease

    def stop(self) -> None:
        self.stopped += 1

    def round(self) -> int:
        scored, self.head = self.last - self.head, self.last
        return scored

    def reload(self) -> bool:
        self.reloads += 1
        self.model = SimpleNamespace(version=self.champion) if self.champion else None
        return True

    def verdicts(self, span: Span, *, timeout_s: float) -> Mapping[int, Mapping[str, object]]:
        return {n: {"sequence": n} for n in range(span.first, min(span.last, self.head) + 1)}


async def test_verdicts_are_there_when_the_round_is_done() -> None:
    """A request waits without a thread of its own, and is woken by the round that has passed its records."""
    live = FakeLive()
    reader = DetectReader(live)
    reader.start(asyncio.get_running_loop())

    waiting = asyncio.create_task(reader.verdicts(Span(1, 3), timeout_s=30.0))
    await asyncio.sleep(0)
    live.last = 3
    reader.wake()

    assert set(await waiting) == {1, 2, 3}
    reader.stop()
    assert live.stopped == 1


async def test_verdicts_are_given_up_when_scoring_is_slow() -> None:
    """After its time a request gets what is there."""
    live = FakeLive()
    live.last = 1
    reader = DetectReader(live)
    reader.start(asyncio.get_running_loop())

    found = await reader.verdicts(Span(1, 3), timeout_s=0.3)

    assert set(found) == {1}
    reader.stop()


async def test_model_is_in_service_when_serve_says_so() -> None:
    """A reload that was asked for happens in the reader's own thread, at once."""
    live = FakeLive()
    reader = DetectReader(live)
    reader.start(asyncio.get_running_loop())
    live.champion = "m1"

    assert await reader.serve("m1", timeout_s=30.0)
    assert not await reader.serve("m2", timeout_s=0.1)
    assert reader.state == "scoring"
    reader.stop()
    assert reader.state == "stopped"


async def test_model_is_reloaded_also_where_another_process_scores() -> None:
    """Without the lease nothing is scored, but predictions have the newest model, and the end saves nothing."""
    live = FakeLive(lease=False)
    live.champion = "m1"
    reader = DetectReader(live)
    reader.start(asyncio.get_running_loop())

    assert await reader.serve("m1", timeout_s=30.0)

    assert reader.state == "waiting"
    reader.stop()
    assert live.stopped == 0


def test_anomalies_stream_is_delivered_beside_the_events(spool: Spool) -> None:
    """Both readers have their turn."""
    reader = DeliverReader(spool, MemoryStore())
    reader.turn()

    assert set(reader.last) == {"deliver", "deliver-anomalies"}
    assert spool.ledger(ANOMALIES).waiting == 0
