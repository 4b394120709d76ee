"""Figures of one scoring against the truth: ranking, found attacks and their delay, false alarms as people get them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from sentinel.evaluation.case import Case

__all__ = ["Scored", "auroc", "average_precision", "best_f1", "measure", "shapes_of"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

DAY_S = 86_400.0
WAKE_S = 600.0  # after an attack its rates decay: lines in it are counted apart from false alarms
MISSING_SLACK_S = 900.0  # after the end of an attack that takes lines away, an alarm still counts for it


@dataclass(frozen=True, slots=True)
class Scored:
    """What one method said of a case's test lines.

    `scores` (n,): high = strange; `threshold`: fixed before the test was seen; `events`: alarms that no line carries
    (`ours.EVENT_SCHEMA`), from a timer; `verdicts`: the full answers where the method gives them.
    """

    method: str
    scores: Floats
    threshold: float
    events: pl.DataFrame | None = None
    verdicts: pl.DataFrame | None = None
    fit_s: float = 0.0
    score_s: float = 0.0


def auroc(label: Labels, scores: Floats) -> float:
    """The chance that an attack line scores above a normal one, ties half; NaN without both."""
    positive = int((label == 1).sum())
    negative = len(label) - positive
    if not positive or not negative:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2.0
    return float((ranks[inverse][label == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def _curve(label: Labels, scores: Floats) -> tuple[Floats, Floats]:
    """True positives and flagged lines at each distinct score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    return np.cumsum(label[order] == 1)[last].astype(float), (last + 1).astype(float)


def average_precision(label: Labels, scores: Floats) -> float:
    """The area under precision over recall, ties together; NaN without an attack."""
    positive = int((label == 1).sum())
    if not positive:
        return float("nan")
    true, flagged = _curve(label, scores)
    return float((np.diff(np.append(0.0, true)) / positive * true / flagged).sum())


def best_f1(label: Labels, scores: Floats) -> float:
    """The best F1 over all thresholds: no operating point, only an upper bound; NaN without an attack."""
    positive = int((label == 1).sum())
    if not positive:
        return float("nan")
    true, flagged = _curve(label, scores)
    return float((2 * true / (flagged + positive)).max())


def shapes_of(records: pl.DataFrame) -> pl.Series:
    """A number for each source and message shape (figures and long codes left out): the same for every method."""
    text = pl.col("message").str.replace_all(r"[0-9a-fA-F]*\d[0-9a-fA-F.:]*", "#").str.replace_all(r'"[^"]*"|/\S+', "@")
    return records.select(pl.concat_str(pl.col("source").fill_null(""), text).rank("dense").alias("shape"))["shape"]


def measure(case: Case, scored: Scored) -> dict[str, Any]:
    """All figures of one method on one case; `by_kind` holds found, delay in lines and in seconds of each attack."""
    label = case.test["label"].to_numpy().astype(np.int64)
    known = label >= 0
    flagged = scored.scores >= scored.threshold
    true = int((flagged & (label == 1)).sum())
    said, there = int((flagged & known).sum()), int((label == 1).sum())
    attacks = [_attack(case, scored, flagged, row) for row in case.attacks.iter_rows(named=True)]
    with_lines = [a for a in attacks if a["lines"]]
    return {
        "auroc": auroc(label[known], scored.scores[known]),
        "ap": average_precision(label[known], scored.scores[known]),
        "f1_best": best_f1(label[known], scored.scores[known]),
        "f1_own": 2 * true / max(said + there, 1),
        "precision": true / max(said, 1),
        "recall": true / max(there, 1),
        "found": float(np.mean([a["found"] for a in with_lines])) if with_lines else float("nan"),
        "attacks": attacks,
        **_false_alarms(case, scored, flagged, label),
    }


def _attack(case: Case, scored: Scored, flagged: npt.NDArray[np.bool_], attack: dict[str, Any]) -> dict[str, Any]:
    own = np.flatnonzero((case.test["attack"] == attack["attack"]).fill_null(value=False).to_numpy())
    hits = own[flagged[own]]
    result = {"attack": attack["attack"], "kind": attack["kind"], "lines": len(own), "found": len(hits) > 0}
    if len(own) == 0:
        late_s = _first_event(scored, attack, case, flagged)
        return {**result, "found": late_s is not None, "delay_lines": None, "delay_s": late_s}
    if len(hits) == 0:
        told = _of_sessions(scored.events, case, own)
        if told.is_empty():
            return {**result, "delay_lines": None, "delay_s": None}
        late = (told["said"].min() - case.test["timestamp"][int(own[0])]).total_seconds()
        said = {"said_kind": told["kind"][0], "said": told["reasons"][0][0]}
        return {**result, "found": True, "delay_lines": len(own), "delay_s": late, **said}
    times = case.test["timestamp"].dt.epoch("us").to_numpy() / 1e6
    delay_s = float(times[hits[0]] - times[own[0]])
    verdict = {} if scored.verdicts is None else scored.verdicts.select("kind", "reasons").row(int(hits[0]), named=True)
    said = {"said_kind": verdict.get("kind"), "said": (verdict.get("reasons") or [None])[0]}
    return {**result, "delay_lines": int(np.searchsorted(own, hits[0])), "delay_s": delay_s, **said}


def _of_sessions(events: pl.DataFrame | None, case: Case, own: npt.NDArray[np.int64]) -> pl.DataFrame:
    """The verdicts on whole sessions, told by a timer, whose last line is one of these."""
    if events is None:
        return pl.DataFrame()
    return events.filter(pl.col("last_event").is_in(case.test["event_id"][own].to_list()))


def _first_event(scored: Scored, attack: dict[str, Any], case: Case, flagged: npt.NDArray[np.bool_]) -> float | None:
    """Seconds from the start of an attack without lines to the first alarm about its source, or None."""
    until = attack["end"] + pl.select(pl.duration(seconds=MISSING_SLACK_S)).item()
    lines = case.test.filter(flagged).select("timestamp", "source")
    alarms = lines if scored.events is None else pl.concat([lines, scored.events.select("timestamp", "source")])
    inside = alarms.filter(
        (pl.col("source") == attack["source"]) & pl.col("timestamp").is_between(attack["start"], until)
    )
    first = inside["timestamp"].min()
    return None if first is None else (first - attack["start"]).total_seconds()


def _false_alarms(case: Case, scored: Scored, flagged: npt.NDArray[np.bool_], label: Labels) -> dict[str, float]:
    """False lines per 10,000 and false incidents a day (one shape in one hour), outside attacks and their wake."""
    times = case.test["timestamp"].dt.epoch("us").to_numpy() / 1e6
    clean = label == 0
    for start, end in case.attacks.select(pl.col("start", "end").dt.epoch("us") / 1e6).iter_rows():
        clean &= ~((times >= start) & (times <= end + WAKE_S))
    false = flagged & clean
    hours = (times // 3600.0).astype(np.int64)
    keys = pl.DataFrame({"shape": shapes_of(case.test), "hour": hours}).filter(pl.Series(false))
    days = max((times[-1] - times[0]) / DAY_S, 1.0) if len(times) else 1.0
    events = 0 if scored.events is None else len(_outside(scored.events, case))
    return {
        "false_per_10k": 1e4 * float(false.sum()) / max(int(clean.sum()), 1),
        "false_incidents_a_day": (keys.unique().height + events) / days,
        "false_silences_a_day": events / days,
        "false_lines_anywhere_per_10k": 1e4 * float((flagged & (label == 0)).sum()) / max(int((label == 0).sum()), 1),
        "days": days,
    }


def _outside(events: pl.DataFrame, case: Case) -> pl.DataFrame:
    """Alarms of a timer that are false: not on an attack's source, no session that ended with one of its lines, and not
    of a source that in truth says nothing more, since the set ends for it before it ends for others."""
    last = case.test.group_by("source").agg(pl.col("timestamp").max().alias("last"))
    events = events.join(last, on="source", how="left").filter(
        (pl.col("last") > pl.col("timestamp")) | pl.col("last").is_null() | pl.col("last_event").is_not_null()
    )
    of_attacks = case.test.filter(pl.col("attack").is_not_null())["event_id"]
    events = events.filter(~pl.col("last_event").is_in(of_attacks.to_list()).fill_null(value=False))
    for attack in case.attacks.iter_rows(named=True):
        until = attack["end"] + pl.select(pl.duration(seconds=MISSING_SLACK_S)).item()
        mine = (pl.col("source") == attack["source"]) & pl.col("timestamp").is_between(attack["start"], until)
        events = events.filter(~mine)
    return events
