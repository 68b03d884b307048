"""The area under the ROC curve with DeLong's variance, and DeLong's tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import rankdata

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.ranking import classes, rated
from onkos.stats.resampling import IntArray
from onkos.stats.significance import Alternative, SignificanceTest, Wald, quantile

Scale = Literal["logit", "plain"]

CONTRAST = np.array([1.0, -1.0])
PAIRED = Method(what="difference of AUCs on the same cases", by="paired DeLong test")
UNPAIRED = Method(what="difference of AUCs on different cases", by="unpaired DeLong test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Structural components of the areas under several ROC curves of the same cases.

    Parameters
    ----------
    positive
        For each curve and diseased case, the share of the other class it outranks, ties counted
        one half; shape (curves, diseased).
    negative
        For each curve and case without disease, the share of the diseased that outrank it;
        shape (curves, not diseased).
    positive_cases, negative_cases
        Numbers of those cases.
    """

    positive: FloatArray
    negative: FloatArray
    positive_cases: IntArray
    negative_cases: IntArray

    @property
    def auc(self) -> FloatArray:
        """Area of each curve, shape (curves,)."""
        areas: FloatArray = self.positive.mean(axis=1)
        return areas

    @property
    def cases(self) -> int:
        """How many cases there are."""
        return len(self.positive_cases) + len(self.negative_cases)

    def covariance(self) -> FloatArray:
        """DeLong's covariance of the areas, shape (curves, curves).

        Raises
        ------
        ContentError
            If a class has one case only: its variance is unknown then.
        """
        m, n = len(self.positive_cases), len(self.negative_cases)
        if min(m, n) < 2:
            raise ContentError(
                f"{m} diseased and {n} other cases; a variance needs at least two of each"
            )
        auc = self.auc[:, None]
        ups, downs = self.positive - auc, self.negative - auc
        total: FloatArray = ups @ ups.T / ((m - 1) * m) + downs @ downs.T / ((n - 1) * n)
        return total


def components(truth: ArrayLike, scores: ArrayLike) -> Components:
    """Structural components by midranks, in O(n log n) a curve.

    Parameters
    ----------
    truth
        1 or True where diseased, shape (cases,).
    scores
        Higher means more likely diseased; shape (cases,) or (curves, cases).

    Raises
    ------
    ContentError
        If a score is NaN, shapes do not fit, or there is one class only.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated
    receiver operating characteristic curves: a nonparametric approach. Biometrics
    1988;44:837-845. doi:10.2307/2531595; Sun X, Xu W. Fast implementation of DeLong's algorithm
    for comparing the areas under correlated receiver operating characteristic curves. IEEE
    Signal Process Lett 2014;21:1389-1393. doi:10.1109/LSP.2014.2337313
    """
    positive = classes(truth)
    rows = np.atleast_2d(rated(scores, cases=len(positive)))
    if rows.ndim != 2:
        raise ContentError(f"scores of shape {rows.shape}; expected (cases,) or (curves, cases)")
    high, low = rows[:, positive], rows[:, ~positive]
    together = rankdata(rows, axis=1)
    m, n = high.shape[1], low.shape[1]
    return Components(
        positive=(together[:, positive] - rankdata(high, axis=1)) / n,
        negative=1 - (together[:, ~positive] - rankdata(low, axis=1)) / m,
        positive_cases=np.flatnonzero(positive),
        negative_cases=np.flatnonzero(~positive),
    )


def paired_components(truth: ArrayLike, first: ArrayLike, second: ArrayLike) -> Components:
    """Structural components of two curves of the same cases."""
    positive = classes(truth)
    pair = [rated(scores, cases=len(positive)).ravel() for scores in (first, second)]
    return components(positive, np.stack(pair))


def contrast_error(covariance: FloatArray) -> float:
    """Standard error of the first minus the second of two areas, from their covariance."""
    return math.sqrt(max(0.0, float(CONTRAST @ covariance @ CONTRAST)))


def auc_covariance(truth: ArrayLike, scores: ArrayLike) -> FloatArray:
    """Covariance of the areas of several curves of the same cases, shape (curves, curves)."""
    return components(truth, scores).covariance()


def auc(
    truth: ArrayLike, scores: ArrayLike, *, level: float = 0.95, scale: Scale = "logit"
) -> Estimate:
    """Area under the ROC curve: chance that a diseased case outscores one without disease.

    Every case counts as a patient of its own; for several cases a patient see
    :func:`onkos.stats.clustered.clustered_auc`.

    Parameters
    ----------
    truth
        1 or True where diseased, shape (cases,).
    scores
        Higher means more likely diseased, shape (cases,).
    level
        Confidence level.
    scale
        "logit" keeps the interval within 0 and 1 and holds better near 1; "plain" is DeLong's
        own, symmetric about the area and cut at 0 and 1.

    Where DeLong's variance is zero or unknown (complete separation, one case of a class) the
    interval is Newcombe's and the method says so.

    Raises
    ------
    ContentError
        As :func:`components`.

    References
    ----------
    Pepe MS. The statistical evaluation of medical tests for classification and prediction.
    Oxford University Press 2003, section 5.2 (logit); see also :func:`newcombe_interval`.
    """
    found = components(truth, np.asarray(scores, dtype=np.float64).reshape(1, -1))
    value = float(found.auc[0])
    m, n = len(found.positive_cases), len(found.negative_cases)
    variance = float(found.covariance()[0, 0]) if min(m, n) > 1 else 0.0
    if variance <= 0 or not 0 < value < 1:
        low, high = newcombe_interval(value, positives=m, negatives=n, level=level)
        by = "Newcombe's interval, DeLong's variance being zero"
    else:
        low, high = auc_interval(value, math.sqrt(variance), level=level, scale=scale)
        by = f"DeLong's variance, {scale} interval"
    method = Method(what="AUC", by=by, notes=(f"{m} diseased and {n} other cases",))
    return Estimate(value=value, low=low, high=high, n=m + n, level=level, method=method)


def auc_interval(value: float, error: float, *, level: float, scale: Scale) -> tuple[float, float]:
    """Turn an area strictly between 0 and 1 and its standard error into an interval."""
    half = quantile(level) * error
    if scale == "plain":
        return max(0.0, value - half), min(1.0, value + half)
    if scale != "logit":
        raise UsageError(f"scale {scale!r}: expected 'logit' or 'plain'")
    half /= value * (1 - value)
    centre = float(logit(value))
    return float(expit(centre - half)), float(expit(centre + half))


def newcombe_interval(
    value: float, *, positives: int, negatives: int, level: float = 0.95
) -> tuple[float, float]:
    """Interval of an area from its value and the numbers of cases alone, also for 0 and 1.

    References
    ----------
    Newcombe RG. Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic. Part 2: asymptotic methods and evaluation (method 5). Stat Med 2006;25:559-573.
    doi:10.1002/sim.2324
    """
    z = quantile(level)
    mean = (positives + negatives) / 2

    def error(theta: float) -> float:
        more = (mean - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return math.sqrt(theta * (1 - theta) * (1 + more) / (positives * negatives))

    edge = 1e-12  # 0 and 1 solve the equation for themselves
    top, bottom = min(value, 1 - edge), max(value, edge)
    low = 0.0 if value == 0 else brentq(lambda t: value - t - z * error(t), 0, top)
    high = 1.0 if value == 1 else brentq(lambda t: t - value - z * error(t), bottom, 1)
    return min(float(low), value), max(float(high), value)


def paired_test(
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> SignificanceTest:
    """Test whether two areas on the same cases differ (DeLong).

    Raises
    ------
    ContentError
        As :func:`components`; if a class has one case only; if areas differ with no variance.
    """
    found = paired_components(truth, first, second)
    how = Wald(error=contrast_error(found.covariance()), n=found.cases, level=level, method=PAIRED)
    return how.test(float(CONTRAST @ found.auc), alternative=alternative)


def unpaired_test(
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    *,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> SignificanceTest:
    """Test whether two areas on different cases differ (DeLong, Welch's degrees of freedom).

    Parameters
    ----------
    first, second
        Truth and scores of each.

    Raises
    ------
    ContentError
        As :func:`paired_test`.
    """
    a, b = components(*first), components(*second)
    parts = [float(each.covariance()[0, 0]) for each in (a, b)]
    total = sum(parts)
    down = parts[0] ** 2 / (a.cases - 1) + parts[1] ** 2 / (b.cases - 1)
    how = Wald(
        error=math.sqrt(total),
        n=a.cases + b.cases,
        df=total**2 / down if down > 0 else math.inf,
        level=level,
        method=UNPAIRED,
    )
    return how.test(float(a.auc[0] - b.auc[0]), alternative=alternative)
