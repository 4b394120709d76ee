"""Frames: what syslog, container runtimes and shippers put around a line, taken off; the line inside is left."""

from typing import Final

import orjson
import polars as pl

from sentinel.parse import explicit, stamps, syslog
from sentinel.parse.fields import BadDocumentError, DocumentFields
from sentinel.parse.in_use import reading
from sentinel.parse.lines import split
from sentinel.parse.rules import DATED, DIGITS, LETTERS, Rule, is_any, match
from sentinel.parse.shape import FIELDS, fields_of

__all__ = ["FRAMED", "FRAMES", "PART_ENDINGS", "SYSLOGS", "unframe"]

FRAMED: Final[dict[str, pl.DataType]] = {
    "row": pl.UInt32(),
    "text": pl.String(),  # what stands inside the frame, or the whole line where it has none
    "frame": pl.String(),  # the name of the frame; null for none
    "stream": pl.String(),  # lines of one writer share it; null for none
    "partial": pl.Boolean(),  # whether the runtime cut here: the next line of the stream goes on with this one
    **{name: FIELDS[name] for name in ("timestamp", "unreadable", "level", "source", "host", "attributes")},
}
"""What is known of each line once its frame is off; the last six are what the frame itself says."""

SYSLOGS: Final = frozenset({"syslog", "syslog-pri", "syslog-5424", "syslog-relayed", "syslog-device"})
"""Frames whose program is the source, whatever logger writes inside."""
PART_ENDINGS: Final = "-part"
_COMPOSE: Final = r"^(?P<head>(?P<source>[0-9_.-]*[A-Za-z][A-Za-z0-9_.-]*[-_][0-9]+) +\| )"
_KUBECTL: Final = r"\[pod/(?P<pod>[^/\]]+)/(?P<source>[^/\]]+)\] "
_NANOS: Final = (
    r"(?P<stamp>(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})T(?P<H>[0-9]{2}):(?P<M>[0-9]{2}):(?P<S>[0-9]{2})"
    r"\.(?P<f>[0-9]{9})(?P<z>Z|[+-][0-9:]{5})) "
)
"""The time that Docker and Kubernetes put before a line where they are asked for it; programs write fewer digits."""
_CRI: Final = rf"{stamps.RFC3339} (?P<stream>stdout|stderr)"

_PLAIN: Final = (*syslog.RULES, *syslog.DEVICES)
FRAMES: Final[tuple[Rule, ...]] = (
    Rule("cri", rf"^(?P<head>{_CRI} F(?::[A-Za-z0-9]+)* ?)", DIGITS, fifth=DATED),
    Rule("cri-part", rf"^(?P<head>{_CRI} P(?::[A-Za-z0-9]+)* ?)", DIGITS, fifth=DATED),
    Rule(  # https://docs.fluentd.org/output/file: a time, a tag and a record between tabs
        "fluentd", rf"^(?P<head>{stamps.RFC3339}\t(?P<source>[A-Za-z0-9_.*/-]+)\t)\{{.*\}}$", DIGITS, fifth=DATED
    ),
    *_PLAIN,
    syslog.pri_rule(_PLAIN),
    Rule("compose", rf"{_COMPOSE[:-1]}{_NANOS})", LETTERS + DIGITS),
    Rule("compose", _COMPOSE, LETTERS + DIGITS),
    Rule("kubectl", rf"^(?P<head>{_KUBECTL}{_NANOS})", "["),  # logs --prefix --timestamps
    Rule("kubectl", rf"^(?P<head>{_KUBECTL})", "["),
    Rule(  # https://devcenter.heroku.com/articles/logging#log-format
        "heroku",
        rf"^(?P<head>{stamps.RFC3339} (?P<source>[a-z]+)\[(?P<process>[a-z][a-z._-]*[0-9]*)\]: )",
        DIGITS,
        fifth=DATED,
    ),
)
"""Frames of text, in the order in which a line is offered to them."""

_LOGGED: Final = r'^[ \t]*\{(?s:.*)"log"[ \t]*:[ \t]*"(?s:.*)\}[ \t]*$'
_OF_DOCKER: Final = frozenset({"log", "stream", "time", "attrs"})
_WRITER: Final = r'"(?:pid|stream|process)":"[^"]*"'


def unframe(texts: pl.DataFrame, now: int) -> pl.DataFrame:
    """FRAMED of each line: columns `row` (UInt32) and `text` (String), one row a line, in order. Nothing is refused.

    What no frame surrounds comes back as it is, with nulls for the frame and all that a frame says.
    """
    logged = texts["text"].str.contains(_LOGGED)
    found, rest = _documents(texts, logged, now) if logged.any() else ([], texts)
    rest = split(rest)
    done, bare = _matched(rest.select("row", "text"), now)
    found += [fields.rename({"message": "text", "format": "frame"}) for fields in done]
    found.append(
        fields_of(bare).drop("message", "format").with_columns(bare["text"], pl.lit(None, pl.String).alias("frame"))
    )
    framed = pl.concat([frame.select(n for n in FRAMED if n in frame.columns) for frame in found])
    if len(found) > 1:
        framed = framed.sort("row")
    return _with_streams(_with_tails(framed, rest)).select(list(FRAMED))


def _matched(texts: pl.DataFrame, now: int) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """What `match` gives for FRAMES; a line in a format of the user's own has no frame."""
    own = reading().formats
    if not own:
        return match(texts, FRAMES, now)
    is_own = is_any(texts["text"], own)
    done, bare = match(texts.filter(~is_own), FRAMES, now)
    return done, pl.concat([bare, texts.filter(is_own)]).sort("row")


def _with_tails(framed: pl.DataFrame, rest: pl.DataFrame) -> pl.DataFrame:
    """What was beyond the head of a long line goes back to its end."""
    if rest["tail"].null_count() == rest.height:
        return framed
    tails = rest.drop_nulls("tail").select("row", "tail")
    joined = framed.join(tails, on="row", how="left", maintain_order="left")
    return joined.with_columns(pl.concat_str("text", pl.col("tail").fill_null("")).alias("text"))


def _with_streams(framed: pl.DataFrame) -> pl.DataFrame:
    if framed["frame"].null_count() == framed.height:
        return framed.with_columns(pl.lit(None, pl.String).alias("stream"), pl.lit(value=False).alias("partial"))
    writer = pl.col("attributes").str.extract_all(_WRITER).list.join(" ")
    names = pl.concat_str("host", "source", writer, separator=" ", ignore_nulls=True)
    partial = pl.col("frame").str.ends_with(PART_ENDINGS).fill_null(value=False)
    return framed.with_columns(
        pl.when(pl.col("frame").is_not_null()).then(names).alias("stream"), partial.alias("partial")
    )


def _documents(texts: pl.DataFrame, logged: pl.Series, now: int) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Lines that Docker or a shipper wrapped in an object with `log`, and all others.

    Docker ends what is whole with a line end; without one it is a part.
    """
    rows: list[int] = []
    frames: list[str] = []
    found: list[DocumentFields] = []
    asked = texts.filter(logged)
    for row, text in asked.select("row", "text").iter_rows():
        wrapped = _wrapped(text)
        if wrapped is not None:
            rows.append(row)
            frames.append(wrapped[0])
            found.append(wrapped[1])
    if not rows:
        return [], texts
    frame = explicit.frame_of(rows, found, now).with_columns(
        pl.Series("frame", frames), pl.col("message").fill_null("").alias("text")
    )
    return [frame], texts.filter(~texts["row"].is_in(rows))


def _wrapped(text: str) -> tuple[str, DocumentFields] | None:
    """The frame's name and its fields, with the line inside as their message; None where the object is no frame."""
    try:
        body = orjson.loads(text)
        if type(body) is not dict or type(body.get("log")) is not str:
            return None
        log = body["log"]
        line = log.removesuffix("\n").removesuffix("\r")
        fields = explicit.taken_apart({**body, "log": ""}, strict=False)
    except (orjson.JSONDecodeError, BadDocumentError):
        return None
    if fields.message is not None:  # `log` is one field of many, another one is the message
        return None
    cut = "stream" in body and log == line and _OF_DOCKER.issuperset(body)
    return ("docker" + PART_ENDINGS if cut else "docker" if "stream" in body else "shipper"), fields._replace(
        message=line
    )
