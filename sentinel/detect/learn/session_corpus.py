"""Sessions of a training: what its lines teach, and which of them are still open after the last line."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sentinel.detect.kernel.jit import Booleans
from sentinel.detect.learn.corpus import Corpus
from sentinel.detect.models.model import Model
from sentinel.detect.read.coded import Coded
from sentinel.detect.read.scan import SESSION
from sentinel.detect.sessions.fit import SessionRules, learn_sessions
from sentinel.detect.sessions.watch import SessionWatch
from sentinel.detect.tuning.learn import MAX_NUMBER_BYTES

__all__ = ["LearntSessions", "learn_from", "sessions_after"]

_FIGURES = ("sessions", "median_lines", "repeated", "held_out", "flagged", "trim")


@dataclass(frozen=True, slots=True)
class LearntSessions:
    """Rules, one for each kind of session that is of use, and figures of every kind, by name."""

    rules: tuple[SessionRules, ...]
    figures: dict[str, float]


def learn_from(corpus: Corpus, *, seed: int) -> LearntSessions:
    """Learn from all lines: whether a session is an incident is judged by sessions, not by lines."""
    coded = corpus.coded
    texts = {key: cluster.text for key, cluster in corpus.vocabulary.known.clusters.items()}
    plain = np.unique(coded.sessions[_is_number(coded)])
    rules, told = learn_sessions(
        coded.sessions, coded.line.templates, coded.line.times, texts, plain=plain, seed=seed
    )  # fmt: skip
    figures = {f"sessions_{i}_{name}": kind[name] for i, kind in enumerate(told) for name in _FIGURES if name in kind}
    return LearntSessions(rules, {"session_kinds": float(len(rules)), **figures})


def _is_number(coded: Coded) -> Booleans:
    """Whether each line's session is a mere number in its message, such as that of an order."""
    scanned = coded.scanned
    start, end = scanned.spans[:, 2 * SESSION], scanned.spans[:, 2 * SESSION + 1]
    there = (end > start) & (end - start <= MAX_NUMBER_BYTES) & ~coded.named
    found = np.zeros(len(there), bool)
    lines = np.flatnonzero(there)
    begin = scanned.offsets[:-1][lines]
    ends = (scanned.buffer[begin + start[lines]], scanned.buffer[begin + end[lines] - 1])
    found[lines] = np.logical_and(*((byte >= 48) & (byte <= 57) for byte in ends))
    return found


def sessions_after(model: Model, corpus: Corpus) -> dict[str, np.ndarray[Any, Any]]:
    """The state of the sessions after the last line; what was strange while learning is not told any more."""
    watch = SessionWatch(model.sessions, model.template_keys, corpus.vocabulary, version=model.version)
    coded = corpus.coded
    watch.walk(coded, model.threshold_nats, lambda line: (_id(coded, line), "", ""))
    watch.ended(model.threshold_nats)
    return watch.state()


def _id(coded: Coded, line: int) -> str:
    return "" if coded.named[line] else coded.scanned.entity(line, SESSION)
