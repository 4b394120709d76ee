"""Delivery: everything accepted ends in the store or among the dead letters, once, whatever the store does."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from sentinel.errors import TransientError
from sentinel.pipeline.collect import collect
from sentinel.pipeline.deliver import deliver, deliver_round
from sentinel.pipeline.parts import Sentinel
from sentinel.records import EVENTS
from sentinel.store import MemoryStore, Outcome

LINES = [f"Mar  2 07:{i // 60:02d}:{i % 60:02d} box app[{i}]: line {i}" for i in range(100)]


def put_lines(sentinel: Sentinel, lines: Sequence[str] = LINES) -> None:
    with (sentinel.home / "in" / "app.log").open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    collect(sentinel, clock=lambda: 1_772_438_400.0)


class Choosy(MemoryStore):
    """Refuses messages that contain `poison` for good, and those that contain `later` for now."""

    later = "later"

    def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        texts = frame["message"].to_list()
        dead = {row: "400 poison" for row, text in enumerate(texts) if "poison" in text}
        retry = np.array([self.later in text for text in texts])
        delivered = ~retry
        delivered[list(dead)] = False
        super().write(frame.filter(pl.Series(delivered)), stream=stream)
        return Outcome(delivered, retry, dead, "429 busy" if retry.any() else None)


def test_everything_is_delivered_once(sentinel: Sentinel, store: MemoryStore) -> None:
    """A run delivers what waits; a second run changes nothing."""
    put_lines(sentinel)

    first = deliver(sentinel)
    second = deliver(sentinel)

    assert (first.counts["delivered"], second.counts["delivered"]) == (100, 0)
    assert store.count() == 100
    assert pl.concat(list(store.scan()))["message"].to_list() == [f"line {i}" for i in range(100)]


def test_store_that_is_away_loses_nothing(sentinel: Sentinel, store: MemoryStore, clock: object) -> None:
    """While the store is away the run fails with the cause and all records wait; then they are there, once."""
    put_lines(sentinel)
    store.away = "gone fishing"

    with pytest.raises(TransientError, match=r"gone fishing.*100 records stay"):
        deliver(sentinel, clock=clock, sleep=clock.sleep, patience_s=5)  # type: ignore[arg-type,attr-defined]
    waiting = sentinel.spool.ledger().waiting
    store.away = None
    deliver(sentinel, clock=clock, sleep=clock.sleep, patience_s=60)  # type: ignore[arg-type,attr-defined]

    assert waiting == 100
    assert store.count() == 100


def test_pause_is_kept_by_whoever_comes_next(sentinel: Sentinel, store: MemoryStore) -> None:
    """After a failure nobody asks the store again before the time that stands in the spool; a clock set back is no
    reason to wait for hours."""
    put_lines(sentinel)
    store.away = "gone fishing"
    failed = deliver_round(sentinel.spool, store, "deliver", now_s=1_000.0)
    store.away = None

    early = deliver_round(sentinel.spool, store, "deliver", now_s=1_000.0)
    after = deliver_round(sentinel.spool, store, "deliver", now_s=1_000.0 + failed.wait_s)

    assert failed.error
    assert early.wait_s > 0
    assert (early.delivered, after.delivered) == (0, 100)


def test_poison_dies_alone_with_its_reason(sentinel: Sentinel, open_home: object) -> None:
    """A record the store refuses for good becomes a dead letter; its neighbours are delivered; the books balance."""
    store = Choosy()
    put_lines(sentinel, ["one", "a poison pill", "two"])

    turn = deliver_round(sentinel.spool, store, "deliver", now_s=0.0)

    letters = sentinel.spool.dead_letters()
    ledger = sentinel.spool.ledger()
    assert (turn.delivered, turn.dead) == (2, 1)
    assert [(letter.sequence, letter.reason) for letter in letters] == [(2, "400 poison")]
    assert ledger.accepted == ledger.delivered + ledger.waiting + ledger.dead == 3


def test_refused_for_now_is_offered_again_and_counted_once(sentinel: Sentinel) -> None:
    """The reader stops before the first record that was refused for now; what came after it is not counted twice."""
    store = Choosy()
    put_lines(sentinel, ["one", "later", "two", "poison"])

    first = deliver_round(sentinel.spool, store, "deliver", now_s=0.0)
    waiting = sentinel.spool.ledger().waiting
    store.later = "never"
    second = deliver_round(sentinel.spool, store, "deliver", now_s=100.0)

    ledger = sentinel.spool.ledger()
    assert (first.delivered, first.dead, waiting) == (1, 0, 3)
    assert (second.delivered, second.dead) == (2, 1)
    assert (ledger.delivered, ledger.dead, store.count()) == (3, 1, 3)


def test_dead_letter_is_delivered_when_it_is_replayed(sentinel: Sentinel) -> None:
    """After a fix a dead letter can be offered again; the books follow."""
    store = Choosy()
    put_lines(sentinel, ["one", "poison"])
    deliver_round(sentinel.spool, store, "deliver", now_s=0.0)

    sentinel.spool.replay(EVENTS, [2])
    waiting = sentinel.spool.ledger().waiting
    deliver_round(sentinel.spool, MemoryStore(), "deliver", now_s=0.0)

    ledger = sentinel.spool.ledger()
    assert waiting == 1
    assert (ledger.delivered, ledger.waiting, ledger.dead) == (2, 0, 0)


def test_lease_lets_one_deliver_at_a_time(sentinel: Sentinel, store: MemoryStore) -> None:
    """While one holds the lease the other does nothing."""
    put_lines(sentinel)

    with sentinel.spool.lease("deliver"):
        turn = deliver_round(sentinel.spool, store, "deliver", now_s=0.0)

    assert turn.busy
    assert store.count() == 0
