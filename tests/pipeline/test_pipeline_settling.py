"""How rounds are settled: in order, dead letters in pieces, a full box of them, replays, backlogs, clocks."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sentinel.errors import TerminalError, TransientError
from sentinel.pipeline.deliver import PROBE_RECORDS, ROUND_RECORDS, deliver, deliver_round
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.rounds import failing_since_s
from sentinel.records import EVENTS, RECORD_SCHEMA
from sentinel.spool import Spool, Transaction
from sentinel.store import MemoryStore, Outcome

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def accept(spool: Spool, texts: list[str], first: int = 0) -> None:
    rows = [
        {"event_id": f"{first + i:022d}", "partition": "2026.11", "timestamp": NOW, "received": NOW, "message": text}
        for i, text in enumerate(texts)
    ]
    with spool.transaction() as tx:
        tx.append(pl.DataFrame(rows, schema=RECORD_SCHEMA))


class Poisoned(MemoryStore):
    """Refuses messages with `poison` for good, `late` for now, and remembers how much it was offered at once."""

    def __init__(self) -> None:
        super().__init__()
        self.offered: list[int] = []
        self.late = "late"

    def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        self.offered.append(frame.height)
        self._answer()
        texts = frame["message"].to_list()
        dead = {row: "400 poison" for row, text in enumerate(texts) if "poison" in text}
        retry = np.array([self.late in text for text in texts])
        delivered = ~retry
        delivered[list(dead)] = False
        super().write(frame.filter(pl.Series(delivered)), stream=stream)
        return Outcome(delivered, retry, dead, "429 busy" if retry.any() else None)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Spool]:
    """A spool whose dead letters find little room."""
    with Spool.open(tmp_path / "small", min_free_bytes=1, max_letter_bytes=9_000) as opened:
        yield opened


def test_many_dead_letters_take_several_commits(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round in which everything is poison is settled piece by piece, so that no commit holds up intake for long."""
    sizes = []
    move = Transaction.move

    def noted(self: Transaction, lease: object, to: int, *, dead: dict[int, str] | None = None) -> None:
        sizes.append(len(dead or {}))
        move(self, lease, to, dead=dead)  # type: ignore[arg-type]

    monkeypatch.setattr(Transaction, "move", noted)
    accept(sentinel.spool, ["good", *["poison"] * 600, "good"])

    turn = deliver_round(sentinel.spool, Poisoned(), "deliver", now_s=0.0)

    assert (turn.delivered, turn.dead, turn.error) == (2, 600, None)
    assert sizes == [250, 250, 100]
    assert sentinel.spool.ledger().is_balanced
    assert sentinel.spool.position("deliver").sequence == 602


def test_full_dead_letters_stop_delivery_visibly(small: Spool) -> None:
    """Without room for dead letters delivery waits in front of the first one, says why, and loses nothing."""
    store = Poisoned()
    accept(small, ["good", "poison " + "x" * 20_000, "good"])
    for n in range(3):
        accept(small, ["poison " + str(n) * 20_000], first=10 + n)

    turns = [deliver_round(small, store, "deliver", now_s=100.0 * n) for n in range(1, 4)]

    ledger = small.ledger()
    assert turns[-1].wait_s > 0
    assert "dead letters" in (turns[-1].error or "")
    assert "dead-letters" in (small.position("deliver").error or "")
    assert ledger.is_balanced
    assert ledger.waiting >= 1
    assert small.position("deliver").attempts >= 1


def test_dead_letters_that_were_dropped_let_delivery_go_on(small: Spool) -> None:
    """Once letters are dropped the rest is delivered, in order, by the next round."""
    store = Poisoned()
    noise = np.random.default_rng(0).integers(33, 126, 3_000).astype(np.uint8).tobytes().decode()
    accept(small, [f"poison {noise}", "good"])
    accept(small, [f"poison {noise[::-1]}", "good"], first=10)
    first = deliver_round(small, store, "deliver", now_s=0.0)
    deliver_round(small, store, "deliver", now_s=100.0)

    small.drop(EVENTS)
    deliver_round(small, store, "deliver", now_s=200.0)
    small.drop(EVENTS)
    deliver_round(small, store, "deliver", now_s=300.0)

    assert first.error
    assert (small.ledger().delivered, small.ledger().dead, small.ledger().waiting) == (2, 2, 0)


def test_refusal_of_the_whole_store_kills_no_record(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a proxy or a foreign server answers for ever is waited out; it is said, and no record dies of it."""
    store = MemoryStore()

    def refuse(frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        raise TerminalError("bulk: Elasticsearch answers 404: no such thing")

    accept(sentinel.spool, ["one"])
    monkeypatch.setattr(store, "write", refuse)
    failed = deliver_round(sentinel.spool, store, "deliver", now_s=0.0)
    monkeypatch.undo()
    after = deliver_round(sentinel.spool, store, "deliver", now_s=60.0)

    assert "404" in (failed.error or "")
    assert (after.delivered, sentinel.spool.ledger().dead) == (1, 0)


def test_rounds_are_small_after_failures_and_big_again(sentinel: Sentinel) -> None:
    """A store that comes back is asked with little at first; once it answers, the backlog goes in big rounds."""
    store = Poisoned()
    accept(sentinel.spool, ["m"] * 3_000)
    store.away = "restarting"
    for n in range(1, 9):
        deliver_round(sentinel.spool, store, "deliver", now_s=100.0 * n)
    store.away = None

    small = deliver_round(sentinel.spool, store, "deliver", now_s=1_000.0)
    big = deliver_round(sentinel.spool, store, "deliver", now_s=1_000.0)

    assert store.offered[0] == 3_000
    assert small.delivered == PROBE_RECORDS
    assert big.delivered == 3_000 - PROBE_RECORDS <= ROUND_RECORDS


def test_backlog_arrives_in_order(sentinel: Sentinel) -> None:
    """What waited through an outage is written oldest first."""
    store = Poisoned()
    seen: list[str] = []
    write = MemoryStore.write

    def noted(frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        seen.extend(frame["event_id"].to_list())
        return write(store, frame, stream=stream)

    for n in range(5):
        accept(sentinel.spool, ["m"] * 1_000, first=1_000 * n)
    store.away = "restarting"
    deliver_round(sentinel.spool, store, "deliver", now_s=0.0)
    store.away, store.write = None, noted  # type: ignore[method-assign,assignment]
    for n in range(1, 5):
        deliver_round(sentinel.spool, store, "deliver", now_s=100.0 * n)

    assert seen == [f"{n:022d}" for n in range(5_000)]


def test_rounds_in_flight_are_settled_in_order(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next round is on its way before the one before has its answer; both are counted, oldest first."""
    store, both_there = MemoryStore(), threading.Barrier(2, timeout=20)
    store.in_flight = 2
    write = store.write

    def together(frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        both_there.wait()  # breaks unless two are there at once
        return write(frame, stream=stream)

    monkeypatch.setattr(store, "write", together)
    accept(sentinel.spool, ["m"] * ROUND_RECORDS * 2)

    turn = deliver_round(sentinel.spool, store, "deliver", now_s=0.0)

    assert (turn.delivered, turn.left, turn.error) == (2 * ROUND_RECORDS, 0, None)
    assert store.count() == 2 * ROUND_RECORDS


def test_round_sent_ahead_of_one_that_fails_is_offered_again(sentinel: Sentinel) -> None:
    """Nothing behind a record that must wait is passed by; what arrived ahead arrives no second time."""
    store = Poisoned()
    store.in_flight = 2
    accept(sentinel.spool, [*["m"] * (ROUND_RECORDS - 1), "late", "poison", *["m"] * 10])

    failed = deliver_round(sentinel.spool, store, "deliver", now_s=0.0)
    there, waiting = store.count(), sentinel.spool.ledger().waiting
    store.late = "never"
    after = deliver_round(sentinel.spool, store, "deliver", now_s=100.0)

    assert (failed.delivered, failed.dead, failed.error) == (ROUND_RECORDS - 1, 0, "429 busy")
    assert (there, waiting) == (ROUND_RECORDS - 1 + 10, 12)
    assert (after.delivered, after.dead) == (11, 1)
    assert store.count() == ROUND_RECORDS + 10
    assert sentinel.spool.ledger().is_balanced


def test_failing_since_tells_the_first_failure(sentinel: Sentinel) -> None:
    """The time of the first failure in a row is kept, whoever failed later, and forgotten with the first success."""
    store = MemoryStore()
    accept(sentinel.spool, ["one"])
    store.away = "gone"
    before = failing_since_s(sentinel.spool, "deliver")
    deliver_round(sentinel.spool, store, "deliver", now_s=1_000.0)
    deliver_round(sentinel.spool, store, "deliver", now_s=2_000.0)
    during = failing_since_s(sentinel.spool, "deliver")
    store.away = None
    deliver_round(sentinel.spool, store, "deliver", now_s=3_000.0)

    assert (before, during, failing_since_s(sentinel.spool, "deliver")) == (None, 1_000.0, None)


@pytest.mark.parametrize("leap_s", [-86_400.0, 86_400.0, -1e9, 1e8])
def test_clock_that_leaps_neither_stalls_nor_storms(sentinel: Sentinel, leap_s: float) -> None:
    """After a leap of the clock the next attempt is made at once or in the usual pause, and then pauses are kept."""
    store = Poisoned()
    accept(sentinel.spool, ["one"])
    store.away = "gone"
    now_s = 1.7e9
    deliver_round(sentinel.spool, store, "deliver", now_s=now_s)

    leapt = deliver_round(sentinel.spool, store, "deliver", now_s=now_s + leap_s)
    again = deliver_round(sentinel.spool, store, "deliver", now_s=now_s + leap_s)

    assert (leapt.paused, again.paused) == (False, True)
    assert 0 < again.wait_s <= 30.0
    assert len(store.offered) == 2


def test_replay_that_is_refused_for_now_waits_its_turn(sentinel: Sentinel, clock: object) -> None:
    """A letter on replay that the store refuses for now is offered again after a pause, not in a busy loop."""
    store = Poisoned()
    accept(sentinel.spool, ["poison late"])
    store.late = "never"
    deliver_round(sentinel.spool, store, "deliver", now_s=0.0)
    sentinel.spool.replay(EVENTS)

    class Busy(MemoryStore):
        def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
            nothing = np.zeros(frame.height, bool)
            return Outcome(nothing, ~nothing, {}, "429 busy")

    turn = deliver_round(sentinel.spool, Busy(), "deliver", now_s=100.0)
    early = deliver_round(sentinel.spool, Busy(), "deliver", now_s=100.0)
    late = deliver_round(sentinel.spool, MemoryStore(), "deliver", now_s=200.0)

    assert turn.error == "429 busy"
    assert early.paused
    assert late.delivered == 1
    assert sentinel.spool.ledger().waiting == 0


def test_replay_and_news_are_counted_together(sentinel: Sentinel) -> None:
    """A round that delivers a replayed letter and new records says how many both were."""
    store = Poisoned()
    accept(sentinel.spool, ["poison"])
    deliver_round(sentinel.spool, store, "deliver", now_s=0.0)
    sentinel.spool.replay(EVENTS)
    accept(sentinel.spool, ["one", "two"], first=10)

    turn = deliver_round(sentinel.spool, MemoryStore(), "deliver", now_s=0.0)

    assert turn.delivered == 3


def test_deliver_gives_up_with_the_reason_when_dead_letters_are_full(small: Spool, sentinel: Sentinel) -> None:
    """The verb ends with the text that says what to do; nothing is dropped."""
    noise = np.random.default_rng(1).integers(33, 126, 20_000).astype(np.uint8).tobytes().decode()
    accept(small, [f"poison {noise}"])
    full = Sentinel(
        spool=small,
        store=Poisoned(),
        models=sentinel.models,
        home=sentinel.home,
        watched=sentinel.watched,
        period="month",
        threshold_nats=7.5,
        retention_days=0,
    )

    with pytest.raises(TransientError, match="sentinel dead-letters list"):
        deliver(full, patience_s=0.0, sleep=lambda seconds: None)
    assert small.ledger().waiting == 1


def test_store_that_cannot_be_set_up_is_noted_where_others_see_it(
    sentinel: Sentinel, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since when and why stand in the spool, if anything waits; the first success forgets it."""

    def fail() -> list[str]:
        raise TransientError("set up: connection refused")

    monkeypatch.setattr(store, "setup", fail)
    for _ in range(2):
        with pytest.raises(TransientError, match="connection refused"):
            deliver(sentinel, clock=lambda: 1_000.0)
    idle = sentinel.spool.position("deliver").attempts
    accept(sentinel.spool, ["one"])
    for now_s in (2_000.0, 3_000.0):
        with pytest.raises(TransientError, match="connection refused"):
            deliver(sentinel, clock=lambda now_s=now_s: now_s)  # type: ignore[misc]
    position = sentinel.spool.position("deliver")
    since_s = failing_since_s(sentinel.spool, "deliver")
    monkeypatch.undo()
    deliver(sentinel)

    assert (idle, position.attempts, since_s) == (0, 2, 2_000.0)
    assert "connection refused" in (position.error or "")
    assert failing_since_s(sentinel.spool, "deliver") is None
    assert store.count() == 1
