"""Deliver: what waits in the spool goes to the store, each record once, by whoever holds the lease."""

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import msgspec
import numpy as np
import polars as pl

from sentinel.counted import counted
from sentinel.errors import SentinelError, TransientError
from sentinel.failpoints import reach
from sentinel.pipeline.deliver_incidents import deliver_incidents
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Progress, Report, nobody
from sentinel.pipeline.retention import prune_store
from sentinel.pipeline.rounds import READERS, Failing, Round
from sentinel.spool import DeadLettersFullError, Lease, Position, Spool
from sentinel.store import ID_CONFLICT, Outcome, Store

__all__ = ["deliver", "deliver_round", "note_failure"]

log = logging.getLogger(__name__)

ROUND_RECORDS = 4_000  # two are in flight: of 5,000 they are no faster, and a drain takes 71 MB, not 58
PROBE_RECORDS = 500  # after failures a round is smaller, down to this: a store that comes back is not run over
ROUND_BYTES = 16 * 1024 * 1024
TURN_S = 1.0  # a turn begins no further round after so long: others wait for the lease
REPLAY_RECORDS = 1_000
SETTLED_A_COMMIT = 250  # dead letters, some 20 ms: a longer commit would hold up a 202
BACKOFF_START_S = 0.5
BACKOFF_CAP_S = 30.0
PATIENCE_S = 20.0


def deliver_round(spool: Spool, store: Store, reader: str, *, now_s: float, wait_s: float = 0.0) -> Round:
    """Deliver what `reader` has not passed yet: one round, or as many as are begun within TURN_S where the store takes
    several at once. Never raises for a store that is away: `error` says it."""
    with spool.lease(reader, wait_s=wait_s) as lease:
        if lease is None:
            return Round(busy=True)
        position = spool.position(reader)
        pause_s = position.next_attempt_s - now_s
        if position.attempts and 0 < pause_s <= BACKOFF_CAP_S:  # a longer one: the clock was set back since
            return Round(paused=True, wait_s=pause_s, error=position.error)
        stream = READERS[reader]
        replayed = _replay(spool, store, stream, lease, position, now_s)
        if replayed.error:
            return replayed
        turn = _rounds(spool, store, stream, lease, position, now_s)
        left = spool.last_sequence(stream) - spool.position(reader).sequence
        done, dead = turn.delivered + replayed.delivered, turn.dead + replayed.dead
        return replace(turn, delivered=done, dead=dead, left=left)


def _rounds(spool: Spool, store: Store, stream: str, lease: Lease, position: Position, now_s: float) -> Round:
    """Rounds in order, each settled before the next. What was sent ahead of one that fails is not counted, whatever
    became of it: it is offered again, and what the store has already it does not take twice."""
    started_s, total, reached = time.perf_counter(), Round(), position.sequence
    size = _round_records(position.attempts)
    most = 1 if position.attempts else store.in_flight
    goes_on = True  # further rounds may be begun
    sent: deque[tuple[pl.DataFrame, Future[tuple[Outcome, float]]]] = deque()
    with ThreadPoolExecutor(most) as pool:
        while True:
            while goes_on and len(sent) < most and (frame := spool.read(stream, reached, size, ROUND_BYTES)).height:
                sent.append((frame, pool.submit(_write, store, frame, stream)))
                reached = int(frame["sequence"][-1])
                goes_on = most > 1 and time.perf_counter() - started_s <= TURN_S
            if not sent:
                return total
            frame, writing = sent.popleft()
            turn = _round(spool, lease, frame, writing, now_s)
            total = Round(
                total.delivered + turn.delivered,
                total.dead + turn.dead,
                wait_s=turn.wait_s,
                write_s=max(total.write_s, turn.write_s),
                error=turn.error,
            )
            if turn.error:
                return total


def _write(store: Store, frame: pl.DataFrame, stream: str) -> tuple[Outcome, float]:
    """What became of a round's records, and how long the store took to say it."""
    started_s = time.perf_counter()
    return store.write(frame, stream=stream), time.perf_counter() - started_s


def _round(
    spool: Spool, lease: Lease, frame: pl.DataFrame, writing: "Future[tuple[Outcome, float]]", now_s: float
) -> Round:
    """Wait for the store's answer on one round and settle it."""
    position = spool.position(lease.reader)
    try:
        outcome, write_s = writing.result()
    except SentinelError as exc:  # a refusal for ever is one of the whole store, not of a record: nothing is dead
        return _postpone(spool, lease, position, str(exc), now_s)
    reach("deliver.written")
    return replace(_settle(spool, lease, position, frame, outcome, now_s), write_s=write_s)


def _round_records(attempts: int) -> int:
    """How many records a round offers: all of it when all is well, half as many after each failure in a row."""
    return max(PROBE_RECORDS, ROUND_RECORDS >> min(attempts, 10))


def note_failure(spool: Spool, error: str, *, now_s: float) -> None:
    """Note that the store cannot even be set up, where others see it, if anything waits for it."""
    for reader, stream in READERS.items():
        with spool.lease(reader) as lease:
            position = spool.position(reader)
            if lease is not None and position.sequence < spool.last_sequence(stream):
                _write_failure(spool, lease, position.attempts + 1, now_s, 0.0, error)


def _settle(
    spool: Spool, lease: Lease, position: Position, frame: pl.DataFrame, outcome: Outcome, now_s: float
) -> Round:
    """Move the reader past all that is settled; what the store refused for now stays and is offered again."""
    refused = np.flatnonzero(outcome.retry)
    settled = int(refused[0]) if len(refused) else frame.height
    sequences, error = frame["sequence"], outcome.error or "refused for now"
    dead = {int(sequences[row]): reason for row, reason in sorted(outcome.dead.items()) if row < settled}
    if settled:
        try:
            _move(spool, lease, int(sequences[settled - 1]), dead)
        except DeadLettersFullError as exc:
            reached = spool.position(lease.reader).sequence
            settled, error = int((sequences <= reached).sum()), str(exc)
            dead = {sequence: reason for sequence, reason in dead.items() if sequence <= reached}
    if settled == frame.height:
        return Round(settled - len(dead), len(dead))
    late = _postpone(spool, lease, position if not settled else None, error, now_s)
    return Round(settled - len(dead), len(dead), wait_s=late.wait_s, error=late.error)


def _move(spool: Spool, lease: Lease, last: int, dead: Mapping[int, str]) -> None:
    """Move the reader up to `last`, so many dead letters a commit. Raises DeadLettersFullError in front of the first
    one that finds no room."""
    pieces = deque(_pieces(list(dead)))
    while pieces:
        piece = pieces.popleft()
        end = piece[-1] if pieces else last
        try:
            with spool.transaction() as tx:
                tx.move(lease, end, dead={sequence: dead[sequence] for sequence in piece})
                if conflicts := sum(dead[sequence].startswith(ID_CONFLICT) for sequence in piece):
                    tx.count(ID_CONFLICT, conflicts)
        except DeadLettersFullError:
            if len(piece) == 1:
                with spool.transaction() as tx:
                    tx.move(lease, piece[0] - 1)
                raise
            middle = len(piece) // 2
            pieces.extendleft((piece[middle:], piece[:middle]))


def _pieces(sequences: Sequence[int]) -> Iterator[Sequence[int]]:
    """The sequences in order, as many as one commit takes at a time; one empty piece for none."""
    for start in range(0, max(1, len(sequences)), SETTLED_A_COMMIT):
        yield sequences[start : start + SETTLED_A_COMMIT]


def _postpone(spool: Spool, lease: Lease, position: Position | None, error: str, now_s: float) -> Round:
    """Note in the spool that the store is away and when to come back: full jitter, doubling up to the cap, no end."""
    attempts = (position.attempts if position else 0) + 1
    pause_s = random.uniform(0.1, min(BACKOFF_CAP_S, BACKOFF_START_S * 2.0 ** min(attempts, 10)))  # noqa: S311 jitter
    _write_failure(spool, lease, attempts, now_s, pause_s, error)
    log.warning("postponed reader=%s attempts=%d pause_s=%.1f error=%s", lease.reader, attempts, pause_s, error)
    return Round(wait_s=pause_s, error=error)


def _write_failure(spool: Spool, lease: Lease, attempts: int, now_s: float, pause_s: float, error: str) -> None:
    with spool.transaction() as tx:
        tx.postpone(lease, attempts, now_s + pause_s, error)
        if attempts == 1:
            tx.put_blob(f"failing-{lease.reader}", msgspec.json.encode(Failing(now_s)))


def _replay(spool: Spool, store: Store, stream: str, lease: Lease, position: Position, now_s: float) -> Round:
    """Offer the dead letters again that somebody asked to replay; with `error` when some of them must wait."""
    letters = spool.replays(stream, REPLAY_RECORDS)
    if letters.is_empty():
        return Round()
    try:
        outcome = store.write(letters, stream=stream)
    except SentinelError as exc:
        return _postpone(spool, lease, position, str(exc), now_s)
    sequences = letters["sequence"].to_list()
    delivered = [sequences[row] for row in np.flatnonzero(outcome.delivered)]
    dead = {sequences[row]: reason for row, reason in outcome.dead.items()}
    for piece in _pieces([*delivered, *dead]):
        with spool.transaction() as tx:
            gone = [sequence for sequence in piece if sequence not in dead]
            tx.settle_replay(lease, delivered=gone, dead={n: dead[n] for n in piece if n in dead})
    if outcome.retry.any():
        late = _postpone(spool, lease, position, outcome.error or "refused for now", now_s)
        return Round(len(delivered), len(dead), wait_s=late.wait_s, error=late.error)
    return Round(len(delivered), len(dead))


def deliver(
    sentinel: Sentinel,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    patience_s: float = PATIENCE_S,
    progress: Progress = nobody,
) -> Report:
    """Drain what was accepted before this call, then prune spool and store. Waits its turn where the server delivers
    too.

    Counts what both delivered. Raises TransientError when the store stayed away for `patience_s` seconds; all records
    that wait stay in the spool.
    """
    elapsed = _timer(clock)
    started_s = elapsed()
    _set_up(sentinel, clock())
    before = sentinel.spool.ledger()
    marks = {reader: sentinel.spool.last_sequence(stream) for reader, stream in READERS.items()}
    for reader, mark in marks.items():
        _drain(sentinel, reader, mark, progress, clock=clock, sleep=sleep, patience_s=patience_s)
    deliver_incidents(sentinel.spool, sentinel.store)
    pruned = sentinel.spool.prune(now_s=clock())
    deleted, notes = prune_store(sentinel, clock())
    after = sentinel.spool.ledger()
    counts = {
        "delivered": after.delivered - before.delivered,
        "dead": after.dead - before.dead,
        "waiting": after.waiting,
        "pruned": pruned,
        "partitions_deleted": len(deleted),
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
    return Report("deliver", counts, rows, elapsed() - started_s, notes)


def _set_up(sentinel: Sentinel, now_s: float) -> None:
    """Templates first: a record must never meet an index whose fields nobody has declared."""
    try:
        sentinel.store.setup()
    except SentinelError as exc:
        note_failure(sentinel.spool, str(exc), now_s=now_s)
        raise


def _timer(clock: Callable[[], float]) -> Callable[[], float]:
    """Seconds for lengths of time: not the wall clock, which may be set while we wait, unless a test's clock is."""
    return time.monotonic if clock is time.time else clock


def _drain(
    sentinel: Sentinel,
    reader: str,
    mark: int,
    progress: Progress,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    patience_s: float,
) -> None:
    """Rounds until `reader` has passed `mark`; gives up when nothing has moved for `patience_s` seconds."""
    spool, elapsed = sentinel.spool, _timer(clock)
    last_progress_s, reached = elapsed(), -1
    first = spool.position(reader).sequence
    while True:
        position = spool.position(reader).sequence
        progress(f"delivering {READERS[reader]}", min(position, mark) - first, mark - first, position - first)
        is_replaying = not spool.replays(READERS[reader], 1).is_empty()
        if position >= mark and not is_replaying:
            return
        turn = deliver_round(spool, sentinel.store, reader, now_s=clock(), wait_s=2.0)
        if position > reached or turn.delivered or turn.dead:
            reached, last_progress_s = max(position, reached), elapsed()
        if elapsed() - last_progress_s > patience_s:
            cause, left = turn.error or "another process holds the lease", max(0, mark - position)
            raise TransientError(
                f"deliver {READERS[reader]} to {sentinel.store.kind}: {cause}; "
                f"{counted(left, 'record stays', 'records stay')} in the spool, to be offered again by the next run"
            )
        if turn.wait_s:
            sleep(min(turn.wait_s, 1.0))
