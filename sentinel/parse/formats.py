"""All formats in their order, and the reading of texts by them."""

from typing import Final

import polars as pl

from sentinel.parse import access, applog, logfmt, syslog, systems
from sentinel.parse.rules import FIELDS, Rule, resolve

__all__ = ["LINE_RULES", "read_texts"]

_PLAIN: Final[tuple[Rule, ...]] = (
    *syslog.RULES,
    *systems.RULES,
    *applog.RULES,
    *access.RULES,
    *access.ERROR_RULES,
    logfmt.RULE,
    *applog.BARE_RULES,
)
LINE_RULES: Final[tuple[Rule, ...]] = (*_PLAIN, syslog.pri_rule(_PLAIN))
"""All formats, in the order in which a line is offered to them; the first that knows it, reads it."""


def read_texts(texts: pl.DataFrame, now: int) -> pl.DataFrame:
    """FIELDS of each text: columns `row`, `text` and `tail` (the rest of an over-long line, added to its message)."""
    fields = resolve(texts.select("row", "text"), LINE_RULES, now)
    message = pl.col("message").str.strip_chars_end()
    if texts["tail"].null_count() < texts.height:
        message = pl.concat_str("message", texts["tail"].fill_null("")).str.strip_chars_end()
    return fields.with_columns(message).select(list(FIELDS))
