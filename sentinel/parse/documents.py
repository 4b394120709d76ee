"""JSON documents in, records out: explicit fields first, what they leave open is read out of the message."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson
import polars as pl

from sentinel.parse import attributes, finish, stamps, timestamps
from sentinel.parse.few import MAX_FEW, Document, read_few
from sentinel.parse.fields import BadDocumentError, DocumentFields, fields_of_document
from sentinel.parse.finish import Parsed
from sentinel.parse.formats import read_texts
from sentinel.parse.lines import MAX_LINE_BYTES, front, split
from sentinel.parse.rules import FIELDS

__all__ = ["Document", "parse_documents", "read_bodies", "read_json_lines"]

_EXPLICIT: Final = {
    "timestamp": pl.Int64(),
    **dict.fromkeys(("time_text", "level", "source", "host", "message", "attributes"), pl.String()),
}
"""The columns of DocumentFields, in its order."""


def parse_documents(documents: Sequence[Document], *, now: datetime, period: str = "month") -> Parsed:
    """Read documents like `{timestamp, level, message, source, …}`; see FIELD_OF_NAME for the other names they may use.

    What is given explicitly stands. A timestamp, level, source or host that is not given is read out of the message
    where that is a log line of its own; the message loses its header only if none of the first three was given.
    Unknown fields become attributes, nested ones with dots. Rejected, each with its reason: what is no object, a
    message that is missing, empty or no text, a timestamp or level of an unusable type, a number that is no time.
    """
    moment = timestamps.now_ns(now)
    if len(documents) <= MAX_FEW and (records := read_few(documents, now=moment, period=period)) is not None:
        return Parsed(records, finish.rejected({}))
    fields, reasons = read_bodies([document.body for document in documents], moment)
    kept = [documents[row] for row in fields["row"].to_list()] if reasons else documents
    frame = fields.with_columns(
        pl.Series("event_id", [document.event_id for document in kept], dtype=pl.String),
        pl.Series("origin", [document.origin for document in kept], dtype=pl.String),
    )
    return Parsed(finish.records(frame, now=moment, period=period), finish.rejected(reasons))


def read_bodies(bodies: Sequence[object], now: int, *, strict: bool = True) -> tuple[pl.DataFrame, dict[int, str]]:
    """FIELDS (and `raw`, `generation`, `offset`, all null) of decoded documents, and position → reason of the refused.

    `row` is the position. Without `strict` a document without a message has a null one, and only what is no object or
    too deep is refused.
    """
    rows: list[int] = []
    found: list[DocumentFields] = []
    reasons: dict[int, str] = {}
    for row, body in enumerate(bodies):
        try:
            found.append(_taken_apart(body, strict))
            rows.append(row)
        except BadDocumentError as exc:
            reasons[row] = str(exc)
    return _completed(_explicit(rows, found, now), now), reasons


def _taken_apart(body: object, strict: bool) -> DocumentFields:
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


def _explicit(rows: list[int], found: list[DocumentFields], now: int) -> pl.DataFrame:
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
        pl.lit(None, dtype=pl.String).alias("raw"),
        pl.lit(None, dtype=pl.String).alias("generation"),
        pl.lit(None, dtype=pl.Int64).alias("offset"),
    )


def _cut(fields: DocumentFields) -> DocumentFields:
    message = (fields.message or "").encode(errors="backslashreplace")
    if len(message) <= MAX_LINE_BYTES:
        return fields
    mark = f'"cut_bytes":"{len(message)}"'
    inner = attributes.once_each(f"{fields.inner},{mark}") if fields.inner else mark
    return fields._replace(message=front(message).decode(), inner=inner)


def _completed(frame: pl.DataFrame, now: int) -> pl.DataFrame:
    """Fill what is open out of messages that are log lines of their own."""
    if not any(frame[name].null_count() for name in ("timestamp", "level", "source")):
        return frame
    untimed = frame["timestamp"].is_null() & frame["unreadable"].is_null()
    bare = untimed & frame["level"].is_null() & frame["source"].is_null()
    needed = (untimed | frame["level"].is_null() | frame["source"].is_null()) & frame["message"].is_not_null()
    if not needed.any():
        return frame
    asked = split(frame.filter(needed).select("row", pl.col("message").alias("text")))
    read = read_texts(asked, now).select("row", pl.exclude("row").name.prefix("read_"))
    joined = frame.with_columns(bare.alias("bare"), untimed.alias("untimed")).join(
        read, on="row", how="left", maintain_order="left"
    )
    inner = attributes.join_inner(
        [joined["attributes"], joined["read_attributes"].set(~joined["bare"], None)], frame.height
    )
    return joined.with_columns(
        inner,
        pl.when("untimed").then("read_timestamp").otherwise("timestamp").alias("timestamp"),
        pl.when("bare").then("read_unreadable").otherwise("unreadable").alias("unreadable"),
        *(pl.coalesce(name, f"read_{name}").alias(name) for name in ("level", "source", "host")),
        pl.when(pl.col("bare") & needed).then("read_message").otherwise("message").alias("message"),
    ).select(frame.columns)


def read_json_lines(lines: pl.DataFrame, now: int) -> pl.DataFrame:
    """FIELDS of those lines (`row`, `text`) that are JSON objects; the others are left out, to be read as text.

    Nothing is refused here: an object without a message has the whole line for one.
    """
    rows, bodies = [], []
    for row, text in zip(lines["row"].to_list(), lines["text"].to_list(), strict=True):
        try:
            bodies.append(orjson.loads(text))
            rows.append(row)
        except orjson.JSONDecodeError:  # looks like JSON and is none: free text
            continue
    fields, _ = read_bodies(bodies, now, strict=False)
    at = pl.Series("row", rows, dtype=pl.UInt32)[fields["row"]]
    fields = fields.with_columns(at).join(lines.select("row", "text"), on="row", how="left", maintain_order="left")
    silent = pl.col("message").is_null()
    return fields.with_columns(
        pl.coalesce("message", "text").str.strip_chars_end().alias("message"),
        pl.when(~silent).then("attributes").alias("attributes"),
    ).select(list(FIELDS))
