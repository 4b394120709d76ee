"""A big plain log file in, its records out as `read_log_file` gives them, read by a process a core: it is cut into
parts where an event begins."""

import functools
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from sentinel.collect.packed import MAGIC_BYTES, is_packed
from sentinel.collect.whole import PIECE_BYTES
from sentinel.collect.wide import PROBE_BYTES, codec_of
from sentinel.parse import Reading, use
from sentinel.parse.in_use import reading
from sentinel.pipeline.log_files import read_log_file, read_pieces

__all__ = ["read_in_parts"]

PART_BYTES = 16 * 1024 * 1024
WINDOW_BYTES = 64 * 1024  # that are looked at to find where an event begins
SKIPPED_LINES = 50  # of them, at the most: what begins before the window may go on there


class _Part(NamedTuple):
    records: pl.DataFrame
    lines: int


def read_in_parts(
    path: Path, *, now: datetime, progress: Callable[[int], None] = lambda done: None
) -> Iterator[pl.DataFrame]:
    """The records of a file (RECORD_SCHEMA), in its order; whoever wants to know is told how many bytes more were read.

    Small files, archives, streams, and formats of a user's own are read here. Raises as `read_log_file` does.
    """
    cores = len(os.sched_getaffinity(0))
    cuts = _cuts(path, now) if cores > 1 and not reading().formats else []
    if not cuts:
        yield from (piece.records for piece in read_log_file(path, now=now, progress=progress))
        return
    spans = list(zip([0, *cuts], [*cuts, path.stat().st_size], strict=True))
    spawn = multiprocessing.get_context("spawn")  # polars cannot be forked
    with ProcessPoolExecutor(min(cores, len(spans)), spawn, use, (Reading(mask=reading().mask),)) as pool:
        before = 0
        for span, part in zip(spans, pool.map(functools.partial(_read_span, path, now), spans), strict=True):
            progress(span[1] - span[0])
            yield part.records.with_columns(
                event_id=(pl.col("event_id").cast(pl.Int64) + before).cast(pl.String).str.zfill(22),
                offset=pl.col("offset") + span[0],
            )
            before += part.lines


def _cuts(path: Path, now: datetime) -> list[int]:
    """Where parts begin but for the first: at a line with which an event begins. Empty where the file stays whole."""
    if not path.is_file() or path.stat().st_size < 2 * PART_BYTES:
        return []
    cuts, size = [], path.stat().st_size
    with path.open("rb") as file:
        head = file.read(max(MAGIC_BYTES, PROBE_BYTES))
        if is_packed(head) or codec_of(head) is not None:
            return []
        for target in range(PART_BYTES, size - PART_BYTES // 2, PART_BYTES):
            file.seek(target)
            begin = _begin(path, file.read(WINDOW_BYTES), now)
            if begin is not None:
                cuts.append(target + begin)
    return cuts


def _begin(path: Path, window: bytes, now: datetime) -> int | None:
    """Where in a window an event begins that has nothing to do with what stands before it; None where none is seen."""
    first = window.find(b"\n") + 1
    lines = window[first : window.rfind(b"\n") + 1].splitlines(keepends=True) if first else []
    pieces = read_pieces(path, [b"".join(lines)], now=now)
    numbers = pl.concat([piece.records for piece in pieces])["event_id"].cast(pl.Int64).to_list() if lines else []
    skipped = min(SKIPPED_LINES, len(lines) // 2)
    number = next((number for number in numbers if number > skipped), None)
    return None if number is None else first + sum(map(len, lines[: number - 1]))


def _read_span(path: Path, now: datetime, span: tuple[int, int]) -> _Part:
    lines = 0

    def pieces() -> Iterator[bytes]:
        nonlocal lines
        at, end = span
        with path.open("rb") as file:
            file.seek(at)
            while at < end and (piece := file.read(min(PIECE_BYTES, end - at))):
                at += len(piece)
                lines += piece.count(b"\n")
                yield piece

    return _Part(pl.concat([piece.records for piece in read_pieces(path, pieces(), now=now)]), lines)
