"""Run the whole table of figures: cases in, our detector and its peers measured, JSON, tables and plots out."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sentinel.durable import write_file
from sentinel.errors import TerminalError
from sentinel.evaluation.baselines import BASELINES, run_baseline
from sentinel.evaluation.case import Case
from sentinel.evaluation.changes import run_changes
from sentinel.evaluation.daemons import daemon_case
from sentinel.evaluation.draws import run_draws
from sentinel.evaluation.drift import drift_case, run_drift
from sentinel.evaluation.logs import bgl_case, burst_cases, quiet_cases
from sentinel.evaluation.measure import measure
from sentinel.evaluation.ours import run_ours
from sentinel.evaluation.plots import Curve, draw
from sentinel.evaluation.quiet import run_quiet
from sentinel.evaluation.report import Evaluation, by_kind, goal_rows, markdown, method_rows
from sentinel.evaluation.sessions import run_sessions, session_cases
from sentinel.evaluation.suites import own_suites, shared_suites
from sentinel.evaluation.unread import unread_cases

__all__ = ["SETS", "cases_of", "evaluate"]

SETS = (
    "shared",
    "own",
    "own-contaminated",
    "auth",
    "bgl",
    "daemons",
    "sessions",
    "drift",
    "quiet",
    "unread",
    "changes",
    "draws",
)
OWN_SETS = frozenset({"own", "own-contaminated", "drift", "unread", "changes"})
"""Sets that need no data beside the repository."""
PLOTTED = ("injected, clean", "own, clean")


def evaluate(
    out: Path,
    *,
    data: Path | None = None,
    sets: Sequence[str] = SETS,
    seeds: int = 3,
    first: int = 0,
    seed: int = 0,
    quick: bool = False,
    peers: bool = True,
    about: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Measure and write `evaluation.json`, `evaluation.md` and plots to `out`; returns the figures.

    `data` is the folder of public logs; without it only the made sets are run. `seeds` own suites of each background,
    from number `first` on; `quick` takes one seed and the smallest set of cases. `about` stands above the figures.
    `say` is told each line of progress. Nothing is random but by `seed`; thresholds are fixed before a test line is
    seen. Raises TerminalError for a set that does not exist.
    """
    unknown = [name for name in sets if name not in SETS]
    if unknown:
        raise TerminalError(f"evaluate: no set {unknown[0]!r}; there are {', '.join(SETS)}")
    wanted = [name for name in sets if data is not None or name in OWN_SETS]
    for name in sets:
        if name not in wanted:
            say(f"left out {name}: there is no folder of public logs")
    result, curves = Evaluation(seed, about=about), dict[str, list[tuple[str, Any, Any]]]()
    suites = range(first, first + (1 if quick else seeds))
    for case in cases_of(data, wanted, suites, quick=quick):
        _run_case(case, result, curves, seed=seed, peers=peers, say=say)
    _run_others(data, wanted, suites, result, seed=seed, quick=quick, say=say)
    _write(out, result, curves)
    return result


def cases_of(data: Path | None, sets: Sequence[str], seeds: range, *, quick: bool) -> Iterator[Case]:
    """The cases of the sets that are judged line by line; those of public logs where there is a folder of them."""
    own_data = None if quick else data
    for contaminated, name in ((False, "own"), (True, "own-contaminated")):
        if name in sets:
            yield from own_suites(own_data, seeds, contaminated=contaminated)
    if "unread" in sets:
        for taught in (False, True):
            yield from unread_cases(seeds, taught=taught)
    if data is None:
        return
    made: dict[str, Callable[[], Iterable[Case]]] = {
        "shared": lambda: shared_suites(data),
        "auth": lambda: burst_cases(data),
        "bgl": lambda: [bgl_case(data)],
        "daemons": lambda: [daemon_case(data)],
    }
    for name, make in made.items():
        if name in sets:
            yield from list(make())[: 1 if quick else None]


def _run_case(
    case: Case,
    result: Evaluation,
    curves: dict[str, list[tuple[str, Any, Any]]],
    *,
    seed: int,
    peers: bool,
    say: Callable[[str], None],
) -> None:
    runs = [run_ours(case, seed=seed), *(run_baseline(name, case, seed=seed) for name in (BASELINES if peers else ()))]
    label = case.test["label"].to_numpy()
    for scored in runs:
        figures = measure(case, scored)
        head = {"case": case.name, "group": case.group, "about": case.about, "method": scored.method}
        sizes = {"train_lines": len(case.train), "test_lines": len(case.test)}
        result.cases.append({**head, **sizes, **figures, "fit_s": scored.fit_s, "score_s": scored.score_s})
        curves.setdefault(case.group, []).append((scored.method, label[label >= 0], scored.scores[label >= 0]))
        say(
            f"{case.name:22s} {scored.method:30s} found {figures['found']:.3f} AP {figures['ap']:.3f} "
            f"false incidents/day {figures['false_incidents_a_day']:.1f} false/10k {figures['false_per_10k']:.1f}"
        )


def _run_others(
    data: Path | None,
    sets: Sequence[str],
    seeds: range,
    result: Evaluation,
    *,
    seed: int,
    quick: bool,
    say: Callable[[str], None],
) -> None:
    """The sets whose figures are of their own kind."""
    if "drift" in sets:
        case = drift_case(seed)
        for nightly in (True,) if quick else (False, True):
            row = {"case": case.name, **run_drift(case, seed=seed, nightly=nightly)}
            result.drift.append(row)
            after = f"false/10k after a day {row['false_per_10k_after']:.1f}"
            say(f"{case.name:22s} {row['method']:30s} found {row['found']:.3f} {after}")
    if "changes" in sets:
        for row in run_changes(seeds):
            result.changes.append(row)
            say(f"{row['case']:22s} incidents by day {row['incidents_by_day']}, of it {row['of_it']}")
    if data is None:
        return
    if "sessions" in sets:
        for sessions in session_cases(data):
            result.sessions.extend(run_sessions(sessions, seed=seed))
            say(f"{sessions.name:22s} done")
    if "draws" in sets:
        for row in run_draws(data, seeds, seed=seed):
            result.draws.append(row)
            say(f"{row['case']:22s} draw {row['draw']}: F1 own {row['f1_own']:.3f} best {row['f1_best']:.3f}")
    if "quiet" in sets:
        for case in quiet_cases(data)[: 3 if quick else None]:
            result.quiet.append(run_quiet(case, seed=seed))
            say(f"{case.name:22s} {result.quiet[-1]['incidents_a_day']:.1f} incidents a day")


def _write(out: Path, result: Evaluation, curves: dict[str, list[tuple[str, Any, Any]]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    content = json.dumps(_plain(result.to_dict()), indent=1, ensure_ascii=False, allow_nan=False)
    write_file(out / "evaluation.json", content.encode(), mode=0o644)
    write_file(out / "evaluation.md", _document(result).encode(), mode=0o644)
    for group in PLOTTED:
        if group in curves:
            folder = out / group.replace(", ", "-")
            folder.mkdir(exist_ok=True)
            draw(folder, result.cases, _pooled(curves[group]), group)


def _pooled(curves: Sequence[tuple[str, Any, Any]]) -> list[Curve]:
    """One curve a method over all cases of a group."""
    methods = dict.fromkeys(method for method, _, _ in curves)
    return [
        (
            method,
            np.concatenate([label for name, label, _ in curves if name == method]).astype(np.int64),
            np.concatenate([scores for name, _, scores in curves if name == method]),
        )
        for method in methods
    ]


def _document(result: Evaluation) -> str:
    """The figures as Markdown."""
    parts = [
        result.about,
        "## Goals",
        markdown(goal_rows(result)),
        "## Methods beside each other",
        markdown(method_rows(result.cases)),
    ]
    for group in dict.fromkeys(case["group"] for case in result.cases):
        kinds = by_kind(result.cases, group)
        columns = ("kind", "attacks", "found", "delay_lines", "delay_s", "worst_lines", "worst_s", "rightly_named")
        parts += [f"## {group}: by kind", markdown(kinds, columns)]
    if result.sessions:
        parts += ["## Sessions", markdown(result.sessions)]
    if result.draws:
        columns = ("case", "draw", "sessions", "anomalous", "auroc", "ap", "f1_own", "f1_best")
        parts += ["## Sessions, others drawn to teach", markdown(result.draws, columns)]
    if result.changes:
        parts += ["## What is new and harmless", markdown(result.changes)]
    if result.quiet:
        columns = ("case", "confidence", "lines", "days", "flagged", "incidents", "silences", "incidents_a_day")
        parts += ["## Quiet public logs", markdown(result.quiet, columns)]
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def _plain(value: Any) -> Any:
    """JSON values: numpy's numbers as Python's, what is no number as null."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
