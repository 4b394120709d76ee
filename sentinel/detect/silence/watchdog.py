"""Watch what came regularly in training: a line that does not come cannot be scored, so a timer asks for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
import polars as pl

from sentinel.detect.judge.nats import Judge, nats_to_score
from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.kernel.jit import Booleans, Floats, Hashes
from sentinel.detect.silence.attention import Attention
from sentinel.detect.tuning.silence import (
    FEW_GAPS,
    IRREGULARITY,
    LONGEST,
    MAX_WATCHED,
    MEDIANS,
    MIN_GAPS,
    MIN_LINES,
    OUTAGE,
    STRIDES,
)
from sentinel.records import RECORD_SCHEMA, VERDICT_SCHEMA

__all__ = ["Watch", "learn_watch"]

NAMES = "deadline_s median_s longest_s stride".split()
DEADLINE, MEDIAN, LONGEST_GAP, STRIDE = 0, 1, 2, 3
ALWAYS = Attention()


def learn_watch(times: Floats, templates: Hashes, sources: Hashes, use: Booleans) -> tuple[Hashes, Floats]:
    """What to watch: (w, 2) template and source, (w, 4) deadline, median gap, longest gap (seconds) and stride.

    A gap is the time from a line to the stride-th after it: 1 for a heartbeat, more where single gaps are irregular.
    Where a line that may not teach (`use`) lies in between, it is none.
    """
    keys, rows = [], []
    if np.count_nonzero(use) >= MIN_LINES:
        _, first, group, counts = np.unique(
            _pairs(templates, sources), return_index=True, return_inverse=True, return_counts=True
        )
        distinct = np.column_stack([templates[first], sources[first]])
        span = float(np.ptp(times[use]))
        order = np.lexsort((times, group))
        ends = np.cumsum(counts)
        for g in np.flatnonzero(np.bincount(group, use) >= MIN_LINES):
            mine = order[ends[g] - counts[g] : ends[g]]
            row = _rhythm(times[mine], use[mine], span)
            if row is not None:
                keys.append(distinct[g])
                rows.append(row)
    keys_array = np.array(keys[:MAX_WATCHED], np.uint64).reshape(-1, 2)
    return keys_array, np.array(rows[:MAX_WATCHED], np.float64).reshape(-1, 4)


def _rhythm(times: Floats, use: Booleans, span: float) -> tuple[float, float, float, float] | None:
    """A row of `learn_watch` for sorted times, None where they have no rhythm."""
    places = np.flatnonzero(use)
    t = times[places]
    for stride in STRIDES:
        whole = places[stride:] - places[:-stride] == stride
        gaps, many = (t[stride:] - t[:-stride])[whole], int(stride > 1)
        if len(gaps) < (MIN_GAPS * stride if many else MIN_LINES - 1):
            return None
        median = float(np.median(gaps))
        if median > 0 and np.quantile(gaps, 0.98) <= IRREGULARITY[many] * median:
            longest = _longest(gaps, stride, OUTAGE[many])
            deadline = max(MEDIANS * median, (LONGEST[many] + FEW_GAPS * stride / len(gaps)) * longest)
            return (deadline, median, longest, float(stride)) if deadline * 10 < span else None
    return None


def _longest(gaps: Floats, stride: int, outage: float) -> float:
    """The longest gap, but for one outage in training: it must not set the deadline of the next."""
    at = int(np.argmax(gaps))
    others = np.concatenate([gaps[: max(at - stride, 0)], gaps[at + stride + 1 :]])
    longest = float(gaps[at])
    return float(others.max()) if len(others) >= 100 and longest > outage * others.max() else longest


def _pairs(templates: Hashes, sources: Hashes) -> Hashes:
    """(n,) one number for template and source."""
    return templates * np.uint64(0x9E3779B97F4A7C15) ^ sources


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


class Known(Judge, Protocol):
    """A model as far as a silence is told: the texts of templates and the names of sources, each with its hash."""

    @property
    def template_keys(self) -> Hashes: ...
    @property
    def template_texts(self) -> tuple[str, ...]: ...
    @property
    def source_hashes(self) -> Hashes: ...
    @property
    def source_names(self) -> tuple[str, ...]: ...


class Watch:
    """When the last lines of each watched template came in its source, and which of them are silent now."""

    def __init__(self, keys: Hashes, rows: Floats) -> None:
        self._keys = [(int(a), int(b)) for a, b in keys.tolist()]
        self._templates = np.sort(keys[:, 0]) if len(keys) else np.zeros(0, np.uint64)
        self._rows = dict(zip(self._keys, rows.tolist(), strict=True))
        self._last: dict[tuple[int, int], list[float]] = {}
        self._silent: dict[tuple[int, int], float] = {}
        self._back: list[tuple[tuple[int, int], float, float]] = []

    def saw(self, templates: Hashes, sources: Hashes, times: Floats) -> None:
        """Take note of lines."""
        if len(times) == 1:
            self._saw_one((int(templates[0]), int(sources[0])), times.tolist())
        if not self._keys or len(times) < 2:
            return
        places = np.searchsorted(self._templates, templates)
        places[places == len(self._templates)] = 0
        rows = np.flatnonzero(self._templates[places] == templates)
        pairs = _pairs(templates[rows], sources[rows])
        order = np.argsort(pairs, kind="stable")
        for mine in np.split(rows[order], np.flatnonzero(np.diff(pairs[order])) + 1):
            if len(mine):
                self._saw_one((int(templates[mine[0]]), int(sources[mine[0]])), times[mine].tolist())

    def _saw_one(self, key: tuple[int, int], times: list[float]) -> None:
        row = self._rows.get(key)
        if row is None:
            return
        stride = int(row[STRIDE])
        last = sorted([*self._last.get(key, ()), *times])[-stride:]
        self._last[key] = last
        if key in self._silent and (stride == 1 or last[-1] - last[0] <= row[LONGEST_GAP]):
            self._back.append((key, self._silent.pop(key), min(times) if stride == 1 else last[-1]))

    def forget_overdue(self, now_s: float) -> None:
        """Forget what is missing already: it came to those who taught, it is not known to come here."""
        self._last = {key: last for key, last in self._last.items() if now_s - last[0] <= self._rows[key][DEADLINE]}
        self._silent.clear()

    def tick(
        self, now: datetime, model: Known, threshold_nats: float, attention: Attention = ALWAYS
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """(records, verdicts): a `silence` or `rate_drop` for each outage that has begun, a verdict when it ends.

        What could not be heard by `attention` is no outage.
        """
        found: list[tuple[dict[str, Any], dict[str, Any]]] = []
        make = _maker(model, threshold_nats)
        for key, since, until in self._back:
            found.append(make(key, since, until, self._rows[key], ENDS))
        self._back.clear()
        now_s, names = now.timestamp(), dict(zip(model.source_hashes.tolist(), model.source_names, strict=True))
        for key, row in self._rows.items():
            last = [min(t, now_s) for t in self._last.get(key, ())]  # a clock that is ahead must not hide a silence
            if last:
                self._last[key] = last
            if len(last) < row[STRIDE] or key in self._silent:
                continue
            if attention.missing_s(names.get(key[1], ""), last[0], now_s) > row[DEADLINE]:
                self._silent[key] = last[0]
                silent = row[STRIDE] == 1 or now_s - last[-1] > 0.5 * row[DEADLINE]
                found.append(make(key, last[-1] if silent else last[0], now_s, row, SILENCE if silent else DROP))
        records = pl.DataFrame([a for a, _ in found], schema=RECORD_SCHEMA)
        return records, pl.DataFrame([b for _, b in found], schema=VERDICT_SCHEMA)

    def parts(self) -> dict[str, list[list[float | int]]]:
        """What was seen, for JSON."""
        return {
            "last": [[*key, *times] for key, times in self._last.items()],
            "silent": [[*key, t] for key, t in self._silent.items()],
        }

    def restore(self, parts: dict[str, list[list[float | int]]]) -> None:
        """Take up what `parts` gave; what is not watched by this model is let go."""
        for a, b, *times in parts["last"]:
            row = self._rows.get((int(a), int(b)))
            if row is not None:
                self._last[int(a), int(b)] = [float(t) for t in times][-int(row[STRIDE]) :]
        self._silent = {(int(a), int(b)): float(t) for a, b, t in parts["silent"] if (int(a), int(b)) in self._rows}


SILENCE, DROP, ENDS = "silence", "rate_drop", None


def _told(template: str, source: str, seconds: float, row: list[float], kind: str | None) -> tuple[str, str]:
    """(message, reason) of an outage that begins, by its kind, or ends."""
    gap, usual, longest = _duration(seconds), _duration(row[MEDIAN]), _duration(row[LONGEST_GAP])
    stride = int(row[STRIDE])
    if kind is ENDS:
        return f"{template!r} from {source} is back", f"back after an outage of {gap}"
    if kind == DROP:
        few = (
            f"fewer than {stride} lines in {gap}; so many came every {usual} in training, within {longest} at the most"
        )
        return f"fewer than {stride} lines {template!r} from {source} in {gap}", few
    many = "it" if stride == 1 else f"{stride} lines"
    reason = f"silent for {gap}; {many} came every {usual} in training, the longest gap was {longest}"
    return f"no line {template!r} from {source} for {gap}", reason


_Made = tuple[dict[str, Any], dict[str, Any]]


def _maker(
    model: Known, threshold_nats: float
) -> Callable[[tuple[int, int], float, float, list[float], str | None], _Made]:
    texts = dict(zip(model.template_keys.tolist(), model.template_texts, strict=True))
    names = dict(zip(model.source_hashes.tolist(), model.source_names, strict=True))

    def make(key: tuple[int, int], since: float, until: float, row: list[float], kind: str | None) -> _Made:
        begins = kind is not None
        template, source = texts.get(key[0], ""), names.get(key[1], "")
        nats = max(8.0, threshold_nats + 0.5) if begins else 0.0  # an end is news, not an alarm
        moment = datetime.fromtimestamp(until, UTC)
        said, reason = _told(template, source, until - since, row, kind)
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
        verdict = {
            "anomaly_score": nats_to_score(nats),
            "nats": nats,
            "threshold": nats_to_score(threshold_nats),
            "is_anomaly": begins,
            "kind": kind,
            "reasons": [reason],
            "template": template,
            "model_version": model.version,
            "confidence": model.confidence,
        }
        return {name: record.get(name) for name in RECORD_SCHEMA}, verdict

    return make
