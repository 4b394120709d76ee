"""How loud: the threshold of all and of single sources, and which threshold keeps to so many incidents a day."""

import math
from collections.abc import Sequence

import msgspec

__all__ = ["MAX_NATS", "MIN_NATS", "Level", "Loudness", "nats_for"]

MIN_NATS, MAX_NATS = 2.0, 200.0


class Level(msgspec.Struct, frozen=True):
    """A threshold that a person set; `alerts_per_day` where it came from a budget."""

    nats: float
    alerts_per_day: float | None = None


class Loudness(msgspec.Struct, frozen=True):
    """What a person set: for all, and for single sources."""

    everywhere: Level | None = None
    sources: dict[str, Level] = {}

    def nats(self, setting: float, source: str | None = None) -> float:
        """The threshold in force for a source (None: for all the others); `setting` where nothing is kept."""
        level = self.sources.get(source or "", self.everywhere) if source is not None else self.everywhere
        return level.nats if level is not None else setting

    def lowest(self, setting: float) -> float:
        """The least threshold that is in force anywhere."""
        return min([self.nats(setting), *(level.nats for level in self.sources.values())])


def nats_for(alerts_per_day: float, peaks: Sequence[float], days: float, shown_from: float) -> float:
    """The threshold at which `peaks` (of the incidents of some days, in nats) are at most so many a day.

    Below `shown_from` no incident was ever told: there are taken to be e times as many for each nat less, as in
    normal traffic, of which nats are −ln p.
    """
    allowed = alerts_per_day * days
    ordered = sorted(peaks, reverse=True)
    if len(ordered) > allowed:
        first_left_out = ordered[math.floor(allowed)]
        return min(max(math.nextafter(first_left_out, math.inf), MIN_NATS), MAX_NATS)
    more = math.log(allowed / max(len(ordered), 1))
    return min(max(shown_from - more, MIN_NATS), MAX_NATS)
