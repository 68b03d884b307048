"""Naive Bayes: each feature normal within each class, independent of the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.naive_bayes import GaussianNB

from onkos.classic.learning import Bools, Rows
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Normals:
    """``means`` and ``variances`` (classes, columns), ``log_priors`` (classes,)."""

    means: AnyArray
    variances: AnyArray
    log_priors: AnyArray

    def __post_init__(self) -> None:
        shapes = {self.means.shape, self.variances.shape}
        if len(shapes) > 1 or len(self.means) != len(self.log_priors):
            raise ContentError(f"means and variances of shapes {shapes} do not fit")
        if not (self.variances > 0).all():
            raise ContentError("a variance is not positive")

    def log_scores(self, x: FloatArray) -> FloatArray:
        """Logarithm of prior times density."""
        precision = 1 / self.variances
        square = x**2 @ precision.T - 2 * x @ (self.means * precision).T
        fixed = (self.means**2 * precision + np.log(self.variances)).sum(axis=1)
        scores: FloatArray = self.log_priors - (square + fixed) / 2
        return scores

    def used(self) -> Bools:
        """All columns."""
        return np.ones(self.means.shape[1], dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveBayes:
    """Gaussian naive Bayes.

    Parameters
    ----------
    pooled
        Shrinkage: weight of the within-class variance pooled over all classes, 0 to 1.

    References
    ----------
    Hand DJ, Yu K. Idiot's Bayes: not so stupid after all? Int Stat Rev 2001;69:385-398.
    doi:10.1111/j.1751-5823.2001.tb00465.x
    """

    pooled: float = 0.1

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Normals:
        """Estimate means, variances and priors."""
        model = GaussianNB(var_smoothing=0.0)
        model.fit(rows.x, rows.y, sample_weight=rows.weight)
        total = model.class_count_
        within = total @ model.var_ / total.sum()
        floor = 1e-6 * np.maximum(rows.x.var(axis=0), 1e-12)
        return Normals(
            means=model.theta_,
            variances=np.maximum((1 - self.pooled) * model.var_ + self.pooled * within, floor),
            log_priors=np.log(model.class_prior_),
        )
