"""The binormal ROC curve by maximum likelihood, for ratings on a scale of a few categories."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.delong import newcombe_interval
from onkos.stats.ranking import classes, rated
from onkos.stats.significance import quantile

STEPS = 200
FLOOR = 1e-300
NO_MAXIMUM = (
    "the binormal likelihood has no maximum on these ratings (too few cases between the "
    "extremes); use the empirical area"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BinormalFit:
    """A binormal ROC curve: sensitivity = Phi(a + b Phi^-1(1 - specificity)).

    Parameters
    ----------
    a, b
        Difference of the means, and standard deviation of the cases without disease, both in
        standard deviations of the diseased; ``a`` is infinite for a perfect fit.
    thresholds
        Limits between the categories, in standard deviations of the cases without disease.
    covariance
        Of a and b, (2, 2); NaN for a perfect fit.
    auc
        Area under the curve, with its interval.
    log_likelihood
        At the fit.
    """

    a: float
    b: float
    thresholds: FloatArray
    covariance: FloatArray
    auc: Estimate
    log_likelihood: float

    def sensitivity(self, specificity: ArrayLike) -> FloatArray:
        """Sensitivity of the fitted curve at specificities."""
        z = stats.norm.isf(np.asarray(specificity, dtype=np.float64))
        height: FloatArray = stats.norm.cdf(self.a + self.b * z)
        return height


def binormal(
    truth: ArrayLike, scores: ArrayLike, *, categories: int = 12, level: float = 0.95
) -> BinormalFit:
    """Fit the binormal model by maximum likelihood (Dorfman and Alf) with Fisher's scoring.

    Ratings with more distinct values than ``categories`` are put into that many categories of
    nearly equal size first; little is lost by it, and the fit then depends on their order only.
    Categories that no case was given are left out.

    The interval is by the delta method, on the scale of Phi^-1 of the area. Ratings whose
    operating points all lie on the axes are fitted perfectly: area 1 (or 0), Newcombe's interval.

    Parameters
    ----------
    truth, scores
        One a case, shape (cases,); higher scores mean more likely diseased.
    categories
        At most how many categories, at least 3.
    level
        Confidence level.

    Raises
    ------
    ContentError
        If a score is NaN, shapes do not fit, there is one class only, or the likelihood has no
        maximum: too few operating points off the axes to determine a and b.

    References
    ----------
    Dorfman DD, Alf E. Maximum-likelihood estimation of parameters of signal-detection theory
    and determination of confidence intervals: rating-method data. J Math Psychol 1969;6:487-496.
    doi:10.1016/0022-2496(69)90019-4; Metz CE, Herman BA, Shen JH. Maximum likelihood estimation
    of receiver operating characteristic (ROC) curves from continuously-distributed data. Stat
    Med 1998;17:1033-1053. doi:10.1002/(SICI)1097-0258(19980515)17:9<1033::AID-SIM784>3.0.CO;2-Z
    """
    if categories < 3:
        raise UsageError(f"{categories} categories: expected at least 3")
    positive = classes(truth)
    grade = _graded(rated(scores, cases=len(positive)).ravel(), categories)
    tables = np.stack([np.bincount(grade[~positive], minlength=grade.max() + 1)] * 2)
    tables[1] = np.bincount(grade[positive], minlength=grade.max() + 1)
    counts = tables.astype(np.float64)
    above = counts[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:] / counts.sum(axis=1, keepdims=True)
    fpr, tpr = above
    n = len(positive)
    if ((fpr == 0) | (tpr == 1)).all() or ((fpr == 1) | (tpr == 0)).all():
        perfect = bool(((fpr == 0) | (tpr == 1)).all()) and not bool((fpr == tpr).all())
        return _perfect(float(perfect), (int(positive.sum()), n), level)
    start = _start(fpr, tpr, counts.sum(axis=1))
    theta, information, likelihood = _scored(counts, start)
    return _fitted(theta, information, likelihood, n=n, level=level)


def _graded(scores: FloatArray, categories: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Category of each case, numbered upwards without gaps."""
    values = np.unique(scores)
    if len(values) > categories:
        cuts = np.quantile(scores, np.arange(1, categories) / categories, method="nearest")
        return np.unique(np.searchsorted(cuts, scores, side="left"), return_inverse=True)[1]
    return np.searchsorted(values, scores)


def _start(fpr: FloatArray, tpr: FloatArray, sizes: FloatArray) -> FloatArray:
    """First guess: a straight line through the operating points on normal deviates."""
    edges = 0.5 / sizes
    x = stats.norm.ppf(np.clip(fpr, edges[0], 1 - edges[0]))
    y = stats.norm.ppf(np.clip(tpr, edges[1], 1 - edges[1]))
    spread = float(((x - x.mean()) ** 2).sum())
    b = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 0 else 1.0
    b = min(max(b, 0.2), 5.0)
    limits = np.maximum.accumulate(-x + 1e-3 * np.arange(len(x)))
    return np.concatenate([[float(y.mean() - b * x.mean()), b], limits])


def _model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Probability of each category in each class, (2, categories), and its derivatives."""
    a, b, limits = theta[0], theta[1], theta[2:]
    count = len(limits)
    place = np.arange(count)
    cumulative, slopes = np.zeros((2, count + 2)), np.zeros((2, count + 2, count + 2))
    for row, z in enumerate((limits, b * limits - a)):
        density = stats.norm.pdf(z)
        cumulative[row] = np.concatenate([[0], stats.norm.cdf(z), [1]])
        slopes[row, place + 1, place + 2] = density * (b if row else 1.0)
        if row:
            slopes[row, 1:-1, 0] = -density
            slopes[row, 1:-1, 1] = density * limits
    return np.diff(cumulative, axis=1), np.diff(slopes, axis=1)


def _log_likelihood(counts: FloatArray, theta: FloatArray) -> float:
    """Log likelihood; minus infinity outside the model."""
    if theta[1] <= 0 or (np.diff(theta[2:]) <= 0).any():
        return -math.inf
    chances, _ = _model(theta)
    return float((counts * np.log(np.maximum(chances, FLOOR))).sum())


def _scored(counts: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Fisher's scoring with halved steps until the score vanishes."""
    likelihood = _log_likelihood(counts, theta)
    totals = counts.sum(axis=1)[:, None]
    for _ in range(STEPS):
        chances, slopes = _model(theta)
        chances = np.maximum(chances, FLOOR)
        score = np.einsum("rk,rkp->p", counts / chances, slopes)
        information = np.einsum("rk,rkp,rkq->pq", totals / chances, slopes, slopes)
        step = np.linalg.lstsq(information, score, rcond=None)[0]
        if float(score @ step) < 1e-16 * counts.sum():
            return theta, information, likelihood
        size = 1.0
        while size > 1e-12:
            found = _log_likelihood(counts, theta + size * step)
            if found > likelihood:
                break
            size /= 2
        else:
            if float(score @ step) < 1e-8:  # rounding, not a wrong step
                return theta, information, likelihood
            break
        theta, likelihood = theta + size * step, found
    raise ContentError(NO_MAXIMUM)


def _fitted(
    theta: FloatArray, information: FloatArray, likelihood: float, *, n: int, level: float
) -> BinormalFit:
    """Area and interval of a fit."""
    a, b = float(theta[0]), float(theta[1])
    if not np.linalg.cond(information) < 1e12:
        raise ContentError(NO_MAXIMUM)
    covariance = np.asarray(np.linalg.inv(information)[:2, :2], dtype=np.float64)
    width = math.sqrt(1 + b**2)
    slope = np.array([1 / width, -a * b / width**3])
    half = quantile(level) * math.sqrt(float(slope @ covariance @ slope))
    centre = a / width
    low, value, high = (float(stats.norm.cdf(centre + shift)) for shift in (-half, 0.0, half))
    method = Method(
        what="AUC, binormal by maximum likelihood",
        by="delta method",
        notes=(f"{len(theta) - 1} categories",),
    )
    auc = Estimate(value=value, low=low, high=high, n=n, level=level, method=method)
    return BinormalFit(
        a=a,
        b=b,
        thresholds=theta[2:],
        covariance=covariance,
        auc=auc,
        log_likelihood=likelihood,
    )


def _perfect(value: float, numbers: tuple[int, int], level: float) -> BinormalFit:
    """Complete separation: the model fits with an infinite distance of the means."""
    positives, n = numbers
    low, high = newcombe_interval(value, positives=positives, negatives=n - positives, level=level)
    method = Method(
        what="AUC, binormal",
        by="Newcombe's interval",
        notes=("all operating points on the axes",),
    )
    return BinormalFit(
        a=math.inf if value == 1 else -math.inf,
        b=1.0,
        thresholds=np.zeros(0),
        covariance=np.full((2, 2), math.nan),
        auc=Estimate(value=value, low=low, high=high, n=n, level=level, method=method),
        log_likelihood=0.0,
    )
