"""Families of surprises that have one cause, the kind of anomaly each speaks for, and what a score is without it."""

import numpy as np

from sentinel.detect.judge.combine import BULK, HABIT, LEAST, NATS, PARTS, PRIOR, Switches, combine
from sentinel.detect.judge.features import FAMILIES, TABLE
from sentinel.detect.kernel.jit import Booleans, Floats, Integers
from sentinel.detect.models.model import Model
from sentinel.detect.remember.raw import COLUMN
from sentinel.detect.tuning.explain import LOSES_NOTHING
from sentinel.detect.tuning.explain import MIN_TAIL_NATS_OF_CAUSES as MIN_TAIL_NATS

__all__ = ["CAUSE_NAMES", "FLOODS", "among", "counterfactual", "weights"]


CAUSE_NAMES = tuple(family.name for family in FAMILIES)
"""In the order of `weights`' columns."""

FLOODS = tuple(family.name for family in FAMILIES if family.flood)
_BELONGS = np.array([[feature.family == name for feature in TABLE] for name in CAUSE_NAMES])
_COLUMNS = [np.flatnonzero(row) for row in _BELONGS]
_FAILURES_AT = slice(COLUMN.failures0, COLUMN.failures2 + 1)


def among(*causes: str) -> Booleans:
    """(causes,) which of all causes these are."""
    return np.isin(CAUSE_NAMES, causes)


def counterfactual(
    model: Model,
    raw: Floats,
    flags: Integers,
    surprise: Floats,
    tails: Floats,
    habit: Floats,
    switches: Switches,
    normal: Booleans,
) -> Floats:
    """(n,) the nats of lines had some causes been normal: their features' tails 0, and no failures for `failures`.

    `habit` (n, 3): the nats that the lines' habits take off each channel; `normal`: the causes of all lines, (causes,),
    or of each line, (n, causes).
    """
    normal = np.broadcast_to(normal, (len(raw), len(CAUSE_NAMES)))
    gone = normal @ _BELONGS
    without, calm, plain = np.where(gone, 0.0, tails), np.where(gone, np.minimum(surprise, 0.0), surprise), raw.copy()
    plain[normal[:, CAUSE_NAMES.index("failures")], _FAILURES_AT] = 0.0
    scores = model.trees.score_samples(without) if model.trees is not None else np.zeros(len(raw))
    parts = np.empty((len(raw), len(PARTS)))
    combine(
        plain, flags, calm, without, scores, model.calibration, model.volume_nats, switches, model.is_warm_up, parts
    )
    lowered: Floats = np.maximum((parts[:, BULK : BULK + 3] - habit).max(1), parts[:, [PRIOR, LEAST]].max(1))
    return lowered


def weights(
    model: Model, raw: Floats, flags: Integers, surprise: Floats, tails: Floats, said: Floats, switches: Switches
) -> tuple[Floats, Floats]:
    """((n, causes) nats that a line loses without each cause that stands out, (n, causes) the largest tail in each).

    A flood shows in several causes at once, of which any would do for an alarm: where a line loses nothing without one
    of them, it is asked what it loses without that one and all other floods.

    `said` (n, len(PARTS)): the parts of the lines' scores.
    """
    shown = surprise if model.is_warm_up else tails
    largest = np.column_stack([shown[:, columns].max(1) for columns in _COLUMNS])
    lost = np.zeros_like(largest)

    def without(rows: Integers, normal: Booleans) -> Floats:
        of = (raw[rows], flags[rows], surprise[rows], tails[rows], said[rows, HABIT:])
        loss: Floats = said[rows, NATS] - counterfactual(model, *of, switches, normal)
        return loss

    asked = largest >= MIN_TAIL_NATS
    asked[:, 0] = True
    rows, causes = np.nonzero(asked)
    lost[rows, causes] = without(rows, np.eye(len(CAUSE_NAMES), dtype=bool)[causes])
    rows = np.flatnonzero(lost.max(1) <= LOSES_NOTHING)
    if len(rows):
        is_flood = among(*FLOODS)
        lost[rows] = np.where(is_flood, without(rows, is_flood)[:, None] * (largest[rows] >= MIN_TAIL_NATS), lost[rows])
    return lost, largest
