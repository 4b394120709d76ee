"""Records made ready for the spool before anybody holds its lock: cut, compressed, their sources named and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.spool import batches, ledger
from sentinel.streams import EVENTS

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Packed", "Piece"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One row of the spool but for its sequences."""

    count: int
    blob: bytes
    frame_bytes: int
    received_s: float | None  # Unix time of the oldest record
    sources: str
    codes: bytes


class Packed:
    """The pieces of one append to come, gathered frame by frame; `reading` gives a connection that may only read,
    `known` is a cache of sources that have books.

    All that costs time is done by `add`: the transaction that takes the pieces only writes rows.
    """

    def __init__(self, reading: ledger.Reading, stream: str = EVENTS, known: set[str] | None = None) -> None:
        self.stream = stream
        self.pieces: list[Piece] = []
        self.counts = Counter[str]()  # records by the ledger's name of their source
        self.rejected = Counter[tuple[str, str]]()  # by (source, reason), as `Transaction.count_rejected` takes them
        self._reading = reading
        self._names = ledger.Names(stream, set() if known is None else known)

    @property
    def count(self) -> int:
        """How many records."""
        return sum(piece.count for piece in self.pieces)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(len(piece.blob) for piece in self.pieces)

    def reject(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Count what is not accepted, by (source, reason); of bounded number however many reasons there are."""
        ledger.add_reasons(self.rejected, counts)

    def add(self, frame: pl.DataFrame) -> None:
        """Make a frame's records ready. Raises TerminalError where a column is missing or of another type."""
        for part in batches.frames_of(batches.conform(frame, self.stream)):
            sources, codes = batches.name_sources(part)
            counts = batches.source_counts(sources, codes, 0, part.height, part.height)
            given = self._names.give(self._reading, counts)
            sources, codes = batches.rename_sources(sources, codes, given)
            for name, count in counts.items():
                self.counts[given.get(name, name)] += count
            oldest = part.get_column("received").min()
            received_s = oldest.timestamp() if isinstance(oldest, datetime) else None
            blob, size = batches.encode(part), int(part.estimated_size())
            self.pieces.append(Piece(part.height, blob, size, received_s, batches.names_to_text(sources), codes))
