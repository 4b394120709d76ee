"""What is usual of whole sessions, learnt unlabelled, and how improbable it is to be off so far."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from sentinel.detect.kernel.jit import Floats
from sentinel.detect.sessions.content import Content, contents
from sentinel.detect.sessions.parts import FAILING, FAR, MISSING, ORDER, PARTS, Usual, learn, recurs
from sentinel.detect.sessions.reasons import reasons_of
from sentinel.detect.tuning.sessions import (
    CAP_NATS,
    FEW_ALIKE,
    FEW_FAR,
    FEW_FLOOR,
    FEW_NORM,
    FEW_PARTS,
    FEW_START,
    FOLDS,
    HABIT,
    KNOTS,
    MAX_TRIMMED,
    NORM_FLOOR,
    PART_CAP_NATS,
    REASON_NATS,
    SOUND,
    TAILS_FROM,
    TOLERANCE,
    TRIM_NATS,
    TRIM_ROUNDS,
    TRIM_TAILS_FROM,
    WRONG_NATS,
)
from sentinel.detect.tuning.sessions import FEW_OF_MODEL as FEW
from sentinel.detect.tuning.sessions import MIN_SESSIONS_OF_MODEL as MIN_SESSIONS
from sentinel.detect.tuning.sessions import MIN_TO_TRIM_OF_MODEL as MIN_TO_TRIM
from sentinel.errors import ArtifactError, TerminalError

__all__ = ["REASON_NATS", "SessionModel", "fit_sessions"]

FLOORS = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.05, 0.3])  # least scale of each part's tail, in the part's own units
TRIM_FLOORS = np.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.05, 0.3])  # while sessions are sorted out


@dataclass(frozen=True, slots=True)
class Tail:
    """−ln of the upper tail of columns: by rank, and beyond several quantiles exponential, whichever is more.

    `knots` (K, columns) sorted values evenly spaced in rank; `start`, `scale`, `base` (quantiles, columns): where each
    exponential begins, its scale, and −ln p there. A quantile low enough stays clear of anomalies in the training, a
    high one of a rare habit of many sessions.
    """

    knots: Floats
    start: Floats
    scale: Floats
    base: Floats

    def nats(self, values: Floats) -> Floats:
        """−ln p of values (n, columns), each at most 25."""
        n = len(self.knots)
        found = np.empty_like(values)
        for j, column in enumerate(values.T):
            reached = n - np.searchsorted(self.knots[:, j], column - TOLERANCE)
            found[:, j] = -np.log((reached + 0.5) / (n + 1.0))
            for start, scale, base in zip(self.start[:, j], self.scale[:, j], self.base[:, j], strict=True):
                beyond = np.where(column > start + TOLERANCE, base + (column - start) / scale, 0.0)
                found[:, j] = np.maximum(found[:, j], beyond)
        return np.clip(found, 0.0, CAP_NATS)


def fit_tail(values: Floats, floors: Floats, quantiles: Sequence[float]) -> Tail:
    """Tails whose scale is a median, so that a few anomalies among the values do not stretch it."""
    ordered = np.sort(values, axis=0)
    n = len(ordered)
    start = ordered[[int(q * (n - 1)) for q in quantiles]]
    scale, share = np.tile(floors, (len(start), 1)), np.zeros(start.shape)
    for k, j in np.ndindex(*start.shape):
        top = ordered[int(quantiles[k] * (n - 1)) :, j] - start[k, j]  # ties with the start are among them
        share[k, j] = (max(int((top > 0.0).sum()), 0.5) + 0.5) / (n + 1.0)
        scale[k, j] = max(float(np.median(top)) / np.log(2.0), floors[j])
    knots = ordered if n <= KNOTS else ordered[np.linspace(0, n - 1, KNOTS).round().astype(np.int64)]
    return Tail(knots, start, scale, -np.log(share))


@dataclass(frozen=True, slots=True)
class SessionModel:
    """What is usual of sessions, and how improbable it is to be off so far. Scores are −ln p, 0…25 nats."""

    usual: Usual
    part_tail: Tail
    norm_tail: Tail
    texts: dict[int, str]

    @property
    def confidence(self) -> str:
        """`low` below a hundred sessions: tails of so few are guesses."""
        return "low" if self.usual.sessions < FEW else "normal"

    def score(
        self, sequences: Sequence[Sequence[int]], texts: Mapping[int, str] | None = None
    ) -> tuple[Floats, list[tuple[str, ...]]]:
        """Nats (n,) and reasons, most telling first, of ended sessions: template keys (0…2⁶⁴−1) in order.

        `texts`: templates of keys that the model may not know, for reasons and words of failure. Sessions below
        3 nats get no reasons. An anomaly has at least 7.5 nats.
        """
        return self.judge(contents(self.usual, sequences, texts or {}), texts or {})

    def judge(self, content: Content, texts: Mapping[int, str]) -> tuple[Floats, list[tuple[str, ...]]]:
        """The same of what sessions hold, however it was counted."""
        tails = self.part_tail.nats(self.usual.parts(content))
        order = np.zeros_like(tails)
        a_way = self.usual.is_usual_step(content.worst[:, 0], content.worst[:, 1])
        order[:, ORDER] = np.where(a_way, 0.0, tails[:, ORDER])  # the counts say nothing of an order never seen
        nats = np.maximum(self.usual.bound(content, self._joined(tails), ended=True), self._joined(order))
        known = {**texts, **self.texts}
        chosen = np.flatnonzero(nats >= REASON_NATS).tolist()
        reasons: list[tuple[str, ...]] = [()] * content.sessions
        for i, said in zip(chosen, reasons_of(self.usual, content, tails, chosen, known), strict=True):
            reasons[i] = said
        return nats, reasons

    def so_far(self, content: Content) -> Floats:
        """Nats of sessions that still last: only what can grow no smaller counts, so at the end it is no less."""
        nats = self._joined(self.part_tail.nats(self.usual.rising(content)))
        return self.usual.bound(content, nats, ended=False)

    def _joined(self, tails: Floats) -> Floats:
        norm = np.sqrt((np.minimum(tails, PART_CAP_NATS) ** 2).sum(1))
        nats: Floats = self.norm_tail.nats(norm[:, None])[:, 0]
        return nats

    def fingerprint(self) -> str:
        """16 hexadecimal digits that tell this model from others."""
        digest = hashlib.sha256()
        for name, array in sorted(self.to_arrays().items()):
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Plain arrays by name, without pickles."""
        arrays = {f"usual_{name}": value for name, value in self.usual.to_arrays().items()}
        for name, tail in (("part", self.part_tail), ("norm", self.norm_tail)):
            arrays.update({f"{name}_{field}": getattr(tail, field) for field in Tail.__slots__})
        texts = json.dumps([[key, text] for key, text in self.texts.items()], ensure_ascii=False)
        return {**arrays, "texts": np.frombuffer(texts.encode(), np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The inverse of `to_arrays`. Raises ArtifactError where arrays are missing or do not fit together."""
        usual = Usual.from_arrays({n.removeprefix("usual_"): a for n, a in arrays.items() if n.startswith("usual_")})
        try:
            part, norm = (
                Tail(*(np.asarray(arrays[f"{name}_{field}"], np.float64) for field in Tail.__slots__))
                for name in ("part", "norm")
            )
            texts = {int(key): str(text) for key, text in json.loads(arrays["texts"].tobytes())}
        except (KeyError, TypeError, ValueError) as exc:
            raise ArtifactError(f"read model of sessions: {exc!r}; train again") from exc
        for tail, width in ((part, len(PARTS)), (norm, 1)):
            ends = {tail.start.shape, tail.scale.shape, tail.base.shape}
            if tail.knots.ndim != 2 or tail.knots.shape[1] != width or ends != {(len(TAILS_FROM), width)}:
                raise ArtifactError("read model of sessions: tails of another width; train again")
        return cls(usual, part, norm, texts)


def fit_sessions(
    sequences: Sequence[Sequence[int]], *, seed: int, texts: Mapping[int, str] | None = None, trim: bool = True
) -> SessionModel:
    """Learn from unlabelled sessions (template keys in order, 0…2⁶⁴−1), anomalous ones possibly among them.

    Every session is measured by tables of the others; with `trim` what then is an anomaly, at most a tenth, is left out
    of a second and third look. Raises TerminalError for fewer than 5 sessions that hold something.
    """
    texts = texts or {}
    kept = [sequence for sequence in sequences if len(sequence)]
    if len(kept) < MIN_SESSIONS:
        raise TerminalError(f"fit sessions: {len(kept)} of them hold lines, {MIN_SESSIONS} are needed; collect more")
    for _ in range(TRIM_ROUNDS):
        if not trim or len(kept) < MIN_TO_TRIM:
            break
        model, nats, parts = _fit_once(kept, texts, seed, trim=True)
        wrong = (parts[:, [MISSING, FAILING]] >= WRONG_NATS).any(1)
        odd = (wrong | (nats >= TRIM_NATS)) & ~_habits(kept) & ~_ways(kept, model.usual, texts)
        if odd.mean() > MAX_TRIMMED:
            odd &= nats > np.quantile(nats, 1.0 - MAX_TRIMMED)
        if not odd.any():
            break
        kept = [sequence for sequence, out in zip(kept, odd.tolist(), strict=True) if not out]
    return _fit_once(kept, texts, seed)[0]


def _habits(kept: list[Sequence[int]]) -> npt.NDArray[np.bool_]:
    """Which sessions hold just the templates that one in forty up to one in ten of them holds: no usual way, yet a
    way of its own and no anomaly."""
    sets = [frozenset(sequence) for sequence in kept]
    count = Counter(sets)
    share = np.array([count[held] for held in sets]) / len(kept)
    habits: npt.NDArray[np.bool_] = (share >= HABIT[0]) & (share <= HABIT[1])
    return habits


def _ways(kept: list[Sequence[int]], usual: Usual, texts: Mapping[int, str]) -> npt.NDArray[np.bool_]:
    """Which sessions hold counts that recur, with no more failing and missing than in nine of ten: work that is seldom
    done, not work that went wrong."""
    count = Counter(counts := [tuple(sorted(Counter(sequence).items())) for sequence in kept])
    parts = usual.parts(contents(usual, kept, texts))[:, [MISSING, FAILING]]
    sound = (parts <= np.quantile(parts, SOUND, axis=0) + TOLERANCE).all(1)
    return recurs(np.array([count[held] for held in counts], np.float64), len(kept)) & sound


def _floors(sessions: int) -> Floats:
    """The least scale of each part's tail: wider for few sessions, of which one in ten may do what none of them did."""
    few = max(0.0, 1.0 - sessions / FEW)
    floors: Floats = FLOORS * (1.0 + FEW_PARTS * few)
    floors[FAR] += FEW_FAR * few
    return floors


def _steadied(norm_tail: Tail) -> Tail:
    """The norm's tail where few sessions teach: where it begins, and how far it reaches, hang on which one or two of
    them are odd, so that it begins where that of other few sessions does, and is stretched by none of them. Sessions
    that are all alike tell by themselves where it begins."""
    usual = FEW_START * norm_tail.base
    start = np.where(norm_tail.start < FEW_ALIKE * usual, norm_tail.start, usual)
    return replace(norm_tail, start=start, scale=np.minimum(norm_tail.scale, FEW_NORM))


def _fit_once(
    kept: list[Sequence[int]], texts: Mapping[int, str], seed: int, *, trim: bool = False
) -> tuple[SessionModel, Floats, Floats]:
    """A model, and each session's nats and parts by tables without it."""
    n = len(kept)
    quantiles = TRIM_TAILS_FROM if trim else TAILS_FROM
    norm_floor = NORM_FLOOR + FEW_FLOOR * min(1.0, FEW / n)
    folds = min(FOLDS if n >= 10 * FOLDS else 2 * FOLDS, n)
    fold = np.random.default_rng(seed).permutation(n) % folds
    history = n - int(np.bincount(fold).max())
    parts = np.zeros((n, len(PARTS)))
    for k in range(folds):
        own = np.flatnonzero(fold == k)
        others = learn([kept[i] for i in np.flatnonzero(fold != k)], texts, history=history)
        parts[own] = others.parts(contents(others, [kept[i] for i in own], texts))
    part_tail = fit_tail(parts, TRIM_FLOORS if trim else _floors(n), quantiles)
    norm = np.sqrt((np.minimum(part_tail.nats(parts), PART_CAP_NATS) ** 2).sum(1))[:, None]
    norm_tail = fit_tail(norm, np.array([norm_floor]), quantiles)
    if n < FEW:
        norm_tail = _steadied(norm_tail)
    usual = learn(kept, texts, history=history)
    known = {key: texts[key] for key in usual.keys.tolist() if key in texts}
    return SessionModel(usual, part_tail, norm_tail, known), norm_tail.nats(norm)[:, 0], parts
