"""Arrivals: how late each source's lines come, and since when we could have heard it; so that what we did not take in,
or what is still on its way, is no silence."""

import msgspec
import polars as pl

from sentinel.detect.silence.attention import Attention

__all__ = ["Arrivals"]

BACKFILL_S = 3600.0
MAX_SOURCES = 10_000  # whose newest time is kept; the one longest unheard of gives way
MAX_PAUSE_S = 15.0  # rounds come each second; one that comes later means that nobody listened
MIN_LAG_S = 2.0
KEPT_LAGS = 2.0  # a source that sends in bursts is known as late for so many of its lags
HOLD_S = 60.0


class _Lag(msgspec.Struct, frozen=True):
    """How late the lines of a source came, and until when it is taken to be so."""

    lag_s: float
    until_s: float


class Arrivals:
    """What one reader knows of how records come in. Times are Unix times in seconds."""

    def __init__(self, now_s: float, kept: bytes | None = None) -> None:
        self._since_s = self._turn_s = now_s
        self._caught_up: dict[str, float] = {}  # a source's lines of the time when nobody listened came up to then
        self._lags = msgspec.json.decode(kept, type=dict[str, _Lag]) if kept else {}
        self._newest: dict[str, int] = {}

    def to_json(self) -> bytes:
        """What a restart needs: how late sources are."""
        return msgspec.json.encode(self._lags)

    def begin(self, now_s: float) -> None:
        """Nothing counts as missing that should have come before now."""
        self._since_s = self._turn_s = now_s

    def turn(self, now_s: float) -> None:
        """Somebody listens: what should have come since the last turn is missing, unless that was long ago."""
        if not 0 <= now_s - self._turn_s <= MAX_PAUSE_S:
            self.begin(now_s)
        self._turn_s = now_s

    def attention(self) -> Attention:
        """Since when lines count as missing, and how late they come, by source."""
        known = {
            source: (self._caught_up.get(source, 0.0), self._lags[source].lag_s if source in self._lags else 0.0)
            for source in self._caught_up.keys() | self._lags.keys()
        }
        return Attention(self._since_s, known)

    def note(self, frame: pl.DataFrame, now_s: float) -> pl.Series:
        """Take note of records; which of them lie more than an hour behind the newest of their source: backfills, left
        to batch scoring.
        """
        times = frame["timestamp"].dt.epoch("s").to_list()
        arrived = frame["received"].dt.epoch("s").to_list()
        late = []
        for name, second, arrival in zip(frame["source"].to_list(), times, arrived, strict=True):
            source = name or ""
            known = second if arrival is None else min(second, arrival)  # a clock far ahead makes no one else late
            newest = self._newest.pop(source, known)
            late.append(second < newest - BACKFILL_S)
            self._newest[source] = max(newest, known)
            if not late[-1] and arrival is not None:
                self._note_lag(source, second, arrival, now_s, is_next=second >= newest)
        for kept in (self._newest, self._caught_up, self._lags):
            for source in list(kept)[: max(len(kept) - MAX_SOURCES, 0)]:
                del kept[source]
        for source in [source for source, lag in self._lags.items() if lag.until_s < now_s]:
            del self._lags[source]
        return pl.Series("late", late, dtype=pl.Boolean)

    def _note_lag(self, source: str, second: int, arrival: int, now_s: float, *, is_next: bool) -> None:
        lag_s = float(arrival - second)
        if second < self._since_s <= arrival + 1:  # written while nobody listened
            self._caught_up[source] = now_s
        elif is_next and lag_s >= MIN_LAG_S and (source not in self._lags or self._lags[source].lag_s <= lag_s):
            self._lags[source] = _Lag(lag_s, now_s + KEPT_LAGS * lag_s + HOLD_S)
