"""An isolation forest as flat arrays: scores of rows without scikit-learn, equal to its own; nothing is fitted here."""

from types import FunctionType
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from sentinel.detect.kernel.jit import Floats, Hashes, Integers, compiled
from sentinel.errors import ArtifactError, TerminalError

__all__ = ["Trees", "flatten"]

Floats32 = npt.NDArray[np.float32]
Integers32 = npt.NDArray[np.int32]
Keys = npt.NDArray[np.uint32]

BLOCK_ROWS = 128
HALF = np.uint64(16)
WORD = np.uint64(32)
LOW = np.uint64(0xFFFF)
SIGN = np.uint32(1 << 31)
INFINITE = np.uint32(0x7F800000)
NEVER = np.uint64(0xFFFFFFFF)  # the key of a leaf: no key is above it


class Trees(NamedTuple):
    """All nodes of all trees, tree after tree, each breadth first, so that a right child stands beside the left one.

    A node is one word, so that a step reads memory twice: 32 bits key of the greatest float32 that still goes left, 16
    bits column compared, 16 bits how many nodes further the left child stands. Keys are unsigned integers in the order
    of the float32 they stand for. A step is `node + further + (key of the row > key of the node)`. A leaf stays where
    it is, so every row takes `depth` steps in every tree, without a branch.
    """

    roots: Integers32  # (n_trees,) first node of each tree
    nodes: Hashes  # (n_nodes,) key, column, way to the left child; leaves: the greatest key, 0, 0
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
        keys = _ordered(cast)
        if IS_PLAIN:
            return _score_in_numpy(self, keys)
        scores: Floats = np.zeros(len(keys))
        _score_rows(self, keys, scores)
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
                np.ascontiguousarray(arrays["nodes"], np.uint64),
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
    n_nodes = len(trees.nodes)
    if not len(trees.roots) or len(trees.value) != n_nodes:
        return False
    further = (trees.nodes & LOW).astype(np.int64)
    is_leaf = further == 0
    return bool(
        np.all((trees.roots >= 0) & (trees.roots < n_nodes))
        and np.all((trees.nodes >> HALF & LOW) < trees.width)
        and np.all(np.where(is_leaf, trees.nodes >> WORD == NEVER, np.arange(n_nodes) + further < n_nodes - 1))
        and np.isfinite(trees.value).all()
        and np.isfinite(trees.normaliser)
        and 0 <= trees.depth <= n_nodes
    )


@compiled
def _order(bits: Keys, keys: Keys) -> None:
    """Fill keys (n,) with integers in the order of the float32 whose bits come: a NaN first, both zeros alike."""
    for i in range(len(bits)):
        one = bits[i]
        if one & ~SIGN > INFINITE:
            keys[i] = 0
        elif one > SIGN:
            keys[i] = ~one
        else:
            keys[i] = one | SIGN


def _ordered(values: Floats32) -> Keys:
    """The key of each float32, in the same shape."""
    keys = np.empty(values.shape, np.uint32)
    _order(values.reshape(-1).view(np.uint32), keys.reshape(-1))
    return keys


@compiled
def _step(word: np.uint64, key: np.uint32) -> np.uint64:
    """How many nodes further a row goes on from this one."""
    return (word & LOW) + np.uint64(np.uint64(key) > word >> WORD)


@compiled
def _column(word: np.uint64) -> np.uint64:
    return word >> HALF & LOW


@compiled
def _path_length(trees: Trees, row: Keys) -> float:
    """The path lengths of one row (width,) of keys, summed over the trees: eight trees at a time, added in order."""
    nodes, value, roots = trees.nodes, trees.value, trees.roots
    n_trees = len(roots)
    total = 0.0
    for k in range(0, n_trees - 7, 8):
        a, b, c, d = np.uint64(roots[k]), np.uint64(roots[k + 1]), np.uint64(roots[k + 2]), np.uint64(roots[k + 3])
        e, f, g, h = np.uint64(roots[k + 4]), np.uint64(roots[k + 5]), np.uint64(roots[k + 6]), np.uint64(roots[k + 7])
        for _ in range(trees.depth):
            a += _step(nodes[a], row[_column(nodes[a])])
            b += _step(nodes[b], row[_column(nodes[b])])
            c += _step(nodes[c], row[_column(nodes[c])])
            d += _step(nodes[d], row[_column(nodes[d])])
            e += _step(nodes[e], row[_column(nodes[e])])
            f += _step(nodes[f], row[_column(nodes[f])])
            g += _step(nodes[g], row[_column(nodes[g])])
            h += _step(nodes[h], row[_column(nodes[h])])
        for end in (a, b, c, d, e, f, g, h):
            total += value[end]
    for k in range(n_trees - n_trees % 8, n_trees):
        a = np.uint64(roots[k])
        for _ in range(trees.depth):
            a += _step(nodes[a], row[_column(nodes[a])])
        total += value[a]
    return total


@compiled
def _score_rows(trees: Trees, rows: Keys, total: Floats) -> None:
    """Fill total (n,), which comes as zeros: rows eight at a time, so that one waits for memory while others go on."""
    nodes, value = trees.nodes, trees.value
    n_rows = rows.shape[0]
    for first in range(0, n_rows, BLOCK_ROWS):
        last = min(first + BLOCK_ROWS, n_rows)
        eights = last - (last - first) % 8
        for root in trees.roots:
            for i in range(first, eights, 8):
                a = b = c = d = e = f = g = h = np.uint64(root)
                for _ in range(trees.depth):
                    a += _step(nodes[a], rows[i, _column(nodes[a])])
                    b += _step(nodes[b], rows[i + 1, _column(nodes[b])])
                    c += _step(nodes[c], rows[i + 2, _column(nodes[c])])
                    d += _step(nodes[d], rows[i + 3, _column(nodes[d])])
                    e += _step(nodes[e], rows[i + 4, _column(nodes[e])])
                    f += _step(nodes[f], rows[i + 5, _column(nodes[f])])
                    g += _step(nodes[g], rows[i + 6, _column(nodes[g])])
                    h += _step(nodes[h], rows[i + 7, _column(nodes[h])])
                for j, end in enumerate((a, b, c, d, e, f, g, h)):
                    total[i + j] += value[end]
        for i in range(eights, last):
            total[i] = _path_length(trees, rows[i])
    for i in range(n_rows):
        total[i] = 2.0 ** (-total[i] / trees.normaliser)


IS_PLAIN = isinstance(_score_rows, FunctionType)  # NUMBA_DISABLE_JIT=1: the kernel would be far slower than numpy


def _score_in_numpy(trees: Trees, rows: Keys) -> Floats:
    """The same without a compiler: every tree of every row one level a step."""
    scores = np.empty(len(rows))
    for first in range(0, len(rows), BLOCK_ROWS):
        block = rows[first : first + BLOCK_ROWS]
        node = np.tile(trees.roots.astype(np.uint64), (len(block), 1))
        for _ in range(trees.depth):
            word = trees.nodes[node]
            key = np.take_along_axis(block, (word >> HALF & LOW).astype(np.int64), axis=1)
            node += (word & LOW) + (key > word >> WORD)
        scores[first : first + BLOCK_ROWS] = 2.0 ** (-trees.value[node].sum(axis=1) / trees.normaliser)
    return scores


def flatten(forest: Any) -> Trees:
    """Turn a fitted scikit-learn `IsolationForest` into flat arrays; it is only read.

    Raises TerminalError where each tree saw one row only, or where a node has no room for a column or a step.
    """
    roots, parts, depth, n_nodes = [], [], 0, 0
    for estimator, columns in zip(forest.estimators_, forest.estimators_features_, strict=True):
        part, levels = _flatten_tree(estimator.tree_, columns)
        roots.append(n_nodes)
        parts.append(part)
        depth, n_nodes = max(depth, levels), n_nodes + len(part[0])
    nodes, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    if forest.max_samples_ < 2:
        raise TerminalError(
            "flatten forest: its trees have seen one row each, so nothing can be told apart; train on more"
        )
    normaliser = len(roots) * float(_expected_depth(np.array([forest.max_samples_]))[0])
    return Trees(
        np.array(roots, np.int32),
        nodes,
        value,
        normaliser,
        depth,
        int(forest.n_features_in_),
    )


def _flatten_tree(tree: Any, columns: Integers) -> tuple[tuple[Hashes, Floats], int]:
    """Nodes and values of one tree, breadth first, and how deep it is."""
    levels = [np.array([0])]
    while len(inner := levels[-1][tree.children_left[levels[-1]] >= 0]):
        levels.append(np.column_stack([tree.children_left[inner], tree.children_right[inner]]).ravel())
    order = np.concatenate(levels)
    depths = np.repeat(np.arange(len(levels)), [len(level) for level in levels])
    own = np.arange(tree.node_count)
    place = np.empty(tree.node_count, np.int64)
    place[order] = own
    is_leaf = tree.children_left[order] < 0
    column = np.where(is_leaf, 0, columns[np.maximum(tree.feature[order], 0)]).astype(np.uint64)
    key = np.where(is_leaf, NEVER, _ordered(_round_down(tree.threshold[order])).astype(np.uint64))
    further = np.where(is_leaf, 0, place[tree.children_left[order]] - own).astype(np.uint64)
    if max(column.max(), further.max()) > LOW:
        raise TerminalError(
            f"flatten forest: its trees have more than {LOW} columns or nodes; train with smaller samples"
        )
    value = np.where(is_leaf, depths + _expected_depth(tree.n_node_samples[order]), 0.0)
    return (key << WORD | column << HALF | further, value), len(levels) - 1


def _round_down(thresholds: Floats) -> Floats32:
    """The greatest float32 not above each threshold: no float32 lies between the two."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _expected_depth(n_samples: npt.NDArray[Any]) -> Floats:
    """c(n) of the paper: mean path length of an unsuccessful search among n samples; 0 for one, 1 for two."""
    n = np.maximum(n_samples.astype(np.float64), 2.0)
    many = 2.0 * (np.log(np.maximum(n - 1.0, 1.0)) + np.euler_gamma) - 2.0 * (n - 1.0) / n
    return np.where(n_samples <= 1, 0.0, np.where(n_samples == 2, 1.0, many))
