"""Tell of anomalous lines: their kind and reasons, by line, session and new value; and what holds without the first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sentinel.detect.explain.causes import CAUSE_NAMES, FLOODS, among, counterfactual, weights
from sentinel.detect.explain.explain import MAX_REASONS, Explainer, Row
from sentinel.detect.explain.outcomes import NEW_VALUE, TOLD_BY_VALUE, said_of
from sentinel.detect.judge.combine import HABIT, NATS, PRIOR, Switches
from sentinel.detect.judge.features import FAMILIES
from sentinel.detect.kernel.jit import Booleans, Floats, Integers
from sentinel.detect.models.model import Model
from sentinel.detect.sessions.watch import SESSION_KIND
from sentinel.detect.stages import Scored

__all__ = ["Teller", "Told"]

NEWNESS = tuple(family.name for family in FAMILIES if family.newness)


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of one line. `first`: the cause of the first reason, NEW_VALUE, SESSION_KIND, or "" for none."""

    kind: str
    reasons: list[str]
    first: str


class Teller:
    """Tells of lines under one model."""

    def __init__(self, model: Model, switches: Switches) -> None:
        self._model, self._switches = model, switches
        self._explainer = Explainer(model.baseline)

    def tell(self, found: Scored, rows: Integers, sources: Sequence[str], threshold_nats: float) -> list[Told]:
        """Of some rows; a session that is stranger than its line speaks for it, else after it."""
        told = self._by_line(found, rows, sources) if len(rows) else []
        alarms = {alarm.line: alarm for alarm in found.alarms}
        for k, i in enumerate(rows.tolist() if alarms else []):
            alarm = alarms.get(i)
            if alarm is not None and alarm.nats >= found.parts[i, NATS]:
                told[k] = Told(SESSION_KIND, list(alarm.reasons)[:MAX_REASONS], SESSION_KIND)
            elif alarm is not None:
                told[k] = replace(told[k], reasons=[*told[k].reasons[: MAX_REASONS - 1], *alarm.reasons[:1]])
        for k, i in enumerate(rows.tolist()):
            if found.outcomes[i] >= threshold_nats and (said := said_of(found, i, self._model)):
                told[k] = _with_value(told[k], said, found, i, threshold_nats)
        return told

    def _by_line(self, found: Scored, rows: Integers, sources: Sequence[str]) -> list[Told]:
        of = (found.raw[rows], found.coded.facts.flags[rows], found.surprise[rows], found.tails[rows])
        lost, largest = weights(self._model, *of, found.parts[rows], self._switches)
        return [
            Told(
                *self._explainer.explain(
                    Row(
                        found.coded,
                        int(i),
                        found.raw[i],
                        lost[k],
                        largest[k],
                        sources[k],
                        float(found.parts[i, PRIOR]),
                        float(found.parts[i, NATS]),
                        bool(found.coded.scanned.sensitive[i]),
                    )
                )
            )
            for k, i in enumerate(rows)
        ]

    def without_first(self, found: Scored, rows: Integers, told: Sequence[Told]) -> Floats:
        """(n_rows,) the nats of lines had what their first reason is about been normal.

        The features of a flood (failures, rates, distinct counts) count the same lines, and what is new in a template
        and what touches privileges in it go by how often it was seen: such are put back together. Where no single
        cause is told nothing is put back.
        """
        of = (found.raw[rows], found.coded.facts.flags[rows], found.surprise[rows], found.tails[rows])
        normal = np.array([_put_back(one.first) for one in told], bool).reshape(len(told), len(CAUSE_NAMES))
        line = counterfactual(self._model, *of, found.parts[rows, HABIT:], self._switches, normal)
        line = np.where(normal.any(1), line, found.parts[rows, NATS])
        firsts = np.array([one.first for one in told], str)
        session = np.zeros(len(found.nats))
        for alarm in found.alarms:
            session[alarm.line] = max(session[alarm.line], alarm.nats)
        outcome = np.where(firsts == NEW_VALUE, 0.0, found.outcomes[rows])
        left: Floats = np.maximum(np.maximum(line, outcome), np.where(firsts == SESSION_KIND, 0.0, session[rows]))
        return left


def _put_back(first: str) -> Booleans:
    """(causes,) what goes with the first one: the same lines counted otherwise, the same newness of the template."""
    return among(*next((same for same in (FLOODS, NEWNESS) if first in same), (first,)))


def _with_value(told: Told, said: str, found: Scored, i: int, threshold_nats: float) -> Told:
    """With the new value among the reasons: first, where it is what makes the line strange."""
    is_told_by_it = found.outcomes[i] >= found.nats[i] or told.kind in TOLD_BY_VALUE
    own = told.reasons[: MAX_REASONS - 1] if found.parts[i, NATS] >= threshold_nats else []
    if is_told_by_it:
        return Told(NEW_VALUE, [said, *own], NEW_VALUE)
    return Told(told.kind, [*own, said], told.first if own else NEW_VALUE)
