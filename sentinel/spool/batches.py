"""Frames to rows of the spool and back: cut to size, compressed, checksummed, with the sources counted apart."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sentinel.errors import TerminalError
from sentinel.streams import EVENTS

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

__all__ = [
    "MAX_BATCH_BYTES",
    "MAX_BATCH_RECORDS",
    "Batch",
    "checksum",
    "columns_of",
    "conform",
    "decode",
    "encode",
    "frames_of",
    "no_rows",
    "source_counts",
]

MAX_BATCH_BYTES = 4 * 1024 * 1024  # of the frame in memory
MAX_BATCH_RECORDS = 10_000
GIVEN_BY_SPOOL = ("spool", "sequence")
NO_SOURCE = "(none)"
MAX_SOURCE_CHARS = 100


@cache
def columns_of(stream: str) -> Mapping[str, pl.DataType]:
    """The columns that a frame of a stream has."""
    from sentinel.records import ANOMALY_COLUMNS, RECORD_SCHEMA

    return RECORD_SCHEMA if stream == EVENTS else {**RECORD_SCHEMA, **ANOMALY_COLUMNS}


def no_rows(stream: str) -> pl.DataFrame:
    """A frame of the stream's columns with no rows."""
    import polars as pl

    return pl.DataFrame(schema=columns_of(stream))


@cache
def _stored(stream: str) -> list[str]:
    return [name for name in columns_of(stream) if name not in GIVEN_BY_SPOOL]


@dataclass(frozen=True, slots=True)
class Batch:
    """One row of the spool without its blob: which records, and whose."""

    id: int
    stream: str
    first: int
    last: int
    crc: int
    size: int  # bytes of its blob
    sources: Sequence[str]  # names of the ledger
    codes: bytes  # one number a record, an index into `sources`; empty where there is one source

    def counts(self, after: int, until: int) -> dict[str, int]:
        """How many records of each source have a sequence in (after, until]."""
        begin, end = max(after + 1, self.first) - self.first, min(until, self.last) + 1 - self.first
        if begin >= end:
            return {}
        return source_counts(self.sources, self.codes, begin, end, self.last - self.first + 1)

    def is_whole(self, blob: bytes) -> bool:
        """Whether `blob` is what was once written here."""
        return checksum(blob, self.stream, self.first, self.last, names_to_text(self.sources), self.codes) == self.crc

    def open(self, blob: bytes) -> pl.DataFrame | None:
        """The records that `blob` holds; None where it is not what was once written here."""
        return decode(blob, self.stream) if self.is_whole(blob) else None

    def source(self, sequence: int) -> str:
        """The ledger's name for the source of one record."""
        return next(iter(self.counts(sequence - 1, sequence)))


def source_counts(sources: Sequence[str], codes: bytes, begin: int, end: int, count: int) -> dict[str, int]:
    """Count the records [begin, end) of a batch of `count` by source; names that stand twice are added up.

    The numbers always add up to end − begin, even where `codes` was damaged on the disk.
    """
    import numpy as np

    if len(codes) not in (count, 2 * count):
        return {sources[0]: end - begin}
    numbers = np.frombuffer(codes, dtype=np.uint8 if len(codes) == count else np.uint16)[begin:end]
    counts: dict[str, int] = {}
    tally = np.bincount(np.minimum(numbers, len(sources) - 1), minlength=len(sources))
    for name, n in zip(sources, tally.tolist(), strict=True):
        if n:
            counts[name] = counts.get(name, 0) + n
    return counts


def name_sources(frame: pl.DataFrame) -> tuple[list[str], bytes]:
    """The sources of a frame and, where there are several, which record has which."""
    import numpy as np

    numbers: dict[str | None, int] = {}
    codes = [numbers.setdefault(name, len(numbers)) for name in frame.get_column("source").to_list()]
    names = [NO_SOURCE if name is None else name[:MAX_SOURCE_CHARS] for name in numbers]
    if len(names) == 1:
        return names, b""
    return names, np.array(codes, dtype=np.uint8 if len(names) <= 256 else np.uint16).tobytes()


def rename_sources(names: Sequence[str], codes: bytes, given: Mapping[str, str]) -> tuple[list[str], bytes]:
    """Names and codes with each name once, after some were `given` another (the same one, for many)."""
    import numpy as np

    if not given:
        return list(names), codes
    places: dict[str, int] = {}
    table = np.array([places.setdefault(given.get(name, name), len(places)) for name in names])
    if len(places) == 1:
        return list(places), b""
    numbers = table[np.frombuffer(codes, dtype=np.uint8 if len(names) <= 256 else np.uint16)]
    return list(places), numbers.astype(np.uint8 if len(places) <= 256 else np.uint16).tobytes()


def conform(frame: pl.DataFrame, stream: str) -> pl.DataFrame:
    """The frame in the stream's columns, without those that the spool gives.

    Raises TerminalError where a column is missing or of another type.
    """
    schema, stored = frame.schema, _stored(stream)
    wanted = columns_of(stream)
    wrong = [f"{name} is {schema.get(name, 'missing')}" for name in stored if schema.get(name) != wanted[name]]
    if wrong:
        raise TerminalError(
            f"append to the spool's {stream}: {', '.join(wrong)}; the frame must have the record's schema"
        )
    return frame[stored]  # not select(): that goes through the query planner, a millisecond on a busy machine


def frames_of(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The frame cut into pieces of at most MAX_BATCH_RECORDS and MAX_BATCH_BYTES (a lone record may be bigger)."""
    if frame.height <= MAX_BATCH_RECORDS and (frame.height <= 1 or frame.estimated_size() <= MAX_BATCH_BYTES):
        if frame.height:
            yield frame
        return
    half = frame.height // 2
    yield from frames_of(frame.head(half))
    yield from frames_of(frame.tail(frame.height - half))


def encode(frame: pl.DataFrame) -> bytes:
    """Arrow's IPC stream, lz4: a sixth of the size for a tenth more time, and no cost to speak of for one record."""
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression="lz4")
    return buffer.getvalue()


def decode(blob: bytes, stream: str) -> pl.DataFrame:
    """What `encode` made, in the stream's columns of today: columns that a later version added are null."""
    import polars as pl

    frame = pl.read_ipc_stream(io.BytesIO(blob))
    if frame.columns == _stored(stream):
        return frame
    schema = columns_of(stream)
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(schema[name]).alias(name)
        for name in _stored(stream)
    )


def checksum(
    blob: bytes, stream: str, first: int, last: int | None = None, sources: str = "", codes: bytes = b""
) -> int:
    """CRC-32 of a blob and of where it belongs, so that a blob in the wrong place is noticed too."""
    return zlib.crc32(blob, zlib.crc32(codes, zlib.crc32(f"{stream}:{first}:{last}:{sources}".encode())))


def number(frame: pl.DataFrame, stream: str, spool: str, sequences: np.ndarray) -> pl.DataFrame:
    """The frame, as `decode` gave it, with the columns that the spool gives; it is changed in place."""
    import polars as pl

    given = {"spool": pl.Series([spool], dtype=pl.String).new_from_index(0, frame.height)}
    given["sequence"] = pl.Series(sequences, dtype=pl.Int64)
    for place, name in enumerate(columns_of(stream)):
        if name in given:
            frame.insert_column(place, given[name].alias(name))
    return frame


def names_to_text(names: Sequence[str]) -> str:
    """The list of sources as it stands in a row."""
    return json.dumps(names, ensure_ascii=False)


def names_from_text(text: str) -> list[str]:
    """The list of sources from a row; a nameless one where the row is damaged."""
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    return [str(name) for name in names] if isinstance(names, list) and names else [NO_SOURCE]
