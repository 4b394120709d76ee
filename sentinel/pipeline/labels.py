"""Labels: what people said, as training takes it: which records may teach, which must, and which the gate asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from sentinel.incidents.feedback import Word
from sentinel.records import RECORD_SCHEMA

__all__ = ["called_false", "labelled", "without_real"]

APART = timedelta(hours=1)  # between what two words were said of: no rate of the one counts in the other
STEP = timedelta(milliseconds=500)
MAX_LABELLED = 2_000


def without_real(words: Sequence[Word], records: pl.DataFrame) -> pl.Series:
    """(n,) whether each record may teach: not those that a person called real."""
    return ~_about(words, "real", records)


def called_false(words: Sequence[Word], records: pl.DataFrame) -> pl.Series:
    """(n,) which records a person called a false alarm: they teach, whatever the model in service says of them."""
    return _about(words, "false_alarm", records)


def labelled(words: Sequence[Word], after: datetime) -> pl.DataFrame:
    """RECORD_SCHEMA and `label` (1 real, 0 a false alarm): the lines that people spoke of, as if they came after a
    moment, those of one word together. Empty where nothing was said."""
    rows, at = [], after
    for word in words:
        at += APART
        for message in word.messages:
            at += STEP
            source = word.sources[0] if word.sources else None
            label = int(word.verdict == "real")
            rows.append({"timestamp": at, "received": at, "source": source, "message": message, "label": label})
    schema = {**RECORD_SCHEMA, "label": pl.Int8()}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows[-MAX_LABELLED:]], schema=schema)


def _about(words: Sequence[Word], verdict: str, records: pl.DataFrame) -> pl.Series:
    hit = pl.Series([False], dtype=pl.Boolean).new_from_index(0, records.height)
    seconds = records["timestamp"].dt.epoch("ms") / 1e3
    for word in words:
        if word.verdict != verdict:
            continue
        hit = hit | records["event_id"].is_in(list(word.events))
        near = seconds.is_between(word.first_s - 1.0, word.last_s + 1.0) & records["source"].is_in(list(word.sources))
        for actor in word.actors:
            hit = hit | (near & (_holds(records["message"], actor) | _holds(records["attributes"], actor)))
    return hit.fill_null(value=False)


def _holds(texts: pl.Series, name: str) -> pl.Series:
    return texts.str.contains(name, literal=True).fill_null(value=False)
