"""Join forest, tail norm, sparse channel and the fixed prior of failed log-ins into one score in nats."""

from typing import NamedTuple

import numpy as np

from sentinel.detect.judge.features import AT, COSTS, DECISIVE, FEATURE_INDEX, PAYING, RATES, TOGETHER
from sentinel.detect.judge.surprise import is_guess
from sentinel.detect.judge.tails import CAP_NATS, Tails, pooled_nats
from sentinel.detect.kernel.flags import TROUBLE, Flag, Level
from sentinel.detect.kernel.jit import Floats, Integers, compiled
from sentinel.detect.remember.raw import COLUMN
from sentinel.detect.tuning.judge import (
    ALARM_NATS,
    EVENT_NATS,
    FATAL_NATS,
    FEW_FAILURES,
    FEW_NATS,
    FLOOD_CAP,
    GUESS_ATTEMPTS,
    KNOWN_ATTEMPTS,
    NORM_CAP,
    PRIOR_ATTEMPTS,
    SPARSE_CAP,
    WARM_UP_SHARE,
)

__all__ = [
    "BULK",
    "FATAL_NATS",
    "FEW_NATS",
    "FLOOD",
    "FOREST",
    "HABIT",
    "LEAST",
    "NATS",
    "NORM",
    "NORM_CAP",
    "PARTS",
    "PRIOR",
    "SPARSE",
    "SPARSE_CAP",
    "Switches",
    "combine",
    "floods",
    "norms",
]


PARTS = (
    *("nats", "bulk", "sparse", "flood", "prior", "forest", "norm", "least"),
    *("habit_bulk", "habit_sparse", "habit_flood"),
)
NATS, BULK, SPARSE, FLOOD, PRIOR, FOREST, NORM, LEAST, HABIT = range(9)
_SPARSE_AT = np.array([FEATURE_INDEX[name] for name in DECISIVE])
_RATES_AT = np.array([FEATURE_INDEX[name] for name in RATES])
_STUFFING_AT = np.array([FEATURE_INDEX[name] for name in TOGETHER])
_FATAL = float(Level.FATAL)


class Switches(NamedTuple):
    """Which parts count; each can be switched off."""

    forest: bool = True
    norm: bool = True
    sparse: bool = True
    prior: bool = True
    habits: bool = True
    sessions: bool = True


@compiled
def norms(tails: Floats, out: Floats) -> None:
    """The length of each row of tails (n, features), each tail capped."""
    for i in range(tails.shape[0]):
        total = 0.0
        for f in range(tails.shape[1]):
            p = min(tails[i, f], NORM_CAP)
            total += p * p
        out[i] = np.sqrt(total)


@compiled
def prior_nats(raw: Floats) -> float:
    """What no training window may talk us out of: failed log-in attempts of one actor, the more the graver."""
    worth, known = 0.0, raw[COLUMN.known_actor] > 0.0
    more = 0.0 if known else GUESS_ATTEMPTS * max(raw[COLUMN.guessed_users] - 1.0, 0.0)
    for k in range(3):
        if raw[COLUMN.failures0 + k] > 1.5:
            enough = KNOWN_ATTEMPTS[k] if known else PRIOR_ATTEMPTS[k]
            worth = max(worth, ALARM_NATS * (raw[COLUMN.failures0 + k] + more) / enough)
    return min(worth, CAP_NATS)


@compiled
def _sparse(tails: Floats, volume_nats: float) -> float:
    """The largest of the few features that may speak alone, each calibrated by itself and less what it is charged: they
    share a budget of false alarms, of which privileges and what fails for the first time get the most. Nats."""
    worth = 0.0
    for k in range(len(_SPARSE_AT)):
        worth = max(worth, tails[_SPARSE_AT[k]] + EVENT_NATS - COSTS[k] - volume_nats * PAYING[k])
    return min(worth, SPARSE_CAP)


@compiled
def _flood(tails: Floats) -> float:
    """The fourth largest tail of rates and distinct counts: several windows or keys must agree that it is a flood."""
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    for f in _RATES_AT:
        p = tails[f]
        if p > first:
            first, second, third, fourth = p, first, second, third
        elif p > second:
            second, third, fourth = p, second, third
        elif p > third:
            third, fourth = p, third
        elif p > fourth:
            fourth = p
    return min(fourth, FLOOD_CAP)


@compiled
def floods(tails: Floats, out: Floats) -> None:
    """The flood statistic of each row of tails (n, features), nats."""
    for i in range(tails.shape[0]):
        out[i] = _flood(tails[i])


@compiled
def _stuffing(tails: Floats) -> float:
    """On a failed log-in: the mean of the two largest tails of how many actors and users fail."""
    first, second = 0.0, 0.0
    for f in _STUFFING_AT:
        if tails[f] > first:
            first, second = tails[f], first
        elif tails[f] > second:
            second = tails[f]
    return min(0.5 * (first + second), FLOOD_CAP)


@compiled
def _few_failures(raw: Floats, flags: int) -> bool:
    """Whether this is a failed log-in of somebody who failed seldom of late, in a source where few did."""
    own, of_all = raw[COLUMN.failures2], raw[COLUMN.failing_actors]
    return is_guess(raw, flags) and own < FEW_FAILURES and of_all < FEW_FAILURES


@compiled
def _warm_up(surprise: Floats, flags: int) -> float:
    """A young model's score: how rare the template is so far, more where the line reads as failure or privilege."""
    severity = surprise[AT.severity]
    share = 1.0 if severity >= 2.0 or flags & Flag.SENSITIVE else WARM_UP_SHARE
    return share * surprise[AT.rare_template] + max(severity - 1.0, 0.0) * 0.7


@compiled
def combine(
    raw: Floats,
    flags: Integers,
    surprise: Floats,
    tails: Floats,
    forest: Floats,
    calibration: Tails,
    volume_nats: float,
    switches: Switches,
    warm_up: bool,
    out: Floats,
) -> None:
    """Fill out (n, len(PARTS)) from raw values, surprises, tails and forest scores, before habits are settled.

    `calibration` holds tails in its one group: forest score, norm, and their sum less the fit's allowance, which holds
    `volume_nats` (0 or more): what a line of busy logs pays. Failures that are new or rare pay it too, and floods of
    what is no trouble.
    """
    for i in range(len(raw)):
        prior = prior_nats(raw[i]) if switches.prior else 0.0
        if warm_up:
            out[i, BULK], out[i, SPARSE:] = _warm_up(surprise[i], flags[i]), 0.0
        else:
            total = 0.0
            for f in range(tails.shape[1]):
                p = min(tails[i, f], NORM_CAP)
                total += p * p
            out[i, FOREST] = pooled_nats(forest[i], calibration, 0, 0, 0.0) if switches.forest else 0.0
            out[i, NORM] = pooled_nats(np.sqrt(total), calibration, 0, 1, 0.0) if switches.norm else 0.0
            total = pooled_nats(out[i, FOREST] + out[i, NORM], calibration, 0, 2, 0.0)
            out[i, BULK] = total
            flood = _flood(tails[i])
            if flags[i] & TROUBLE == 0:
                flood -= volume_nats
            if flags[i] & Flag.AUTH_FAILURE:
                flood = max(flood, _stuffing(tails[i]))
            out[i, SPARSE] = _sparse(tails[i], volume_nats) if switches.sparse else 0.0
            out[i, FLOOD] = flood if switches.sparse else 0.0
            if _few_failures(raw[i], flags[i]):
                out[i, BULK], out[i, FLOOD] = min(out[i, BULK], FEW_NATS), min(out[i, FLOOD], FEW_NATS)
        out[i, PRIOR] = prior
        out[i, LEAST] = FATAL_NATS if surprise[i, AT.severity] > _FATAL and switches.prior else 0.0
        out[i, HABIT:] = 0.0
        out[i, NATS] = max(out[i, BULK], out[i, SPARSE], out[i, FLOOD], prior, out[i, LEAST])
