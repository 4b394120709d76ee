"""One transaction of the spool: whatever is done in it becomes durable together, or not at all."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.errors import SpoolFullError, TerminalError
from sentinel.failpoints import reach
from sentinel.spool import answers, batches, dead_letters, ledger, readers, state
from sentinel.spool.incidents import IncidentRow, put_incidents, read_active, read_one
from sentinel.spool.packing import Packed, Piece
from sentinel.spool.readers import Lease
from sentinel.spool.rows import read_batches
from sentinel.spool.schema import COUNTING_READERS, READER_STREAMS
from sentinel.streams import EVENTS, Checkpoint

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Limits", "Span", "Transaction"]


@dataclass(frozen=True, slots=True)
class Span:
    """The sequences that an append was given, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the spool takes: waiting bytes by stream, free bytes left on the disk, bytes of dead letters."""

    max_bytes: Mapping[str, int]
    min_free_bytes: int
    max_letter_bytes: int


class Transaction:
    """What can be done in one commit. Made by `Spool.transaction`; of no use after its block.

    Keep it small (up to 4 MiB of records): while it lasts, nobody else writes. A big collection commits in chunks.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        folder: Path,
        limits: Limits,
        free_bytes: Callable[[Path], int],
        clock: Callable[[], float],
    ) -> None:
        self._connection, self._folder, self._limits = connection, folder, limits
        self._free_bytes, self._clock = free_bytes, clock
        self.has_appended = False  # or tried to

    def append(self, records: pl.DataFrame | Packed, stream: str = EVENTS) -> Span:
        """Accept records (RECORD_SCHEMA; anomalies: and ANOMALY_COLUMNS): they get the stream's next sequences.

        A frame, whose `spool` and `sequence` are ignored, or what `Spool.pack` has made ready, which takes less time
        under the lock. Raises SpoolFullError at the bound, TerminalError on an empty frame or foreign columns.
        """
        reach("spool.before-append")
        self.has_appended = True
        packed = records if isinstance(records, Packed) else self._pack(records, stream)
        if not packed.count:
            raise TerminalError(f"append to the spool's {stream}: the frame is empty; append only what there is")
        stream, added = packed.stream, packed.size
        first = self._make_room(stream, added)
        following = first
        for piece in packed.pieces:
            self._insert(stream, piece, following)
            following += piece.count
        ledger.count_accepted(self._connection, stream, packed.counts)
        self._connection.execute(
            """UPDATE streams SET next_sequence = ?, received = received + ?, waiting_bytes = waiting_bytes + ?
            WHERE name = ?""",
            (following, packed.count, added, stream),
        )
        reach("spool.after-append")
        return Span(first, following - 1)

    def _pack(self, frame: pl.DataFrame, stream: str) -> Packed:
        packed = Packed(lambda: contextlib.nullcontext(self._connection), stream)
        packed.add(frame)
        return packed

    def _make_room(self, stream: str, added: int) -> int:
        """The stream's next sequence. Raises SpoolFullError where `added` bytes are too many."""
        following, waiting = self._connection.execute(
            "SELECT next_sequence, waiting_bytes FROM streams WHERE name = ?", (stream,)
        ).fetchone()
        bound, free, wanted = (
            self._limits.max_bytes[stream],
            self._free_bytes(self._folder),
            self._limits.min_free_bytes,
        )
        if waiting + added > bound:
            raise SpoolFullError(
                f"append to the spool's {stream}: {waiting} of {bound} bytes wait for delivery and {added} more do not "
                "fit; see that the store is reachable, or raise LOG_SENTINEL_SPOOL_MAX_MB"
            )
        if free - added < wanted:
            raise SpoolFullError(
                f"append to the spool's {stream}: {free} bytes are free on the disk of {self._folder}, {wanted} are to "
                "stay free; make room there"
            )
        return int(following)

    def _insert(self, stream: str, piece: Piece, first: int) -> None:
        last = first + piece.count - 1
        crc = batches.checksum(piece.blob, stream, first, last, piece.sources, piece.codes)
        received_s = self._clock() if piece.received_s is None else piece.received_s
        sizes = (len(piece.blob), piece.frame_bytes)
        self._connection.execute(
            "INSERT INTO batches VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (stream, first, last, piece.count, crc, *sizes, received_s, piece.sources, piece.codes, piece.blob),
        )

    def put_checkpoints(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Keep how far files have been read; one a generation, the newest stays."""
        self._connection.executemany(
            f"INSERT OR REPLACE INTO checkpoints VALUES (?{', ?' * 10})",  # noqa: S608 no values here
            [astuple(checkpoint) for checkpoint in checkpoints],
        )
        reach("spool.after-checkpoint")

    def forget_checkpoints(self, generations: Iterable[str]) -> None:
        """Delete the checkpoints of files that are gone for good; whoever reads files knows which those are."""
        gone = [(generation,) for generation in generations]
        self._connection.executemany("DELETE FROM checkpoints WHERE generation = ?", gone)

    def count_rejected(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Count lines that were received and not accepted, by (source, reason)."""
        ledger.count_rejected(self._connection, counts)

    def remember_answer(self, client: str, key: str, digest: str, answer: bytes, now_s: float) -> None:
        """Keep the answer given to an Idempotency-Key, with the digest of the body it was given to.

        Raises SpoolFullError where answers and waiting events together have reached the events' bound.
        """
        (waiting,) = self._connection.execute("SELECT waiting_bytes FROM streams WHERE name = ?", (EVENTS,)).fetchone()
        kept, bound = answers.bytes_kept(self._connection), self._limits.max_bytes[EVENTS]
        if waiting + kept + answers.answer_size(digest, answer) > bound:
            raise SpoolFullError(
                f"keep an answer in the spool: {kept} bytes of answers to Idempotency-Keys of the last day and "
                f"{waiting} that wait for delivery reach the bound of {bound}; send it again later, or without a key, "
                "or raise LOG_SENTINEL_SPOOL_MAX_MB"
            )
        answers.put_answer(self._connection, client, key, digest, answer, now_s)

    def answer(self, client: str, key: str, since_s: float) -> answers.Answer | None:
        """The answer given to an Idempotency-Key at or after Unix time `since_s`; what is found here stays true until
        the commit."""
        return answers.get_answer(self._connection, client, key, since_s)

    def count(self, name: str, count: int) -> None:
        """Count on what `Spool.counter` tells."""
        state.add_to_counter(self._connection, name, count)

    def put_blob(self, name: str, content: bytes) -> None:
        """Keep a small state (up to 4 MiB) under a name, in the place of what was there."""
        state.put_blob(self._connection, name, content, self._clock())

    def active_incidents(self, since_s: float, until_s: float) -> list[IncidentRow]:
        """Incidents with a line between these Unix times, as they are now: nobody changes them before the commit."""
        return read_active(self._connection, since_s, until_s)

    def incident(self, wanted: str) -> IncidentRow | None:
        """One incident as it is now; None where there is none of this id."""
        return read_one(self._connection, wanted)

    def put_incidents(self, rows: Iterable[IncidentRow]) -> None:
        """Keep incidents in the place of their older versions; a version that is not newer changes nothing."""
        put_incidents(self._connection, rows)

    def add_scored(self, version: str, first: int, last: int) -> None:
        """Note that model `version` has scored the events `first` … `last`; ranges that touch become one."""
        state.add_scored(self._connection, version, first, last)

    def move(self, lease: Lease, to_sequence: int, *, dead: Mapping[int, str] | None = None) -> None:
        """Move a reader up to `to_sequence`: all before it is delivered, but for the `dead` (sequence → reason).

        A position behind the reader's own changes nothing. Raises LeaseLostError, which rolls everything back.
        """
        reach("spool.before-move")
        stream = self._stream_of(lease)
        position = readers.check_lease(self._connection, lease).sequence
        (following,) = self._connection.execute(
            "SELECT next_sequence FROM streams WHERE name = ?", (stream,)
        ).fetchone()
        if to_sequence >= following:
            raise TerminalError(f"move reader {lease.reader} to {to_sequence}: the last sequence is {following - 1}")
        if to_sequence > position:
            if COUNTING_READERS[stream] == lease.reader:
                self._count_move(stream, position, to_sequence, dead or {})
            target = readers.skip_quarantined(self._connection, stream, to_sequence)
            readers.write_position(self._connection, lease.reader, target, self._clock())
        reach("spool.after-move")

    def _stream_of(self, lease: Lease) -> str:
        if lease.reader not in READER_STREAMS:
            raise TerminalError(f"move reader {lease.reader}: it has no position; {', '.join(READER_STREAMS)} have")
        return READER_STREAMS[lease.reader]

    def _count_move(self, stream: str, position: int, to_sequence: int, dead: Mapping[int, str]) -> None:
        """Enter (position, to_sequence] in the books as delivered or dead."""
        passed_bytes = 0
        for batch in read_batches(self._connection, stream, position, to_sequence):
            counts = batch.counts(position, to_sequence)
            ledger.shift(self._connection, stream, counts, waiting=-1, delivered=1)
            reasons = {
                n: why for n, why in dead.items() if max(position, batch.first - 1) < n <= min(to_sequence, batch.last)
            }
            if reasons:
                frame = self._content(batch)
                buried = dead_letters.bury(
                    self._connection, batch, frame, reasons, self._clock(), max_bytes=self._limits.max_letter_bytes
                )
                ledger.shift(self._connection, stream, buried, delivered=-1, dead=1)
            passed_bytes += batch.size if batch.last <= to_sequence else 0
        self._connection.execute(
            "UPDATE streams SET waiting_bytes = waiting_bytes - ? WHERE name = ?", (passed_bytes, stream)
        )

    def _content(self, batch: batches.Batch) -> pl.DataFrame | None:
        """The records of a batch, None where they can no longer be read."""
        (blob,) = self._connection.execute("SELECT blob FROM batches WHERE id = ?", (batch.id,)).fetchone()
        return batch.open(blob)

    def postpone(self, lease: Lease, attempts: int, next_attempt_s: float, error: str) -> None:
        """Note a failed attempt: how many there were, the Unix time of the next one, and why. Raises LeaseLostError."""
        readers.check_lease(self._connection, lease)
        self._connection.execute(
            "UPDATE readers SET attempts = ?, next_attempt_s = ?, error = ?, updated_s = ? WHERE name = ?",
            (attempts, next_attempt_s, error[:2_000], self._clock(), lease.reader),
        )

    def settle_replay(
        self, lease: Lease, *, delivered: Collection[int] = (), dead: Mapping[int, str] | None = None
    ) -> None:
        """Enter what became of letters that were replayed: sequences delivered, or dead again (→ reason).

        Letters that are not on replay are left alone. Raises LeaseLostError.
        """
        readers.check_lease(self._connection, lease)
        dead_letters.settle(self._connection, self._stream_of(lease), delivered, dead or {}, self._clock())

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the transaction that is undone alone when its block raises; the rest stays."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # a full disk may have rolled back everything already
                self._connection.execute("ROLLBACK TO part")
                self._connection.execute("RELEASE part")
            raise
        self._connection.execute("RELEASE part")

    @property
    def is_open(self) -> bool:
        """Whether the transaction can still be committed; a failing disk may have ended it."""
        return self._connection.in_transaction
