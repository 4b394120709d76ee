"""From the parts of a written time to nanoseconds since 1970 in UTC; a time without an offset is taken as UTC."""

from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl

from sentinel.parse.months import MONTHS
from sentinel.parse.zones import NONE_SUCH, is_region, offset_seconds, region_seconds, unwritten

__all__ = ["LATEST_S", "STAMP_GROUPS", "epoch_ns", "local_seconds", "now_ns", "read"]

Ints: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

NS: Final = 1_000_000_000
DAY_S: Final = 86_400
FUTURE_TOLERANCE_S: Final = DAY_S  # clocks and zones differ: a date without a year may lie this far ahead
CLOCK_TOLERANCE_S: Final = 3_600  # the same for a time of day without a date
LATEST_S: Final = 9_223_286_400  # 2262-04-11, the last whole day of int64 nanoseconds and of Elasticsearch's date_nanos

_EPOCH: Final = r"^(?:/Date\()?(?P<whole>[0-9]{1,19})(?:[.,](?P<f>[0-9]+))?(?:(?:[+-][0-9]{4})?\)/)?$"
"""A number, also as .NET's elder JSON wraps it: `/Date(1772619320123)/`."""
STAMP_GROUPS: Final = frozenset(
    {"stamp", "Y", "y", "b", "m", "d", "H", "M", "S", "f", "z", "p", "j", "W", "u", "epoch"}
)
"""Names that patterns give to the parts of a time: year (4 or 2 digits), month by name or number, day, hour, minute,
second, digits of the fraction, offset or zone, AM/PM, day of the year, ISO week and its day, and seconds (or ms, us,
ns) since 1970. `stamp` is the whole."""


def now_ns(now: datetime) -> int:
    """`now` (with a zone, else taken as UTC) in nanoseconds since 1970, cut to whole milliseconds."""
    moment = now if now.tzinfo else now.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * DAY_S * 1000 + delta.seconds * 1000 + delta.microseconds // 1000) * 1_000_000


def read(groups: pl.DataFrame, now: int, *, is_utc: bool = False) -> pl.Series:
    """Nanoseconds since 1970 (Int64) from the columns of STAMP_GROUPS; null where they make no time between 1970 and
    2262. `now` (ns) decides what is missing: the latest such date that is not in the future (one day of tolerance). A
    time without a zone is of that of the settings, unless its format `is_utc`.
    """
    fraction = _fraction(groups)
    if "epoch" in groups.columns:
        whole = epoch_ns(groups["epoch"])
        return whole + pl.Series(fraction) if "f" in groups.columns else whole
    zone = None if is_utc else unwritten()
    if zone is not None:  # what is not written is decided by the clock of that zone
        now += (now // NS - local_seconds(zone, now // NS)) * NS
    numbers = _numbers(groups)
    seconds_of_day, fine = _time_of_day(groups, numbers)
    offset = _offsets(groups["z"]) if "z" in groups.columns else np.zeros(len(seconds_of_day), np.int64)
    clock = seconds_of_day - offset
    if not {"d", "j", "W"} & set(groups.columns):
        days = _latest_day(clock, now)
    else:
        days, real = _days(numbers, clock, now)
        fine &= real
    seconds = days * DAY_S + clock
    if "z" in groups.columns:
        seconds = _in_regions(groups["z"], seconds)
    if zone is not None:
        seconds = _moved(zone, seconds, groups["z"].is_null().to_numpy() if "z" in groups.columns else None)
    fine &= (seconds >= 0) & (seconds < LATEST_S) & (offset > NONE_SUCH)
    result = np.where(fine, seconds, 0) * NS + fraction
    return pl.Series("timestamp", result).set(pl.Series(~fine), None)


def epoch_ns(texts: pl.Series) -> pl.Series:
    """Nanoseconds since 1970 of numbers written as text, in s, ms, us or ns by their size; null where unusable."""
    parts = texts.str.strip_chars().str.extract_groups(_EPOCH).struct.unnest()
    whole = parts["whole"].cast(pl.Int64, strict=False)
    fine = whole.is_not_null().to_numpy()
    values: Ints = whole.fill_null(0).to_numpy().astype(np.int64)
    unit = np.select([values < 10**11, values < 10**14, values < 10**17], [NS, 10**6, 10**3], 1)
    fine = fine & (values // (NS // unit) < LATEST_S)
    result = np.where(fine, values, 0) * unit + _fraction(parts) * unit // NS
    return pl.Series("timestamp", result).set(pl.Series(~fine), None)


def _numbers(groups: pl.DataFrame) -> dict[str, Ints]:
    """The whole numbers among the parts of a time, −1 where there is none; a month's name counts as its number."""
    names = [name for name in ("Y", "y", "m", "d", "H", "M", "S", "j", "W", "u") if name in groups.columns]
    parts: list[pl.Expr] = [pl.col(name) for name in names]
    if "b" in groups.columns:
        name = pl.col("b").str.strip_chars(".").str.to_lowercase()
        parts.append(name.replace_strict(MONTHS, default=None, return_dtype=pl.Int64).alias("m"))
    whole = groups.select(part.cast(pl.Int64, strict=False).fill_null(-1) for part in parts)
    return {name: whole[name].to_numpy() for name in whole.columns}


def _fraction(groups: pl.DataFrame) -> Ints:
    if "f" not in groups.columns or groups["f"].null_count() == groups.height:
        return np.zeros(groups.height, np.int64)
    digits = groups["f"].str.slice(0, 9).str.pad_end(9, "0")
    found: Ints = digits.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    return found


def _offsets(zones: pl.Series) -> Ints:
    """Seconds east of UTC; 0 for a zone that is none of ours, and for a region until the day is known."""
    known = zones.unique().drop_nulls().to_list()
    if not known:
        return np.zeros(len(zones), np.int64)
    table = {zone: offset_seconds(zone) or 0 for zone in known}
    found: Ints = zones.replace_strict(table, default=0, return_dtype=pl.Int64).to_numpy()
    return found


def _in_regions(zones: pl.Series, seconds: Ints) -> Ints:
    """The seconds of local times moved to UTC where the zone is a region's name."""
    regions = [zone for zone in zones.unique().drop_nulls().to_list() if is_region(zone)]
    if not regions:
        return seconds
    moved = seconds.copy()
    for row in zones.is_in(regions).fill_null(value=False).arg_true().to_list():
        moved[row] -= region_seconds(zones[row], int(seconds[row]) // 3600) or 0
    return moved


def _moved(zone: str, seconds: Ints, rows: Flags | None) -> Ints:
    """The seconds of local times of a zone moved to UTC, in those rows, or in all."""
    fixed = offset_seconds(zone)
    if fixed is not None:
        offsets = np.full_like(seconds, fixed)
    else:
        hours, places = np.unique(seconds // 3600, return_inverse=True)
        offsets = np.array([region_seconds(zone, int(hour)) or 0 for hour in hours], np.int64)[places]
    return seconds - (offsets if rows is None else np.where(rows, offsets, 0))


def local_seconds(text_zone: str, seconds: int) -> int:
    """Seconds since 1970 in UTC of a local time of a zone."""
    return int(_moved(text_zone, np.array([seconds], np.int64), None)[0])


def _time_of_day(groups: pl.DataFrame, numbers: dict[str, Ints]) -> tuple[Ints, Flags]:
    if "H" not in numbers:  # a date alone: midnight
        return np.zeros(groups.height, np.int64), np.ones(groups.height, np.bool_)
    hour, minute = numbers["H"], numbers["M"]
    second = np.maximum(numbers["S"], 0) if "S" in numbers else np.zeros_like(hour)
    if "p" in groups.columns:
        half = groups["p"].str.replace_all(".", "", literal=True).str.to_uppercase()
        hour = np.where(half.is_in(["AM", "PM"]).fill_null(value=False).to_numpy(), hour % 12, hour)
        hour = hour + 12 * (half == "PM").fill_null(value=False).to_numpy()
    fine = (hour >= 0) & (hour < 24) & (minute >= 0) & (minute < 60) & (second <= 60)  # 60: a leap second
    return hour * 3600 + minute * 60 + second, fine


def _days(numbers: dict[str, Ints], clock: Ints, now: int) -> tuple[Ints, Flags]:
    """Days since 1970 and whether there is such a date; a year that is not written is the latest possible."""
    if "j" in numbers:
        first, fine = _civil(numbers["Y"], np.ones_like(numbers["j"]), np.ones_like(numbers["j"]))
        return first + numbers["j"] - 1, fine & (numbers["j"] >= 1) & (numbers["j"] <= 366)
    if "W" in numbers:
        return _week_days(numbers["Y"], numbers["W"], numbers["u"])
    month, day = numbers["m"], numbers["d"]
    if "y" in numbers:
        return _civil(2000 + numbers["y"], month, day)
    if "Y" not in numbers:
        return _latest_date(month, day, clock, now)
    year = numbers["Y"]
    days, fine = _civil(year, month, day)
    silent = year < 0
    if silent.any():
        latest, possible = _latest_date(month, day, clock, now)
        days, fine = np.where(silent, latest, days), np.where(silent, possible, fine)
    return days, fine


def _week_days(year: Ints, week: Ints, day: Ints) -> tuple[Ints, Flags]:
    """ISO 8601 weeks: the first is the one with 4 January in it, and begins on a Monday."""
    fourth, fine = _civil(year, np.ones_like(year), np.full_like(year, 4))
    monday = fourth - (fourth + 3) % 7  # 1970-01-01 was a Thursday
    return monday + (week - 1) * 7 + day - 1, fine & (week >= 1) & (week <= 53) & (day >= 1) & (day <= 7)


def _civil(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Flags]:
    """Days since 1970 of a date of the Gregorian calendar, and whether there is such a date."""
    fine = (month >= 1) & (month <= 12) & (year >= 1970) & (year <= 2262)
    months = np.where(fine, (year - 1970) * 12 + month - 1, 0)
    first = _first_day(months)
    length = _first_day(months + 1) - first
    return first + day - 1, fine & (day >= 1) & (day <= length)


def _first_day(months: Ints) -> Ints:
    """Days since 1970 on which the months, counted from January 1970, begin."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _latest_date(month: Ints, day: Ints, clock: Ints, now: int) -> tuple[Ints, Flags]:
    """The latest date of that month and day which is not in the future; 29 February may lie eight years back."""
    limit = now // NS + FUTURE_TOLERANCE_S
    newest = datetime.fromtimestamp(limit, UTC).year
    days = np.zeros_like(month)
    open_rows = np.ones(len(month), np.bool_)
    for year in range(newest, newest - 9, -1):
        candidate, fine = _civil(np.full_like(month, year), month, day)
        take = open_rows & fine & (candidate * DAY_S + clock <= limit)
        days = np.where(take, candidate, days)
        open_rows &= ~take
        if not open_rows.any():
            break
    return days, ~open_rows


def _latest_day(clock: Ints, now: int) -> Ints:
    """The latest day on which that time of day is not in the future."""
    limit = now // NS + CLOCK_TOLERANCE_S
    return (limit - clock) // DAY_S
