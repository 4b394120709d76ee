"""Scoring: lines a CPU second of a batch beside Drain3 alone, latency of one line, one row of the forest."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from benchmarks import drain3_peer
from benchmarks.lines import as_records, fleet_frame, parsed, public_logs, syslog_bytes
from benchmarks.measure import Figure, Skipped, alone, pair
from sentinel.detect import One, Scorer
from sentinel.detect.learn.fit import Trained, fit
from sentinel.simulate import inject

KNOWN = 20_000
ASKED = 40_000
CALLS = 4_000
NOW = datetime(2026, 11, 23, tzinfo=UTC)
WORDS = 2_000


@dataclass(frozen=True)
class Case:
    """What a model learns from, and raw lines by file that it is asked about."""

    name: str
    known: pl.DataFrame
    asked: dict[str, list[bytes]]


def run(rounds: int) -> list[Figure]:
    figures = [figure for case in _cases() for figure in _batch(case, rounds)]
    trained = fit(as_records(fleet_frame(KNOWN)), now=NOW)
    return [*figures, *_one_line(trained, rounds), *_one_row(trained, rounds)]


def _cases() -> Iterator[Case]:
    lines = syslog_bytes(KNOWN + ASKED).splitlines()
    yield Case("fleet", parsed(lines[:KNOWN], "fleet"), {"fleet": lines[KNOWN:]})
    yield Case("fleet, a form a line", parsed(lines[:KNOWN], "fleet"), {"fleet": _own_forms(lines[KNOWN:])})
    logs = public_logs()
    if logs:
        halves = {name: len(found) // 2 for name, found in logs.items()}
        known = pl.concat(parsed(found[: halves[name]], name) for name, found in logs.items())
        yield Case("public logs", known, {name: found[halves[name] :] for name, found in logs.items()})


def _own_forms(lines: Sequence[bytes]) -> list[bytes]:
    """Lines of which no two have the same words once their variables are masked: nothing can be remembered."""
    dice = np.random.default_rng(0)
    letters = dice.integers(97, 123, (WORDS, 7), dtype=np.uint8)
    words = [row.tobytes() for row in letters]
    picked = dice.integers(0, WORDS, (len(lines), 2))
    return [line + b" " + words[a] + b" " + words[b] for line, (a, b) in zip(lines, picked, strict=True)]


def _batch(case: Case, rounds: int) -> Iterator[Figure]:
    trained = fit(case.known, now=NOW)
    count = sum(len(lines) for lines in case.asked.values())
    messages = pl.concat(_read(case))["message"]
    ours: dict[str, list[float]] = {"new": [], "again": []}
    peers: dict[str, dict[str, list[float]]] = {masks: {"new": [], "again": []} for masks in ("masks", "no masks")}
    missing = ""
    for number in range(rounds + 1):
        taken = _ours(case, trained)
        for name in ours:
            ours[name] += [count / taken[name]] if number else []
        for masks, rates in peers.items():
            try:
                theirs = drain3_peer.mine(case.known["message"], messages, has_masks=masks == "masks")
            except Skipped as exc:
                missing = str(exc)
                continue
            for name in rates:
                rates[name] += [count / theirs[name]] if number else []
    for name, goal in (("new", "≥ 50 k, ≥ 5 × peer"), ("again", "≥ 100 k, ≥ 5 × peer")):
        what = f"raw line → score, {case.name}, {'new text' if name == 'new' else 'seen before'}"
        if missing:
            yield alone(f"{what} (no peer: {missing})", "lines/CPU s", ours[name], goal)
            continue
        for masks, rates in peers.items():
            yield pair(
                what, "lines/CPU s", ours[name], rates[name], f"Drain3, {masks}", goal if masks == "masks" else ""
            )


def _read(case: Case) -> list[pl.DataFrame]:
    return [parsed(lines, name) for name, lines in case.asked.items()]


def _ours(case: Case, trained: Trained) -> dict[str, float]:
    """CPU seconds of all threads from raw lines to verdicts: text that is new to the scorer, and the same once more."""
    scorer = Scorer(trained.model, trained.state)
    seconds = {}
    for name in ("new", "again"):
        start = time.process_time()
        for records in _read(case):
            scorer.score(records)
        seconds[name] = time.process_time() - start
    return seconds


def _one_line(trained: Trained, rounds: int) -> Iterator[Figure]:
    """Text to score and reasons; one line in some hundred is an attack's, so that reasons are found too."""
    later = fleet_frame(KNOWN + 4 * CALLS)[KNOWN:]
    since, until = later["timestamp"][0], later["timestamp"][-1]
    kinds = ("brute_force", "web_scan", "error_burst", "privilege")
    frame = inject(later, seed=7, kinds=kinds, since=since, until=until).lines.head(CALLS)
    rows = [
        One(row["timestamp"].timestamp(), row["level"], row["source"], row["message"])
        for row in frame.select("timestamp", "level", "source", "message").iter_rows(named=True)
    ]
    scorer = Scorer(trained.model, trained.state)
    calls: dict[str, Callable[[One], object]] = {"looked at": scorer.peek_one, "observed": scorer.score_one}
    for name, call in calls.items():
        taken = [_times(call, rows) for _ in range(rounds + 1)][1:]
        yield alone(f"one line → score and reasons, {name}, p50", "µs", [_at(t, 0.5) for t in taken], "≤ 150 µs")
        yield alone(f"one line → score and reasons, {name}, p99", "µs", [_at(t, 0.99) for t in taken], "≤ 1,000 µs")


def _one_row(trained: Trained, rounds: int) -> Iterator[Figure]:
    trees = trained.model.trees
    assert trees is not None
    dice = np.random.default_rng(0)
    rows = [dice.exponential(1.0, (1, trees.width)) for _ in range(50)]
    ours = [statistics.median(_times(trees.score_samples, rows * 20)) * 1e6 for _ in range(rounds)]
    peer = [statistics.median(_times(trained.forest.score_samples, rows)) * 1e6 for _ in range(rounds)]
    yield pair("forest, one row", "µs", ours, peer, "scikit-learn", "≤ 20 µs")


def _times(call: Callable[..., object], values: Sequence[object]) -> list[float]:
    times = []
    for value in values:
        start = time.perf_counter()
        call(value)
        times.append(time.perf_counter() - start)
    return sorted(times)


def _at(times: Sequence[float], share: float) -> float:
    """A percentile of sorted seconds, in µs."""
    return times[min(int(len(times) * share), len(times) - 1)] * 1e6
