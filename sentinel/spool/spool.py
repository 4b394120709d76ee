"""The spool: records in, durable when the transaction ends; out again in order, for readers that each have a place."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sentinel.spool import dead_letters, ledger, prune, quarantine, readers, reading, repair, setup, state, verify
from sentinel.spool.answers import Answer, get_answer
from sentinel.spool.batches import no_rows
from sentinel.spool.database import Database
from sentinel.spool.incidents import Incidents
from sentinel.spool.packing import Packed
from sentinel.spool.schema import STREAMS
from sentinel.spool.transaction import Limits, Transaction
from sentinel.streams import ANOMALIES, EVENTS, Checkpoint

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MAX_BYTES", "MIN_FREE_BYTES", "Spool"]

MAX_BYTES = 1024 * 1024 * 1024
MIN_FREE_BYTES = 64 * 1024 * 1024
ANOMALIES_SHARE = 10  # anomalies have a bound of their own, a tenth: a flood of events cannot shut them out
LETTER_STEP = 500
ROUND_BYTES = 16 * 1024 * 1024


class Spool:
    """A durable log of records in one folder, for any number of threads and processes of one machine.

    Local disks only. Not to be used across a fork: open it again in the child.
    """

    def __init__(
        self,
        folder: Path,
        spool: str,
        *,
        limits: Limits,
        owner: setup.OwnerLock,
        free: Callable[[Path], int],
        clock: Callable[[], float],
    ) -> None:
        self.folder, self.id = folder, spool
        self._limits, self._owner, self._free, self._clock = limits, owner, free, clock
        self._database = Database(folder / setup.FILE_NAME)
        self._database.keep_reserve()
        self.incidents = Incidents(self._database)
        self._known_sources: dict[str, set[str]] = {stream: set() for stream in STREAMS}
        self._holder = f"{os.getpid()}-{secrets.token_hex(4)}"

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        max_bytes: int = MAX_BYTES,
        min_free_bytes: int = MIN_FREE_BYTES,
        max_letter_bytes: int = dead_letters.MAX_LETTER_BYTES,
        free: Callable[[Path], int] = setup.free_bytes,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Open the spool of `folder`, made where it is missing.

        `max_bytes` bounds the waiting batches on disk, `min_free_bytes` is what appends leave free there. Raises
        SpoolDamagedError (run `sentinel spool repair`) or TransientError (the disk, or a repair under way).
        """
        setup.make_folder(folder)
        owner = setup.OwnerLock(folder, alone=False)
        try:
            spool = setup.prepare(folder)
        except BaseException:
            owner.release()
            raise
        bounds = {EVENTS: max_bytes, ANOMALIES: max_bytes // ANOMALIES_SHARE}
        limits = Limits(bounds, min_free_bytes, max_letter_bytes)
        return cls(folder, spool, limits=limits, owner=owner, free=free, clock=clock)

    def close(self) -> None:
        """Close the files. What was committed stays."""
        self._database.close()
        self._owner.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Everything in the block is durable when it ends, and nothing of it when it raises.

        One at a time in all threads and processes; others wait up to 10 s and then get a TransientError.
        """
        begun: list[Transaction] = []
        with self._database.writing("commit", is_growth=lambda: any(tx.has_appended for tx in begun)) as connection:
            begun.append(
                Transaction(
                    connection,
                    folder=self.folder,
                    limits=self._limits,
                    free_bytes=self._free,
                    clock=self._clock,
                )
            )
            yield begun[0]

    def pack(self, stream: str = EVENTS) -> Packed:
        """Make records ready for `Transaction.append`, frame by frame, while nobody waits."""
        return Packed(lambda: self._database.reading("name sources"), stream, self._known_sources[stream])

    @contextlib.contextmanager
    def lease(self, reader: str, *, holder: str = "", wait_s: float = 0.0) -> Iterator[readers.Lease | None]:
        """The right to move `reader` for the length of the block; None when somebody else has it for `wait_s` seconds.

        A killed holder's lease is free at once. A name without a position (such as "collect") is only a lock.
        """
        lock = readers.LeaseFile(self.folder, reader)
        if not lock.acquire(wait_s):
            yield None
            return
        lease = None
        try:
            lease = readers.Lease(reader, self._token(reader, holder))
            yield lease
        finally:
            if lease is not None:
                lease.is_held = False
            lock.release()

    def _token(self, reader: str, holder: str) -> int:
        """A fencing token. One that this process took last is still the newest: an idle reader writes nothing."""
        mine = f"{self._holder} {holder}".strip()
        with self._database.reading(f"lease {reader}") as connection:
            token, last = readers.read_token(connection, reader)
        if last == mine:
            return token
        with self._database.writing(f"lease {reader}") as connection:
            return readers.take_token(connection, reader, mine)

    def position(self, reader: str) -> readers.Position:
        """Where a reader stands."""
        with self._database.reading("read a position") as connection:
            return readers.read_position(connection, reader)

    def read(self, stream: str, after: int, max_records: int, max_bytes: int = ROUND_BYTES) -> pl.DataFrame:
        """Records after sequence `after`, in order, in the stream's columns; an empty frame when there are none.

        At most `max_records`, and about `max_bytes` in memory. What was pruned is passed over; a batch that can no
        longer be read is set aside, counted as dead and passed over.
        """
        return reading.read_frame(self._database, stream, self.id, after, max_records, max_bytes, clock=self._clock)

    def last_sequence(self, stream: str) -> int:
        """The newest sequence of a stream; 0 before the first."""
        with self._database.reading("read the last sequence") as connection:
            row = connection.execute("SELECT next_sequence - 1 FROM streams WHERE name = ?", (stream,)).fetchone()
        return int(row[0])

    def checkpoints(self) -> list[Checkpoint]:
        """All file checkpoints."""
        with self._database.reading("read checkpoints") as connection:
            return state.get_checkpoints(connection)

    def answer(self, client: str, key: str, since_s: float) -> Answer | None:
        """The answer given to an Idempotency-Key at or after Unix time `since_s`; None where there is none."""
        with self._database.reading("read an answer") as connection:
            return get_answer(connection, client, key, since_s)

    def counter(self, name: str) -> int:
        """How often something happened in the life of this spool, as `Transaction.count` noted it."""
        with self._database.reading(f"read counter {name}") as connection:
            return state.get_counter(connection, name)

    def blob(self, name: str) -> bytes | None:
        """The small state kept under a name; None where there is none, or where it is damaged."""
        with self._database.reading(f"read state {name}") as connection:
            return state.get_blob(connection, name)

    def scored(self, model_version: str | None = None) -> list[tuple[str, int, int]]:
        """(model version, first, last) of the events that were scored, merged, in order."""
        with self._database.reading("read scored ranges") as connection:
            return state.get_scored(connection, model_version)

    def ledger(self, stream: str = EVENTS) -> ledger.Ledger:
        """The books of a stream, all of one moment."""
        with self._database.reading("read the ledger", snapshot=True) as connection:
            return ledger.read_ledger(connection, stream, self._limits.max_bytes[stream])

    def anomalies(self, limit: int = 100, since_s: float | None = None) -> pl.DataFrame:
        """The newest anomalies, newest first: at most `limit`, those whose event happened at or after `since_s`.

        The newest 10,000 are always there, delivered or not.
        """
        return reading.read_newest(self._database, ANOMALIES, self.id, limit, since_s, clock=self._clock)

    def dead_letters(
        self, stream: str | None = None, *, state: str | None = None, after: int = 0, limit: int = 100
    ) -> list[dead_letters.DeadLetter]:
        """Dead letters by sequence, from the one after `after`; `state` is dead, waiting, delivered or dropped."""
        with self._database.reading("list dead letters") as connection:
            return dead_letters.list_letters(connection, stream, state, after, limit)

    def letter_counts(self, *, limit: int = 100) -> list[tuple[str, str, str, int]]:
        """Dead letters as (stream, state, reason up to its first colon, how many), the most frequent first."""
        with self._database.reading("count dead letters") as connection:
            return dead_letters.count_letters(connection, limit)

    def letter(self, stream: str, sequence: int) -> pl.DataFrame | None:
        """The record of one dead letter, one row; None where there is none or nothing is left of it."""
        with self._database.reading("read a dead letter") as connection:
            return dead_letters.read_letters(connection, stream, self.id, [sequence])[0]

    def replays(self, stream: str = EVENTS, max_records: int = 1_000) -> pl.DataFrame:
        """The letters that are to be delivered again, oldest first; an empty frame when there are none."""
        with self._database.reading("read replays", snapshot=True) as connection:
            sequences = dead_letters.waiting_letters(connection, stream, max_records)
            frame, unreadable = dead_letters.read_letters(connection, stream, self.id, sequences)
        if unreadable:
            reasons = dict.fromkeys(unreadable, dead_letters.UNREADABLE)
            with self._database.writing("bury damaged letters") as connection:
                dead_letters.settle(connection, stream, (), reasons, self._clock())
        return no_rows(stream) if frame is None else frame

    def replay(self, stream: str, sequences: Sequence[int] | None = None) -> int:
        """Offer dead letters to the store again (None: all that are dead); how many. The next delivery takes them."""
        return self._change_letters(stream, sequences, dead_letters.WAITING)

    def drop(self, stream: str, sequences: Sequence[int] | None = None) -> int:
        """Give dead letters up (None: all that are dead); how many. They still count as dead, with their reason."""
        return self._change_letters(stream, sequences, dead_letters.DROPPED)

    def _change_letters(self, stream: str, sequences: Sequence[int] | None, after: str) -> int:
        if sequences is None:
            with self._database.reading("list dead letters") as connection:
                rows = dead_letters.list_letters(connection, stream, dead_letters.DEAD, 0, -1)
            sequences = [letter.sequence for letter in rows]
        changed = 0
        for start in range(0, len(sequences), LETTER_STEP):
            step = sequences[start : start + LETTER_STEP]
            with self._database.writing(f"mark dead letters {after}") as connection:
                done = dead_letters.change_state(connection, stream, step, dead_letters.DEAD, after, self._clock())
                if after == dead_letters.DROPPED:
                    dead_letters.empty(connection, stream, done)
            changed += len(done)
        return changed

    def verify(self) -> list[str]:
        """What is wrong with this spool, in words; an empty list when nothing is. Reads everything that waits."""
        return verify.verify(self._database)

    def export(self, stream: str = EVENTS, *, after: int = 0, max_records: int = 10_000) -> Iterator[pl.DataFrame]:
        """All records after `after` that are on disk, delivered ones too, in frames of at most `max_records`."""
        while (frame := self.read(stream, after, max_records)).height:
            yield frame
            after = int(frame["sequence"][-1])

    def quarantined(self) -> list[quarantine.Quarantined]:
        """The batches that were set aside because they could not be read, with what is left of them."""
        with self._database.reading("list the quarantine") as connection:
            return quarantine.list_quarantined(connection)

    def quarantined_count(self) -> int:
        """How many batches were set aside."""
        with self._database.reading("count the quarantine") as connection:
            return quarantine.count_quarantined(connection)

    @staticmethod
    def repair(folder: Path, *, clock: Callable[[], float] = time.time) -> repair.Repair:
        """Make a damaged spool usable again; see `sentinel.spool.repair.repair`. Nothing may have it open."""
        return repair.repair(folder, now_s=clock())

    def prune(
        self,
        *,
        now_s: float | None = None,
        keep_bytes: int = prune.KEEP_BYTES,
        keep_anomalies: int = prune.KEEP_ANOMALIES,
    ) -> int:
        """Delete what is delivered and what is old, in small steps, and give the room back; how many records went.

        Events that detect has not passed yet stay while all delivered ones take less than `keep_bytes`.
        """
        return prune.prune(
            self._database,
            now_s=self._clock() if now_s is None else now_s,
            keep_bytes=keep_bytes,
            keep_anomalies=keep_anomalies,
        )
