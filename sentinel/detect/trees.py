"""An isolation forest as flat arrays: scores of rows without scikit-learn, equal to its own; nothing is fitted here."""

from types import FunctionType
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from sentinel.detect.jit import Floats, Integers, compiled
from sentinel.errors import ArtifactError, TerminalError

__all__ = ["Trees", "flatten", "score_row"]

Floats32 = npt.NDArray[np.float32]
Integers32 = npt.NDArray[np.int32]

BLOCK_ROWS = 256  # rows walked through one tree before the next: both stay in the nearest cache


class Trees(NamedTuple):
    """All nodes of all trees, tree after tree, each breadth first, so that a right child stands beside the left one.

    A step is `left[node] + (row[feature[node]] > threshold[node])`. A leaf points at itself with threshold +∞, so every
    row takes `depth` steps in every tree, without a branch.
    """

    roots: Integers32  # (n_trees,) first node of each tree
    feature: Integers32  # (n_nodes,) column compared; 0 in leaves
    threshold: Floats32  # (n_nodes,) greatest float32 that still goes left
    left: Integers32  # (n_nodes,) left child; the right one is the next; a leaf's own number
    value: Floats  # (n_nodes,) leaves: path length; else 0
    normaliser: float  # path length at which the score is 0.5, times the number of trees
    depth: int  # steps to the deepest leaf
    width: int  # columns of a row

    def score_samples(self, rows: npt.ArrayLike) -> Floats:
        """Score rows (n_rows, width): one float in (0, 1] each, high = strange, about 0.5 where nothing stands out.

        This is the paper's s = 2^(−E h(x) / c(ψ)) (Liu, Ting, Zhou 2008, "Isolation Forest"), which is scikit-learn's
        `score_samples` negated, and equal to it within 1e-9. As there, values are compared as float32. A NaN goes left.
        The same row gives the same bits alone and among others. Raises ValueError for rows of another width.
        """
        cast = np.ascontiguousarray(rows, dtype=np.float32)
        if cast.ndim != 2 or cast.shape[1] != self.width:
            raise ValueError(f"score rows: shape {cast.shape} does not fit a forest over {self.width} features")
        if IS_PLAIN:
            return _score_in_numpy(self, cast)
        scores: Floats = np.zeros(len(cast))
        _score_rows(self, cast, scores)
        return scores

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays to store, by name; numbers are arrays of no dimension."""
        return {name: np.asarray(value) for name, value in zip(self._fields, self, strict=True)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> Self:
        """The inverse of `to_arrays`. Raises ArtifactError unless every walk ends in a leaf of its own tree."""
        try:
            trees = cls(
                np.ascontiguousarray(arrays["roots"], np.int32),
                np.ascontiguousarray(arrays["feature"], np.int32),
                np.ascontiguousarray(arrays["threshold"], np.float32),
                np.ascontiguousarray(arrays["left"], np.int32),
                np.ascontiguousarray(arrays["value"], np.float64),
                float(arrays["normaliser"]),
                int(arrays["depth"]),
                int(arrays["width"]),
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise ArtifactError(f"read trees: {exc!r}; train again") from exc
        if not _is_sound(trees):
            raise ArtifactError("read trees: the nodes do not form trees; train again")
        return trees


def _is_sound(trees: Trees) -> bool:
    """Can no walk leave the arrays? Children come after their parent, so that no walk is endless either."""
    n_nodes = len(trees.feature)
    if not len(trees.roots) or {len(trees.threshold), len(trees.left), len(trees.value)} != {n_nodes}:
        return False
    own = np.arange(n_nodes, dtype=np.int32)
    is_leaf = trees.left == own
    return bool(
        np.all((trees.roots >= 0) & (trees.roots < n_nodes))
        and np.all((trees.feature >= 0) & (trees.feature < trees.width))
        and np.all(np.where(is_leaf, np.isposinf(trees.threshold), (trees.left > own) & (trees.left < n_nodes - 1)))
        and np.isfinite(trees.value).all()
        and np.isfinite(trees.normaliser)
        and 0 <= trees.depth <= n_nodes
    )


@compiled
def _path_length(trees: Trees, row: Floats32) -> float:
    """The path lengths of one row (width,), float32, summed over the trees: four trees at a time, added in order."""
    feature, threshold, left, value, depth = trees.feature, trees.threshold, trees.left, trees.value, trees.depth
    roots = trees.roots
    n_trees = len(roots)
    total = 0.0
    k = 0
    while k + 4 <= n_trees:
        a, b, c, d = np.int64(roots[k]), np.int64(roots[k + 1]), np.int64(roots[k + 2]), np.int64(roots[k + 3])
        for _ in range(depth):
            a = left[a] + np.int64(row[feature[a]] > threshold[a])
            b = left[b] + np.int64(row[feature[b]] > threshold[b])
            c = left[c] + np.int64(row[feature[c]] > threshold[c])
            d = left[d] + np.int64(row[feature[d]] > threshold[d])
        total += value[a]
        total += value[b]
        total += value[c]
        total += value[d]
        k += 4
    while k < n_trees:
        a = np.int64(roots[k])
        for _ in range(depth):
            a = left[a] + np.int64(row[feature[a]] > threshold[a])
        total += value[a]
        k += 1
    return total


@compiled
def _score_rows(trees: Trees, rows: Floats32, total: Floats) -> None:
    """Fill total (n,), which comes as zeros: rows four at a time, so that one waits for memory while others go on."""
    feature, threshold, left, value, depth = trees.feature, trees.threshold, trees.left, trees.value, trees.depth
    n_rows = rows.shape[0]
    for first in range(0, n_rows, BLOCK_ROWS):
        last = min(first + BLOCK_ROWS, n_rows)
        fours = last - (last - first) % 4
        for root in trees.roots:
            for i in range(first, fours, 4):
                a = b = c = d = np.int64(root)
                for _ in range(depth):
                    a = left[a] + np.int64(rows[i, feature[a]] > threshold[a])
                    b = left[b] + np.int64(rows[i + 1, feature[b]] > threshold[b])
                    c = left[c] + np.int64(rows[i + 2, feature[c]] > threshold[c])
                    d = left[d] + np.int64(rows[i + 3, feature[d]] > threshold[d])
                total[i] += value[a]
                total[i + 1] += value[b]
                total[i + 2] += value[c]
                total[i + 3] += value[d]
        for i in range(fours, last):
            total[i] = _path_length(trees, rows[i])
    for i in range(n_rows):
        total[i] = 2.0 ** (-total[i] / trees.normaliser)


@compiled
def score_row(trees: Trees, row: Floats32) -> float:
    """The score of one row (width,), float32, for kernels that hold one: same bits as `Trees.score_samples`."""
    score: float = 2.0 ** (-_path_length(trees, row) / trees.normaliser)
    return score


IS_PLAIN = isinstance(_score_rows, FunctionType)  # NUMBA_DISABLE_JIT=1: the kernel would be far slower than numpy


def _score_in_numpy(trees: Trees, rows: Floats32) -> Floats:
    """The same without a compiler: every tree of every row one level a step."""
    scores = np.empty(len(rows))
    for first in range(0, len(rows), BLOCK_ROWS):
        block = rows[first : first + BLOCK_ROWS]
        node = np.tile(trees.roots, (len(block), 1))
        for _ in range(trees.depth):
            value = np.take_along_axis(block, trees.feature[node], axis=1)
            node = trees.left[node] + (value > trees.threshold[node])
        scores[first : first + BLOCK_ROWS] = 2.0 ** (-trees.value[node].sum(axis=1) / trees.normaliser)
    return scores


def flatten(forest: Any) -> Trees:
    """Turn a fitted scikit-learn `IsolationForest` into flat arrays; it is only read.

    Raises TerminalError where each tree saw one row only.
    """
    roots, parts, depth, n_nodes = [], [], 0, 0
    for estimator, columns in zip(forest.estimators_, forest.estimators_features_, strict=True):
        nodes, levels = _flatten_tree(estimator.tree_, columns, n_nodes)
        roots.append(n_nodes)
        parts.append(nodes)
        depth, n_nodes = max(depth, levels), n_nodes + len(nodes[0])
    feature, threshold, left, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    if forest.max_samples_ < 2:
        raise TerminalError(
            "flatten forest: its trees have seen one row each, so nothing can be told apart; train on more"
        )
    normaliser = len(roots) * float(_expected_depth(np.array([forest.max_samples_]))[0])
    return Trees(
        np.array(roots, np.int32),
        feature.astype(np.int32),
        threshold.astype(np.float32),
        left.astype(np.int32),
        value,
        normaliser,
        depth,
        int(forest.n_features_in_),
    )


def _flatten_tree(tree: Any, columns: Integers, offset: int) -> tuple[tuple[npt.NDArray[Any], ...], int]:
    """Feature, threshold, left and value of one tree's nodes, breadth first, and how deep it is."""
    levels = [np.array([0])]
    while len(inner := levels[-1][tree.children_left[levels[-1]] >= 0]):
        levels.append(np.column_stack([tree.children_left[inner], tree.children_right[inner]]).ravel())
    order = np.concatenate(levels)
    depths = np.repeat(np.arange(len(levels)), [len(level) for level in levels])
    place = np.empty(tree.node_count, np.int64)
    place[order] = np.arange(tree.node_count)
    is_leaf = tree.children_left[order] < 0
    feature = np.where(is_leaf, 0, columns[np.maximum(tree.feature[order], 0)])
    threshold = np.where(is_leaf, np.float32(np.inf), _round_down(tree.threshold[order]))
    left = offset + np.where(is_leaf, np.arange(tree.node_count), place[tree.children_left[order]])
    value = np.where(is_leaf, depths + _expected_depth(tree.n_node_samples[order]), 0.0)
    return (feature, threshold, left, value), len(levels) - 1


def _round_down(thresholds: Floats) -> Floats32:
    """The greatest float32 not above each threshold: no float32 lies between the two."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _expected_depth(n_samples: npt.NDArray[Any]) -> Floats:
    """c(n) of the paper: mean path length of an unsuccessful search among n samples; 0 for one, 1 for two."""
    n = np.maximum(n_samples.astype(np.float64), 2.0)
    many = 2.0 * (np.log(np.maximum(n - 1.0, 1.0)) + np.euler_gamma) - 2.0 * (n - 1.0) / n
    return np.where(n_samples <= 1, 0.0, np.where(n_samples == 2, 1.0, many))
