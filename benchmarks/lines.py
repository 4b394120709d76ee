"""Lines to measure with, made by `simulate`; the same seed, the same bytes. And the public logs, where they are."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import polars as pl

from sentinel.parse import parse_lines
from sentinel.records import RECORD_SCHEMA
from sentinel.simulate import fleet, write_lines

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY_S = 86_400.0
PUBLIC = Path(__file__).parents[2] / "shared" / "data"


@cache
def fleet_frame(n_lines: int, seed: int = 7) -> pl.DataFrame:
    """The first `n_lines` of a fleet's life, as many days as it takes."""
    frames: list[pl.DataFrame] = []
    rows = 0
    while rows < n_lines:
        day = len(frames)
        start = datetime.fromtimestamp(START.timestamp() + day * DAY_S, UTC)
        frames.append(fleet(seed=seed + day, start=start, duration_s=DAY_S))
        rows += frames[-1].height
    return pl.concat(frames).head(n_lines)


def syslog_bytes(n_lines: int, seed: int = 7) -> bytes:
    """The same as syslog lines of one file."""
    return ("\n".join(write_lines(fleet_frame(n_lines, seed), "syslog")) + "\n").encode()


def as_records(frame: pl.DataFrame) -> pl.DataFrame:
    """Lines of `simulate` as records (RECORD_SCHEMA)."""
    given = frame.with_columns(
        pl.int_range(pl.len()).cast(pl.String).str.zfill(22).alias("event_id"),
        pl.col("timestamp").dt.cast_time_unit("ms").alias("received"),
        pl.lit("bench").alias("origin"),
    )
    return given.select(
        (pl.col(name) if name in given.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in RECORD_SCHEMA.items()
    )


def parsed(lines: Sequence[bytes], origin: str) -> pl.DataFrame:
    """Raw lines of one file as records."""
    columns = {
        "line": lines,
        "origin": [origin] * len(lines),
        "generation": ["0123456789"] * len(lines),
        "offset": list(range(len(lines))),
    }
    schema = {"line": pl.Binary(), "origin": pl.String(), "generation": pl.String(), "offset": pl.Int64()}
    return parse_lines(pl.DataFrame(columns, schema=schema), now=datetime(2026, 11, 23, tzinfo=UTC)).records


def public_logs() -> dict[str, list[bytes]]:
    """The lines of each public log that is there, by its name; empty where none is."""
    files = sorted(PUBLIC.glob("*.log")) if PUBLIC.is_dir() else []
    return {file.name: [line for line in file.read_bytes().splitlines() if line.strip()] for file in files}
