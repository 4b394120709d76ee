"""Formats as a table: a rule is one anchored pattern whose named groups are the fields, tried on whole batches."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from sentinel.parse import attributes, general, levels, stamps, timestamps, zones
from sentinel.parse.shape import FIELDS, fields_of

__all__ = ["DATED", "DIGITS", "FEW_CHARS", "LETTERS", "UPPER", "Rule", "is_any", "is_known", "match", "resolve"]

DIGITS: Final = "0123456789"
UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS: Final = UPPER + UPPER.lower()
DATED: Final = "-/."
"""What stands fifth behind a year of four digits."""

Codes: TypeAlias = npt.NDArray[np.uint8]
_CODES: Final = {chr(code): code for code in range(1, 128)}
MOST_ASKED: Final = 0.8
"""Where more of the texts than this share begin as a rule wants it, all are asked: picking them out costs, too."""
FEW_LINES: Final = 512
FEW_CHARS: Final = 2048
FEW_IN_ALL: Final = 16 * FEW_CHARS
"""So few texts, of so many characters each and in all, are sorted by Python's `re` on the same patterns, which spares
them most of the frames' overhead: polars makes each of some fifty patterns anew for each batch. On longer lines only
polars' engine is used: it is linear whatever the line."""

MAX_FITTING: Final = 512
_FITTING: Final[dict[tuple[int, str], tuple[Sequence["Rule"], list[tuple[int, "Rule"]]]]] = {}
"""By table of rules and first character: those that such a line can fit. The table is kept, so that its id stays its
own."""

_OWN: Final = timestamps.STAMP_GROUPS | {
    "row",
    "text",
    "head",
    "message",
    "level",
    "source",
    "host",
    "inner",
    "written",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One format. `pattern` begins with `^` and names its groups: `head` is all that is not the message; the groups of
    STAMP_GROUPS make the time; `level`, `source`, `host` are themselves; any other group becomes an attribute.
    `finish` may add a column `inner`: the inside of a JSON object with more attributes, and
    a column `written`: a time in any of the ways that `stamps.read_text` reads.

    `leads` lists the characters such a line can begin with (empty: any), which spares the pattern most of its work;
    `fifth` those that can stand fifth, where a date has its first mark, or an epoch a digit.
    `rest` reads the message further; `finish` may change the frame of groups before the fields are taken from it.
    """

    name: str
    pattern: str
    leads: str = ""
    source: str | None = None  # where the pattern has no group of that name, or it stays empty
    rest: tuple["Rule", ...] = ()
    finish: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    timed: bool = False  # whether what no rule of `rest` knows is read as what follows a time
    unless: str = ""  # a pattern of lines that look like this format and are none of it
    is_utc: bool = False  # whether its times are UTC by their standard, though they do not say so
    fifth: str = ""  # the characters that can stand fifth; with `leads` alone (empty: any)
    is_own: bool = False  # a user's, which is never given to Python's `re`: only polars' engine is linear


def resolve(lines: pl.DataFrame, rules: Sequence[Rule], now: int) -> pl.DataFrame:
    """Give each line (`row` UInt32, `text` String) to the first rule that knows it: FIELDS, one row a line, in order.

    A line that no rule knows is read by the general reader. The answer depends on the line alone, never on its
    neighbours.
    """
    done, left = match(lines, rules, now)
    if not left.is_empty():
        done.append(general.read(left, now))
    if len(done) == 1:
        return done[0]
    return pl.concat(done).sort("row") if done else pl.DataFrame(schema=FIELDS)


def match(lines: pl.DataFrame, rules: Sequence[Rule], now: int) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """FIELDS of the lines that a rule knows, a frame a rule, and the lines that none knows; both in order."""
    done: list[pl.DataFrame] = []
    left, leads, fifths = lines, _codes_of(lines["text"], 0), _codes_of(lines["text"], 4)
    for rule in _candidates(lines["text"], rules):
        if left.is_empty():
            break
        rows = np.flatnonzero(_asked(rule, leads, fifths)) if rule.leads else None
        if rows is not None and not len(rows):
            continue
        mask = _mask(rule, left["text"], rows)
        if not mask.any():
            continue
        others = ~mask.to_numpy()
        hit, left, leads, fifths = left.filter(mask), left.filter(~mask), leads[others], fifths[others]
        done.append(_apply(rule, hit, now))
    return done, left


def _codes_of(texts: pl.Series, place: int) -> Codes:
    """The code of each text's character at that place; 0 for one that is not ASCII, and where there is none."""
    found = texts.str.slice(place, 1)
    codes = found.replace_strict(_CODES, default=0, return_dtype=pl.UInt8)
    return codes.to_numpy()


def _asked(rule: Rule, leads: Codes, fifths: Codes) -> npt.NDArray[np.bool_]:
    """Which of the texts begin as the rule wants it."""
    fits = _table_of(rule.leads)[leads]
    return fits & _table_of(rule.fifth)[fifths] if rule.fifth else fits


@cache
def _table_of(leads: str) -> npt.NDArray[np.bool_]:
    """For each code of a first character whether it is one of `leads`."""
    table = np.zeros(256, np.bool_)
    table[[ord(lead) for lead in leads]] = True
    return table


def _mask(rule: Rule, texts: pl.Series, rows: npt.NDArray[np.int64] | None) -> pl.Series:
    """Which of the texts the rule knows; only those in `rows` are looked at, where there are so few that it pays."""
    is_part = rows is not None and len(rows) < len(texts) * MOST_ASKED
    asked = texts.gather(rows) if is_part and rows is not None else texts
    mask = asked.str.contains(rule.pattern)
    if rule.unless and mask.any():
        mask &= ~asked.str.contains(rule.unless)
    if not is_part or rows is None:
        return mask
    found = np.zeros(len(texts), np.bool_)
    found[rows[mask.to_numpy()]] = True
    return pl.Series(found)


def _candidates(lines: pl.Series, rules: Sequence[Rule]) -> Sequence[Rule]:
    """The rules that a few short texts need: the first that knows each of them, found without a frame's overhead."""
    if len(lines) > FEW_LINES:
        return rules
    texts: list[str] = lines.to_list()
    lengths = [len(text) for text in texts]
    if max(lengths, default=0) > FEW_CHARS or sum(lengths) > FEW_IN_ALL:
        return rules
    first = {_first(text, _fitting(text[:1], rules)) for text in texts}
    return [rule for place, rule in enumerate(rules) if rule.is_own or place in first]


def is_known(text: str, rules: Sequence[Rule]) -> bool:
    """Whether a rule knows this text (at most FEW_CHARS), found without a frame."""
    own = list(takewhile(lambda rule: rule.is_own, rules))  # they stand before all others
    return _first(text, _fitting(text[:1], rules)) >= 0 or (bool(own) and is_any(pl.Series([text]), own)[0])


def is_any(texts: pl.Series, rules: Sequence[Rule]) -> pl.Series:
    """Whether one of the rules knows each text."""
    known = pl.repeat(value=False, n=len(texts), dtype=pl.Boolean, eager=True)
    for rule in rules:
        known |= texts.str.contains(rule.pattern)
    return known


def _fitting(lead: str, rules: Sequence[Rule]) -> list[tuple[int, Rule]]:
    """The rules of lines that begin with this character, each with its place; those of a user's own are left out."""
    known = _FITTING.get((id(rules), lead))
    if known is not None and known[0] is rules:
        return known[1]
    fitting = [
        (place, rule) for place, rule in enumerate(rules) if not rule.is_own and (not rule.leads or lead in rule.leads)
    ]
    if len(_FITTING) >= MAX_FITTING:
        _FITTING.clear()
    _FITTING[id(rules), lead] = rules, fitting
    return fitting


def _first(text: str, fitting: Sequence[tuple[int, Rule]]) -> int:
    """The place of the first rule that knows the text; -1 where none does."""
    fifth = text[4:5]
    for place, rule in fitting:
        if (
            (not rule.fifth or fifth in rule.fifth)
            and _compiled(rule.pattern).match(text)
            and not (rule.unless and _compiled(rule.unless).match(text))
        ):
            return place
    return -1


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _apply(rule: Rule, lines: pl.DataFrame, now: int) -> pl.DataFrame:
    groups = lines.with_columns(pl.col("text").str.extract_groups(rule.pattern).alias("groups")).unnest("groups")
    groups = groups.with_columns(pl.col("text").str.strip_prefix(pl.col("head")).alias("message"))
    if rule.finish:
        groups = rule.finish(groups)
    names = [name for name in groups.columns if name not in _OWN]
    inner = attributes.inner_json(groups, names)
    if "inner" in groups.columns:
        inner = attributes.join_inner([inner, groups["inner"]], groups.height)
    made: list[pl.Expr | pl.Series] = [pl.lit(rule.name).alias("format"), inner]
    if not timestamps.STAMP_GROUPS.isdisjoint(groups.columns):
        time = timestamps.read(groups, now, is_utc=rule.is_utc)
        stamp = groups["stamp"]
        made += [time.alias("timestamp"), stamp.set(time.is_not_null(), None).alias("unreadable")]
        if "z" in groups.columns:
            made[1] = zones.marked(inner, stamp)
    elif "written" in groups.columns:
        time = stamps.read_text(groups["written"], now)
        made += [time, groups["written"].set(time.is_not_null(), None).alias("unreadable")]
    if "level" in groups.columns:
        made.append(levels.normalise(groups["level"]).alias("level"))
    if rule.source is not None:
        named = pl.col("source") if "source" in groups.columns else pl.lit(None, dtype=pl.String)
        made.append(pl.coalesce(named, pl.lit(rule.source)).alias("source"))
    fields = fields_of(groups.with_columns(*made))
    return _read_rest(fields, rule, now) if rule.rest or rule.timed else fields


def _read_rest(outer: pl.DataFrame, rule: Rule, now: int) -> pl.DataFrame:
    """Read the messages further; what the outer rule found stands, the inner one adds what is missing.

    Of a time and what follows it, that gives the format its name.
    """
    done, left = match(outer.select("row", pl.col("message").alias("text")), rule.rest, now)
    if not left.is_empty():
        plain = left.rename({"text": "message"})
        done.append(general.read(left, now, timed=True) if rule.timed else fields_of(plain))
    inner = pl.concat(done).sort("row") if len(done) > 1 else done[0]
    joined = attributes.join_inner([outer["attributes"], inner["attributes"]], outer.height)
    found = inner.select(pl.all().name.prefix("inner_"))
    names = ("timestamp", "unreadable", "level", "source", "host")
    return (
        outer.hstack(found)
        .with_columns(
            *(pl.coalesce(name, f"inner_{name}").alias(name) for name in names),
            pl.when(pl.col("inner_format") != general.NAME).then("inner_format").otherwise("format").alias("format")
            if rule.timed
            else pl.col("format"),
            pl.col("inner_message").alias("message"),
            joined.alias("attributes"),
        )
        .select(list(FIELDS))
    )
