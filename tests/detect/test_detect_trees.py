"""The flat forest: equal to scikit-learn's, whatever the rows, and never outside its arrays."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from sentinel.detect.judge import trees as module
from sentinel.detect.judge.trees import Trees, flatten
from sentinel.errors import ArtifactError, TerminalError


def fitted(n_rows=3000, width=20, trees=60, samples=256, features=1.0, seed=0):
    rows = np.random.default_rng(seed).exponential(1.0, (n_rows, width))
    rows[:, 1] = np.round(rows[:, 1])  # ties
    rows[:, 2] = 0.0  # a constant
    forest = IsolationForest(n_estimators=trees, max_samples=samples, max_features=features, random_state=seed)
    return forest.fit(rows), rows


@pytest.fixture(scope="module")
def forest():
    return fitted()[0]


@pytest.fixture(scope="module")
def flat(forest):
    return flatten(forest)


def strange_rows(forest, n_rows=1003):
    """Rows inside and outside the training range, with values exactly at thresholds and one float32 beside them."""
    rng = np.random.default_rng(7)
    rows = rng.normal(1.0, 3.0, (n_rows, forest.n_features_in_))
    for i in range(0, n_rows, 2):
        tree = forest.estimators_[i % len(forest.estimators_)].tree_
        inner = np.flatnonzero(tree.children_left >= 0)
        for node in rng.choice(inner, 8):
            at = tree.threshold[node]
            rows[i, tree.feature[node]] = rng.choice(
                [at, np.nextafter(at, 9.0), np.nextafter(np.float32(at), np.float32(-9))]
            )
    rows[5], rows[7] = 1e30, -1e30
    return rows


def test_scores_equal_sklearns_negated(forest, flat):
    """On any rows, also at thresholds and far outside, the scores are scikit-learn's, negated, to 1e-9."""
    rows = strange_rows(forest)

    scores = flat.score_samples(rows)

    np.testing.assert_allclose(scores, -forest.score_samples(rows), rtol=0, atol=1e-9)
    assert scores.min() > 0
    assert scores.max() <= 1


def test_every_threshold_is_decided_as_sklearn_does(forest, flat):
    """A row at each threshold of a tree, as a float32, goes where scikit-learn sends it: exact ties included."""
    thresholds = np.unique(
        np.concatenate([tree.tree_.threshold[tree.tree_.feature == 0] for tree in forest.estimators_])
    )
    rows = np.repeat(np.ones((1, 20)), 3 * len(thresholds), axis=0)
    near = thresholds.astype(np.float32)
    rows[:, 0] = np.concatenate([near, np.nextafter(near, np.float32(-9)), np.nextafter(near, np.float32(9))])

    np.testing.assert_allclose(flat.score_samples(rows), -forest.score_samples(rows), rtol=0, atol=1e-9)


@pytest.mark.parametrize("settings", [
    {"samples": 2, "trees": 1}, {"samples": 3, "trees": 5, "n_rows": 3}, {"features": 0.4}, {"width": 1, "trees": 7},
    {"samples": 1024, "trees": 30},
], ids=str)  # fmt: skip
def test_any_shape_of_forest_is_flattened(settings):
    """Few samples, few trees, one feature, drawn features: still equal."""
    if settings.get("width") == 1:
        rows = np.random.default_rng(1).normal(size=(500, 1))
        forest = IsolationForest(n_estimators=7, random_state=1).fit(rows)
    else:
        forest, rows = fitted(**settings)

    np.testing.assert_allclose(flatten(forest).score_samples(rows), -forest.score_samples(rows), rtol=0, atol=1e-9)


def test_row_alone_has_the_same_bits_as_among_others(forest, flat):
    """Alone and in blocks of every size: not one bit differs."""
    rows = strange_rows(forest, 601).astype(np.float32)
    together = flat.score_samples(rows)

    assert np.array_equal(together, [flat.score_samples(rows[i : i + 1])[0] for i in range(len(rows))])
    assert np.array_equal(together[:7], flat.score_samples(rows[:7]))


def test_numpy_path_is_equal(forest, flat):
    """Without a compiler the scores are the same to 1e-12."""
    rows = strange_rows(forest, 300).astype(np.float32)

    np.testing.assert_allclose(
        module._score_in_numpy(flat, module._ordered(rows)), flat.score_samples(rows), rtol=0, atol=1e-12
    )


def test_no_rows_give_no_scores(flat):
    """Empty in, empty out."""
    assert flat.score_samples(np.empty((0, 20))).shape == (0,)


def test_nan_is_scored_and_not_a_crash(flat):
    """A NaN goes left everywhere: a number comes out, from every path alike."""
    rows = np.full((2, 20), np.nan, np.float32)

    scores = flat.score_samples(rows)

    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores, module._score_in_numpy(flat, module._ordered(rows)), atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 19), (3, 21), (20,)], ids=str)
def test_rows_of_another_width_are_refused(flat, shape):
    """The error names both shapes."""
    with pytest.raises(ValueError, match="does not fit a forest over 20 features"):
        flat.score_samples(np.zeros(shape))


def test_arrays_come_back_equal(forest, flat):
    """To arrays and back gives the same scores, bit for bit."""
    rows = strange_rows(forest, 50)

    again = Trees.from_arrays(flat.to_arrays())

    assert np.array_equal(again.score_samples(rows), flat.score_samples(rows))


@pytest.mark.parametrize(("name", "index", "value"), [
    ("nodes", -5, 60_000), ("nodes", 0, 20 << 16 | 1), ("nodes", 0, 0), ("nodes", -1, 1 << 32), ("roots", 3, 10**6),
    ("roots", 0, -1), ("value", -1, np.nan),
])  # fmt: skip
def test_arrays_that_would_lead_outside_are_refused(flat, name, index, value):
    """A walk that could leave the arrays or never end is found before the first row is scored."""
    arrays = {key: array.copy() for key, array in flat.to_arrays().items()}
    arrays[name][index] = value

    with pytest.raises(ArtifactError, match="do not form trees"):
        Trees.from_arrays(arrays)


def test_missing_array_is_named(flat):
    """An array that is not there is named in the error."""
    arrays = flat.to_arrays()
    del arrays["nodes"]

    with pytest.raises(ArtifactError, match="nodes"):
        Trees.from_arrays(arrays)


def test_keys_are_in_the_order_of_their_floats():
    """Over the whole range of a float32: a NaN of either sign below all, both zeros equal."""
    values = np.array([-np.inf, -1e30, -1.0, -1e-45, 0.0, 1e-45, 1.0, 1e30, np.inf], np.float32)

    keys = module._ordered(values)
    nan, minus_nan, minus_zero = module._ordered(np.array([np.nan, -np.nan, -0.0], np.float32))

    assert np.all(np.diff(keys.astype(np.int64)) > 0)
    assert nan == minus_nan == 0 < keys[0]
    assert minus_zero == keys[4]


def test_forest_too_wide_for_its_words_is_refused():
    """A column that a word has no room for is an error, not another column."""
    rows = np.random.default_rng(0).normal(size=(4, 1_000_000)).astype(np.float32)
    forest = IsolationForest(n_estimators=3, random_state=0).fit(rows)

    with pytest.raises(TerminalError, match="more than 65535"):
        flatten(forest)


def test_forest_of_single_rows_is_refused():
    """Trees that saw one row each tell nothing apart."""
    forest = IsolationForest(n_estimators=3, max_samples=1, random_state=0).fit(np.zeros((5, 2)))

    with pytest.raises(TerminalError, match="one row each"):
        flatten(forest)
