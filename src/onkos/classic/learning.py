"""Interface of the learners: training rows in, a fitted model of plain arrays out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from onkos.core.geometry import FloatArray

IntArray = NDArray[np.int64]
Bools = NDArray[np.bool_]
_FEW = 2000  # rows of which all distances are kept, 32 MB at most
_BLOCK = 256  # rows compared with all others at a time
F = TypeVar("F", np.float32, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Prepared training rows.

    Parameters
    ----------
    x
        (rows, columns), finite and scaled.
    y
        (rows,): number of each row's class, from 0 to ``classes`` - 1.
    weight
        (rows,): sample weights, 1 on average.
    groups
        (rows,): number of each row's patient.
    classes
        How many classes there are.
    shared
        Intermediate results that several learners use, such as distances.
    """

    x: FloatArray
    y: IntArray
    weight: FloatArray
    groups: IntArray
    classes: int
    shared: dict[str, FloatArray] = field(default_factory=dict, repr=False)

    def distances(self) -> FloatArray:
        """(rows, rows): squared distances, a copy; computed once where the rows are few."""
        known = self.shared.get("distances")
        if known is None:
            known = np.empty((len(self.x), len(self.x)))
            for start in range(0, len(self.x), _BLOCK):
                block = slice(start, start + _BLOCK)
                known[block] = squared_distances(self.x[block], self.x)
            if len(self.x) > _FEW:
                return known
            self.shared["distances"] = known
        return known.copy()

    @property
    def truth(self) -> FloatArray:
        """(rows, classes): 1 at each row's class."""
        return np.eye(self.classes)[self.y]


class Fitted(Protocol):
    """A fitted learner: a dataclass whose fields are all arrays, so that it can be stored."""

    def log_scores(self, x: FloatArray) -> FloatArray:
        """(rows, classes): logarithm of the probabilities, up to a constant per row."""
        ...

    def used(self) -> Bools:
        """(columns,): whether the scores depend on the column at all."""
        ...


class Learner(Protocol):
    """A method with its settings."""

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Fitted:
        """Fit to rows; the result depends on them and the generator alone."""
        ...


def log_softmax(scores: FloatArray) -> FloatArray:
    """Logarithms of probabilities from scores, along the last axis."""
    normed: FloatArray = scores - logsumexp(scores, axis=-1, keepdims=True)
    return normed


def softmax(scores: NDArray[F]) -> NDArray[F]:
    """Probabilities from scores, along the last axis; each row sums to one."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: NDArray[F] = shifted / shifted.sum(axis=-1, keepdims=True)
    return shares


def squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """(rows of a, rows of b): squared Euclidean distances, never below zero."""
    square: FloatArray = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)
    square -= 2 * a @ b.T
    return np.maximum(square, 0.0, out=square)
