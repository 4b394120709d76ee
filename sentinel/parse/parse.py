"""Raw lines in, records in their normal form out; an event's reading depends on its own lines alone."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from sentinel.parse import assemble, attributes, timestamps
from sentinel.parse.assemble import Parsed
from sentinel.parse.blocks import in_blocks
from sentinel.parse.events import places_of, whole_events
from sentinel.parse.frames import FRAMED, unframe
from sentinel.parse.lines import clean
from sentinel.parse.mask import hide_secrets
from sentinel.parse.reading import read_framed
from sentinel.parse.zones import within, zones_of_files

__all__ = ["Parsed", "parse_lines", "parse_one"]


def parse_lines(
    lines: pl.DataFrame, *, now: datetime, period: str = "month", unsettled: Collection[str] = ()
) -> Parsed:
    """Read raw lines: columns `line` (Binary), `origin` (String), and `generation` and `offset` or `event_id`;
    `mark` may say what is odd about where a line ends ("cut", "unterminated") and becomes an attribute.

    `now` is when they were received. Blank lines are left out; no other line is ever rejected, and none raises: what no
    format knows becomes a message of its own. `rejected.index` would be the row of the input. The lines of an event are
    one record. In the generations of `unsettled` the last one may go on: it is `held`, with all that comes later. A
    body's lines are a file of their own, named by the first 16 characters of their ids; the rest is their place in it.
    """
    zones = zones_of_files(lines["origin"].unique().drop_nulls().to_list())
    if zones:
        return _by_zone(lines, zones, now=now, period=period, unsettled=unsettled)
    return _parse(lines, now=now, period=period, unsettled=unsettled)


def _by_zone(
    lines: pl.DataFrame, zones: Mapping[str, str], *, now: datetime, period: str, unsettled: Collection[str]
) -> Parsed:
    """The lines of each zone read on their own, and put together in their order."""
    named = lines["origin"].replace_strict(zones, default=None, return_dtype=pl.String)
    parts = []
    for zone in named.unique().to_list():
        mine = lines.filter(named.is_null() if zone is None else (named == zone).fill_null(value=False))
        with within(zone):
            parts.append(_parse(mine, now=now, period=period, unsettled=unsettled))
    places = dict(zip(_inputs(lines)["event_id"], range(lines.height), strict=True))
    records = pl.concat([part.records for part in parts])
    order = records["event_id"].replace_strict(places, return_dtype=pl.Int64).arg_sort()
    formats = pl.concat([part.formats for part in parts if part.formats is not None])
    late = [part.late for part in parts if part.late is not None]
    return Parsed(
        records[order],
        assemble.rejected({}),
        {name: place for part in parts for name, place in part.held.items()},
        pl.concat(late) if late else None,
        sum((Counter(part.masked) for part in parts), Counter()),
        formats[order],
    )


def _parse(lines: pl.DataFrame, *, now: datetime, period: str, unsettled: Collection[str]) -> Parsed:
    inputs = _inputs(lines)
    cleaned = clean(lines["line"])
    kept = inputs[cleaned["row"]] if cleaned.height < inputs.height else inputs
    marks = [cleaned["marks"]]
    if "mark" in lines.columns and lines["mark"].null_count() < lines.height:
        marks.append('"mark":"' + lines["mark"][cleaned["row"]] + '"')
    cleaned = cleaned.with_columns(attributes.join_inner(marks, cleaned.height).alias("marks"))
    moment = timestamps.now_ns(now)
    framed = in_blocks(unframe(cleaned.select("row", "text"), moment), cleaned["text"], kept)
    events, held = whole_events(framed, cleaned, kept, moment, unsettled)
    fields = read_framed(events.select(list(FRAMED)), moment)
    joined = attributes.join_inner([fields["attributes"], events["marks"]], fields.height)
    frame = fields.with_columns(joined, events["raw"]).hstack(events.select(kept.columns))
    records, late = assemble.records(frame, now=moment, period=period), None
    formats = _named(events["frame"], fields["format"])
    if held:
        places = places_of(records)
        limit = places["file"].replace_strict(held, default=None, return_dtype=pl.Int64)
        is_late = (places["place"] >= limit).fill_null(value=False)
        records, late, formats = records.filter(~is_late), records.filter(is_late), formats.filter(~is_late)
    records, masked = hide_secrets(records)
    return Parsed(records, assemble.rejected({}), held, late, masked, formats)


def parse_one(text: str, *, now: datetime, origin: str = "") -> dict[str, Any] | None:
    """The record of a single line as a dict with RECORD_SCHEMA's keys, or None when it is blank; as in a batch."""
    line = text.encode(errors="backslashreplace")
    frame = pl.DataFrame({"line": [line], "origin": [origin], "event_id": [""]}, schema_overrides={"line": pl.Binary})
    found = parse_lines(frame, now=now).records
    return found.row(0, named=True) if found.height else None


def _named(frames: pl.Series, formats: pl.Series) -> pl.Series:
    """The format of each line, as in `cri/json` where it has a frame."""
    inside = pl.DataFrame({"frame": frames, "format": formats}).with_columns(
        pl.when(pl.col("format") != pl.col("frame")).then("format").alias("inside"),
        pl.coalesce("frame", "format").alias("outside"),
    )
    bare = pl.col("frame").is_null() | pl.col("inside").is_null()
    whole = pl.concat_str("frame", "inside", separator="/")
    return inside.select(pl.when(bare).then("outside").otherwise(whole).alias("format"))["format"]


def _inputs(lines: pl.DataFrame) -> pl.DataFrame:
    """Event id, origin, generation and offset of each line."""
    missing = {n: t for n, t in (("generation", pl.String()), ("offset", pl.Int64())) if n not in lines.columns}
    frame = lines.with_columns(*(pl.lit(None, dtype=t).alias(n) for n, t in missing.items()))
    return frame.select(assemble.event_ids(frame).alias("event_id"), "origin", "generation", "offset")
