"""Families of surprises that have one cause, the kind of anomaly each speaks for, and what a score is without it."""

from typing import NamedTuple

import numpy as np

from sentinel.detect.judge.combine import BULK, HABIT, LEAST, NATS, PARTS, PRIOR, Switches, combine
from sentinel.detect.judge.features import FEATURE_INDEX, FEATURES
from sentinel.detect.kernel.jit import Booleans, Floats, Integers
from sentinel.detect.models.model import Model
from sentinel.detect.remember.raw import RAW_INDEX

__all__ = ["CAUSES", "CAUSE_NAMES", "Cause", "among", "counterfactual", "weights"]


class Cause(NamedTuple):
    """A family of features that speak of one thing."""

    name: str
    features: tuple[str, ...]


FLOODS = ("failures", "stuffing", "errors", "rate", "actor_rate", "scan", "actor_users")
LOSES_NOTHING = 0.01  # nats
MIN_TAIL_NATS = 2.0  # a cause less surprising than this is not asked for


def _windows(name: str) -> tuple[str, ...]:
    return tuple(f"{name}{w}" for w in range(3))


CAUSES = (
    Cause("failures", (*_windows("failures"), "user_failures")),
    Cause("stuffing", (*_windows("source_failures"), "failing_actors", "failing_users", "user_actors")),
    Cause("errors", (*_windows("source_bad"), *_windows("all_bad"))),
    Cause("rate", (*_windows("template"), *_windows("source"), "template_actors", "template_users")),
    Cause("actor_rate", (*_windows("actor"), *_windows("pair"))),
    Cause("scan", ("actor_params", "actor_templates", "rare_probe")),
    Cause("actor_users", ("actor_users",)),
    Cause(
        "novelty",
        ("rare_template", "rare_template_in_source", "rare_words", "rare_failure", "rare_windows", "rare_grave"),
    ),
    Cause("source", ("rare_source", "rare_level_in_source", "severity")),
    Cause("privilege", ("rare_privilege",)),
    Cause("entity", ("new_address", "new_user", "new_pair", "new_entity_privilege")),
    Cause("number", ("number", "mean_number", "length")),
    Cause("gap", ("gap_template", "gap_source")),
    Cause("sequence", ("unusual_after_source", "unusual_after_session", "broken_sequence")),
)
"""In the order of `weights`' columns; every feature belongs to exactly one."""

CAUSE_NAMES = tuple(cause.name for cause in CAUSES)
_COLUMNS = [np.array([FEATURE_INDEX[name] for name in cause.features]) for cause in CAUSES]
_BELONGS = np.array([[name in cause.features for name in FEATURES] for cause in CAUSES])
_FAILURES_AT = slice(RAW_INDEX["failures0"], RAW_INDEX["failures2"] + 1)


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
    normal = np.broadcast_to(normal, (len(raw), len(CAUSES)))
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
    lost[rows, causes] = without(rows, np.eye(len(CAUSES), dtype=bool)[causes])
    rows = np.flatnonzero(lost.max(1) <= LOSES_NOTHING)
    if len(rows):
        is_flood = among(*FLOODS)
        lost[rows] = np.where(is_flood, without(rows, is_flood)[:, None] * (largest[rows] >= MIN_TAIL_NATS), lost[rows])
    return lost, largest
