"""Deliver: what waits in the spool goes to the store, each record once, by whoever holds the lease."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from sentinel.errors import TransientError
from sentinel.failpoints import reach
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Report
from sentinel.records import ANOMALIES, EVENTS
from sentinel.spool import Lease, Position, Spool
from sentinel.store import Outcome, Store

__all__ = ["READERS", "Round", "deliver", "deliver_round"]

log = logging.getLogger(__name__)

READERS = {"deliver": EVENTS, "deliver-anomalies": ANOMALIES}
"""The readers that deliver moves, and the stream each reads."""

ROUND_RECORDS = 20_000
ROUND_BYTES = 16 * 1024 * 1024
BACKOFF_START_S = 0.5
BACKOFF_CAP_S = 30.0
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of one reader: what was delivered, what died, and what must wait (`error` says why)."""

    delivered: int = 0
    dead: int = 0
    busy: bool = False  # somebody else holds the lease
    wait_s: float = 0.0  # the store asked for a pause of this long
    error: str | None = None

    @property
    def is_idle(self) -> bool:
        """Nothing was there to do."""
        return not (self.delivered or self.dead or self.busy or self.error or self.wait_s)


def deliver_round(spool: Spool, store: Store, reader: str, *, now_s: float, wait_s: float = 0.0) -> Round:
    """Deliver one round of what `reader` has not passed yet. Never raises for a store that is away: `error` says it."""
    with spool.lease(reader, wait_s=wait_s) as lease:
        if lease is None:
            return Round(busy=True)
        position = spool.position(reader)
        pause_s = position.next_attempt_s - now_s
        if position.attempts and 0 < pause_s <= BACKOFF_CAP_S:  # a longer one: the clock was set back since
            return Round(wait_s=pause_s, error=position.error)
        stream = READERS[reader]
        replayed = _replay(spool, store, stream, lease)
        frame = spool.read(stream, position.sequence, ROUND_RECORDS, ROUND_BYTES)
        if frame.is_empty():
            return replayed
        try:
            outcome = store.write(frame, stream=stream)
        except TransientError as exc:
            return _postpone(spool, lease, position, str(exc), now_s)
        reach("deliver.written")
        return _settle(spool, lease, position, frame, outcome, now_s)


def _settle(
    spool: Spool, lease: Lease, position: Position, frame: pl.DataFrame, outcome: Outcome, now_s: float
) -> Round:
    """Move the reader past all that is settled; what the store refused for now stays and is offered again."""
    refused = np.flatnonzero(outcome.retry)
    settled = int(refused[0]) if len(refused) else frame.height
    sequences = frame["sequence"]
    dead = {int(sequences[row]): reason for row, reason in outcome.dead.items() if row < settled}
    if settled:
        with spool.transaction() as tx:
            tx.move(lease, int(sequences[settled - 1]), dead=dead)
    if settled < frame.height:
        late = _postpone(spool, lease, position if not settled else None, outcome.error or "refused for now", now_s)
        return Round(delivered=settled - len(dead), dead=len(dead), wait_s=late.wait_s, error=late.error)
    return Round(delivered=settled - len(dead), dead=len(dead))


def _postpone(spool: Spool, lease: Lease, position: Position | None, error: str, now_s: float) -> Round:
    """Note in the spool that the store is away and when to come back: full jitter, doubling up to the cap, no end."""
    attempts = (position.attempts if position else 0) + 1
    pause_s = random.uniform(0.1, min(BACKOFF_CAP_S, BACKOFF_START_S * 2.0 ** min(attempts, 10)))  # noqa: S311 jitter
    with spool.transaction() as tx:
        tx.postpone(lease, attempts, now_s + pause_s, error)
    log.warning("postponed reader=%s attempts=%d pause_s=%.1f error=%s", lease.reader, attempts, pause_s, error)
    return Round(wait_s=pause_s, error=error)


def _replay(spool: Spool, store: Store, stream: str, lease: Lease) -> Round:
    """Offer the dead letters again that somebody asked to replay."""
    letters = spool.replays(stream, ROUND_RECORDS)
    if letters.is_empty():
        return Round()
    try:
        outcome = store.write(letters, stream=stream)
    except TransientError as exc:
        return Round(wait_s=BACKOFF_START_S, error=str(exc))
    sequences = letters["sequence"].to_list()
    delivered = [sequences[row] for row in np.flatnonzero(outcome.delivered)]
    dead = {sequences[row]: reason for row, reason in outcome.dead.items()}
    with spool.transaction() as tx:
        tx.settle_replay(lease, delivered=delivered, dead=dead)
    return Round(delivered=len(delivered), dead=len(dead))


def deliver(
    sentinel: Sentinel,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    patience_s: float = PATIENCE_S,
) -> Report:
    """Drain what was accepted before this call, then prune. Waits its turn where the server delivers too.

    Counts what both delivered. Raises TransientError when the store stayed away for `patience_s` seconds; all records
    that wait stay in the spool.
    """
    started_s = clock()
    sentinel.store.setup()
    before = sentinel.spool.ledger()
    marks = {reader: sentinel.spool.last_sequence(stream) for reader, stream in READERS.items()}
    for reader, mark in marks.items():
        _drain(sentinel, reader, mark, clock=clock, sleep=sleep, patience_s=patience_s)
    pruned = sentinel.spool.prune(now_s=clock())
    after = sentinel.spool.ledger()
    counts = {
        "delivered": after.delivered - before.delivered,
        "dead": after.dead - before.dead,
        "waiting": after.waiting,
        "pruned": pruned,
    }
    rows = [
        {
            "reader": reader,
            "stream": READERS[reader],
            "position": sentinel.spool.position(reader).sequence,
            "mark": mark,
        }
        for reader, mark in marks.items()
    ]
    return Report("deliver", counts, rows, clock() - started_s)


def _drain(
    sentinel: Sentinel,
    reader: str,
    mark: int,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    patience_s: float,
) -> None:
    """Rounds until `reader` has passed `mark`; gives up when nothing has moved for `patience_s` seconds."""
    spool, last_progress_s, reached = sentinel.spool, clock(), -1
    while True:
        position = spool.position(reader).sequence
        if position > reached:
            reached, last_progress_s = position, clock()
        if position >= mark and spool.replays(READERS[reader], 1).is_empty():
            return
        turn = deliver_round(spool, sentinel.store, reader, now_s=clock(), wait_s=2.0)
        if clock() - last_progress_s > patience_s:
            cause = turn.error or "another process holds the lease"
            raise TransientError(
                f"deliver {READERS[reader]} to {sentinel.store.kind}: {cause}; "
                f"{mark - position} records stay in the spool and are offered again by the next run"
            )
        if turn.wait_s:
            sleep(min(turn.wait_s, 1.0))
