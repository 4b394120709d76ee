"""Decide whether a new model may serve: a trained model and the champion in, a report of named checks out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from sentinel.counted import counted
from sentinel.detect.kernel.jit import Floats
from sentinel.detect.learn.canary import ALWAYS, Canary, canaries
from sentinel.detect.learn.fit import Trained
from sentinel.detect.models.model import Model
from sentinel.detect.scorer import Scorer
from sentinel.detect.tuning.learn import (
    LABELLED_SLACK,
    MAX_BEHIND,
    MAX_FALSE_SHARE,
    MIN_CAUGHT,
    MIN_CONTRAST_NATS,
    QUIET,
)

__all__ = ["Check", "GateReport", "gate"]


Check = tuple[str, bool, str]
"""Name, passed, detail."""


class Judge(Protocol):
    """What scores records without remembering them."""

    threshold_nats: float

    def peek(self, records: pl.DataFrame) -> pl.DataFrame:
        """Verdicts on records (RECORD_SCHEMA) as if they came next; the state stays as it is."""


JudgeMaker = Callable[[Model, bytes | None], Judge]


@dataclass(frozen=True, slots=True)
class GateReport:
    """Whether the model passed, and why: the checks in the order they were made.

    `serves`: whether it may be promoted. It may where it passed, and also, with low confidence, where nothing better
    is in service: a model that tells too much is of more use than none.
    """

    passed: bool
    serves: bool
    checks: tuple[Check, ...]


def gate(
    trained: Trained,
    champion: Model | None = None,
    *,
    labelled: pl.DataFrame | None = None,
    judge: JudgeMaker = Scorer,
    min_caught: float = MIN_CAUGHT,
    max_false_share: float = MAX_FALSE_SHARE,
) -> GateReport:
    """Check a freshly trained model; nothing is changed, nothing is promoted.

    A model of low confidence may serve only while there is no other or only such a one; of the canaries it need
    catch those of the fixed prior. `labelled` (RECORD_SCHEMA and `label`, 1 = attack, 0 = normal) is what people said.
    All checks are made, also after one has failed.
    """
    scorer = judge(trained.model, trained.state)
    other = None if champion is None else judge(champion, trained.state)
    checks = [_confidence(trained.model, champion)]
    checks.extend(_behaviour(trained, scorer, other, min_caught))
    if not trained.model.is_warm_up:
        checks.append(_false_alarms(trained.model, max_false_share))
    if labelled is not None and not labelled.is_empty():
        checks.append(_labels(labelled, scorer, other))
    passed = all(passed for _, passed, _ in checks)
    return GateReport(passed, passed or not _is_better(champion), tuple(checks))


def _is_better(champion: Model | None) -> bool:
    """Whether a model that failed has to stand back: behind one of normal confidence."""
    return champion is not None and champion.confidence == "normal"


def _confidence(model: Model, champion: Model | None) -> Check:
    if model.confidence == "normal":
        return "confidence", True, f"normal, {counted(model.rows, 'line')}"
    if not _is_better(champion):
        return "confidence", True, f"low, {counted(model.rows, 'line')}; nothing better is in service"
    learnt = champion.rows if champion is not None else 0
    detail = f"low, {counted(model.rows, 'line')}; the champion learnt from {learnt} and stays"
    return "confidence", False, detail


def _behaviour(trained: Trained, scorer: Judge, other: Judge | None, min_caught: float) -> Iterator[Check]:
    """Checks that need scores: the canaries are caught, and scores tell them from the training lines."""
    birds = canaries(trained.sample)
    nats = [_nats(scorer, bird.records) for bird in birds]
    caught = [bool((found >= scorer.threshold_nats).any()) for found in nats]
    sure = [bird.name for bird, hit in zip(birds, caught, strict=True) if bird.kind == ALWAYS and not hit]
    yield "password guessing is caught", not sure, f"missed: {', '.join(sure)}" if sure else "in all wordings"
    if not trained.model.is_warm_up:
        yield _caught(birds, caught, min_caught)
        if other is not None:
            yield _no_worse(birds, float(np.mean(caught)), other)
    yield _contrast(trained, scorer, nats)


def _caught(birds: list[Canary], caught: list[bool], min_caught: float) -> Check:
    missed = [bird.name for bird, hit in zip(birds, caught, strict=True) if not hit]
    detail = f"{sum(caught)} of {len(caught)}" + (f"; missed: {', '.join(missed)}" if missed else "")
    return "canaries are caught", float(np.mean(caught)) >= min_caught, detail


def _no_worse(birds: list[Canary], share: float, other: Judge) -> Check:
    before = float(np.mean([bool((_nats(other, bird.records) >= other.threshold_nats).any()) for bird in birds]))
    detail = f"catches {share:.0%} of the canaries, the champion {before:.0%}"
    return "canaries: no worse than the champion", share >= before - MAX_BEHIND, detail


def _contrast(trained: Trained, scorer: Judge, nats: list[Floats]) -> Check:
    ordinary = float(np.quantile(_nats(scorer, trained.sample), QUIET))
    strange = float(np.median([found.max() for found in nats]))
    is_finite = all(np.isfinite(found).all() for found in nats) and np.isfinite(ordinary)
    detail = f"quiet line {ordinary:.1f} nats, median canary {strange:.1f}"
    return "scores are not constant", bool(is_finite and strange >= ordinary + MIN_CONTRAST_NATS), detail


def _false_alarms(model: Model, max_share: float) -> Check:
    """By the cross-fitted training scores: each line scored by tables of earlier lines only, as in service."""
    share = model.flagged_share
    return "false alarms are few", share <= max_share, f"{share:.3%} of the training lines, bound {max_share:.1%}"


def _labels(labelled: pl.DataFrame, scorer: Judge, other: Judge | None) -> Check:
    """What people confirmed: found attacks less false alarms, each as a share, against the champion's."""
    own = _balance(labelled, scorer)
    if other is None:
        return "labelled lines", own > 0.0, f"found less false: {own:.2f}"
    before = _balance(labelled, other)
    detail = f"found less false: {own:.2f}, the champion {before:.2f}"
    return "labelled lines: no worse than the champion", own >= before - LABELLED_SLACK, detail


def _balance(labelled: pl.DataFrame, scorer: Judge) -> float:
    label = labelled["label"].to_numpy()
    flagged = _nats(scorer, labelled.drop("label")) >= scorer.threshold_nats
    shares = [float(flagged[label == value].mean()) if (label == value).any() else float(value) for value in (1, 0)]
    return shares[0] - shares[1]


def _nats(scorer: Judge, records: pl.DataFrame) -> Floats:
    nats: Floats = scorer.peek(records)["nats"].to_numpy()
    return nats
