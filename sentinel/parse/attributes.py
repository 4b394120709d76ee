"""Attributes as JSON text: what a line tells besides time, level, source, host and message, all of it flat strings."""

import json
from collections.abc import Sequence
from typing import Final

import orjson
import polars as pl

__all__ = ["inner_json", "join_inner", "once_each", "quoted"]

_UNSAFE: Final = r'["\\\x00-\x1f]'
_ESCAPES: Final = {
    "\\": "\\\\",
    '"': '\\"',
    **{chr(code): f"\\u{code:04x}" for code in range(0x20)},
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


def quoted(values: pl.Series) -> pl.Series:
    """Each text as a JSON string with its quotes; null stays null."""
    if values.str.contains(_UNSAFE).any():
        values = values.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()), leftmost=True)
    return values.to_frame("v").select(('"' + pl.col("v") + '"').alias("v"))["v"]


def inner_json(frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """The inside of one JSON object a row from the String columns `names`; null where all are null or empty."""
    pieces = []
    for name in names:
        values = frame[name]
        if values.null_count() < len(values):
            pieces.append(f'"{name}":' + quoted(values.set(values == "", None)))
    return join_inner(pieces, frame.height)


def join_inner(pieces: Sequence[pl.Series], height: int) -> pl.Series:
    """Join the insides of JSON objects row by row, leaving out nulls; null where nothing is left.

    Of a name that stands in several of them the first is kept: Elasticsearch refuses an object that repeats a name.
    """
    pieces = [piece for piece in pieces if piece.null_count() < height]
    if not pieces:
        return pl.Series("attributes", [None], dtype=pl.String).new_from_index(0, height)
    if len(pieces) == 1:
        return pieces[0].alias("attributes")
    frame = pl.DataFrame([piece.alias(str(i)) for i, piece in enumerate(pieces)])
    joined = frame.select(pl.concat_str(pl.all(), separator=",", ignore_nulls=True).alias("attributes"))["attributes"]
    several = frame.select((pl.sum_horizontal(pl.all().is_not_null()) > 1).alias("several"))["several"]
    return _without_repeats(joined.set(joined == "", None), several)


def once_each(inner: str) -> str:
    """The inside of a JSON object with each name once, the first."""
    if "\\" not in inner and len(orjson.loads("{" + inner + "}")) == inner.count('":'):
        return inner
    pairs: dict[str, str] = {}
    for name, value in json.loads("{" + inner + "}", object_pairs_hook=list):
        pairs.setdefault(name, value)
    return orjson.dumps(pairs).decode()[1:-1]


def _without_repeats(joined: pl.Series, several: pl.Series) -> pl.Series:
    """The texts with each name once; only those of `several` parts can have one twice."""
    if not several.any():
        return joined
    rows = several.arg_true()
    before = joined.gather(rows).to_list()
    after = [once_each(text) for text in before]
    return joined if before == after else joined.scatter(rows, after)
