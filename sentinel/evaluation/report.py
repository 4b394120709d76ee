"""Put figures beside the prototype's and the goals: one table for people, JSON for programs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isnan
from statistics import fmean, median
from typing import Any

from sentinel.evaluation.ours import OURS
from sentinel.evaluation.sessions import WHOLE
from sentinel.simulate import EXPECTED_KINDS

__all__ = ["Evaluation", "by_kind", "goal_rows", "markdown", "method_rows"]

MISSING = {"silence", "rate_drop"}
SESSION_GOALS = {
    "HDFS lines": ("own .885 (whole log)", "own ≥ .93 (whole log)"),
    "HDFS sequences": ("best .690 (.981 on HDFS of AIT)", "best ≥ .985 (HDFS of AIT)"),
    "OpenStack sequences": ("own .975, best .986", "own ≥ .99"),
    "Hadoop sequences": ("AUROC .57; flagging all .915", "–"),
}
"""The prototype's figure and the goal; where a set stands for one that is not there, that one is named."""


@dataclass(slots=True)
class Evaluation:
    """All that was measured. `cases`: one row a case and method; the rest are sets with figures of their own."""

    seed: int
    about: str = ""  # when and with what it was measured
    cases: list[dict[str, Any]] = field(default_factory=list)
    drift: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    quiet: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    draws: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; what could not be measured is null."""
        return {
            "seed": self.seed,
            "about": self.about,
            "goals": goal_rows(self),
            "methods": method_rows(self.cases),
            "kinds": {group: by_kind(self.cases, group) for group in _groups(self.cases)},
            "cases": self.cases,
            "drift": self.drift,
            "sessions": self.sessions,
            "quiet": self.quiet,
            "changes": self.changes,
            "draws": self.draws,
        }


def _groups(cases: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(case["group"] for case in cases))


def _known(values: Iterable[float]) -> list[float]:
    return [value for value in values if not isnan(value)]


def _mean(values: Iterable[float]) -> float | None:
    known = _known(values)
    return fmean(known) if known else None


def _middle(values: Iterable[float]) -> float | None:
    known = _known(values)
    return median(known) if known else None


def method_rows(cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a group and method: means over the cases, the median of false incidents a day."""
    rows = []
    for group in _groups(cases):
        for method in dict.fromkeys(case["method"] for case in cases if case["group"] == group):
            own = [case for case in cases if case["group"] == group and case["method"] == method]
            means = {key: _mean(case[key] for case in own) for key in ("found", "ap", "auroc", "f1_own", "f1_best")}
            quiet = {key: _middle(case[key] for case in own) for key in ("false_incidents_a_day", "false_per_10k")}
            rows.append({"group": group, "method": method, "cases": len(own), **means, **quiet})
    return rows


def by_kind(cases: Sequence[dict[str, Any]], group: str, method: str = OURS) -> list[dict[str, Any]]:
    """One row a kind of attack: how many, found share, median delay in lines and seconds, rightly named share."""
    found: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        if case["group"] == group and case["method"] == method:
            for attack in case["attacks"]:
                found.setdefault(attack["kind"], []).append(attack)
    return [_kind_row(kind, attacks) for kind, attacks in sorted(found.items())]


def _is_named(kind: str, attack: dict[str, Any]) -> bool:
    """Whether the first verdict tells the cause: by its kind, or guessing by failed log-ins in its first reason."""
    expected = EXPECTED_KINDS[kind]
    return attack["said_kind"] in expected or ("brute_force" in expected and "failed log-in" in (attack["said"] or ""))


def _kind_row(kind: str, attacks: list[dict[str, Any]]) -> dict[str, Any]:
    hits = [attack for attack in attacks if attack["found"]]
    named = [_is_named(kind, attack) for attack in hits if attack.get("said_kind") and kind in EXPECTED_KINDS]
    lines = [attack["delay_lines"] for attack in hits if attack["delay_lines"] is not None]
    seconds = [attack["delay_s"] for attack in hits if attack["delay_s"] is not None]
    return {
        "kind": kind,
        "attacks": len(attacks),
        "found": len(hits) / len(attacks),
        "delay_lines": _middle(lines),
        "delay_s": _middle(seconds),
        "worst_lines": max(lines, default=None),
        "worst_s": max(seconds, default=None),
        "rightly_named": _mean(float(value) for value in named),
        "missed": [attack["attack"] for attack in attacks if not attack["found"]],
    }


def goal_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The table of goals: what, measured, the prototype's figure, the goal."""
    cases = evaluation.cases
    rows: list[dict[str, Any]] = []
    for group in _groups(cases):
        if "clean" in group or "contaminated" in group:
            rows.extend(_injected(cases, group))
    rows.extend(_attack_goals(cases))
    rows.extend(_drift_goals(evaluation.drift))
    for case in cases:
        if case["group"] == "real auth logs" and case["method"] == OURS:
            hits = sum(attack["found"] for attack in case["attacks"])
            rows.append(_goal(f"{case['case']}: bursts found", f"{hits}/{len(case['attacks'])}", "19/21, 7/7", "all"))
        if case["group"] == "BGL" and case["method"] == OURS:
            figures = f"{_text(case['auroc'])} / {_text(case['ap'])}"
            rows.append(_goal("BGL, AUROC / AP", figures, ".70 / .16", "≥ .85 / ≥ .30"))
    for row in evaluation.sessions:
        if row["method"] == WHOLE:
            figures = f"own {_text(row['f1_own'])}, best {_text(row['f1_best'])}, AUROC {_text(row['auroc'])}"
            rows.append(_goal(f"{row['case']}, F1", figures, *SESSION_GOALS.get(row["case"], ("–", "–"))))
    if evaluation.quiet:
        a_day = _middle(row["incidents_a_day"] for row in evaluation.quiet)
        rows.append(_goal("quiet public logs: incidents a day, median", _text(a_day), "–", "≤ 3"))
    return rows


def _goal(what: str, measured: object, prototype: str, goal: str) -> dict[str, Any]:
    return {"what": what, "measured": measured, "prototype": prototype, "goal": goal}


def _injected(cases: Sequence[dict[str, Any]], group: str) -> list[dict[str, Any]]:
    row = next(row for row in method_rows(cases) if row["group"] == group and row["method"] == OURS)
    figures = f"{_text(row['found'])} / {_text(row['ap'])} / {_text(row['false_incidents_a_day'])}"
    kinds = [kind for kind in by_kind(cases, group) if kind["kind"] not in MISSING]
    worst = min(kinds, key=lambda kind: kind["found"])
    is_clean = "clean" in group
    before, goal = (
        (".955 / .937 / 8.4", "≥ .98 / ≥ .97 / ≤ 3") if is_clean else (".802 / .913 / 5.2", "≥ .93 / ≥ .95 / ≤ 5")
    )
    worst_text = f"{worst['kind']} {_text(worst['found'])}"
    return [
        _goal(f"{group}: found / AP / false incidents a day", figures, before, goal),
        _goal(f"{group}: worst kind", worst_text, ".83" if is_clean else ".25", "≥ .90" if is_clean else "≥ .75"),
    ]


def _attack_goals(cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    kinds = {group: {row["kind"]: row for row in by_kind(cases, group)} for group in _groups(cases)}
    for group, found in kinds.items():
        if "brute_force" in found and "real" not in group:
            row = found["brute_force"]
            worst = f"worst {row['worst_lines']}, {_text(row['worst_s'])} s"
            figures = f"{_text(row['delay_lines'])} lines, {_text(row['delay_s'])} s; {worst}"
            rows.append(_goal(f"{group}: brute force", figures, "3.5 lines, 2.1 s", "≤ 5 lines, ≤ 5 s, always"))
        if "silence" in found:
            own = [case["false_silences_a_day"] for case in cases if case["group"] == group and case["method"] == OURS]
            figures = f"{_text(found['silence']['found'])}, false {_text(_mean(own))} a day"
            rows.append(_goal(f"{group}: silences found", figures, "24/24, 0.5–4 a day", "all, ≤ 0.2 a day"))
    named = [row["rightly_named"] for found in kinds.values() for row in found.values()]
    named = [share for share in named if share is not None]
    if named:
        rows.append(_goal("first verdict names the right cause", _text(_mean(named)), "102/104", "≥ .98"))
    return rows


def _drift_goals(drift: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for method in dict.fromkeys(row["method"] for row in drift):
        own = [row for row in drift if row["method"] == method]
        false = _text(_mean(row["false_per_10k_after"] for row in own))
        found = _text(_mean(row["found"] for row in own))
        rows.append(_goal(f"drift, {method.split(', ')[1]}: false per 10,000 a day after, attacks found",
                          f"{false}, {found}", "379", "≤ 30, ≥ .95"))  # fmt: skip
    return rows


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)


def markdown(rows: Sequence[dict[str, Any]], columns: Sequence[str] | None = None) -> str:
    """Rows as a Markdown table; empty without rows."""
    if not rows:
        return ""
    names = list(columns or rows[0])
    head = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return (
        "\n".join([*head, *("| " + " | ".join(_text(row.get(name)) for name in names) + " |" for row in rows)]) + "\n"
    )
