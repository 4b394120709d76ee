"""Watch what came regularly in training: a line that does not come cannot be scored, so a timer asks for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from sentinel.detect.hashing import hash_text
from sentinel.detect.jit import Booleans, Floats, Hashes
from sentinel.records import RECORD_SCHEMA, VERDICT_SCHEMA

if TYPE_CHECKING:
    from sentinel.detect.model import Model

__all__ = ["Watch", "learn_watch"]

MIN_LINES = 30
MAX_IRREGULARITY = 3.0  # a template is regular when 98 % of its gaps are at most so many medians
MEDIANS, LONGEST = 2.0, 1.5  # its deadline: the greater of so many medians and of so many longest gaps
MAX_WATCHED = 2_000
NAMES = "deadline_s median_s longest_s lines".split()
DEADLINE, MEDIAN = 0, 1


def learn_watch(times: Floats, templates: Hashes, sources: Hashes, use: Booleans) -> tuple[Hashes, Floats]:
    """What to watch: (w, 2) template and source, (w, 4) deadline, median gap, longest gap (seconds) and lines."""
    keys, rows = [], []
    t, pair = times[use], np.column_stack([templates, sources])[use]
    if len(t) >= MIN_LINES:
        distinct, group, counts = np.unique(pair, axis=0, return_inverse=True, return_counts=True)
        span = float(t.max() - t.min())
        order = np.argsort(group.ravel(), kind="stable")
        ends = np.cumsum(counts)
        for g in np.flatnonzero(counts >= MIN_LINES):
            gaps = np.diff(np.sort(t[order[ends[g] - counts[g] : ends[g]]]))
            median, longest = float(np.median(gaps)), float(gaps.max())
            deadline = max(MEDIANS * median, LONGEST * longest)
            if median > 0 and np.quantile(gaps, 0.98) <= MAX_IRREGULARITY * median and deadline * 10 < span:
                keys.append(distinct[g])
                rows.append((deadline, median, longest, float(counts[g])))
    keys_array = np.array(keys[:MAX_WATCHED], np.uint64).reshape(-1, 2)
    return keys_array, np.array(rows[:MAX_WATCHED], np.float64).reshape(-1, 4)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


class Watch:
    """When each watched template was last seen in its source, and which of them are silent now."""

    def __init__(self, keys: Hashes, rows: Floats) -> None:
        self._keys = [(int(a), int(b)) for a, b in keys.tolist()]
        self._templates = np.sort(keys[:, 0]) if len(keys) else np.zeros(0, np.uint64)
        self._rows = dict(zip(self._keys, rows.tolist(), strict=True))
        self._last: dict[tuple[int, int], float] = {}
        self._silent: dict[tuple[int, int], float] = {}
        self._back: list[tuple[tuple[int, int], float, float]] = []

    def saw(self, templates: Hashes, sources: Hashes, times: Floats) -> None:
        """Take note of lines."""
        if not self._keys:
            return
        places = np.searchsorted(self._templates, templates)
        places[places == len(self._templates)] = 0
        rows = np.flatnonzero(self._templates[places] == templates)
        pairs = templates[rows] * np.uint64(0x9E3779B97F4A7C15) ^ sources[rows]
        _, first, group = np.unique(pairs, return_index=True, return_inverse=True)
        newest = np.full(len(first), -np.inf)
        np.maximum.at(newest, group, times[rows])
        for i, t in zip(rows[first].tolist(), newest.tolist(), strict=True):
            self._saw_one((int(templates[i]), int(sources[i])), float(times[i]), t)

    def _saw_one(self, key: tuple[int, int], first_s: float, newest_s: float) -> None:
        if key in self._rows:
            since = self._silent.pop(key, None)
            if since is not None:
                self._back.append((key, since, first_s))
            self._last[key] = max(self._last.get(key, newest_s), newest_s)

    def tick(self, now: datetime, model: "Model", threshold_nats: float) -> tuple[pl.DataFrame, pl.DataFrame]:
        """(records, verdicts): one `silence` for each outage that has begun, one `rate_drop` verdict when it ends."""
        found: list[tuple[dict[str, Any], dict[str, Any]]] = []
        make = _maker(model, threshold_nats)
        for key, since, until in self._back:
            found.append(make(key, since, until, self._rows[key], False))
        self._back.clear()
        now_s = now.timestamp()
        for key, row in self._rows.items():
            last = self._last.get(key)
            if last is not None and key not in self._silent and now_s - last > row[DEADLINE]:
                self._silent[key] = last
                found.append(make(key, last, now_s, row, True))
        records = pl.DataFrame([a for a, _ in found], schema=RECORD_SCHEMA)
        return records, pl.DataFrame([b for _, b in found], schema=VERDICT_SCHEMA)

    def parts(self) -> dict[str, list[list[float | int]]]:
        """What was seen, for JSON."""
        return {
            "last": [[*key, t] for key, t in self._last.items()],
            "silent": [[*key, t] for key, t in self._silent.items()],
        }

    def restore(self, parts: dict[str, list[list[float | int]]]) -> None:
        """Take up what `parts` gave; what is not watched by this model is let go."""
        self._last = {(int(a), int(b)): float(t) for a, b, t in parts["last"] if (int(a), int(b)) in self._rows}
        self._silent = {(int(a), int(b)): float(t) for a, b, t in parts["silent"] if (int(a), int(b)) in self._rows}


_Made = tuple[dict[str, Any], dict[str, Any]]


def _maker(
    model: "Model", threshold_nats: float
) -> Callable[[tuple[int, int], float, float, list[float], bool], _Made]:
    from sentinel.detect.model import nats_to_score

    texts = dict(zip(model.template_keys.tolist(), model.template_texts, strict=True))
    names = dict(zip(model.source_hashes.tolist(), model.source_names, strict=True))

    def make(key: tuple[int, int], since: float, until: float, row: list[float], begins: bool) -> _Made:
        template, source = texts.get(key[0], ""), names.get(key[1], "")
        nats = max(8.0, threshold_nats + 0.5) if begins else 0.0  # an end is news, not an alarm
        moment = datetime.fromtimestamp(until, UTC)
        gap, usual = _duration(until - since), _duration(row[MEDIAN])
        said = f"no line {template!r} from {source} for {gap}" if begins else f"{template!r} from {source} is back"
        event_id = f"{hash_text(f'{key[0]}/{key[1]}'):016x}"[:12] + f"{int(since):010d}"
        record = {
            "event_id": event_id if begins else event_id[:-1] + "r",
            "timestamp": moment,
            "received": moment,
            "partition": moment.strftime("%Y.%m"),
            "level": "warn" if begins else "info",
            "source": source,
            "message": said,
            "origin": "watchdog",
        }
        reason = f"silent for {gap}; it came every {usual} in training, the longest gap was {_duration(row[2])}"
        verdict = {
            "anomaly_score": nats_to_score(nats),
            "nats": nats,
            "threshold": nats_to_score(threshold_nats),
            "is_anomaly": begins,
            "kind": "silence" if begins else None,
            "reasons": [reason] if begins else [f"back after a silence of {gap}"],
            "template": template,
            "model_version": model.version,
            "confidence": model.confidence,
        }
        return {name: record.get(name) for name in RECORD_SCHEMA}, verdict

    return make
