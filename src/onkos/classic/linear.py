"""Linear members: elastic-net logistic regression, maximum entropy, linear discriminant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.covariance import ledoit_wolf

from onkos.classic.learning import Bools, Rows
from onkos.classic.penalised import elastic_net, strongest_penalty
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """One linear score per class: ``coefficients`` (columns, classes) and ``intercepts``."""

    coefficients: AnyArray
    intercepts: AnyArray

    def __post_init__(self) -> None:
        if self.coefficients.shape[1:] != self.intercepts.shape:
            raise ContentError(
                f"coefficients {self.coefficients.shape} and intercepts {self.intercepts.shape} "
                "are not of the same classes"
            )

    def log_scores(self, x: FloatArray) -> FloatArray:
        """Score of each class."""
        scores: FloatArray = x @ self.coefficients + self.intercepts
        return scores

    def used(self) -> Bools:
        """Columns with a coefficient that is not zero."""
        return np.asarray((self.coefficients != 0).any(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """Multinomial logistic regression with an elastic-net penalty.

    Parameters
    ----------
    strength
        Penalty, as a fraction of the smallest lasso penalty at which all coefficients are zero.
    mix
        1 is the lasso, 0 is ridge.

    References
    ----------
    Zou H, Hastie T. Regularization and variable selection via the elastic net. J R Stat Soc B
    2005;67:301-320. doi:10.1111/j.1467-9868.2005.00503.x
    """

    strength: float = 0.1
    mix: float = 0.5

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Linear:
        """Minimise the penalised log-loss."""
        penalty = self.strength * strongest_penalty(rows.x, rows.truth, rows.weight)
        lasso = np.full(rows.x.shape[1], penalty * self.mix)
        ridge = penalty * (1 - self.mix)
        found = elastic_net(rows.x, rows.truth, rows.weight, lasso=lasso, ridge=ridge)
        return Linear(coefficients=found[0], intercepts=found[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Maximum-entropy distribution over first and second moments; see :class:`MaximumEntropy`."""

    coefficients: AnyArray
    intercepts: AnyArray

    def __post_init__(self) -> None:
        if self.coefficients.shape[1:] != self.intercepts.shape or len(self.coefficients) % 2:
            raise ContentError(
                f"multipliers {self.coefficients.shape} and {self.intercepts.shape} do not fit"
            )

    def log_scores(self, x: FloatArray) -> FloatArray:
        """Score of each class."""
        scores: FloatArray = moments(x) @ self.coefficients + self.intercepts
        return scores

    def used(self) -> Bools:
        """Columns of which a moment has a multiplier that is not zero."""
        own = (self.coefficients != 0).any(axis=1).reshape(2, -1)
        return np.asarray(own.any(axis=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class MaximumEntropy:
    """Maximum entropy model: multinomial, in feature-expectation form.

    Of all conditional class distributions whose expected features (each column and its square,
    within each class) lie within a small box around their training means, the one of maximum
    entropy; class frequencies are matched exactly. Its dual is multinomial logistic regression
    with a lasso penalty on the multipliers; the half width of the box is the penalty.

    Parameters
    ----------
    width
        Half width of the box, in standard errors of the training mean.

    References
    ----------
    Berger A, Della Pietra S, Della Pietra V. A maximum entropy approach to natural language
    processing. Comput Linguist 1996;22:39-71. Dudik M, Phillips S, Schapire R. Performance
    guarantees for regularized maximum entropy density estimation. COLT 2004;472-486.
    doi:10.1007/978-3-540-27819-1_33
    """

    width: float = 0.5

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Moments:
        """Fit the Lagrange multipliers."""
        design = moments(rows.x)
        found = elastic_net(design, rows.truth, rows.weight, lasso=self.box(rows), ridge=0.0)
        return Moments(coefficients=found[0], intercepts=found[1])

    def box(self, rows: Rows) -> FloatArray:
        """Half width of the box for each column, then for each square."""
        spread = moments(rows.x).std(axis=0)
        return np.asarray(np.maximum(self.width * spread / np.sqrt(len(rows.x)), 1e-6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Discriminant:
    """Linear discriminant analysis with the Ledoit-Wolf shrinkage covariance.

    References
    ----------
    Ledoit O, Wolf M. A well-conditioned estimator for large-dimensional covariance matrices.
    J Multivar Anal 2004;88:365-411. doi:10.1016/S0047-259X(03)00096-4
    """

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Linear:
        """Fit class means and their common covariance."""
        share = rows.truth * rows.weight[:, None]
        total = np.maximum(share.sum(axis=0), 1e-12)
        means = share.T @ rows.x / total[:, None]
        apart = (rows.x - means[rows.y]) * np.sqrt(rows.weight)[:, None]
        covariance = ledoit_wolf(apart, assume_centered=True)[0]
        floor = 1e-9 * max(float(np.trace(covariance)) / len(covariance), 1e-9)
        coefficients = np.linalg.solve(covariance + floor * np.eye(len(covariance)), means.T)
        offsets = np.log(total / total.sum()) - (means.T * coefficients).sum(axis=0) / 2
        return Linear(coefficients=coefficients, intercepts=offsets)


def both(one_sided: AnyArray) -> FloatArray:
    """Scores of both classes from the single one that scikit-learn keeps for two classes."""
    if len(one_sided) > 1:
        return np.asarray(one_sided, dtype=np.float64)
    half: FloatArray = np.concatenate([-one_sided, one_sided]) / 2
    return half


def moments(x: FloatArray) -> FloatArray:
    """Columns and their squares, side by side."""
    return np.concatenate([x, x**2], axis=1)
