"""Bland and Altman's limits of agreement between two ways of measuring."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.agreement.measurements import paired
from onkos.stats.estimates import bracketed, undefined
from onkos.stats.resampling import Clusters
from onkos.stats.significance import Wald

LimitsInterval = Literal["exact", "bland-altman-1999", "bland-altman-1986"]
_MEAN = Method(what="mean difference", by="Student's t")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsOfAgreement:
    """Bias between two methods and the limits of agreement, each with its interval.

    Parameters
    ----------
    bias
        Mean of first minus second, in the unit measured.
    lower, upper
        Limits of agreement.
    sd
        Standard deviation of the differences of single measurements.
    se_limits
        Standard error of a limit (approximate); NaN where the interval is not made from one.
    proportional
        Slope of the difference on the mean of both: not 0 when the bias grows with the size;
        then one pair of limits does not fit all, and the logarithm or a ratio is better.
    proportional_p
        Two-sided p of no slope.
    correlation
        Pearson's r between both; given because it is often asked for, no measure of agreement.
    """

    bias: Estimate
    lower: Estimate
    upper: Estimate
    sd: float
    se_limits: float
    proportional: Estimate
    proportional_p: float
    correlation: float


def bland_altman(
    a: ArrayLike,
    b: ArrayLike,
    *,
    limits_sd: float = 1.96,
    limits_interval: LimitsInterval = "exact",
    level: float = 0.95,
) -> LimitsOfAgreement:
    """Limits of agreement from one pair of measurements a subject.

    Parameters
    ----------
    a, b
        Two measurements of each subject, in one unit; three pairs at least.
    limits_sd
        Standard deviations from the bias to a limit; 1.96 spans 95 % of differences.
    limits_interval
        ``"exact"``: noncentral t (Carkeet 2015), right in small studies.
        ``"bland-altman-1999"`` and ``"bland-altman-1986"``: t times a standard error of
        sd sqrt(1 / n + z^2 / (2 (n - 1))), or sd sqrt(3 / n).
    level
        Confidence level.

    Raises
    ------
    ContentError
        If the two differ in length, hold what is not finite, or have fewer than three pairs.

    References
    ----------
    Bland JM, Altman DG. Lancet 1986;327:307-310. doi:10.1016/S0140-6736(86)90837-8
    Bland JM, Altman DG. Measuring agreement in method comparison studies. Stat Methods Med Res
    1999;8:135-160. doi:10.1177/096228029900800204
    Carkeet A. Exact parametric confidence intervals for Bland-Altman limits of agreement. Optom
    Vis Sci 2015;92:e71-e80. doi:10.1097/OPX.0000000000000513
    """
    first, second = paired(a, b, least=3)
    _require_limits(limits_sd)
    difference = first - second
    n, bias, sd = len(difference), float(difference.mean()), float(difference.std(ddof=1))
    t = float(stats.t.ppf((1 + level) / 2, n - 1))
    se = _limit_error(sd, n, limits_sd, limits_interval)
    half = limits_sd * sd
    low, high = bias - half, bias + half
    inner = outer = t * se
    by = f"approximate ({limits_interval})"
    if limits_interval == "exact":
        far, near = _exact(n, limits_sd, level)
        inner, outer = half - near * sd, far * sd - half
        by = "exact (noncentral t)"
    method = Method(
        what=f"{limits_sd:g} SD limit of agreement", by=by, notes=("normal differences",)
    )
    limit = partial(bracketed, n=n, level=level)
    return LimitsOfAgreement(
        bias=Wald(error=se_mean(sd, n), n=n, df=n - 1, level=level, method=_MEAN).estimate(bias),
        lower=limit(low, (low - outer, low + inner), method=_named(method, "lower")),
        upper=limit(high, (high - inner, high + outer), method=_named(method, "upper")),
        sd=sd,
        se_limits=se,
        **_proportional(first, second, level),
    )


def bland_altman_repeated(
    a: ArrayLike,
    b: ArrayLike,
    *,
    subjects: Sequence[Hashable],
    limits_sd: float = 1.96,
    level: float = 0.95,
) -> LimitsOfAgreement:
    """Limits of agreement from several pairs of measurements a subject, whose truth may change.

    Differences of one subject are correlated; limits that ignore this are too narrow, and so
    are their intervals. The variance is split into components between and within subjects; the
    limits are those of a single new pair, with intervals by variance estimates recovery.

    Parameters
    ----------
    a, b
        Pairs of measurements, in one unit.
    subjects
        Subject of each pair; three subjects at least, one of them measured twice.
    limits_sd, level
        As in :func:`bland_altman`.

    Raises
    ------
    ContentError
        As :func:`bland_altman`, or when no subject was measured twice.

    References
    ----------
    Bland JM, Altman DG. Agreement between methods of measurement with multiple observations per
    individual. J Biopharm Stat 2007;17:571-582. doi:10.1080/10543400701329422
    Zou GY. Confidence interval estimation for the Bland-Altman limits of agreement with multiple
    observations per individual. Stat Methods Med Res 2013;22:630-642.
    doi:10.1177/0962280211402548
    """
    first, second = paired(a, b, least=3)
    _require_limits(limits_sd)
    groups = Clusters.of(len(first), groups=subjects).of_case
    difference = first - second
    counts = np.bincount(groups).astype(np.float64)
    n, total = len(counts), len(difference)
    if n < 3 or total == n:
        raise ContentError(
            f"{n} subjects with {total} pairs; expected three subjects at least and one of them "
            "measured twice. With one pair each use bland_altman"
        )
    means = np.bincount(groups, weights=difference) / counts
    within = float(np.sum((difference - means[groups]) ** 2) / (total - n))
    between = float(means.var(ddof=1))
    rest = 1 - float(np.mean(1 / counts))
    variance = between + rest * within
    bias, sd = float(means.mean()), math.sqrt(variance)
    least, most = _variance_limits((between, n - 1), (rest * within, total - n), variance, level)
    t = float(stats.t.ppf((1 + level) / 2, n - 1))
    reach = t * se_mean(math.sqrt(between), n)
    z = limits_sd
    inner = math.hypot(reach, z * (sd - math.sqrt(least)))
    outer = math.hypot(reach, z * (math.sqrt(most) - sd))
    low, high = bias - z * sd, bias + z * sd
    notes = (f"{total} pairs of {n} subjects",)
    what = f"{z:g} SD limit of agreement of a single pair"
    method = Method(what=what, by="variance recovery (Zou 2013)", notes=notes)
    limit = partial(bracketed, n=n, level=level)
    of_subjects = [np.bincount(groups, weights=values) / counts for values in (first, second)]
    return LimitsOfAgreement(
        bias=limit(bias, (bias - reach, bias + reach), method=replace(_MEAN, notes=notes)),
        lower=limit(low, (low - outer, low + inner), method=_named(method, "lower")),
        upper=limit(high, (high - inner, high + outer), method=_named(method, "upper")),
        sd=sd,
        se_limits=math.nan,
        **_proportional(of_subjects[0], of_subjects[1], level),
    )


def se_mean(sd: float, n: int) -> float:
    """Standard error of a mean."""
    return sd / math.sqrt(n)


def _require_limits(limits_sd: float) -> None:
    if not (math.isfinite(limits_sd) and limits_sd > 0):
        raise UsageError(f"limits_sd {limits_sd}: expected a number above 0, such as 1.96")


def _limit_error(sd: float, n: int, z: float, kind: LimitsInterval) -> float:
    if kind == "bland-altman-1986":
        return sd * math.sqrt(3 / n)
    if kind in ("bland-altman-1999", "exact"):
        return sd * math.sqrt(1 / n + z**2 / (2 * (n - 1)))
    raise UsageError(
        f"limits_interval {kind!r}: expected exact, bland-altman-1999 or bland-altman-1986"
    )


def _exact(n: int, z: float, level: float) -> tuple[float, float]:
    """Outer and inner end of the upper limit's interval, in SD from the mean difference."""
    root = math.sqrt(n)
    far = float(stats.nct.ppf((1 + level) / 2, n - 1, z * root)) / root
    near = float(stats.nct.ppf((1 - level) / 2, n - 1, z * root)) / root
    return far, near


def _variance_limits(
    first: tuple[float, int], second: tuple[float, int], total: float, level: float
) -> tuple[float, float]:
    """Interval of a sum of two independent mean squares, each given with degrees of freedom."""
    down = up = 0.0
    for square, df in (first, second):
        down += (square * (1 - df / float(stats.chi2.ppf((1 + level) / 2, df)))) ** 2
        up += (square * (df / float(stats.chi2.ppf((1 - level) / 2, df)) - 1)) ** 2
    return max(total - math.sqrt(down), 0.0), total + math.sqrt(up)


class _Proportional(TypedDict):
    proportional: Estimate
    proportional_p: float
    correlation: float


def _proportional(first: FloatArray, second: FloatArray, level: float) -> _Proportional:
    """Slope of the difference on the mean, its p, and Pearson's r of the two."""
    mean, difference = (first + second) / 2, first - second
    n = len(mean)
    what = "slope of difference on mean"
    if np.ptp(mean) == 0:
        nothing = undefined(what, "all means are equal", n=n, level=level)
        return _Proportional(proportional=nothing, proportional_p=math.nan, correlation=math.nan)
    fit = stats.linregress(mean, difference)
    method = Method(what=what, by="least squares, Student's t")
    how = Wald(error=float(fit.stderr), n=n, df=n - 2, level=level, method=method)
    estimate = how.estimate(float(fit.slope))
    varies = np.ptp(first) > 0 and np.ptp(second) > 0
    r = float(np.corrcoef(first, second)[0, 1]) if varies else math.nan
    return _Proportional(proportional=estimate, proportional_p=float(fit.pvalue), correlation=r)


def _named(method: Method, side: str) -> Method:
    return replace(method, what=f"{side} {method.what}")
