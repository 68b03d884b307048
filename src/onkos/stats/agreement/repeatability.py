"""Repeatability of a measurement, and the least change that exceeds measurement error."""

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
from onkos.stats.estimates import bracketed, transformed, undefined

MULTIPLE = 1.96
CV = "within-subject CV (root mean square)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatability:
    """Spread of repeated measurements of the same thing, each with a chi-square interval.

    Parameters
    ----------
    within_sd
        Within-subject standard deviation, in the unit measured.
    coefficient
        Repeatability coefficient: two measurements of the same thing differ by more in one case
        of twenty (with 1.96 SD).
    within_cv
        Within-subject coefficient of variation, as a fraction; NaN unless all means are above 0.
    percent_coefficient
        Repeatability coefficient of relative differences, as a fraction.
    mean_dependence, mean_dependence_p
        Kendall's tau between the SD and the mean of subjects: if the spread grows with the size
        the relative figures are the ones to use.
    """

    within_sd: Estimate
    coefficient: Estimate
    within_cv: Estimate
    percent_coefficient: Estimate
    mean_dependence: float
    mean_dependence_p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastRealChange:
    """Smallest change of one patient that measurement error alone rarely exceeds.

    In the unit measured, or as fractions of the first measurement (``decrease`` is below 0).
    """

    decrease: Estimate
    increase: Estimate


def repeatability(
    repeats: ArrayLike, *, multiple: float = MULTIPLE, level: float = 0.95
) -> Repeatability:
    """Repeatability from test-retest measurements.

    Parameters
    ----------
    repeats
        Shape (subjects, repeats); NaN where a subject was measured less often. Subjects
        measured once say nothing about repeatability and are not in n.
    multiple
        Standard deviations of a difference that count as its limit.
    level
        Confidence level.

    Raises
    ------
    ContentError
        If nobody was measured twice, or a value is infinite.

    References
    ----------
    Bland JM, Altman DG. Measuring agreement in method comparison studies. Stat Methods Med Res
    1999;8:135-160. doi:10.1177/096228029900800204
    Raunig DL, et al. Quantitative imaging biomarkers: a review of statistical methods for
    technical performance assessment. Stat Methods Med Res 2015;24:27-67.
    doi:10.1177/0962280214537344
    """
    _require_multiple(multiple)
    means, variances, df = _subjects(repeats)
    total = int(df.sum())
    factor = multiple * math.sqrt(2)
    sd = math.sqrt(float(np.sum(df * variances) / total))
    n = len(means)
    found = {
        "within_sd": _chi_square(sd, total, n, level, "within-subject SD"),
        "coefficient": _chi_square(factor * sd, total, n, level, _words(multiple)),
    }
    relative = f"{_words(multiple)}, relative"
    if (means > 0).all():
        cv = math.sqrt(float(np.sum(df * variances / means**2) / total))
        found["within_cv"] = _chi_square(cv, total, n, level, CV)
        found["percent_coefficient"] = _chi_square(factor * cv, total, n, level, relative)
    else:
        why = "a mean of 0 or below has no relative spread"
        for key, name in (("within_cv", CV), ("percent_coefficient", relative)):
            found[key] = undefined(name, why, n=n, level=level)
    tau, p = _dependence(means, np.sqrt(variances))
    return Repeatability(**found, mean_dependence=tau, mean_dependence_p=p)


def least_real_change(
    repeats: ArrayLike,
    *,
    relative: bool,
    multiple: float = MULTIPLE,
    level: float = 0.95,
) -> LeastRealChange:
    """Least change between two measurements of a patient that is more than measurement error.

    Parameters
    ----------
    repeats
        As in :func:`repeatability`.
    relative
        True: error grows with size; the limits come from logarithms, are fractions of the first
        measurement, and a decrease is smaller than an increase. False: in the unit measured.
    multiple
        1.96: one unchanged patient in twenty is called changed.
    level
        Confidence level.

    Raises
    ------
    ContentError
        As :func:`repeatability`, or if relative and a value is 0 or below.
    """
    _require_multiple(multiple)
    values = np.asarray(repeats, dtype=np.float64)
    if relative:
        if (values <= 0).any():
            raise ContentError(
                "a measurement is 0 or below and has no logarithm; use relative=False"
            )
        values = np.log(values)
    means, variances, df = _subjects(values)
    total, n = int(df.sum()), len(means)
    name = f"least real change at {multiple:g} SD of a difference"
    step = multiple * math.sqrt(2) * math.sqrt(float(np.sum(df * variances) / total))
    size = _chi_square(step, total, n, level, f"{name}, {'relative' if relative else 'absolute'}")
    scale = math.expm1 if relative else float
    return LeastRealChange(
        increase=transformed(size, scale), decrease=transformed(size, lambda by: scale(-by))
    )


def _subjects(repeats: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean, variance and degrees of freedom of each subject that was measured twice."""
    values = np.asarray(repeats, dtype=np.float64)
    if values.ndim != 2 or np.isinf(values).any():
        raise ContentError(
            f"repeats of shape {values.shape}: expected (subjects, repeats), finite or NaN where "
            "not measured"
        )
    count = np.sum(~np.isnan(values), axis=1)
    kept = values[count >= 2]
    if not len(kept):
        raise ContentError("no subject was measured twice; repeatability needs repeats")
    means = np.nanmean(kept, axis=1)
    return means, np.nanvar(kept, axis=1, ddof=1), count[count >= 2] - 1.0


def _chi_square(value: float, df: int, n: int, level: float, name: str) -> Estimate:
    """A multiple of a standard deviation with its chi-square interval."""
    low, high = (
        value * math.sqrt(df / float(stats.chi2.ppf(tail, df)))
        for tail in ((1 + level) / 2, (1 - level) / 2)
    )
    notes = ("normal errors",)
    if value == 0:
        notes = ("no difference seen: the interval has no width and says nothing",)
    method = Method(what=name, by=f"chi-square, {df} degrees of freedom", notes=notes)
    return bracketed(value, (low, high), n=n, level=level, method=method)


def _dependence(means: FloatArray, sds: FloatArray) -> tuple[float, float]:
    if len(means) < 3 or np.ptp(means) == 0 or np.ptp(sds) == 0:
        return math.nan, math.nan
    found = stats.kendalltau(means, sds)
    return float(found.statistic), float(found.pvalue)


def _words(multiple: float) -> str:
    return f"repeatability coefficient, {multiple:g} SD of a difference"


def _require_multiple(multiple: float) -> None:
    if not (math.isfinite(multiple) and multiple > 0):
        raise UsageError(f"multiple {multiple}: expected a number above 0, such as 1.96")
