"""logfmt: `level=info msg="started" port=8080`, at least two pairs from the first character on, read as a document."""

import re
from functools import partial
from typing import Final

import polars as pl

from sentinel.parse import pairs
from sentinel.parse.explicit import taken_apart
from sentinel.parse.fields import DocumentFields
from sentinel.parse.rules import LETTERS, Rule

__all__ = ["PIPED", "RULE"]

_PAIR: Final = rf"{pairs.KEY}={pairs.VALUE}"
_PAIRS: Final = re.compile(rf"(?:^|[ ,;\t])({pairs.KEY})=({pairs.VALUE})")
_NAMES: Final = ("level", "source", "host", "message", "inner")


def _fields(found: dict[str, str]) -> DocumentFields:
    """The fields of one line's pairs; `name` is not the logger's, as in JSON, but of what the line tells of."""
    name = found.pop("name", None)
    fields = taken_apart(found, strict=False)
    if name is None:
        return fields
    inner = pairs.as_inner({"name": name})
    return fields._replace(inner=",".join(filter(None, (fields.inner, inner))) or None)


def _finish(groups: pl.DataFrame, pattern: re.Pattern[str] = _PAIRS) -> pl.DataFrame:
    """Each line as the document of its pairs; one without a message is its own."""
    found = [_fields(dict(pairs.plain(pattern.findall(text)))) for text in groups["text"]]
    written = [one.time_text if one.time_ns is None else str(one.time_ns) for one in found]
    columns = {name: pl.Series([getattr(one, name) for one in found], dtype=pl.String) for name in _NAMES}
    return groups.with_columns(
        pl.coalesce(columns.pop("message"), "text").alias("message"),
        pl.Series("written", written, dtype=pl.String),
        *(column.alias(name) for name, column in columns.items()),
    )


PIPED: Final = Rule(  # Check Point's exporter
    "pairs-piped",
    rf"^(?P<head>){pairs.KEY}=[^|]*\|{pairs.KEY}=[^|]*\|{pairs.KEY}=",
    LETTERS + "_@",
    finish=partial(_finish, pattern=re.compile(rf"(?:^|\|)({pairs.KEY})=([^|]*)")),
)
RULE: Final = Rule("logfmt", rf"^(?P<head>){_PAIR}[ ,;\t]+{pairs.KEY}=", LETTERS + "_@", finish=_finish)
