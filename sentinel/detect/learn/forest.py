"""Fit scikit-learn's isolation forest on surprises, with a few rows pushed into the empty upper range."""

from typing import Any

import numpy as np

from sentinel.detect.kernel.jit import Floats
from sentinel.detect.tuning.learn import PUSHED_SHARE, SAMPLES, TREES

__all__ = ["fit_forest"]


def _pushed(rows: Floats, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    count, features = int(PUSHED_SHARE * len(rows)) + 1, rows.shape[1]
    low, high, mean = rows.min(0), rows.max(0), rows.mean(0)
    high = high + (high - low) * 0.5 + 1.0
    pushed: Floats = rows[rng.integers(0, len(rows), count)].copy()
    for row in pushed:
        columns = rng.choice(features, rng.integers(1, 4), replace=False)
        row[columns] = rng.uniform(mean[columns], high[columns])
    return pushed


def fit_forest(rows: Floats, *, seed: int, trees: int = TREES, samples: int = SAMPLES) -> Any:
    """A fitted `sklearn.ensemble.IsolationForest` over rows (n, features)."""
    from sklearn.ensemble import IsolationForest

    fed = np.concatenate([rows, _pushed(rows, seed)], dtype=np.float32, casting="same_kind")
    forest = IsolationForest(
        n_estimators=trees, max_samples=min(samples, len(fed)), random_state=seed, n_jobs=1, contamination="auto"
    )
    return forest.fit(fed)
