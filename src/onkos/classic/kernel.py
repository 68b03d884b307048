"""Support vector machine with a Gaussian kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.svm import SVC

from onkos.classic.learning import Bools, Rows, squared_distances
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray

_BLOCK = 256  # rows compared with all support vectors at a time


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vectors:
    """Support vectors.

    Parameters
    ----------
    vectors, duals
        Support vectors (vectors, columns) and dual coefficients (vectors, machines); two
        classes have one machine, more have one-versus-rest.
    offsets
        (machines,).
    gamma
        Of the kernel exp(-gamma d^2).
    """

    vectors: AnyArray
    duals: AnyArray
    offsets: AnyArray
    gamma: AnyArray

    def __post_init__(self) -> None:
        if self.duals.shape != (len(self.vectors), len(self.offsets)):
            raise ContentError(
                f"{len(self.vectors)} support vectors, duals {self.duals.shape}, offsets "
                f"{self.offsets.shape}: they do not fit"
            )

    def log_scores(self, x: FloatArray) -> FloatArray:
        """Decision values; with two classes minus and plus half of the one there is."""
        parts = []
        for start in range(0, len(x), _BLOCK):
            near = squared_distances(x[start : start + _BLOCK], self.vectors)
            parts.append(_gaussian(near, float(self.gamma)) @ self.duals + self.offsets)
        scores = np.concatenate(parts) if parts else np.empty((0, len(self.offsets)))
        return np.concatenate([-scores, scores], axis=1) / 2 if scores.shape[1] == 1 else scores

    def used(self) -> Bools:
        """All columns."""
        return np.ones(self.vectors.shape[1], dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportVectors:
    """Support vector machine with a Gaussian kernel; one-versus-rest for more than two classes.

    Fitting takes time and memory that grow with the square of the number of rows (288 MB for
    the kernel of 6,000 rows).

    Parameters
    ----------
    cost
        C, the penalty of margin violations.
    gamma
        Kernel coefficient times the number of columns.

    References
    ----------
    Cortes C, Vapnik V. Support-vector networks. Mach Learn 1995;20:273-297.
    doi:10.1007/BF00994018
    """

    cost: float = 1.0
    gamma: float = 1.0

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Vectors:
        """Fit one machine a class, or one for two classes."""
        gamma = self.gamma / rows.x.shape[1]
        codes = [1] if rows.classes == 2 else list(range(rows.classes))
        kernel = _gaussian(rows.distances(), gamma)
        duals = np.zeros((len(rows.x), len(codes)))
        offsets = np.zeros(len(codes))
        for machine, code in enumerate(codes):
            model = SVC(C=self.cost, kernel="precomputed", cache_size=100)
            model.fit(kernel, rows.y == code, sample_weight=rows.weight)
            duals[model.support_, machine] = model.dual_coef_[0]
            offsets[machine] = model.intercept_[0]
        needed = (duals != 0).any(axis=1)
        return Vectors(
            vectors=rows.x[needed], duals=duals[needed], offsets=offsets, gamma=np.array(gamma)
        )


def _gaussian(square: FloatArray, gamma: float) -> FloatArray:
    """Kernel exp(-gamma d^2) in place of the squared distances."""
    square *= -gamma
    return np.exp(square, out=square)
