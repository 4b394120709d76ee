"""A message of many lines in, what names the event out: its first line and the class of its exception.

So a stack trace is one template, however deep it goes and whatever it passes through.
"""

import re
from typing import Final

import polars as pl

from sentinel.detect.tuning.read import SEARCHED_CHARS

__all__ = ["headline", "headlines"]

_EXCEPTION: Final = re.compile(
    r"^(?:Caused by: |Uncaught |Unhandled exception[.:] |Exception in thread \"[^\"]{0,80}\" |\*\* \()?"
    r"((?:[A-Za-z_$][\w$]{0,80}(?:\.|\\|::)){0,12}[A-Z][\w$]{0,80})(?=:|\)|\s*$| \(\d)",
    re.MULTILINE,
)
"""An exception that is named later in an event is not looked for."""


def headlines(messages: pl.Series) -> pl.Series:
    """`headline` of each message; nulls stay."""
    many = messages.str.contains("\n", literal=True).fill_null(value=False)
    if not many.any():
        return messages
    rows = many.arg_true()
    return messages.scatter(rows, pl.Series([headline(text) for text in messages[rows]], dtype=pl.String))


def headline(message: str) -> str:
    """The first line, and the class of the first exception below it unless the line names it already."""
    first, _, rest = message.partition("\n")
    if not rest:
        return first
    found = _EXCEPTION.search(rest[:SEARCHED_CHARS])
    if found is None or found[1] in first:
        return first
    return f"{first.rstrip()} {found[1]}"
