"""Path weights: verdicts weigh the leaves of our own forest anew, as active anomaly discovery does (AAD).

Das et al. 2017, arXiv 1708.09441: what was called real is to lie above the score of the TOP-th, what was called false
below it, with the weights as near to the old ones as that allows. Here the loss is the squared hinge, and the weights
are found in the span of the lines that were judged, where the best ones lie.
"""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from sentinel.detect.judge.trees import HALF, LOW, WORD, Trees, _ordered

STAY = 0.1  # how much weights are held to what they were; 0.01 gives the same tops

Floats = npt.NDArray[np.float64]


def paths(trees: Trees, rows: Floats) -> csr_matrix:
    """(n, leaves) in which leaf of each tree a row ends; each row has length 1."""
    keys = _ordered(np.ascontiguousarray(rows, dtype=np.float32))
    node = np.tile(trees.roots.astype(np.uint64), (len(keys), 1))
    for _ in range(trees.depth):
        word = trees.nodes[node]
        key = np.take_along_axis(keys, (word >> HALF & LOW).astype(np.int64), axis=1)
        node += (word & LOW) + (key > word >> WORD)
    n_trees = node.shape[1]
    ends = np.arange(0, node.size + 1, n_trees)
    values = np.full(node.size, n_trees**-0.5)
    return csr_matrix((values, node.ravel().astype(np.int64), ends), shape=(len(rows), len(trees.nodes)))


def learnt(leaves: csr_matrix, scores: Floats, judged: list[int], truth: npt.NDArray[np.bool_], top: int) -> Floats:
    """(n,) what the verdicts on the `judged` rows add to the scores of all."""
    if not judged:
        return np.zeros(len(scores))
    own = leaves[judged]
    alike = np.asarray((own @ own.T).todense())
    side = np.where(truth[judged], 1.0, -1.0)
    share = 1.0 / np.where(side > 0, max((side > 0).sum(), 1), max((side < 0).sum(), 1))
    border = np.sort(scores)[-min(top, len(scores))]

    def loss(weights: Floats) -> tuple[float, Floats]:
        added = alike @ weights
        lacks = np.maximum(1.0 - side * (scores[judged] + added - border), 0.0)
        value = float((share * lacks**2).sum() + 0.5 * STAY * weights @ added)
        return value, alike @ (STAY * weights - 2.0 * share * lacks * side)

    found = minimize(loss, np.zeros(len(judged)), jac=True, method="L-BFGS-B").x
    return np.asarray(leaves @ (own.T @ found))
