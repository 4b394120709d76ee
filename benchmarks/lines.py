"""Lines to measure with, made by `simulate`; the same seed, the same bytes."""

from datetime import UTC, datetime
from functools import cache

import polars as pl

from sentinel.simulate import fleet, write_lines

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY_S = 86_400.0


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
