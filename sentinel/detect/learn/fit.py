"""Fit a model on records, without labels: state pass, baseline tables, tails, forest, calibration."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from sentinel.detect.judge.combine import NATS, PARTS, Switches, combine, norms
from sentinel.detect.judge.features import DECISIVE, EVERYWHERE, FEATURE_INDEX, FEATURES, FLOORS, NOVELTIES
from sentinel.detect.judge.nats import THRESHOLD_NATS
from sentinel.detect.judge.tails import ABSENT, TOLERANCE, Tails, fit_tails, pooled_nats, tail_nats
from sentinel.detect.judge.trees import Trees, flatten
from sentinel.detect.kernel.jit import Booleans, Floats, Integers
from sentinel.detect.learn.corpus import Corpus, order_of, read
from sentinel.detect.learn.crossfit import CHUNK_ROWS, CrossFit, rows_of
from sentinel.detect.learn.exclude import attacks
from sentinel.detect.learn.forest import fit_forest
from sentinel.detect.learn.outcomes import learn_outcomes
from sentinel.detect.learn.session_corpus import learn_from, sessions_after
from sentinel.detect.models.model import Model
from sentinel.detect.read.coded import Facts
from sentinel.detect.remember.state import pack
from sentinel.detect.silence.watchdog import Watch, learn_watch
from sentinel.detect.tuning.learn import DRIFT_NATS, LATE_BLOCK, QUIET_LINES, VOLUME_SHARE
from sentinel.detect.tuning.learn import MIN_LINES_OF_FIT as MIN_LINES
from sentinel.errors import TerminalError

__all__ = ["MIN_LINES", "Trained", "fit"]

DECISIVE_AT = [FEATURE_INDEX[name] for name in DECISIVE]
DAY_S, MIN_SPAN_S = 86_400.0, 3_600.0
NOVELTY_AT, EVERYWHERE_AT = (np.array([FEATURE_INDEX[name] for name in some]) for some in (NOVELTIES, EVERYWHERE))
QUANTILES = np.array([0, 0.5, 0.9, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999, 0.99995, 0.99999, 1.0])


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training gives: the model, the state after its last line, the forest (None for a warm-up).

    `left_out` of the `rows` lines did not teach; `excluded` of these because the champion calls them an attack.
    """

    model: Model
    state: bytes
    forest: Any
    sample: pl.DataFrame
    rows: int
    left_out: int
    excluded: int = 0


@dataclass(frozen=True, slots=True)
class _Learnt:
    baseline: Any
    tails: Tails
    places: Integers
    calibration: Tails
    volume_nats: float
    trees: Trees | None
    forest: Any
    flagged_share: float
    quantiles: Floats
    ok: Booleans


def _no_tails(count: int) -> tuple[Tails, Integers]:
    return fit_tails(np.zeros((2, len(FEATURES))), np.zeros(2, np.int64), count, floors=FLOORS)


def _decluster(found: Floats, templates: Integers, times: Floats, late: Booleans) -> None:
    """Let a decisive feature count once a template and hour: one event is no evidence of many.

    What is new counts in the `late` rows only, which have most history before them: in the first days every rare line
    is new.
    """
    hours = templates * 1_000_000 + ((times - times[0]) // 3600).astype(np.int64)
    for at in DECISIVE_AT:
        column = found[:, at]
        stands_out = np.flatnonzero(column > 0)
        _, first = np.unique(hours[stands_out], return_index=True)
        repeats = np.delete(stands_out, first)
        column[repeats] = ABSENT
    found[np.ix_(~late, NOVELTY_AT)] = ABSENT


def _tails(found: Floats, facts: Facts, times: Floats, sources: int, late: Booleans) -> tuple[Tails, Integers]:
    """Tails of declustered surprises; the surprises are as before, without a copy of them all."""
    decisive = found[:, DECISIVE_AT]
    _decluster(found, facts.template, times, late)
    learnt = fit_tails(found, facts.source, sources, floors=FLOORS)
    learnt[0].weight[:, EVERYWHERE_AT] = 0.0
    found[:, DECISIVE_AT] = decisive
    return learnt


def _volume(times: Floats) -> float:
    """Nats by which a line of busy logs has to be more improbable than one of quiet ones: people get alarms by the day,
    not by the line."""
    a_day = len(times) / max(float(times.max() - times.min()), MIN_SPAN_S) * DAY_S
    return VOLUME_SHARE * max(float(np.log(a_day / QUIET_LINES)), 0.0)


def _calibrate(tails: Floats, scores: Floats, volume_nats: float) -> Tails:
    """Tails of forest score, norm and their sum, side by side in one group.

    What is odd only as a whole has to be odder than that: traffic differs from training's, so that half of what looks
    improbable is only that, and there may be much of it. This allowance is taken off the sum.
    """
    allowance = DRIFT_NATS + volume_nats
    norm = np.empty(len(tails))
    norms(tails, norm)

    def one(values: Floats, q: float) -> Tails:
        return fit_tails(values[:, None], np.zeros(len(values), np.int64), 0, floors=np.zeros(1), q=q)[0]

    first, second = one(scores, 0.99), one(norm, 0.99)
    total = np.array(
        [
            pooled_nats(a, first, 0, 0, 0.0) + pooled_nats(b, second, 0, 0, 0.0)
            for a, b in zip(scores, norm, strict=True)
        ]
    )
    third = one(total, 0.99)
    parts = (first, second, third._replace(nats=third.nats - allowance, base=third.base - allowance))
    knots, nats, start, scale, base, weight = (np.concatenate([p[k] for p in parts], axis=1) for k in range(6))
    return Tails(knots, nats, start, scale, base, weight)


def _learn(corpus: Corpus, use: Booleans, seed: int, *, trim: bool, trees: int, threshold_nats: float) -> _Learnt:
    fit_ = CrossFit(corpus)
    ok = fit_.clean(use, seed) if trim else use
    taught = ok | fit_.jobs(use & ~ok)
    if not taught.all():
        corpus.walk(taught)
    rows, found = fit_.forward(ok, seed)
    baseline = fit_.tables(taught, fit_.cap(ok), fit_.trust(rows, found))
    facts, sources, late = rows_of(fit_.facts, rows), fit_.sources, fit_.block[rows] >= LATE_BLOCK
    del fit_  # its sorted columns are as large as the corpus
    tails, places = _tails(found, facts, corpus.coded.line.times[rows], sources, late)
    tail_nats(found, places[facts.source], tails, TOLERANCE, found)
    forest = fit_forest(found, seed=seed, trees=trees)
    flat = flatten(forest)
    scores = flat.score_samples(found)
    volume_nats = _volume(corpus.coded.line.times[ok])
    calibration = _calibrate(found, scores, volume_nats)
    parts = np.empty((len(rows), len(PARTS)))
    for a in range(0, len(rows), CHUNK_ROWS):  # in double precision the raw values of all would be the peak
        of = slice(a, a + CHUNK_ROWS)
        raw, switches = corpus.raw[rows[of]].astype(np.float64), Switches(prior=False)
        so_far = raw, facts.flags[of], found[of], found[of], scores[of]
        combine(*so_far, calibration, volume_nats, switches, False, parts[of])
    quantiles = np.column_stack([QUANTILES, np.quantile(parts[:, NATS], QUANTILES)])
    flagged = float(np.mean(parts[:, NATS] >= threshold_nats))
    return _Learnt(baseline, tails, places, calibration, volume_nats, flat, forest, flagged, quantiles, taught)


def _warm_up(corpus: Corpus, use: Booleans) -> _Learnt:
    """Tables only: too few lines to say how improbable anything is."""
    fit_ = CrossFit(corpus)
    tails, places = _no_tails(fit_.sources)
    cap = (float(np.log(2.0 * (len(corpus) + 1))), 0.0)
    knots, nats, start, scale, base, weight = (part[:, :3].copy() for part in tails)
    calibration = Tails(knots, nats, start, scale, base, weight)
    quantiles = np.column_stack([QUANTILES, np.zeros(len(QUANTILES))])
    return _Learnt(fit_.tables(use, cap), tails, places, calibration, 0.0, None, None, 0.0, quantiles, use)


def _templates(corpus: Corpus, ok: Booleans, champion: Model | None) -> dict[str, Any]:
    """What the model keeps of templates; each last came in the lines `ok`, or before, as the champion knows."""
    before = (
        dict(zip(champion.template_keys.tolist(), champion.template_seen.tolist(), strict=False)) if champion else {}
    )
    seen = np.array([before.get(key, np.nan) for key in corpus.vocabulary.places], float)
    np.fmax.at(seen, corpus.coded.facts.template[ok], corpus.coded.line.times[ok])
    clusters = corpus.vocabulary.known.clusters.values()
    return {
        "template_keys": np.array([cluster.key for cluster in clusters], np.uint64),
        "template_texts": tuple(cluster.text for cluster in clusters),
        "template_seen": seen,
        "manners": corpus.manners,
    }


def _model(
    corpus: Corpus, learnt: _Learnt, champion: Model | None, *, seed: int, now: datetime, threshold_nats: float
) -> Model:
    _, words, unseen = corpus.words.rarities(learnt.ok, float(learnt.baseline.cap[0]))
    times = corpus.coded.line.times
    outcomes, slots = learn_outcomes(corpus, learnt.ok)
    keys, watched = learn_watch(times, corpus.coded.line.templates, corpus.coded.line.sources, learnt.ok)
    return Model(
        version="",
        trained_at=now,
        rows=len(corpus),
        confidence="low" if learnt.trees is None else "normal",
        threshold_nats=threshold_nats,
        seed=seed,
        span=(float(times[0]), float(times[-1])),
        **_templates(corpus, learnt.ok, champion),
        source_hashes=corpus.source_hashes,
        source_names=corpus.source_names,
        word_hashes=corpus.words.hashes,
        word_rarities=words,
        unseen_word=unseen,
        baseline=learnt.baseline,
        tails=learnt.tails,
        tail_places=learnt.places,
        calibration=learnt.calibration,
        volume_nats=learnt.volume_nats,
        outcomes=outcomes,
        slots=slots,
        trees=learnt.trees,
        flagged_share=learnt.flagged_share,
        quantiles=learnt.quantiles,
        watched=watched,
        watched_keys=keys,
    )


def _named(model: Model, now: datetime) -> Model:
    """The model with its version: when it was trained and a digest of what it is."""
    digest = hashlib.sha256()
    arrays, _ = model.to_parts()
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return replace(model, version=f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{digest.hexdigest()[:6]}")


def fit(
    records: pl.DataFrame,
    *,
    now: datetime,
    seed: int = 0,
    champion: Model | None = None,
    exclude_anomalies: bool = False,
    innocent: pl.Series | None = None,
    trim_crowds: bool = True,
    trees: int = 300,
    threshold_nats: float = THRESHOLD_NATS,
) -> Trained:
    """Fit a model on records (RECORD_SCHEMA; any order), without labels. Never reads a clock or a store.

    `exclude_anomalies` leaves out the attacks that the champion finds (see `exclude`), but for the records that are
    `innocent` (n_records,): a person said so. `trim_crowds` leaves out incidents by the training
    data themselves. Fewer than 2,000 lines give a warm-up model with `confidence` low.
    Raises TerminalError when there is no record at all.
    """
    if records.is_empty():
        raise TerminalError("train: there is not one record to learn from; collect or send logs first")
    corpus = read(records, champion)
    out = attacks(corpus, champion) if champion and exclude_anomalies else np.zeros(len(corpus), bool)
    if innocent is not None:
        out &= ~innocent[order_of(records)].to_numpy()
    use = ~out
    if len(corpus) < MIN_LINES:
        learnt = _warm_up(corpus, use)
    else:
        learnt = _learn(corpus, use, seed, trim=trim_crowds, trees=trees, threshold_nats=threshold_nats)
    corpus.raw = corpus.raw[:0].copy()  # the largest part, and no longer asked for
    sessions = learn_from(corpus, seed=seed)
    model = _model(corpus, learnt, champion, seed=seed, now=now, threshold_nats=threshold_nats)
    model = _named(replace(model, sessions=sessions.rules, session_figures=sessions.figures), now)
    watch = Watch(model.watched_keys, model.watched)
    watch.saw(corpus.coded.line.templates, corpus.coded.line.sources, corpus.coded.line.times)
    extra = {"vocabulary": {"templates": [], "assigned": []}, "watch": watch.parts(), "model": model.version}
    state = pack(corpus.memory, extra, sessions_after(model, corpus))
    left_out = int(len(corpus) - np.count_nonzero(learnt.ok))
    sample = records.tail(5_000)
    return Trained(model, state, learnt.forest, sample, len(corpus), left_out, int(np.count_nonzero(out)))
