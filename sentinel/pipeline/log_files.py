"""Log files outside the spool: a path in, the records out that `collect` would make of it; nothing is kept."""

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

from sentinel.collect.packed import DamageError
from sentinel.collect.whole import Line, lines_of, pieces_of
from sentinel.errors import TerminalError
from sentinel.parse import Parsed, parse_lines

__all__ = ["STANDARD_INPUT", "read_log_file"]

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


def read_log_file(
    path: Path, *, now: datetime, period: str = "month", progress: Callable[[int], None] = lambda done: None
) -> Iterator[pl.DataFrame]:
    """The records of a log file, an archive or standard input (`-`), piece by piece; `event_id` is the number of the
    event's first line, from 1. Whoever wants to know is told how many bytes more were read.

    Raises OSError, and TerminalError behind all that is sound of a damaged archive.
    """
    number, left = 1, pl.DataFrame(schema=LINE_SCHEMA)
    try:
        for lines in lines_of(_pieces(path, progress)):
            asked = pl.concat([left, _frame(path, lines, number)])
            number += len(lines)
            parsed = parse_lines(asked, now=now, period=period, unsettled=[FILE])
            left = asked.filter(pl.col("offset") >= parsed.held.get(FILE, sys.maxsize))
            yield _records(parsed)
    except DamageError as exc:
        yield _records(parse_lines(left, now=now, period=period))
        raise TerminalError(f"read {path}: {exc}; what came before it was read") from None
    yield _records(parse_lines(left, now=now, period=period))


def _frame(path: Path, lines: Iterable[Line], number: int) -> pl.DataFrame:
    origin = "stdin" if path == STANDARD_INPUT else str(path)
    rows = [(line.line, origin, FILE, line.offset, line.mark, f"{n:022d}") for n, line in enumerate(lines, number)]
    return pl.DataFrame(rows, schema=LINE_SCHEMA, orient="row")


def _records(parsed: Parsed) -> pl.DataFrame:
    return parsed.records.with_columns(pl.lit(None, dtype=pl.String).alias("generation"))


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
