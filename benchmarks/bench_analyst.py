"""A simulated analyst on labelled suites: how good the top hundred is before and after verdicts, beside forests.

Peers are run by the Python that CONIFEREST_PYTHON names (an environment with `pip install coniferest`).
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from benchmarks.lines import PUBLIC
from benchmarks.measure import Figure, alone
from benchmarks.path_weights import learnt, paths
from sentinel.detect import Scorer
from sentinel.detect.explain.incidents import actors_of
from sentinel.detect.learn.fit import fit
from sentinel.evaluation.case import Case
from sentinel.evaluation.ours import end_of
from sentinel.evaluation.suites import own_suites, shared_suites
from sentinel.incidents.feedback import GUESSES, REAL_NATS, Word, Words
from sentinel.incidents.feedback import Case as Line

STEP, TOP, STOPS = 10, 100, (0, 20, 50, 100)
SEEDS = 2
LEAST_NATS = 2.0  # groups below are no candidates for anybody
FORESTS = Path(__file__).parent / "peers" / "analyst_forests.py"


@dataclass(frozen=True)
class Groups:
    """What an analyst looks at: lines of one template, source, actor and ten minutes, by their strangest one."""

    lines: list[Line]
    nats: np.ndarray
    rows: np.ndarray  # (n, features), the tails that the forest takes
    truth: np.ndarray
    forest: np.ndarray  # our own forest's score, in standard deviations
    leaves: csr_matrix  # where the rows end in it


def run(rounds: int) -> list[Figure]:
    found: dict[str, list[dict[str, object]]] = {}
    python = os.environ.get("CONIFEREST_PYTHON")
    if not python:
        print("analyst: CONIFEREST_PYTHON is not set; ours alone", flush=True)
    for case in _cases():
        groups = _groups(case)
        results = {name: _analyst(groups, rank) for name, rank in RANKINGS.items()}
        results |= _forests(groups, python) if python else {}
        print(f"{case.name}: {len(groups.truth)} groups, {int(groups.truth.sum())} real", flush=True)
        for name, result in results.items():
            found.setdefault(name, []).append(result)
            print(f"  {name:26} {result['precision']} real among the verdicts {result['real']}", flush=True)
    return [_figure(name, results, place) for name, results in found.items() for place in range(len(STOPS))]


def _figure(name: str, results: list[dict[str, object]], place: int) -> Figure:
    values = [100.0 * float(np.mean([result["precision"][place] for result in results]))]  # type: ignore[index]
    return alone(f"precision at {TOP}, {STOPS[place]} verdicts, {name}", "%", values)


def _cases() -> list[Case]:
    cases = list(own_suites(None, range(SEEDS), contaminated=False))
    return [*cases, *shared_suites(PUBLIC)] if PUBLIC.is_dir() else cases


def _groups(case: Case) -> Groups:
    """The candidates of a case under a model of its past."""
    trained = fit(case.train, seed=0, now=end_of(case.train))
    records = case.test.drop("label", "attack")
    scorer = Scorer(trained.model, trained.state)
    scorer.threshold_nats = LEAST_NATS
    verdicts, scored = scorer.score(records), Scorer(trained.model, trained.state).examine(records)
    frame = pl.DataFrame(
        {
            "row": range(records.height),
            "template": verdicts["template"].fill_null(""),
            "source": records["source"].fill_null(""),
            "actor": actors_of(records["message"]),
            "kind": verdicts["kind"].fill_null(""),
            "nats": verdicts["nats"],
            "slot": records["timestamp"].dt.epoch("s") // 600,
            "real": case.test["label"] == 1,
        }
    ).filter(pl.col("nats") >= LEAST_NATS)
    keys = ("template", "source", "actor", "slot")
    strangest = frame.sort("nats", descending=True).group_by(keys, maintain_order=True)
    top = strangest.agg(pl.col("row", "kind", "nats").first(), pl.col("real").any())
    lines = [
        Line(row["template"], row["source"], row["actor"], row["kind"], row["nats"], is_grave=False)
        for row in top.iter_rows(named=True)
    ]
    rows, trees = scored.tails[top["row"].to_numpy()], trained.model.trees
    assert trees is not None  # a case has days of lines
    forest = trees.score_samples(rows)
    standing = (forest - forest.mean()) / forest.std()
    return Groups(lines, top["nats"].to_numpy(), rows, top["real"].to_numpy(), standing, paths(trees, rows))


def _untaught(groups: Groups, judged: list[int]) -> np.ndarray:
    return groups.nats


def _suppressed(groups: Groups, judged: list[int]) -> np.ndarray:
    """The ranking as the product makes it: false alarms of a template are quiet, what is real ranks higher."""
    words = Words([_word(groups, i) for i in judged], now_s=1.0)
    real = {name: set(names) for name, names in words.real_names().items()}
    ranks = []
    for line in groups.lines:
        hit = line.template in real["template"] or line.actor in real["actor"]
        ranks.append((line.nats + REAL_NATS * hit) if words.covering(line) is None else line.nats - 1e3)
    return np.array(ranks)


def _weighed(groups: Groups, judged: list[int]) -> np.ndarray:
    """Our own forest alone, its paths weighed anew."""
    return groups.forest + learnt(groups.leaves, groups.forest, judged, groups.truth, TOP)


def _suppressed_and_weighed(groups: Groups, judged: list[int]) -> np.ndarray:
    return _suppressed(groups, judged) + learnt(groups.leaves, groups.nats, judged, groups.truth, TOP)


def _weighed_within_promises(groups: Groups, judged: list[int]) -> np.ndarray:
    """The same, but no guess of passwords is lowered by what was said of another actor's."""
    added = learnt(groups.leaves, groups.nats, judged, groups.truth, TOP)
    guesses = np.array([line.kind in GUESSES for line in groups.lines])
    return _suppressed(groups, judged) + np.where(guesses, np.maximum(added, 0.0), added)


RANKINGS = {
    "no feedback": _untaught,
    "suppression": _suppressed,
    "path weights": _weighed,
    "suppression, path weights": _suppressed_and_weighed,
    "the same, within promises": _weighed_within_promises,
}


def _word(groups: Groups, i: int) -> Word:
    line = groups.lines[i]
    is_real = bool(groups.truth[i])
    return Word(
        id=str(i),
        verdict="real" if is_real else "false_alarm",
        scope="template",
        at_s=0.0,
        by="analyst",
        kinds=(line.kind,),
        sources=(line.source,),
        actors=(line.actor,) if line.actor else (),
        templates=(line.template,),
        peak_nats=line.nats,
    )


def _analyst(groups: Groups, rank: Callable[[Groups, list[int]], np.ndarray]) -> dict[str, object]:
    """Precision at the top before and after verdicts on what ranks highest, STEP at a time; judged false ones go."""
    judged: list[int] = []
    found: dict[int, float] = {}
    while True:
        order = np.argsort(-rank(groups, judged), kind="stable")
        if len(judged) in STOPS:
            false = {i for i in judged if not groups.truth[i]}
            found[len(judged)] = float(np.mean([groups.truth[i] for i in order if i not in false][:TOP]))
        if len(judged) >= STOPS[-1]:
            return {"precision": [found[stop] for stop in STOPS], "real": int(groups.truth[judged].sum())}
        known = set(judged)
        judged += [int(i) for i in order if i not in known][:STEP]


def _forests(groups: Groups, python: str) -> dict[str, dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "groups.npz"
        np.savez(path, rows=groups.rows, truth=groups.truth)
        ran = subprocess.run([python, str(FORESTS), str(path)], capture_output=True, text=True, check=True)
    found: dict[str, dict[str, object]] = json.loads(ran.stdout)
    return found
