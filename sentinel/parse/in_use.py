"""How lines are read in this process: what its settings say, with the defaults of a process that has none."""

from dataclasses import dataclass, field

from sentinel.errors import SettingsError
from sentinel.parse.rules import Rule
from sentinel.parse.secrets import KINDS
from sentinel.parse.zones import Zones, use_zones

__all__ = ["ALL_KINDS", "Reading", "kinds_of", "reading", "use"]

ALL_KINDS = frozenset(KINDS)


@dataclass(frozen=True, slots=True)
class Reading:
    """What differs from one installation to the next."""

    mask: frozenset[str] = ALL_KINDS  # kinds of secrets that are masked
    formats: tuple[Rule, ...] = ()  # formats of the user's own, asked before all others
    zones: Zones = field(default_factory=Zones)


class _InUse:
    reading = Reading()


def use(new: Reading) -> None:
    """Read like this from now on."""
    _InUse.reading = new
    use_zones(new.zones)


def reading() -> Reading:
    """How lines are read now."""
    return _InUse.reading


def kinds_of(text: str) -> frozenset[str]:
    """The kinds of secrets that a setting names: `all`, `none`, or some with commas. Raises SettingsError."""
    names = frozenset(filter(None, (name.strip().lower().replace("-", "_") for name in text.split(","))))
    if names == {"all"}:
        return ALL_KINDS
    if names == {"none"}:
        return frozenset()
    unknown = sorted(names - ALL_KINDS)
    if unknown or not names:
        what = f"{', '.join(unknown)} is no kind of secret" if unknown else "names nothing"
        raise SettingsError(f"read LOG_SENTINEL_MASK: {what}; give all, none, or some of {', '.join(KINDS)}")
    return names
