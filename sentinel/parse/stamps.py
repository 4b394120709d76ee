"""Patterns of the ways in which a time is written at the head of a line."""

import re
from datetime import UTC, datetime
from typing import Final

import polars as pl

from sentinel.parse import timestamps

__all__ = [
    "CLOCK",
    "COMPACT",
    "DAY_MONTH",
    "EPOCH",
    "MONTH_DAY",
    "MONTH_DAY_YEAR",
    "RFC3339",
    "WEEKDAY",
    "YEAR_FIRST",
    "YEAR_SHORT",
    "ZONE_YEAR",
    "read_iso",
    "read_text",
]

_HMS: Final = r"(?P<H>[0-9]{2}):(?P<M>[0-9]{2}):(?P<S>[0-9]{2})"
_FRACTION: Final = r"(?:[.,](?P<f>[0-9]+))?"
_NAMED_ZONE: Final = r"Z|UTC|GMT|[ECMP][SD]T|CES?T|EES?T|BST|MSK|JST"
_MONTH: Final = r"(?P<b>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

YEAR_FIRST: Final = (
    r"(?P<stamp>(?P<Y>[0-9]{4})[-/.](?P<m>[0-9]{2})[-/.](?P<d>[0-9]{2})(?:[T_-]| +)(?P<H>[0-9]{2})[:.](?P<M>[0-9]{2})"
    rf"(?:[:.](?P<S>[0-9]{{2}})(?:[.,:](?P<f>[0-9]+))?)?"
    rf"(?P<z> ?(?:(?:{_NAMED_ZONE})\b|[+-][0-9]{{2}}:?[0-9]{{2}})|[+-][0-9]{{2}}\b)?)"
)
"""`2015-10-18 18:01:47,978`, `2023-05-01T10:00:00.123456+02:00`, `2023/05/01 10:00:00 UTC`, `2005-06-03-15.42.50.6`."""

RFC3339: Final = (
    r"(?P<stamp>(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})T"
    rf"{_HMS}(?:\.(?P<f>[0-9]+))?(?P<z>Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)"
)
"""`2023-05-01T10:00:00.123456+02:00`, RFC 3339; a missing offset is tolerated."""

MONTH_DAY: Final = (
    rf"(?P<stamp>{_MONTH} {{1,2}}(?P<d>[0-9]{{1,2}}) (?:(?P<Y>[0-9]{{4}}) )?{_HMS}{_FRACTION}"
    rf"(?: (?P<z>(?:{_NAMED_ZONE})\b))?)"
)
"""`Dec 10 06:55:46`, RFC 3164, also with a year or a fraction as Cisco and rsyslog write them."""

MONTH_DAY_YEAR: Final = (
    rf"(?P<stamp>{_MONTH} {{1,2}}(?P<d>[0-9]{{1,2}}),? (?P<Y>[0-9]{{4}}) (?P<H>[0-9]{{1,2}}):(?P<M>[0-9]{{2}})"
    r":(?P<S>[0-9]{2}) (?P<p>[AaPp][Mm]))"
)
"""`Jun 09, 2023 10:00:00 AM`, java.util.logging."""

ZONE_YEAR: Final = rf"(?P<stamp>{_MONTH} {{1,2}}(?P<d>[0-9]{{1,2}}) {_HMS} (?:(?P<z>{_NAMED_ZONE}) )?(?P<Y>[0-9]{{4}}))"
"""`Aug 24 05:34:00 CST 1987`, an example of RFC 3164."""

WEEKDAY: Final = rf"(?P<stamp>[A-Z][a-z]{{2}} {_MONTH} {{1,2}}(?P<d>[0-9]{{1,2}}) {_HMS}{_FRACTION} (?P<Y>[0-9]{{4}}))"
"""`Sun Dec 04 04:47:44.123 2005`, as of C's ctime."""

DAY_MONTH: Final = (
    rf"(?P<stamp>(?P<d>[0-9]{{1,2}})[-/ ]{_MONTH}[-/ ](?P<Y>[0-9]{{4}})[ :]{_HMS}{_FRACTION}"
    r"(?: (?P<z>[+-][0-9]{4}))?)"
)
"""`17/May/2015:10:05:03 +0000` of access logs, `18-Sep-2023 10:00:00.123` of Tomcat, `06 Jun 2023 10:00:00,123`."""

YEAR_SHORT: Final = rf"(?P<stamp>(?P<y>[0-9]{{2}})/(?P<m>[0-9]{{2}})/(?P<d>[0-9]{{2}}) {_HMS}{_FRACTION})"
"""`17/06/09 20:10:40` (year first), log4j's default of Spark."""

COMPACT: Final = (
    r"(?P<stamp>(?P<y>[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2}) "
    r"(?P<H>[0-9]{2})(?P<M>[0-9]{2})(?P<S>[0-9]{2}))"
)
"""`081109 203615`, HDFS."""

CLOCK: Final = rf"(?P<stamp>{_HMS}[.,](?P<f>[0-9]{{3,9}}))"
"""`12:00:00.123`, a time of day alone."""

EPOCH: Final = r"(?P<stamp>(?P<epoch>[0-9]{10}(?:\.[0-9]+)?|[0-9]{13}))"
"""`1286536309.586`, seconds or milliseconds since 1970."""

_EMAIL: Final = (
    rf"(?P<stamp>(?:[A-Z][a-z]{{2}}, )?(?P<d>[0-9]{{1,2}}) {_MONTH} (?P<Y>[0-9]{{4}}) {_HMS}"
    rf"(?: (?P<z>{_NAMED_ZONE}|[+-][0-9]{{4}}))?)"
)
_DATE: Final = r"(?P<stamp>(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2}))"
_WAYS: Final = (YEAR_FIRST, DAY_MONTH, MONTH_DAY, MONTH_DAY_YEAR, WEEKDAY, _EMAIL, YEAR_SHORT, _DATE, CLOCK)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COMMON: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,6})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-8]):?[0-5][0-9])?\Z"
)
_WHOLE: Final = tuple(rf"^[ \t]*{way}[ \t]*$" for way in _WAYS)


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
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    seconds = since.days * timestamps.DAY_S + since.seconds
    if moment.year < 1970 or not 0 <= seconds < timestamps.LATEST_S:
        return None
    return seconds * 1_000_000_000 + since.microseconds * 1_000
