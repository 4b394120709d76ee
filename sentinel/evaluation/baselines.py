"""What one would write otherwise, as peers: the usual forests, rarity, word lists, and flagging everything."""

import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from sentinel.evaluation.case import Case
from sentinel.evaluation.measure import Scored, shapes_of

__all__ = ["BASELINES", "run_baseline"]

Floats = npt.NDArray[np.float64]
Judged = tuple[Floats, float]
"""Scores of the test lines (high = strange) and the method's own threshold."""

LEVELS = {"trace": 0, "debug": 0, "info": 1, "warn": 2, "error": 3, "fatal": 4}
WINDOW_S = 60.0
RARE_SHARE = 0.001
BAD_WORDS = r"(?i)\b(error|fail|failed|failure|fatal|denied|refused|invalid|exception|panic|critical|unauthorized)"


def _forest(train: Any, test: Any, seed: int) -> Judged:
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=100, random_state=seed, n_jobs=1).fit(train)
    return -forest.score_samples(test), -float(forest.offset_)


def naive_forest(case: Case, seed: int) -> Judged:
    """Isolation Forest over level, length, hour and a hash of the source, threshold `auto`: the usual design."""

    def rows(records: pl.DataFrame) -> Floats:
        level = records["level"].replace_strict(LEVELS, default=1, return_dtype=pl.Int64).fill_null(1)
        source = [zlib.crc32((name or "").encode()) % 1000 for name in records["source"]]
        length = records["message"].str.len_chars()
        return np.column_stack([level, length, records["timestamp"].dt.hour(), source]).astype(float)

    return _forest(rows(case.train), rows(case.test), seed)


def _codes(case: Case) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """A template number for each training and each test line; those not in training share the last."""
    both = pl.concat([case.train.select("source", "message"), case.test.select("source", "message")])
    shape = shapes_of(both).to_numpy()
    train, test = shape[: len(case.train)], shape[len(case.train) :]
    known, codes = np.unique(train, return_inverse=True)
    places = np.searchsorted(known, test)
    found = (places < len(known)) & (known[np.minimum(places, len(known) - 1)] == test)
    return codes.astype(np.int64), np.where(found, places, len(known)).astype(np.int64), len(known) + 1


def event_counts(case: Case, seed: int) -> Judged:
    """Isolation Forest over event counts of 60 s windows, weighted by rarity; a line has its window's score."""
    train, test, size = _codes(case)

    def rows(codes: npt.NDArray[np.int64], records: pl.DataFrame) -> tuple[Floats, npt.NDArray[np.int64]]:
        window = (records["timestamp"].dt.epoch("us").to_numpy() // int(WINDOW_S * 1e6)).astype(np.int64)
        _, which = np.unique(window, return_inverse=True)
        counts = np.zeros((int(which.max()) + 1, size))
        np.add.at(counts, (which, codes), 1.0)
        return counts, which

    learnt, _ = rows(train, case.train)
    asked, which = rows(test, case.test)
    weight = np.log(len(learnt) / np.maximum((learnt > 0).sum(0), 0.5))
    scores, threshold = _forest(learnt * weight, asked * weight, seed)
    return scores[which], threshold


def tf_idf(case: Case, seed: int) -> Judged:
    """Isolation Forest over TF-IDF of words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(max_features=1000, token_pattern=r"[A-Za-z]{2,}")  # noqa: S106  # no password
    learnt = words.fit_transform(case.train["message"].to_list())
    return _forest(learnt, words.transform(case.test["message"].to_list()), seed)


def rarity(case: Case, seed: int) -> Judged:
    """−ln of how often the line's template was seen in training; the rarest 0.1 % of the training lines set the bar."""
    train, test, size = _codes(case)
    nats = -np.log((np.bincount(train, minlength=size) + 0.5) / (len(train) + 1.0))
    return nats[test], float(np.quantile(nats[train], 1.0 - RARE_SHARE)) + 1e-9


def rules(case: Case, seed: int) -> Judged:
    """A level of error or worse, or a word that sounds bad: 1, else 0."""
    bad = pl.col("level").is_in(["error", "fatal"]).fill_null(value=False) | pl.col("message").str.contains(BAD_WORDS)
    return case.test.select(bad.cast(pl.Float64).alias("bad"))["bad"].to_numpy(), 0.5


def everything(case: Case, seed: int) -> Judged:
    """Flag every line: what recall alone would praise."""
    return np.ones(len(case.test)), 0.5


BASELINES: dict[str, Callable[[Case, int], Judged]] = {
    "naive isolation forest": naive_forest,
    "event-count isolation forest": event_counts,
    "TF-IDF isolation forest": tf_idf,
    "template rarity": rarity,
    "level and word rules": rules,
    "flag everything": everything,
}


def run_baseline(name: str, case: Case, *, seed: int) -> Scored:
    """One peer on one case, fitted on the same past."""
    started = time.perf_counter()
    scores, threshold = BASELINES[name](case, seed)
    return Scored(name, scores, threshold, score_s=time.perf_counter() - started)
