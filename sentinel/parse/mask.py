"""Records in, the same without secrets out: a typed placeholder stands for each in message, attributes and raw."""

import re
from collections import Counter
from functools import cache
from typing import Final

import orjson
import polars as pl

from sentinel.parse.in_use import reading
from sentinel.parse.secrets import PLACEHOLDERS, look_of, masked, secret_of

__all__ = ["hide_secrets"]

MASKED: Final = ("message", "attributes", "raw")
FEW: Final = 4
"""So few texts are looked at by Python's `re`: 26 us each, where asking a frame takes 100 us at least."""
_ESCAPED_ENDS: Final = r"\\[nrt]"


def hide_secrets(records: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
    """The records (RECORD_SCHEMA) with their secrets masked, and how many of each kind there were.

    The settings choose the kinds. A secret that stands in the message and in `raw` counts once.
    """
    kinds, counts = reading().mask, Counter[str]()
    if not kinds or records.is_empty():
        return records, counts
    for name, rows in _suspects(records, look_of(kinds)).items():
        column = records[name]
        before = column.gather(rows).to_list()
        tally = Counter[str]() if name == "raw" else counts
        hide = _hidden if name == "attributes" else masked
        after = [hide(text, kinds, tally) for text in before]
        if before != after:
            records = records.with_columns(column.scatter(rows, after))
    return records, counts


def _suspects(records: pl.DataFrame, look: str) -> dict[str, list[int]]:
    """By column the rows in which there may be a secret."""
    columns = [records[name] for name in MASKED if records[name].null_count() < records.height]
    if records.height <= FEW:
        search = _compiled(look).search
        few = {
            texts.name: [row for row, text in enumerate(texts) if text is not None and search(text)]
            for texts in columns
        }
        return {name: rows for name, rows in few.items() if rows}
    asked = records.select(
        _plain(texts).str.contains(look) for texts in columns
    )  # at once, since each ask costs 0.1 ms
    return {told.name: told.fill_null(value=False).arg_true().to_list() for told in asked if told.any()}


def _plain(texts: pl.Series) -> pl.Expr:
    """A column with blanks for the line ends that JSON escapes, after which a word begins."""
    column = pl.col(texts.name)
    is_escaped = texts.name == "attributes" and texts.str.contains("\\n", literal=True).any()
    return column.str.replace_all(_ESCAPED_ENDS, "  ") if is_escaped else column


@cache
def _compiled(look: str) -> re.Pattern[str]:
    return re.compile(look)


def _hidden(inner: str, kinds: frozenset[str], counts: Counter[str]) -> str:
    """The same for the JSON object of a record's attributes; the name of one may tell that its value is a secret."""
    found: dict[str, str] = orjson.loads(inner)
    for name, value in found.items():
        told = secret_of(name, value)
        if told is not None and told[0] in kinds:
            found[name] = value[: told[1]] + PLACEHOLDERS[told[0]]
            counts[told[0]] += 1
        else:
            found[name] = masked(value, kinds, counts)
    return orjson.dumps(found).decode()
