"""The reading of texts: off with the frame, then what stands in it, line or document, then both put together."""

from collections.abc import Sequence
from typing import Final

import orjson
import polars as pl

from sentinel.parse import attributes, explicit, export, levels, markup, whole
from sentinel.parse.fields import BadDocumentError, DocumentFields
from sentinel.parse.formats import bodies, line_rules
from sentinel.parse.frames import SYSLOGS, unframe
from sentinel.parse.in_use import reading
from sentinel.parse.levels import ANY_LEVEL, UPPER_LEVEL
from sentinel.parse.lines import split
from sentinel.parse.literal import read_literal
from sentinel.parse.loose import read_cut, read_loosely
from sentinel.parse.marked import JUL
from sentinel.parse.rules import Rule, is_any, match, resolve
from sentinel.parse.shape import FIELDS, fields_of

__all__ = ["read_bodies", "read_framed", "read_texts"]

_BRACED: Final = r"(?s)^[ \t]*\{(?:.*\}[ \t\r\n]*$|\s*\")"
"""What may be a JSON object, whole or cut."""
_SURE: Final = frozenset({"json", "logfmt", "cef", "leef"})
"""Formats without a level that are no accident."""
_SECOND_LINE: Final = rf"^[^\n]*\n({ANY_LEVEL}): "
_CLASS_AND_METHOD: Final = (
    rf"^((?:[A-Za-z0-9_$]+\.)*[A-Za-z0-9_$]+)(?: [A-Za-z0-9_<>$]+|\.[A-Za-z0-9_<>$]+\(\))\n{ANY_LEVEL}: "
)
_PROCESS_OF_DB2: Final = r"\bPROC *: ([\w.-]+)"
_MARK_CHARS: Final = 160
_MARKED: Final = (
    rf"^\s*\{{|^PHP [A-Z]|^[\w.@-]+=|^\[(?:debug|info|warn|error)\||^Event\|[0-9]|"
    rf"^[IWEFD][0-9]{{4}} |\b{UPPER_LEVEL}\b|[\[<(]{ANY_LEVEL} *[\])>]|\b(?:GET|POST|PUT|PATC"
    r"H|DELETE|HEAD|OPTIONS) |"
    r"^(?:CEF|LEEF):|\] \"|^<|[0-9]/-?[0-9]+/-?[0-9]+ [1-5][0-9]{2} |%[A-Z][A-Z0-9_-]+-[0-7]-|[0-9]{2}:[0-9"
    rf"]{{2}}.* {ANY_LEVEL}\b"
)
"""What a text has that may be a format of its own."""
_BARE_REQUEST: Final = r'^[0-9]{1,3}(?:\.[0-9]{1,3}){3} "[A-Z]+ [^"]*" [1-5][0-9]{2} '
"""A request behind an address, as web servers write it to syslog: it has a mark, and no head of its own."""
MAX_NESTED: Final = 3
"""A document in a message of a document is read so deep."""


def read_texts(texts: pl.DataFrame, now: int, nested: int = 0) -> pl.DataFrame:
    """FIELDS of each text: columns `row` (UInt32) and `text`, one row a text, in order. Nothing is refused."""
    return read_framed(unframe(texts, now), now, nested)


def read_framed(framed: pl.DataFrame, now: int, nested: int = 0) -> pl.DataFrame:
    """FIELDS of lines whose frames are off (FRAMED): what stands inside is read and joined with what the frame says."""
    bare = framed["frame"].is_null()
    if bare.all():
        return _read_inside(framed.select("row", "text"), bodies(), now, nested)
    done = [_merged(framed.filter(~bare), now, nested)]
    if bare.any():
        done.append(_read_inside(framed.filter(bare).select("row", "text"), bodies(), now, nested))
    return pl.concat(done).sort("row")


def _merged(framed: pl.DataFrame, now: int, nested: int) -> pl.DataFrame:
    """Time and host of the frame stand, and a syslog program; a level or a logger inside says more than the frame, also
    a level that a daemon's own words begin with."""
    inside = _read_framed_inside(framed, now, nested)
    joined = framed.hstack(inside.select(pl.all().name.prefix("inner_"))).with_columns(
        pl.col("frame").is_in(list(SYSLOGS)).alias("syslog")
    )
    # Daemons write what they like behind a syslog header: only what is sure to be a format of its own is taken apart.
    own = [rule.name for rule in reading().formats]
    sure = pl.col("inner_level").is_not_null() | pl.col("inner_format").is_in([*_SURE, *own])
    taken = joined["inner_format"].is_not_null() & joined.select(sure.fill_null(value=False)).to_series()
    taken |= ~joined["syslog"]
    taken |= joined["timestamp"].is_null() & joined["inner_timestamp"].is_not_null()  # behind a PRI alone
    names = [name for name in FIELDS if name not in ("row", "message")]
    joined = joined.with_columns(
        *(pl.when(taken).then(f"inner_{name}").alias(f"inner_{name}") for name in names),
        pl.when(taken).then("inner_message").otherwise(pl.col("text").str.strip_chars_end()).alias("message"),
    )
    time = pl.coalesce("timestamp", "inner_timestamp")
    sources = pl.coalesce("source", "inner_source"), pl.coalesce("inner_source", "source")
    return joined.select(
        "row",
        pl.coalesce("inner_format", "frame").alias("format"),
        time.alias("timestamp"),
        pl.when(time.is_null()).then(pl.coalesce("unreadable", "inner_unreadable")).alias("unreadable"),
        pl.coalesce("inner_level", levels.leading_words(joined["message"]), "level").alias("level"),
        pl.when("syslog").then(sources[0]).otherwise(sources[1]).alias("source"),
        pl.coalesce("host", "inner_host").alias("host"),
        "message",
        attributes.join_inner([joined["attributes"], joined["inner_attributes"]], framed.height),
    )


def _read_framed_inside(framed: pl.DataFrame, now: int, nested: int) -> pl.DataFrame:
    """FIELDS of what stands inside the frames; behind a syslog header only what has a mark of a format of its own."""
    texts = framed.select("row", "text")
    head, of_daemon = texts["text"].str.slice(0, _MARK_CHARS), framed["frame"].is_in(list(SYSLOGS))
    asked = ~of_daemon | (head.str.contains(_MARKED) & ~texts["text"].str.contains(_BARE_REQUEST))
    asked |= is_any(texts["text"], reading().formats)
    asked |= framed["timestamp"].is_null() & framed["source"].is_null()  # a PRI, and no header behind it
    if asked.all():
        return _read_inside(texts, line_rules(), now, nested)
    plain = fields_of(texts.filter(~asked).rename({"text": "message"}))
    return pl.concat([_read_inside(texts.filter(asked), line_rules(), now, nested), plain]).sort("row")


def _read_inside(texts: pl.DataFrame, rules: Sequence[Rule], now: int, nested: int) -> pl.DataFrame:
    """FIELDS of each text: JSON objects and entries of the journal as documents, all others by the rules."""
    braced = texts["text"].str.contains(_BRACED) | texts["text"].str.contains(export.ENTRY)
    braced |= texts["text"].str.contains(markup.EVENT)
    if nested >= MAX_NESTED or not braced.any():
        return _read_whole(texts, rules, now)
    found = _read_json(texts.filter(braced), now, nested)
    others = texts.join(found, on="row", how="anti", maintain_order="left")
    return pl.concat([found, _read_whole(others, rules, now)]).sort("row")


def _read_whole(texts: pl.DataFrame, rules: Sequence[Rule], now: int) -> pl.DataFrame:
    """FIELDS of each text, of which some are read whole, and not by their first line."""
    asked = texts["text"].str.contains(f"{whole.BEGIN}|{whole.CRASH}")
    if not asked.any():
        return _read_lines(texts, rules, now)
    asked &= ~is_any(texts["text"], reading().formats)
    done, left = match(texts.filter(asked), whole.RULES, now)
    done.append(_read_lines(pl.concat([left, texts.filter(~asked)]).sort("row"), rules, now))
    return pl.concat(done).sort("row")


def _read_lines(texts: pl.DataFrame, rules: Sequence[Rule], now: int) -> pl.DataFrame:
    """FIELDS by the rules, which see a text's first line and only so much of it; the rest is message."""
    parts = split(texts)
    fields = resolve(parts.select("row", "text"), rules, now)
    if parts["tail"].null_count() < parts.height:
        after = parts["tail"].fill_null("")
        bare = pl.col("message") == ""
        message = pl.when(bare).then(after.str.strip_chars_start()).otherwise(pl.concat_str("message", after))
        fields = fields.with_columns(message.alias("message"))
        if (fields["format"] == JUL).any() or fields["message"].str.contains(_CLASS_AND_METHOD).any():
            fields = _levelled(fields)
        process = pl.col("message").str.extract(_PROCESS_OF_DB2, 1)
        fields = fields.with_columns(pl.coalesce("source", pl.when(pl.col("format") == "db2diag").then(process)))
    return fields.with_columns(pl.col("message").str.strip_chars_end()).select(list(FIELDS))


def _levelled(fields: pl.DataFrame) -> pl.DataFrame:
    """The level at the beginning of the second line, behind a class and a method: java.util.logging, tinylog."""
    level = pl.col("message").str.extract(_SECOND_LINE, 1)
    told = (pl.col("format") == JUL) & level.is_not_null()
    bare = pl.col("message").str.contains(_CLASS_AND_METHOD) & pl.col("level").is_null() & pl.col("source").is_null()
    asked = (told | bare).fill_null(value=False)
    words = fields.select(level.alias("level"))["level"]
    named = pl.when(asked).then(pl.col("message").str.extract(_CLASS_AND_METHOD, 1))
    return fields.with_columns(
        pl.when(asked).then(levels.normalise(words)).otherwise("level").alias("level"),
        pl.coalesce("source", named).alias("source"),
        pl.when(asked).then(pl.col("message").str.replace(_SECOND_LINE, "")).otherwise("message").alias("message"),
    )


def _read_json(lines: pl.DataFrame, now: int, nested: int) -> pl.DataFrame:
    """FIELDS of those lines that are documents; the others are left out, to be read as text."""
    exported = lines["text"].str.contains(export.ENTRY)
    rows, bodies = list[int](), list[object]()
    for row, text, is_entry in lines.select("row", "text", exported.alias("is_entry")).iter_rows():
        body = export.document_of_export(text) if is_entry else _document(text)
        if body is not None:  # else it looks like JSON and is none: free text
            bodies.append(body)
            rows.append(row)
    fields, _ = read_bodies(bodies, now, strict=False, nested=nested)
    if exported.any():
        known = pl.Series(rows, dtype=pl.UInt32)[fields["row"]].is_in(lines["row"].filter(exported).to_list())
        fields = fields.with_columns(pl.when(known).then(pl.lit(export.NAME)).otherwise("format").alias("format"))
    return fields.with_columns(pl.Series("row", rows, dtype=pl.UInt32)[fields["row"]]).select(list(FIELDS))


def _document(text: str) -> object | None:
    """The object that a text is, by the letter or as it was meant; None for another text."""
    if text.lstrip()[:1] == "<":
        return markup.document_of_markup(text)
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = read_loosely(text)
        return value if isinstance(value, dict) else read_literal(text) or read_cut(text)
    return value


def read_bodies(
    bodies: Sequence[object], now: int, *, strict: bool = True, nested: int = 0
) -> tuple[pl.DataFrame, dict[int, str]]:
    """FIELDS of decoded documents, and position → reason of the refused; `row` is the position.

    A document without a message has itself for one, as JSON. Without `strict` also one that says nothing at all is
    kept; what is no object or too deep is always refused.
    """
    rows: list[int] = []
    found: list[DocumentFields] = []
    reasons: dict[int, str] = {}
    for row, body in enumerate(bodies):
        try:
            found.append(explicit.taken_apart(body, strict=strict))
            rows.append(row)
        except BadDocumentError as exc:
            reasons[row] = str(exc)
    fields = _completed(explicit.frame_of(rows, found, now), now, nested)
    silent = fields["message"].is_null()
    if silent.any():
        texts = [explicit.as_json(bodies[row]) if mute else None for row, mute in zip(rows, silent, strict=True)]
        fields = fields.with_columns(pl.coalesce("message", pl.Series(texts, dtype=pl.String)).alias("message"))
    return fields.with_columns(pl.col("message").str.strip_chars_end()), reasons


def _completed(frame: pl.DataFrame, now: int, nested: int) -> pl.DataFrame:
    """Fill what is open out of messages that are log lines of their own."""
    if not any(frame[name].null_count() for name in ("timestamp", "level", "source")):
        return frame
    untimed = frame["timestamp"].is_null() & frame["unreadable"].is_null()
    bare = untimed & frame["level"].is_null() & frame["source"].is_null()
    needed = (untimed | frame["level"].is_null() | frame["source"].is_null()) & frame["message"].is_not_null()
    if not needed.any():
        return frame
    asked = frame.filter(needed).select("row", pl.col("message").alias("text"))
    read = read_texts(asked, now, nested + 1).select("row", pl.exclude("row").name.prefix("read_"))
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
