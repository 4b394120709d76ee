"""Zones as they are written beside a time, and how far east of UTC each is; some names mean several."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from sentinel.parse import attributes

__all__ = [
    "NAMED",
    "NONE_SUCH",
    "ZONE",
    "Zones",
    "check_zone",
    "is_name",
    "is_region",
    "marked",
    "offset_seconds",
    "region_seconds",
    "unwritten",
    "use_zones",
    "within",
    "zones_of_files",
]

DAY_S: Final = 86_400
_HOURS: Final = {  # names with one meaning, or one that nearly all who write logs mean
    "Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "UCT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2,
    "EET": 2, "EEST": 3, "MSK": 3, "MSD": 4, "SAST": 2, "CAT": 2, "EAT": 3, "WAT": 1, "MET": 1, "MEST": 2, "TRT": 3, "PKT": 5, "NPT": 5.75,
    "WIB": 7, "WITA": 8, "WIT": 9, "ICT": 7, "HKT": 8, "SGT": 8, "PHT": 8, "MYT": 8, "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5,
    "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7,
    "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "HDT": -9, "NST": -3.5, "NDT": -2.5, "BRT": -3, "BRST": -2,
    "ART": -3, "CLT": -4, "CLST": -3, "UYT": -3, "VET": -4, "PET": -5, "COT": -5, "YEKT": 5, "OMST": 6, "KRAT": 7,
    "IRKT": 8, "VLAT": 10, "MAGT": 11, "PETT": 12,
}  # fmt: skip
_SEVERAL: Final = ("IST", "AST", "ADT", "SST", "AMT", "AMST", "BOT", "CDST", "CCT", "ECT", "GST", "PYT", "WST", "LMT", "BDT", "KGT",
                   "UZT", "MMT", "TJT", "TMT", "ALMT", "AZT", "GET", "IRST", "IRDT", "IDT", "AFT", "SAMT", "NOVT", "CHST", "ChST", "CHAST")  # fmt: skip
"""Names that mean several zones, or none that is ours to decide: their time is taken as UTC and marked."""

NAMED: Final = "|".join(sorted((*_HOURS, *_SEVERAL), key=len, reverse=True))
NONE_SUCH: Final = -2 * DAY_S
_SIGNED: Final = r"[+-][0-9]{1,2}(?::?[0-9]{2})?"
_REGIONS: Final = "Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc"
_REGION: Final = rf"(?:{_REGIONS})/[A-Za-z_+/-]+[0-9]{{0,2}}"
ZONE: Final = rf"(?:(?:UTC|GMT) ?{_SIGNED}|(?:{NAMED})\b|[+-][0-9]{{2}}(?::?[0-9]{{2}}(?::[0-9]{{2}})?)?\b|{_REGION})"
"""Pattern of a zone: `Z`, `-03`, `+0530`, `UTC+2`, `CEST`, `Europe/Berlin`."""
_UNKNOWN: Final = rf"(?:^|[ 0-9(])({'|'.join(sorted(_SEVERAL, key=len, reverse=True))})\b"

_OFFSET: Final = re.compile(r"(?:(?:UTC|GMT) ?)?([+-])([0-9]{1,2})(?::?([0-9]{2})(?::([0-9]{2}))?)?")
_BY_REGION: Final = re.compile(_REGION)


@dataclass(frozen=True, slots=True)
class Zones:
    """What a user says of zones: that of times without one, for all files or for some, and what names mean."""

    default: str | None = None  # None: UTC
    by_file: tuple[tuple[str, str], ...] = ()  # (glob of a path or a file's name, zone)
    names: Mapping[str, str] = field(default_factory=dict)  # a name that means several zones, or another one → zone


class _InUse:
    zones = Zones()


_of_these: ContextVar[str | None] = ContextVar("zone of the lines in reading", default=None)


def use_zones(zones: Zones) -> None:
    """Read times like this from now on."""
    _InUse.zones = zones


def unwritten() -> str | None:
    """The zone of times that name none; None for UTC."""
    return _of_these.get() or _InUse.zones.default


@contextmanager
def within(zone: str | None) -> Iterator[None]:
    """What is read inside is of this zone where it names none; None leaves it to the settings."""
    token = _of_these.set(zone)
    try:
        yield
    finally:
        _of_these.reset(token)


def zones_of_files(paths: Sequence[str]) -> dict[str, str]:
    """The zone of each path that the settings have one for."""
    found = {}
    for path in paths:
        for pattern, zone in _InUse.zones.by_file:
            if fnmatch(path, pattern) or fnmatch(path.rpartition("/")[2], pattern):
                found[path] = zone
                break
    return found


def check_zone(text: str) -> bool:
    """Whether a zone is one that can be read: an offset, a name with one meaning, or a region that this system knows."""
    if is_region(text):
        return region_seconds(text, 0) is not None
    offset = offset_seconds(text)
    return offset is not None and offset != NONE_SUCH


def is_name(text: str) -> bool:
    """Whether times are written with this name of a zone."""
    return text in _HOURS or text in _SEVERAL


def offset_seconds(text: str) -> int | None:
    """Seconds east of UTC of a zone as ZONE knows it; None for a region and a name of several; NONE_SUCH for no offset."""
    text = text.strip()
    text = _InUse.zones.names.get(text, text)
    hours = _HOURS.get(text)
    if hours is not None:
        return round(hours * 3600)
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = int(found[2]), int(found[3] or 0), int(found[4] or 0)
    if hour > 18 or minute > 59 or second > 59:
        return NONE_SUCH
    return (hour * 3600 + minute * 60 + second) * (-1 if found[1] == "-" else 1)


def is_region(text: str) -> bool:
    """Whether the zone is named by its region, as in `Europe/Berlin`: its offset depends on the day."""
    text = text.strip()
    return _BY_REGION.fullmatch(_InUse.zones.names.get(text, text)) is not None


def region_seconds(text: str, local_hour: int) -> int | None:
    """Seconds east of UTC in a region at a local time (hours since 1970); None for a region that the system lacks."""
    text = text.strip()
    return _region_seconds(_InUse.zones.names.get(text, text), local_hour)


@lru_cache(maxsize=4096)
def _region_seconds(text: str, local_hour: int) -> int | None:
    try:
        zone = ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=local_hour)).replace(tzinfo=zone)
    offset = local.utcoffset()
    return None if offset is None else int(offset.total_seconds())


def marked(inner: pl.Series, stamps: pl.Series) -> pl.Series:
    """The insides of JSON objects with the zone of each written time that could not be read, as it is written."""
    zone = stamps.str.extract(_UNKNOWN, 1)
    if _InUse.zones.names:
        zone = zone.set(zone.is_in(list(_InUse.zones.names)).fill_null(value=False), None)
    if stamps.str.contains("/[A-Z]").any():
        zone = zone.to_frame("zone").select(pl.coalesce("zone", _lacking(stamps).alias("region")))["zone"]
    if zone.null_count() == len(zone):
        return inner.alias("attributes")
    return attributes.join_inner([inner, '"timezone_unknown":"' + zone + '"'], len(inner))


def _lacking(stamps: pl.Series) -> pl.Series:
    """The region in each written time that this system does not know."""
    regions = stamps.str.extract(rf"({_REGION})", 1)
    known = [region for region in regions.unique().drop_nulls().to_list() if region_seconds(region, 0) is not None]
    return regions.set(regions.is_in(known).fill_null(value=False), None)
