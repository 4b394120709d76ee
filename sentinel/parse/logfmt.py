"""logfmt: `level=info msg="started" port=8080`, at least two pairs from the first character on."""

from typing import Final

import polars as pl

from sentinel.parse import pairs
from sentinel.parse.names import FIELD_OF_NAME
from sentinel.parse.rules import LETTERS, Rule

__all__ = ["RULE"]

_PAIR: Final = rf"{pairs.KEY}={pairs.VALUE}"


def _finish(groups: pl.DataFrame) -> pl.DataFrame:
    found = pairs.table(groups["text"], rf"(?:^| ){_PAIR}")
    split = found["token"].str.extract_groups(rf"^ ?(?P<key>{pairs.KEY})=(?P<value>(?s:.*))$").struct.unnest()
    found = found.select("row", split["key"], pairs.unquoted(split["value"]).alias("value"))
    known = {name: field for name, (field, _) in FIELD_OF_NAME.items()}
    ranks = {name: rank for name, (_, rank) in FIELD_OF_NAME.items()}
    field = found["key"].replace_strict(known, default=None, return_dtype=pl.String)
    rank = found["key"].replace_strict(ranks, default=0, return_dtype=pl.Int64)
    found = found.with_columns(field.alias("field"), rank.alias("rank"))
    best = found.drop_nulls("field").sort("rank", maintain_order=True).unique(["row", "field"], keep="first")
    others = found.join(best, on=["row", "key"], how="anti", maintain_order="left")
    rows = pl.DataFrame({"row": pl.int_range(groups.height, dtype=pl.UInt32, eager=True)})
    wide = {
        name: rows.join(best.filter(field=name), on="row", how="left", maintain_order="left")["value"]
        for name in ("timestamp", "level", "source", "host", "message")
    }
    return groups.with_columns(
        pl.coalesce(wide["message"].alias("said"), "text").alias("message"),
        pairs.joined(others, groups.height).alias("inner"),
        wide["timestamp"].alias("written"),
        *(wide[name].alias(name) for name in ("level", "source", "host")),
    )


RULE: Final = Rule("logfmt", rf"^(?P<head>){_PAIR} +{pairs.KEY}=", LETTERS + "_@", finish=_finish)
