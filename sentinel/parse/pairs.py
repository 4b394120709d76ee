"""Key-value text: logfmt lines and the structured data of RFC 5424, read for whole batches."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import orjson
import polars as pl

from sentinel.parse import attributes

__all__ = ["KEY", "VALUE", "as_inner", "plain", "spread_structured", "table"]

KEY: Final = r"[A-Za-z_@][A-Za-z0-9_.@/-]*"
VALUE: Final = r'(?:"(?:[^"\\]|\\.)*"|\'[^\']*\'|[^ "]*)'

_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_SD_PIECE: Final = r'\[[^ \]"=]+|[^ =\]"\[]+="(?:[^"\\]|\\.)*"'


def plain(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The pairs with the quotes of their values taken off and the usual escapes undone."""
    for name, value in found:
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            inside = value[1:-1]
            yield name, _ESCAPE.sub(_undone, inside) if "\\" in inside else inside
        else:
            yield name, value


def _undone(escape: re.Match[str]) -> str:
    return _ESCAPES.get(escape[1], escape[1])


def as_inner(pairs: Mapping[str, str]) -> str | None:
    """The inside of the JSON object of the pairs, without the empty ones; null where none is left."""
    kept = {name: value for name, value in pairs.items() if value}
    return orjson.dumps(kept).decode()[1:-1] if kept else None


def table(texts: pl.Series, token: str) -> pl.DataFrame:
    """One row a match of `token` in each text: `row` (position in `texts`), `token`. Texts without one are left out."""
    found = pl.DataFrame({"row": pl.int_range(len(texts), dtype=pl.UInt32, eager=True), "token": texts})
    found = found.with_columns(pl.col("token").str.extract_all(token))
    return found.explode("token", empty_as_null=True).drop_nulls("token")


def unquoted(values: pl.Series) -> pl.Series:
    """The text inside the quotes, with the usual escapes undone; unquoted values stay as they are."""
    inside = values.str.extract(r'^"(?s:(.*))"$', 1)
    if inside.str.contains("\\", literal=True).any():
        inside = inside.str.replace_many(
            ["\\\\", '\\"', "\\n", "\\t", "\\r", "\\]", "\\/"], ["\\", '"', "\n", "\t", "\r", "]", "/"], leftmost=True
        )
    return inside.to_frame("v").select(pl.coalesce("v", values.alias("w")).alias("value"))["value"]


def joined(found: pl.DataFrame, height: int) -> pl.Series:
    """The inside of a JSON object for each of `height` rows from `row`, `key`, `value`; the last of equal keys wins."""
    found = found.unique(["row", "key"], keep="last", maintain_order=True)
    texts = attributes.quoted(found["key"]) + ":" + attributes.quoted(found["value"])
    grouped = found.select("row", texts.alias("piece")).group_by("row").agg(pl.col("piece").str.join(","))
    rows = pl.DataFrame({"row": pl.int_range(height, dtype=pl.UInt32, eager=True)})
    return rows.join(grouped, on="row", how="left", maintain_order="left")["piece"].alias("inner")


def spread_structured(groups: pl.DataFrame, column: str) -> pl.DataFrame:
    """Replace the structured data in `column` by `inner`: its parameters as `id.name`, ready to join."""
    height = groups.height
    if groups[column].null_count() == height:
        return groups.drop(column)
    found = table(groups[column], _SD_PIECE).with_columns(
        pl.when(pl.col("token").str.starts_with("["))
        .then(pl.col("token").str.slice(1).str.split("@").list.first())
        .forward_fill()
        .alias("element")
    )
    found = found.filter(~pl.col("token").str.starts_with("["))
    split = found["token"].str.extract_groups(r"^(?P<name>[^=]+)=(?P<value>(?s:.*))$").struct.unnest()
    found = found.with_columns(
        (pl.col("element") + "." + split["name"]).alias("key"), unquoted(split["value"]).alias("value")
    )
    return groups.drop(column).with_columns(joined(found, height).alias("inner"))
