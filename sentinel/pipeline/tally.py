"""What was seen in service, by template and by source: how many lines, since when, until when, and how many an hour."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import polars as pl

from sentinel.errors import SentinelError
from sentinel.spool import Spool, Transaction

__all__ = ["Seen", "Tally"]

HOUR_S = 3_600
HOURS = 24
MAX_NAMES = 3_000  # of templates and of sources; the one unseen for longest gives way
MAX_TEXT = 300
BLOB = "tally"


class Seen(msgspec.Struct):
    """One template or source. `hours` are the lines of the last HOURS hours, the newest last, up to `hour`."""

    count: int
    first_s: float  # Unix times of its first and last line
    last_s: float
    hour: int  # hours since 1970 of the last entry of `hours`
    hours: list[int]
    gap_s: float = 0.0  # mean seconds between its lines of late; 0 before the second
    line: str = ""  # the newest that was no anomaly, and when that was; 0 before the first
    normal_s: float = 0.0

    def add(self, lines: int, first_s: float, last_s: float) -> None:
        """Some lines more."""
        hour = int(last_s // HOUR_S)
        ahead = hour - self.hour
        if ahead > 0:
            self.hours = (self.hours + [0] * min(ahead, HOURS))[-HOURS:]
            self.hour = hour
        place = len(self.hours) - 1 + min(ahead, 0)
        if 0 <= place < len(self.hours):
            self.hours[place] += lines
        if last_s > self.last_s:
            gap_s = (last_s - self.last_s) / lines
            self.gap_s = gap_s if self.gap_s == 0.0 else 0.9 * self.gap_s + 0.1 * gap_s
        self.count += lines
        self.first_s, self.last_s = min(self.first_s, first_s), max(self.last_s, last_s)


class _Kept(msgspec.Struct):
    templates: dict[str, Seen]
    sources: dict[str, Seen]


@dataclass(slots=True)
class Tally:
    """Counts that one thread adds to and others read."""

    templates: dict[str, Seen] = field(default_factory=dict)
    sources: dict[str, Seen] = field(default_factory=dict)
    normals: int = 0  # how many templates got their first normal line since it was loaded
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, spool: Spool) -> "Tally":
        """What the spool keeps; empty where that is nothing, or of another version."""
        kept = spool.blob(BLOB)
        try:
            found = msgspec.msgpack.decode(kept, type=_Kept) if kept else _Kept({}, {})
        except (msgspec.MsgspecError, SentinelError):
            found = _Kept({}, {})
        return cls(found.templates, found.sources)

    def save(self, tx: Transaction) -> None:
        """Keep it in the spool: with the reader's position, so that a line counts once."""
        with self._lock:
            content = msgspec.msgpack.encode(_Kept(self.templates, self.sources))
        tx.put_blob(BLOB, content)

    def add(self, lines: pl.DataFrame) -> None:
        """Count lines: columns `template`, `source`, `timestamp`, `message`, `is_anomaly`."""
        with self._lock:
            for name, known in (("template", self.templates), ("source", self.sources)):
                _add(known, _counted(lines, name))
            for template, line, at_s in _normal(lines):
                if (seen := self.templates.get(template)) is not None and at_s >= seen.normal_s:
                    self.normals += not seen.normal_s
                    seen.line, seen.normal_s = line, at_s

    def normal(self, template: str) -> Seen | None:
        """What is known of a template, where a normal line of it was seen."""
        seen = self.templates.get(template[:MAX_TEXT])
        return seen if seen is not None and seen.normal_s else None

    def normal_templates(self) -> list[str]:
        """The templates of which a normal line was seen."""
        with self._lock:
            return [template for template, seen in self.templates.items() if seen.normal_s]

    def rows(self, which: str) -> list[dict[str, object]]:
        """Templates or sources (`which`) as they are now, the most frequent first, each with its share of all lines."""
        with self._lock:
            known = dict(self.templates if which == "template" else self.sources)
        total = sum(seen.count for seen in known.values()) or 1
        found = sorted(known.items(), key=lambda pair: (-pair[1].count, pair[0]))
        return [
            {
                which: name,
                "count": seen.count,
                "share": seen.count / total,
                "first_s": seen.first_s,
                "last_s": seen.last_s,
                "trend": list(seen.hours),
                "trend_end_s": (seen.hour + 1) * HOUR_S,
                "gap_s": seen.gap_s,
            }
            for name, seen in found
        ]


def _counted(lines: pl.DataFrame, name: str) -> Iterable[tuple[str, int, float, float]]:
    at = pl.col("timestamp").dt.epoch("ms") / 1000.0
    grouped = lines.group_by(pl.col(name).fill_null("").str.slice(0, MAX_TEXT), maintain_order=True)
    return grouped.agg(pl.len(), at.min().alias("first"), at.max().alias("last")).iter_rows()


def _normal(lines: pl.DataFrame) -> Iterable[tuple[str, str, float]]:
    """(template, its newest line that is no anomaly, Unix time of that)."""
    at = (pl.col("timestamp").dt.epoch("ms") / 1000.0).alias("at")
    grouped = lines.filter(~pl.col("is_anomaly")).group_by(pl.col("template").fill_null("").str.slice(0, MAX_TEXT))
    newest = pl.col("message").fill_null("").str.slice(0, MAX_TEXT).last()
    return grouped.agg(newest, at.last()).iter_rows()


def _add(known: dict[str, Seen], counted: Iterable[tuple[str, int, float, float]]) -> None:
    for name, lines, first_s, last_s in counted:
        seen = known.pop(name, None)
        if seen is None:
            seen = Seen(lines, first_s, last_s, int(last_s // HOUR_S), [0] * (HOURS - 1) + [lines])
        else:
            seen.add(lines, first_s, last_s)
        known[name] = seen  # the last one seen stands last
    for name in list(known)[: max(0, len(known) - MAX_NAMES)]:
        del known[name]
