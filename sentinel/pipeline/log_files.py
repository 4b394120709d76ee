"""Log files outside the spool: a path in, the records out that `collect` would make of it; nothing is kept."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from sentinel.collect.packed import DamageError
from sentinel.collect.whole import Line, lines_of, pieces_of
from sentinel.errors import TerminalError
from sentinel.parse import Parsed, parse_lines
from sentinel.pipeline.votes import FREE_TEXT

__all__ = ["STANDARD_INPUT", "Piece", "read_log_file", "read_pieces"]

STANDARD_INPUT = Path("-")
FILE = "file000000"  # stands for the generation of a file that nobody follows
LINE_SCHEMA = {
    "line": pl.Binary(),
    "origin": pl.String(),
    "generation": pl.String(),
    "offset": pl.Int64(),
    "mark": pl.String(),
    "event_id": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some records of a file (RECORD_SCHEMA; `event_id` is the number of an event's first line, from 1), and of each
    the `format` by which it was read and the `confidence`, the share of the file's events so far that it reads."""

    records: pl.DataFrame
    formats: pl.DataFrame


def read_log_file(
    path: Path, *, now: datetime, period: str = "month", progress: Callable[[int], None] = lambda done: None
) -> Iterator[Piece]:
    """What is read of a log file, an archive or standard input (`-`), piece by piece. Whoever wants to know is told how
    many bytes more were read.

    Raises OSError, and TerminalError behind all that is sound of a damaged archive.
    """
    yield from read_pieces(path, _pieces(path, progress), now=now, period=period)


def read_pieces(path: Path, pieces: Iterable[bytes], *, now: datetime, period: str = "month") -> Iterator[Piece]:
    """The same of bytes that somebody else reads of the file, from the beginning of a line on; numbers begin there."""
    number, left, votes, waiting = 1, pl.DataFrame(schema=LINE_SCHEMA), Counter[str](), list[Line]()
    try:
        for lines in lines_of(pieces):
            if waiting:
                asked = pl.concat([left, _frame(path, waiting, number)])
                parsed = parse_lines(asked, now=now, period=period, unsettled=[FILE])
                left = asked.filter(pl.col("offset") >= parsed.held.get(FILE, sys.maxsize))
                number += len(waiting)
                yield _piece(parsed, votes)
            waiting = lines
    except DamageError as exc:
        yield _piece(parse_lines(pl.concat([left, _frame(path, waiting, number)]), now=now, period=period), votes)
        raise TerminalError(f"read {path}: {exc}; what came before it was read") from None
    yield _piece(parse_lines(pl.concat([left, _frame(path, waiting, number)]), now=now, period=period), votes)


def _frame(path: Path, lines: Iterable[Line], number: int) -> pl.DataFrame:
    origin = "stdin" if path == STANDARD_INPUT else str(path)
    rows = [(line.line, origin, FILE, line.offset, line.mark, f"{n:022d}") for n, line in enumerate(lines, number)]
    return pl.DataFrame(rows, schema=LINE_SCHEMA, orient="row")


def _piece(parsed: Parsed, votes: Counter[str]) -> Piece:
    """The records, and their formats with the votes of all events up to the end of the piece."""
    names = pl.Series("format", parsed.formats, dtype=pl.String).fill_null(FREE_TEXT)
    votes.update(names.to_list())
    shares = {name: count / votes.total() for name, count in votes.items()}
    confidence = names.replace_strict(shares, default=None, return_dtype=pl.Float64).alias("confidence")
    records = parsed.records.with_columns(pl.lit(None, dtype=pl.String).alias("generation"))
    return Piece(records, pl.DataFrame([names, confidence]))


def _pieces(path: Path, progress: Callable[[int], None]) -> Iterator[bytes]:
    if path == STANDARD_INPUT:
        pieces = pieces_of(sys.stdin.buffer, is_archive=False)
        yield from _told(pieces, progress)
        return
    with path.open("rb") as file:
        yield from _told(pieces_of(file, is_archive=file.seekable()), progress)


def _told(pieces: Iterable[bytes], progress: Callable[[int], None]) -> Iterator[bytes]:
    for piece in pieces:
        progress(len(piece))
        yield piece
