"""The order of the stages: lines as integers in, their past, surprises, tails, forest and habits, nats out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sentinel.detect.judge.combine import BULK, NATS, PARTS, SPARSE_CAP, Switches, combine
from sentinel.detect.judge.features import FEATURES
from sentinel.detect.judge.habits import settle
from sentinel.detect.judge.outcomes import new_numbers, settle_outcomes
from sentinel.detect.judge.surprise import surprises
from sentinel.detect.judge.tails import TOLERANCE, tail_nats
from sentinel.detect.kernel.flags import Level
from sentinel.detect.kernel.jit import Floats, Integers
from sentinel.detect.kernel.table import Memory
from sentinel.detect.models.model import Model
from sentinel.detect.read.coded import Coded
from sentinel.detect.remember.raw import COLUMN, RAW
from sentinel.detect.remember.state_pass import walk
from sentinel.detect.sessions.follow import Alarm
from sentinel.detect.tuning.judge import FATAL_AGAIN_NATS, FATAL_NEWS_NATS

__all__ = ["Scored", "judged"]


@dataclass(frozen=True, slots=True)
class Scored:
    """All that is known of n lines: integers, raw values, surprises, tails, and parts (n, len(PARTS)) of the score.

    `outcomes` (n,): nats of a value that its place never showed; `numbers` (n,): the number that is one, −1 = none.
    `alarms`: of the lines at which a session in flight became strange.
    """

    coded: Coded
    raw: Floats
    surprise: Floats
    tails: Floats
    parts: Floats
    outcomes: Floats
    numbers: Integers
    alarms: Sequence[Alarm] = ()

    @property
    def nats(self) -> Floats:
        """(n,) −ln p under normal traffic, of the line or of its session."""
        nats: Floats = np.maximum(self.parts[:, NATS], self.outcomes)
        for alarm in self.alarms:
            nats[alarm.line] = max(nats[alarm.line], alarm.nats)
        return nats


def judged(coded: Coded, memory: Memory, model: Model, switches: Switches) -> Scored:
    """Take lines through all stages in their order; `memory` moves on."""
    n = len(coded.line.times)
    raw, surprise = np.empty((n, len(RAW))), np.empty((n, len(FEATURES)))
    tails, forest, parts = np.zeros_like(surprise), np.zeros(n), np.empty((n, len(PARTS)))
    facts, odds, volume = coded.facts, model.calibration, model.volume_nats
    with np.errstate(over="ignore"):  # hashes wrap around; only plain code would warn
        walk(memory, coded.line, raw)
        surprises(raw, facts, model.baseline, surprise)
        if model.trees is not None:
            tail_nats(surprise, model.tail_places[facts.source], model.tails, TOLERANCE, tails)
            forest = model.trees.score_samples(tails)
        combine(raw, facts.flags, surprise, tails, forest, odds, volume, switches, model.is_warm_up, parts)
        _fatal_news(coded, model, switches, raw, parts)
        if switches.habits:
            settle(memory, coded.line, raw, parts)
        news, numbers = _outcomes(coded, memory, model)
    return Scored(coded, raw, surprise, tails, parts, news, numbers)


def _fatal_news(coded: Coded, model: Model, switches: Switches, raw: Floats, parts: Floats) -> None:
    """What its own program calls fatal in words that training never had may speak alone, louder when it comes again,
    until it is a habit."""
    if switches.sparse and not model.is_warm_up:
        news = (coded.facts.level >= Level.FATAL) & (coded.facts.template < 0)
        nats = FATAL_NEWS_NATS + FATAL_AGAIN_NATS * np.log1p(raw[news, COLUMN.hits_template])
        parts[news, BULK] = np.maximum(parts[news, BULK], nats)
        parts[news, NATS] = np.maximum(parts[news, NATS], nats)


def _outcomes(coded: Coded, memory: Memory, model: Model) -> tuple[Floats, Integers]:
    """What codes, states and numbers are worth that their places never showed, and which number it is."""
    news = [meaning.news for meaning in coded.meanings]
    nats = np.array([one.nats if one else 0.0 for one in news])[coded.which]
    keys = np.array([one.key if one else 0 for one in news], np.uint64)[coded.which]
    which = np.full(len(nats), -1)
    new_numbers(coded.facts.template, coded.facts.numbers, model.outcomes, nats, keys, which)
    settle_outcomes(memory, coded.line, keys, nats)
    return np.minimum(nats, SPARSE_CAP), which
