"""Members that ask the nearest training rows: k nearest neighbours and label propagation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

from onkos.classic.learning import Bools, Rows, squared_distances
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray

_BLOCK = 128  # rows compared with all others at a time: their distances stay in the cache


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nearest:
    """Training rows and the class weights of each.

    Parameters
    ----------
    rows, votes
        (rows, columns) and (rows, classes).
    k
        Number of neighbours; weights fall with distance.
    prior
        (classes,): added to the votes.
    """

    rows: AnyArray
    votes: AnyArray
    k: AnyArray
    prior: AnyArray

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.votes) or not 1 <= int(self.k) <= len(self.rows):
            raise ContentError(
                f"{len(self.rows)} rows, {len(self.votes)} votes, k {self.k}: they do not fit"
            )

    def log_scores(self, x: FloatArray) -> FloatArray:
        """Logarithm of the weighted votes of the k nearest rows."""
        k = int(self.k)
        scores = np.empty((len(x), len(self.prior)))
        for start in range(0, len(x), _BLOCK):
            square = squared_distances(x[start : start + _BLOCK], self.rows)
            near = np.argpartition(square, k - 1, axis=1)[:, :k]
            weight = gaussian(np.take_along_axis(square, near, axis=1))
            scores[start : start + _BLOCK] = np.einsum("nk,nkc->nc", weight, self.votes[near])
        return np.asarray(np.log(scores + self.prior))

    def used(self) -> Bools:
        """All columns."""
        return np.ones(self.rows.shape[1], dtype=np.bool_)


def gaussian(square: FloatArray) -> FloatArray:
    """Gaussian weight of each neighbour; its variance is the row's mean squared distance."""
    width = np.maximum(square.mean(axis=1, keepdims=True), 1e-12)
    weight: FloatArray = np.exp(-square / (2 * width))
    return weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """k nearest neighbours with Gaussian weights.

    Parameters
    ----------
    k
        Number of neighbours; fewer where there are fewer rows.

    References
    ----------
    Cover T, Hart P. Nearest neighbor pattern classification. IEEE Trans Inf Theory
    1967;13:21-27. doi:10.1109/TIT.1967.1053964
    """

    k: int = 15

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Nearest:
        """Keep the rows."""
        return _asked(rows, rows.truth * rows.weight[:, None], self.k)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPropagation:
    """Label propagation over the graph of nearest neighbours (local and global consistency).

    Training labels are smoothed over the graph, so that a row among rows of another class
    changes towards it. A new row takes the weighted mean of the smoothed labels of its nearest
    training rows (Delalleau's inductive formula).

    Parameters
    ----------
    k
        Number of neighbours in the graph.
    give_way
        Alpha of Zhou: at 0 each row keeps its label, towards 1 the graph decides.

    References
    ----------
    Zhou D et al. Learning with local and global consistency. NIPS 2003;16:321-328.
    Delalleau O, Bengio Y, Le Roux N. Efficient non-parametric function induction in
    semi-supervised learning. AISTATS 2005;96-103.
    """

    k: int = 10
    give_way: float = 0.8

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Nearest:
        """Propagate the training labels over their own graph."""
        share = rows.truth * rows.weight[:, None]
        k = min(self.k, len(rows.x) - 1)
        graph = nearest_graph(rows.x, k)
        spread = propagated(graph, share, give_way=self.give_way)
        spread = spread / np.maximum(spread.sum(axis=1, keepdims=True), 1e-300)
        return _asked(rows, spread * rows.weight[:, None], self.k)


def nearest_graph(x: FloatArray, k: int) -> sparse.csr_array:
    """Symmetric k-nearest-neighbour graph with Gaussian weights."""
    rows, columns, weights = [], [], []
    for start in range(0, len(x), _BLOCK):
        square = squared_distances(x[start : start + _BLOCK], x)
        own = np.arange(len(square))
        square[own, start + own] = np.inf
        near = np.argpartition(square, k - 1, axis=1)[:, :k]
        rows.append(np.repeat(start + own, k))
        columns.append(near.ravel())
        weights.append(gaussian(np.take_along_axis(square, near, axis=1)).ravel())
    places = (np.concatenate(rows), np.concatenate(columns))
    graph = sparse.csr_array((np.concatenate(weights), places), shape=(len(x), len(x)))
    return sparse.csr_array((graph + graph.T) / 2)


def propagated(graph: sparse.csr_array, labels: FloatArray, *, give_way: float) -> FloatArray:
    """Propagated labels F: solve (I - a S) F = (1 - a) Y, S being the normalised graph."""
    degree = np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1e-12)
    scale = sparse.diags_array(1 / np.sqrt(degree))
    system = sparse.eye_array(len(degree)) - give_way * (scale @ graph @ scale)
    spread = [
        cg(system, (1 - give_way) * column, rtol=1e-8, maxiter=10 * len(degree))[0]
        for column in labels.T
    ]
    return np.asarray(np.maximum(np.stack(spread, axis=1), 0.0))


def _asked(rows: Rows, votes: FloatArray, k: int) -> Nearest:
    share = np.bincount(rows.y, weights=rows.weight, minlength=rows.classes)
    return Nearest(
        rows=rows.x,
        votes=votes,
        k=np.array(min(k, len(rows.x))),
        prior=share / share.sum() + 1e-6,
    )
