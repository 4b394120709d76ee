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

FEW: Final = 16
"""So few texts are looked at by Python's `re`, which spares the overhead of a frame."""
_ESCAPED_ENDS: Final = r"\\[nrt]"


def hide_secrets(records: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
    """The records (RECORD_SCHEMA) with their secrets masked, and how many of each kind there were.

    The settings choose the kinds. A secret that stands in the message and in `raw` counts once.
    """
    kinds, counts = reading().mask, Counter[str]()
    if not kinds or records.is_empty():
        return records, counts
    for name in ("message", "attributes", "raw"):
        column = records[name]
        rows = _suspects(column, look_of(kinds)) if column.null_count() < len(column) else []
        if not rows:
            continue
        before = column.gather(rows).to_list()
        tally = Counter[str]() if name == "raw" else counts
        hide = _hidden if name == "attributes" else masked
        after = [hide(text, kinds, tally) for text in before]
        if before != after:
            records = records.with_columns(column.scatter(rows, after))
    return records, counts


def _suspects(texts: pl.Series, look: str) -> list[int]:
    """The rows of texts in which there may be a secret."""
    if len(texts) <= FEW:
        search = _compiled(look).search
        return [row for row, text in enumerate(texts) if text is not None and search(text)]
    if texts.name == "attributes" and texts.str.contains("\\n", literal=True).any():
        texts = texts.str.replace_all(_ESCAPED_ENDS, "  ")
    return texts.str.contains(look).fill_null(value=False).arg_true().to_list()


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
