"""Make the lines of a small fleet's normal life from a seed; nothing is stored here, no clock is read."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import polars as pl

from sentinel.errors import TerminalError
from sentinel.simulate.clock import Row, Span, dice
from sentinel.simulate.services import SERVICES
from sentinel.simulate.world import make_world

__all__ = ["ALL_SERVICES", "LINE_SCHEMA", "fleet", "frame_of", "span_of"]

ALL_SERVICES = tuple(SERVICES)

LINE_SCHEMA: dict[str, pl.DataType] = {
    "timestamp": pl.Datetime("ns", "UTC"),
    "level": pl.String(),
    "source": pl.String(),
    "host": pl.String(),
    "message": pl.String(),
}


def fleet(
    *,
    seed: int,
    start: datetime,
    duration_s: float,
    services: Sequence[str] = ALL_SERVICES,
    released: datetime | None = None,
) -> pl.DataFrame:
    """The lines of a fleet from `start` (aware) on, in time order: LINE_SCHEMA, some 30,000 a day with all services.

    Nobody attacks, but people mistype, links are dead, payments time out, services restart. From `released` on the
    applications run their next version: other texts, more lines (a change of regime). A service's lines do not
    depend on which others are asked for. Raises TerminalError for a service that does not exist.
    """
    unknown = [name for name in services if name not in SERVICES]
    if unknown:
        raise TerminalError(f"simulate fleet: no service {unknown[0]!r}; there are {', '.join(SERVICES)}")
    span = span_of(start, duration_s)
    world = make_world(seed, span, released_s=released.timestamp() if released else float("inf"))
    rows = [row for name in services for row in SERVICES[name](dice(seed, name), world) if row[0] in span]
    return frame_of(rows)


def span_of(start: datetime, duration_s: float) -> Span:
    """The span of `duration_s` seconds that begins at `start`, which must be aware."""
    if start.tzinfo is None:
        raise TerminalError("simulate: `start` has no time zone; give one, e.g. datetime(2026, 11, 23, tzinfo=UTC)")
    return Span(start.timestamp(), (start + timedelta(seconds=duration_s)).timestamp())


def frame_of(rows: Iterable[Row]) -> pl.DataFrame:
    """Rows in any order to a frame in time order, times rounded to microseconds."""
    columns: tuple[list[object], ...] = tuple(list(column) for column in zip(*rows, strict=True)) or ([],) * 5
    frame = pl.DataFrame(dict(zip(("at_s", *list(LINE_SCHEMA)[1:]), columns, strict=True)),
                         schema={"at_s": pl.Float64(), **dict(list(LINE_SCHEMA.items())[1:])})  # fmt: skip
    stamp = (pl.col("at_s") * 1e6).round().cast(pl.Int64) * 1000
    frame = frame.select(stamp.cast(pl.Datetime("ns", "UTC")).alias("timestamp"), *list(LINE_SCHEMA)[1:])
    return frame.sort("timestamp", maintain_order=True)
