"""Learn what visitors do, without a word of it: what is usual, and what they do seldom, a few times and by mistake."""

import numpy as np
import polars as pl

from sentinel.detect.kernel.flags import Flag
from sentinel.detect.kernel.jit import Integers
from sentinel.detect.read.coded import Coded
from sentinel.detect.read.scan import IP, USER
from sentinel.detect.tuning.learn import (
    AT_THE_DOOR,
    GO_ON,
    MIN_VISITS,
    MOST_SLIPS,
    SLIP_ACTORS,
    SLIP_REACH,
    SLIP_SHARE,
    SLIP_VISITS,
    USUAL_REACH,
    VISIT_GAP_S,
    WITHIN,
)

__all__ = ["learn_manners"]


def learn_manners(coded: Coded, templates: int) -> Integers:
    """(templates,) USUAL, SLIP, LOST or 0 for each place; `coded` are training lines in the order of time.

    A visit is what one actor (an address, else a user) does in a source without half an hour's pause. All is counted by
    visits and not by lines, so that one that writes a thousand lines says no more than any other.
    """
    seen = _seen(coded)
    manners = np.zeros(templates, np.int64)
    if seen.is_empty():
        return manners
    visits = seen.group_by("source").agg(
        visits=pl.col("visit").n_unique(), usual_from=pl.col("visit").n_unique() >= MIN_VISITS
    )
    share = pl.col("lines") / pl.col("lines").sum().over("visit")
    of = seen.with_columns(share=share).group_by("source", "template").agg(
        pl.len().alias("with_it"),
        pl.col("actor").n_unique().alias("actors"),
        pl.col("share").sum(),
        pl.col("lines").quantile(WITHIN, "lower").alias("most"),
        pl.col("flags").max(),
    )  # fmt: skip
    of = of.join(visits, on="source").filter("usual_from").with_columns(
        reach=pl.col("with_it") / pl.col("visits"), share=pl.col("share") / pl.col("visits")
    )  # fmt: skip
    of = of.sort("with_it", descending=True).unique("template", keep="first", maintain_order=True)
    usual = of.filter((pl.col("reach") >= USUAL_REACH) & (pl.col("flags") == 0))
    manners[usual["template"].to_numpy()] = Flag.USUAL
    slips = of.filter(
        (pl.col("reach") <= SLIP_REACH)
        & (pl.col("share") <= SLIP_SHARE)
        & (pl.col("with_it") >= SLIP_VISITS)
        & (pl.col("actors") >= SLIP_ACTORS)
        & (pl.col("most") <= MOST_SLIPS)
        & (pl.col("flags") < 2)
    )
    for template, go_on, at_the_door in _beside_the_usual(seen, slips["template"], usual["template"]).iter_rows():
        if go_on >= GO_ON:
            manners[template] = Flag.SLIP if at_the_door >= AT_THE_DOOR else Flag.LOST
    return manners


def _seen(coded: Coded) -> pl.DataFrame:
    """One row a visit and template: how many lines, which came first, 1 for a template of trouble, 2 of log-ins."""
    facts, entities = coded.facts, coded.line.entities
    flags = np.where(facts.flags & (Flag.BAD | Flag.CLIENT_ERROR | Flag.PROBE), 1, 0)
    lines = pl.DataFrame(
        {
            "actor": np.where(entities[:, IP] != 0, entities[:, IP], entities[:, USER]),
            "source": facts.source,
            "template": facts.template,
            "at_s": coded.line.times,
            "flags": np.where(facts.flags & (Flag.AUTH_FAILURE | Flag.CONNECT | Flag.ACCEPTED), 2, flags),
        }
    ).filter((pl.col("actor") != 0) & (pl.col("template") >= 0))
    lines = lines.sort("source", "actor", maintain_order=True)
    other = (pl.col("source").diff() != 0) | (pl.col("actor") != pl.col("actor").shift())
    begins = (other | (pl.col("at_s").diff() > VISIT_GAP_S)).fill_null(value=True)
    lines = lines.with_columns(visit=begins.cum_sum(), place=pl.int_range(pl.len()))
    return lines.group_by("source", "visit", "template").agg(
        pl.len().alias("lines"), pl.col("place").min(), pl.col("actor").first(), pl.col("flags").max()
    )


def _beside_the_usual(seen: pl.DataFrame, slips: pl.Series, usual: pl.Series) -> pl.DataFrame:
    """(template, share of its visits that show what is usual, share that begin with it) of each of `slips`."""
    first = (
        seen.filter(pl.col("template").is_in(usual.to_list()))
        .group_by("visit")
        .agg(pl.col("place").min().alias("first"))
    )
    own = seen.filter(pl.col("template").is_in(slips.to_list())).join(first, on="visit", how="left")
    before = (pl.col("first").is_null() | (pl.col("place") < pl.col("first"))).mean()
    return own.group_by("template").agg(pl.col("first").is_not_null().mean().alias("go_on"), before.alias("before"))
