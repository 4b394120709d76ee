"""What documents say themselves, as a frame: their explicit fields, with the times read and over-long messages cut."""

import json
from typing import Final

import orjson
import polars as pl

from sentinel.parse import attributes, stamps
from sentinel.parse.fields import DocumentFields, fields_of_document
from sentinel.parse.lines import MAX_LINE_BYTES, front

__all__ = ["as_json", "frame_of", "taken_apart"]

_EXPLICIT: Final = {
    "timestamp": pl.Int64(),
    **dict.fromkeys(("time_text", "level", "source", "host", "message", "attributes"), pl.String()),
}
"""The columns of DocumentFields, in its order."""


def taken_apart(body: object, *, strict: bool) -> DocumentFields:
    """As fields_of_document, whose errors it raises, with lone surrogates escaped."""
    try:
        return fields_of_document(body, strict=strict)
    except TypeError:  # orjson will not write lone surrogates; decoded JSON has none, a caller's own objects may
        return fields_of_document(_escaped(body), strict=strict)


def _escaped(value: object) -> object:
    """The same value with lone surrogates as \\udcNN text."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_escaped(name): _escaped(inside) for name, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [_escaped(inside) for inside in value]
    return value


def frame_of(rows: list[int], found: list[DocumentFields], now: int) -> pl.DataFrame:
    """FIELDS with what the documents say themselves; messages over the line limit are cut and marked, as lines are."""
    if any(len(fields.message or "") > MAX_LINE_BYTES // 4 for fields in found):
        found = [_cut(fields) for fields in found]
    try:
        frame = pl.DataFrame(found, schema=_EXPLICIT, orient="row")
    except UnicodeEncodeError:
        plain = [DocumentFields(*(_escaped(value) for value in fields)) for fields in found]  # type: ignore[arg-type]
        frame = pl.DataFrame(plain, schema=_EXPLICIT, orient="row")
    written = frame["time_text"]
    if written.null_count() < frame.height:
        times = stamps.read_text(written, now).alias("read")
        frame = frame.with_columns(pl.coalesce("timestamp", times).alias("timestamp"))
    return frame.select(
        pl.Series("row", rows, dtype=pl.UInt32),
        pl.lit("json").alias("format"),
        "timestamp",
        pl.when(pl.col("timestamp").is_null()).then("time_text").alias("unreadable"),
        *("level", "source", "host", "message", "attributes"),
    )


def _cut(fields: DocumentFields) -> DocumentFields:
    message = (fields.message or "").encode(errors="backslashreplace")
    if len(message) <= MAX_LINE_BYTES:
        return fields
    mark = f'"cut_bytes":"{len(message)}"'
    inner = attributes.once_each(f"{fields.inner},{mark}") if fields.inner else mark
    return fields._replace(message=front(message).decode(), inner=inner)


def as_json(body: object) -> str:
    """The document as JSON text, as close to what was sent as Python's values allow."""
    try:
        return orjson.dumps(body).decode()
    except TypeError:
        return json.dumps(_escaped(body), ensure_ascii=False, separators=(",", ":"), default=str)
