"""What the settings say of zones: their text in, checked `Zones` out."""

from collections.abc import Iterator

from sentinel.errors import SettingsError
from sentinel.parse.zones import Zones, check_zone, is_name

__all__ = ["zones_of"]

_ZONE, _NAMES = "LOG_SENTINEL_TIMEZONE", "LOG_SENTINEL_TIMEZONE_NAMES"


def zones_of(zone: str | None, names: str | None) -> Zones:
    """`Europe/Berlin,legacy*.log=America/Sao_Paulo` and `IST=Asia/Kolkata` as they are used; None says nothing.

    Raises SettingsError for a zone that is none, a name that no time is written with, and a second zone for all.
    """
    default, by_file = None, []
    for entry in _entries(zone):
        pattern, sign, found = entry.rpartition("=")
        _check(found.strip(), _ZONE)
        if sign:
            by_file.append((pattern.strip(), found.strip()))
        elif default is None:
            default = found.strip()
        else:
            raise SettingsError(f"read {_ZONE}: {default} and {found} are both for all files; leave one out")
    meant = {}
    for entry in _entries(names):
        name, sign, found = entry.partition("=")
        if not sign or not is_name(name.strip()):
            raise SettingsError(f"read {_NAMES}: {entry!r} names no zone that is read; write e.g. IST=Asia/Kolkata")
        _check(found.strip(), _NAMES)
        meant[name.strip()] = found.strip()
    return Zones(default, tuple(by_file), meant)


def _entries(text: str | None) -> Iterator[str]:
    return filter(None, map(str.strip, (text or "").split(",")))


def _check(zone: str, setting: str) -> None:
    if not check_zone(zone):
        raise SettingsError(f"read {setting}: {zone!r} is no zone that is known; write Europe/Berlin, +05:30 or CET")
