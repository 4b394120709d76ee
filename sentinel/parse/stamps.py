"""The ways in which a time is written: patterns for rules, and the reading of a time in any of them."""

import re
from datetime import UTC, datetime
from typing import Final

import polars as pl

from sentinel.parse import timestamps
from sentinel.parse.months import ANY_MONTH, ANY_WEEKDAY
from sentinel.parse.zones import NAMED, ZONE, unwritten

__all__ = [
    "CLOCK",
    "COLONS",
    "COMPACT",
    "DAY_MONTH",
    "EPOCH",
    "LAYOUTS",
    "MONTH_DAY",
    "RFC3339",
    "WEEKDAY",
    "YEAR_FIRST",
    "YEAR_SHORT",
    "ZONE_MONTH_DAY",
    "ZONE_YEAR",
    "read_iso",
    "read_text",
]

_HMS: Final = r"(?P<H>[0-9]{2}):(?P<M>[0-9]{2}):(?P<S>[0-9]{2})"
_FRACTION: Final = r"(?:[.,](?P<f>[0-9]+))?"
_MONTH: Final = r"(?P<b>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_ZONE: Final = rf"(?: ?\(?(?P<z>{ZONE})\)?)?"
_HALF: Final = r"(?: ?(?P<p>[AaPp]\.?[Mm]\b\.?))?"
_LAX: Final = rf"(?P<H>[0-9]{{1,2}}):(?P<M>[0-9]{{2}})(?::(?P<S>[0-9]{{2}})(?:[.,:](?P<f>[0-9]+))?)?{_HALF}"
"""A clock as people write it: `9:05`, `9:05:07.25 PM`."""

YEAR_FIRST: Final = (
    r"(?P<stamp>(?P<Y>[0-9]{4})[-/.](?P<m>[0-9]{1,2})[-/.](?P<d>[0-9]{1,2})(?:[T_;-]| - |,?[ \t]+|,)(?P<H>[0-9]{1,2})"
    rf"[:.](?P<M>[0-9]{{2}})(?:[:.](?P<S>[0-9]{{2}})(?:[.,:](?P<f>[0-9]+))?{_HALF})?{_ZONE})"
)
"""`2015-10-18 18:01:47,978`, `2023-05-01T10:00:00.123456+02:00`, `2023/05/01 10:00 (UTC)`, `2005-06-03-15.42.50.6`."""

RFC3339: Final = (
    r"(?P<stamp>(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})T"
    rf"{_HMS}(?:\.(?P<f>[0-9]+))?(?P<z>Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)"
)
"""`2023-05-01T10:00:00.123456+02:00`, RFC 3339; a missing offset is tolerated."""

MONTH_DAY: Final = (
    rf"(?P<stamp>{_MONTH} {{1,2}}(?P<d>[0-9]{{1,2}}) (?:(?P<Y>[0-9]{{4}}) )?{_HMS}{_FRACTION}"
    rf"(?: (?P<z>(?:{NAMED})\b))?)"
)
"""`Dec 10 06:55:46`, RFC 3164, also with a year or a fraction as Cisco and rsyslog write them."""

ZONE_YEAR: Final = rf"(?P<stamp>{_MONTH} {{1,2}}(?P<d>[0-9]{{1,2}}) {_HMS} (?:(?P<z>{NAMED}) )?(?P<Y>[0-9]{{4}}))"
"""`Aug 24 05:34:00 CST 1987`, an example of RFC 3164."""

COLONS: Final = rf"(?P<stamp>(?P<Y>[0-9]{{4}}):(?P<m>[0-9]{{2}}):(?P<d>[0-9]{{2}})-{_HMS})"
"""`2026:03:04-10:15:20`."""

ZONE_MONTH_DAY: Final = rf"(?P<stamp>(?P<z>{NAMED}) {_MONTH} {{1,2}}(?P<d>[0-9]{{1,2}}) {_HMS})"
"""`CET Mar  4 11:15:20`, the zone before the date."""

WEEKDAY: Final = rf"(?P<stamp>[A-Z][a-z]{{2}} {_MONTH} {{1,2}}(?P<d>[0-9]{{1,2}}) {_HMS}{_FRACTION} (?P<Y>[0-9]{{4}}))"
"""`Sun Dec 04 04:47:44.123 2005`, as of C's ctime."""

DAY_MONTH: Final = (
    rf"(?P<stamp>(?P<d>[0-9]{{1,2}})[-/ ]?{_MONTH}[-/ ]?(?P<Y>[0-9]{{4}})(?:[ :T]|, ){_HMS}{_FRACTION}{_ZONE})"
)
"""`17/May/2015:10:05:03 +0000` of access logs, `18-Sep-2023 10:00:00.123` of Tomcat, `06 Jun 2023 10:00:00,123`."""

_YEAR_NOT_MONTH: Final = r"(?P<y>00|1[3-9]|[2-9][0-9])"
YEAR_SHORT: Final = rf"(?P<stamp>{_YEAR_NOT_MONTH}/(?P<m>[0-9]{{2}})/(?P<d>[0-9]{{2}}) {_HMS}{_FRACTION})"
"""`17/06/09 20:10:40` (year first), log4j's default of Spark. What can be a month is one: `03/04/26` is of 2026."""

COMPACT: Final = (
    r"(?P<stamp>(?P<y>[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2}) "
    r"(?P<H>[0-9]{2})(?P<M>[0-9]{2})(?P<S>[0-9]{2}))"
)
"""`081109 203615`, HDFS."""

CLOCK: Final = rf"(?P<stamp>{_HMS}[.,](?P<f>[0-9]{{3,9}}))"
"""`12:00:00.123`, a time of day alone."""

EPOCH: Final = r"(?P<stamp>(?P<epoch>[0-9]{10}(?:\.[0-9]+)?|[0-9]{13}|[0-9]{16}|[0-9]{19}))"
"""`1286536309.586`, seconds or milliseconds since 1970."""

_LEADING_WEEKDAY: Final = rf"(?:{ANY_WEEKDAY},? +)?"
_ANY: Final = rf"(?P<b>{ANY_MONTH})"
_DAY: Final = r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th|er|º|\.)?"
_OF: Final = r"(?: (?:de|of|di))?"
LAYOUTS: Final = {
    "year-first": YEAR_FIRST,
    "date-and-clock-in-brackets": rf"(?P<stamp>(?P<Y>[0-9]{{4}})-(?P<m>[0-9]{{2}})-(?P<d>[0-9]{{2}})\]\[{_HMS}"
    rf"{_FRACTION})",
    "weekday-year": rf"(?P<stamp>{ANY_WEEKDAY},? +{YEAR_FIRST.removeprefix('(?P<stamp>')}",
    "day-month-year": rf"(?P<stamp>{_LEADING_WEEKDAY}{_DAY}(?:[-/ ]|{_OF} ){_ANY}(?:[-/,:]|{_OF},? )(?P<Y>[0-9]{{4}})"
    rf"(?:[ T-]|::?| - |, | at ){_LAX}{_ZONE})",
    "day-month-short-year": rf"(?P<stamp>{_DAY}[-/ ]{_ANY}[-/ ](?P<y>[0-9]{{2}})[ T]{_LAX}{_ZONE})",
    "day-month-short-year-colon": rf"(?P<stamp>{_DAY}[-/]{_ANY}[-/](?P<y>[0-9]{{2}}):{_LAX}{_ZONE})",
    "day-month": rf"(?P<stamp>{_LEADING_WEEKDAY}{_DAY}[-/ ]{_ANY},?[ :]{_LAX}{_ZONE})",
    "month-day-year": rf"(?P<stamp>{_LEADING_WEEKDAY}{_ANY}[ -/]{{1,2}}{_DAY}(?:, ?| |-|/)(?P<Y>[0-9]{{4}})(?:,?"
    r" +|-|:| at | - )"
    rf"{_LAX}{_ZONE})",
    "weekday": rf"(?P<stamp>{_LEADING_WEEKDAY}{_ANY} {{1,2}}{_DAY},? {_LAX}(?: (?P<z>{ZONE}))? (?P<Y>[0-9]{{4}})\b)",
    "month-day": rf"(?P<stamp>{_LEADING_WEEKDAY}{_ANY} {{1,2}}{_DAY},? {_LAX}{_ZONE})",
    "ordinal": rf"(?P<stamp>(?P<Y>[0-9]{{4}})-(?P<j>[0-9]{{3}})(?:[T ]{_LAX}{_ZONE})?)",
    "iso-week": rf"(?P<stamp>(?P<Y>[0-9]{{4}})-?W(?P<W>[0-9]{{2}})-?(?P<u>[1-7])(?:[T ]{_LAX}{_ZONE})?)",
    "basic": r"(?P<stamp>(?P<Y>[12][0-9]{3})(?P<m>[01][0-9])(?P<d>[0-3][0-9])[T _:-]?(?P<H>[012][0-9]):?(?P<M>[0"
    r"-5][0-9]):?"
    rf"(?P<S>[0-5][0-9])(?:[.,]?(?P<f>[0-9]{{1,9}}))?{_ZONE})",
    "month-first": r"(?P<stamp>(?P<m>0?[1-9]|1[0-2])[/](?P<d>[0-9]{1,2})[/](?P<Y>[0-9]{4})(?:,? +|[-:T;,]| - "
    rf"){_LAX}{_ZONE})",
    "day-first": r"(?P<stamp>(?P<d>[0-9]{1,2})[-./](?P<m>[0-9]{1,2})[-./](?P<Y>[0-9]{4})(?:,? +|[-:T;,]| - "
    rf"){_LAX}{_ZONE})",
    "day-first-short": r"(?P<stamp>(?P<d>[0-9]{2})[.](?P<m>[0-9]{2})[.](?P<y>[0-9]{2})(?:,? +|[-:T])"
    rf"{_LAX}{_ZONE})",
    "year-short": rf"(?P<stamp>{_YEAR_NOT_MONTH}[-/](?P<m>0[1-9]|1[0-2])[-/](?P<d>[0-9]{{2}})(?: +|[-:T]){_LAX}"
    rf"{_ZONE})",
    "month-first-short": r"(?P<stamp>(?P<m>[0-9]{1,2})[-/](?P<d>[0-9]{1,2})[-/](?P<y>[0-9]{2})(?:,? +|[-:T])"
    rf"{_LAX}{_ZONE})",
    "compact": r"(?P<stamp>(?P<y>[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2}) +(?P<H>[0-9]{1,2}):?(?P<M>[0-9]{2}):?(?"
    r"P<S>[0-9]{2})"
    rf"{_FRACTION}{_ZONE})",
    "clock-first": rf"(?P<stamp>{_LAX}{_ZONE},? (?P<Y>[0-9]{{4}})[-/](?P<m>[0-9]{{2}})[-/](?P<d>[0-9]{{2}}))",
    "clock-day-month": rf"(?P<stamp>{_LAX}{_ZONE},? {_LEADING_WEEKDAY}{_DAY}[- /]{_ANY}[- /](?P<Y>[0-9]{{4}}))",
    "month-number": rf"(?P<stamp>(?P<m>0[1-9]|1[0-2])[-/.]?(?P<d>[0-3][0-9])[ |/-]{_HMS}{_FRACTION}{_ZONE})",
    "month-number-basic": r"(?P<stamp>(?P<m>0[1-9]|1[0-2])(?P<d>[0-3][0-9])/(?P<H>[0-9]{2})(?P<M>[0-9]{2})(?P<S>"
    r"[0-9]{2})"
    r"(?:\.(?P<f>[0-9]+))?)",
    "clock-half": r"(?P<stamp>(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?P<p>[AaPp][Mm]))",
    "date": r"(?P<stamp>(?P<Y>[0-9]{4})[-/.](?P<m>[0-9]{2})[-/.](?P<d>[0-9]{2})Z?)",
    "clock": r"(?P<stamp>(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2}):(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?"
    rf"{_HALF}{_ZONE})",
}
"""Name → pattern of a way in which a time is written, in the order in which they are tried."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COMMON: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,6})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-8]):?[0-5][0-9])?\Z"
)
_WHOLE: Final = tuple(rf"^[ \t]*{way}[ \t]*$" for way in LAYOUTS.values())


def read_text(texts: pl.Series, now: int) -> pl.Series:
    """Nanoseconds since 1970 (Int64) of times written in any way of this file, or as a number; null if unreadable."""
    common = _all_iso(texts.to_list())
    if common is not None:
        return pl.Series("timestamp", common, dtype=pl.Int64)
    times = timestamps.epoch_ns(texts)
    for pattern in _WHOLE:
        left = times.is_null() & texts.is_not_null()
        if not left.any():
            break
        mask = left & texts.str.contains(pattern)
        if mask.any():
            groups = texts.filter(mask).str.extract_groups(pattern).struct.unnest()
            times = times.scatter(mask.arg_true(), timestamps.read(groups, now))
    return times


def _all_iso(texts: list[str | None]) -> list[int | None] | None:
    """What `read_iso` reads, one a text; None as soon as one of them is written in another way."""
    read: list[int | None] = []
    for text in texts:
        moment = None if text is None else read_iso(text)
        if moment is None and text is not None:
            return None
        read.append(moment)
    return read


def read_iso(text: str) -> int | None:
    """The same for one text in the commonest way, RFC 3339 and its kin; null for any other, to be read above."""
    if not _COMMON.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    zone = unwritten() if moment.tzinfo is None else None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    seconds = since.days * timestamps.DAY_S + since.seconds
    if zone is not None:
        seconds = timestamps.local_seconds(zone, seconds)
    if moment.year < 1970 or not 0 <= seconds < timestamps.LATEST_S:
        return None
    return seconds * 1_000_000_000 + since.microseconds * 1_000
