"""Check that reasons hold: with what the first one is about put back to normal, an anomaly's score has to fall."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from sentinel.detect import Scorer
from sentinel.detect.explain.tell import Teller
from sentinel.detect.learn.fit import fit
from sentinel.evaluation.case import Case
from sentinel.evaluation.logs import bgl_case, burst_cases, quiet_cases
from sentinel.evaluation.ours import end_of
from sentinel.evaluation.suites import own_suites, shared_suites

__all__ = ["Held", "check_reasons", "reasons_table"]

FALLS_NATS = 1e-6


@dataclass(slots=True)
class Held:
    """How many anomalies there were, on how many the score fell, and on how many it fell below the threshold."""

    anomalies: int = 0
    fell: int = 0
    below: int = 0

    def add(self, fell: bool, below: bool) -> None:
        """One anomaly more."""
        self.anomalies, self.fell, self.below = self.anomalies + 1, self.fell + fell, self.below + below

    def row(self, name: str) -> dict[str, object]:
        """All of it with shares."""
        n = max(self.anomalies, 1)
        return {"of": name, "anomalies": self.anomalies, "score falls": self.fell / n, "below": self.below / n}


@dataclass(slots=True)
class _Found:
    everything: Held = field(default_factory=Held)
    cases: defaultdict[str, Held] = field(default_factory=lambda: defaultdict(Held))
    kinds: defaultdict[str, Held] = field(default_factory=lambda: defaultdict(Held))


def check_reasons(
    data: Path | None, *, seeds: int, seed: int, say: Callable[[str], None] = lambda _: None
) -> list[dict[str, object]]:
    """Rows of how well reasons hold: of all anomalies, by set and by kind.

    Made suites, and where `data` is given the suites and public logs in it, are learnt from and scored as in service.
    """
    found = _Found()
    for case in _cases(data, seeds):
        _check(case, found, seed)
        say(f"{case.name:30s} {found.cases[case.name].anomalies:6d} anomalies")
    return [
        found.everything.row("all"),
        *(held.row(name) for name, held in found.cases.items() if held.anomalies),
        *(held.row(kind) for kind, held in sorted(found.kinds.items())),
    ]


def _cases(data: Path | None, seeds: int) -> Iterator[Case]:
    own = own_suites(data, range(seeds), contaminated=False)
    if data is None:
        return own
    return chain(own, shared_suites(data), burst_cases(data), quiet_cases(data), [bgl_case(data)])


def _check(case: Case, found: _Found, seed: int) -> None:
    trained = fit(case.train, seed=seed, now=end_of(case.train))
    scorer = Scorer(trained.model, trained.state)
    records = case.test.drop("label", "attack")
    scored = scorer.examine(records)
    rows = np.flatnonzero(scored.nats >= scorer.threshold_nats)
    teller = Teller(trained.model, scorer.switches)
    told = teller.tell(scored, rows, [name or "" for name in records["source"].gather(rows)], scorer.threshold_nats)
    without = teller.without_first(scored, rows, told)
    fell, below = without < scored.nats[rows] - FALLS_NATS, without < scorer.threshold_nats
    for one, is_lower, is_below in zip(told, fell.tolist(), below.tolist(), strict=True):
        for held in (found.everything, found.cases[case.name], found.kinds[one.kind]):
            held.add(is_lower, is_below)


def reasons_table(rows: list[dict[str, object]]) -> str:
    """The rows as a Markdown table."""
    lines = ["| of | anomalies | score falls | falls below the threshold |", "|---|---:|---:|---:|"]
    lines += [f"| {r['of']} | {r['anomalies']:,} | {r['score falls']:.1%} | {r['below']:.1%} |" for r in rows]
    return "\n".join(lines)
