"""Intraclass correlation: the share of the variance that lies between subjects."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.method import Method
from onkos.stats.agreement.resample import percentile, resampled_sums
from onkos.stats.estimates import bracketed, undefined
from onkos.stats.resampling import Clusters

NAMES = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntraclassCorrelations:
    """The six coefficients of Shrout and Fleiss, and the analysis of variance under them.

    ``one_way``: each case read by other readers. ``two_way_random``: the same readers, a sample
    of all readers; absolute agreement. ``two_way_mixed``: these readers and no others;
    consistency, a constant difference between readers costs nothing. ``..._mean``: of the mean
    of the k readings in place of a single one.

    The mean squares are between subjects, within subjects, between readers and residual.
    """

    one_way: Estimate
    two_way_random: Estimate
    two_way_mixed: Estimate
    one_way_mean: Estimate
    two_way_random_mean: Estimate
    two_way_mixed_mean: Estimate
    between_subjects: float
    within_subjects: float
    between_readers: float
    residual: float
    f_one_way: float
    p_one_way: float
    f_two_way: float
    p_two_way: float

    @property
    def by_name(self) -> Mapping[str, Estimate]:
        """The six by Shrout and Fleiss' names, ``ICC(1,1)`` to ``ICC(3,k)``."""
        singles = (self.one_way, self.two_way_random, self.two_way_mixed)
        means = (self.one_way_mean, self.two_way_random_mean, self.two_way_mixed_mean)
        return dict(zip(NAMES, (*singles, *means), strict=True))


def icc(
    measurements: ArrayLike,
    *,
    patients: Sequence[Hashable] | None = None,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> IntraclassCorrelations:
    """All six intraclass correlations with their intervals.

    Parameters
    ----------
    measurements
        Shape (subjects, readers), complete and finite, in any one unit.
    patients
        Patient of each row, where a patient has several lesions: only with ``rng``, as the F
        intervals take rows for independent.
    rng
        If given, percentile bootstrap by patient (by subject without patients) in place of the
        F intervals, which expect normal errors.
    level
        Confidence level.

    Raises
    ------
    ContentError
        If a reading is missing, there are fewer than two subjects or readers, or patients are
        given without an ``rng``.

    Notes
    -----
    Where nothing varies the coefficients are not estimable: NaN, with n and the reason.

    References
    ----------
    Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater reliability. Psychol
    Bull 1979;86:420-428. doi:10.1037/0033-2909.86.2.420
    McGraw KO, Wong SP. Forming inferences about some intraclass correlation coefficients.
    Psychol Methods 1996;1:30-46. doi:10.1037/1082-989X.1.1.30
    """
    x = _complete(measurements)
    if patients is not None and rng is None:
        raise ContentError(
            "several rows of one patient are not independent, as the F intervals need; give an rng "
            "for the bootstrap by patient"
        )
    n, k = x.shape
    centred = x - x.mean()
    features = _features(centred)
    squares = _mean_squares(features.sum(axis=0), k)
    bms, wms, jms, ems = (float(part) for part in squares)
    floor = 1e-12 * max(float(np.mean(centred**2)), 1e-300)
    bms, wms, jms, ems = (0.0 if part < floor else part for part in (bms, wms, jms, ems))
    values = [float(value) for value in _coefficients(features.sum(axis=0), k)]
    if bms == wms == 0:
        why = "all readings are equal"
        estimates = [undefined(name, why, n=n, level=level) for name in NAMES]
    elif rng is None:
        estimates = _by_f(values, (bms, wms, jms, ems), (n, k), level)
    else:
        clusters = Clusters.of(n, groups=patients)
        unit = "case" if patients is None else "patient"
        estimates = _by_bootstrap(values, clusters.sums(features), rng, level, unit)
    f1, f3 = _ratio(bms, wms), _ratio(bms, ems)
    return IntraclassCorrelations(
        one_way=estimates[0],
        two_way_random=estimates[1],
        two_way_mixed=estimates[2],
        one_way_mean=estimates[3],
        two_way_random_mean=estimates[4],
        two_way_mixed_mean=estimates[5],
        between_subjects=bms,
        within_subjects=wms,
        between_readers=jms,
        residual=ems,
        f_one_way=f1,
        p_one_way=float(stats.f.sf(f1, n - 1, n * (k - 1))),
        f_two_way=f3,
        p_two_way=float(stats.f.sf(f3, n - 1, (n - 1) * (k - 1))),
    )


def _complete(measurements: ArrayLike) -> FloatArray:
    x = np.asarray(measurements, dtype=np.float64)
    if x.ndim != 2 or min(x.shape) < 2:
        raise ContentError(
            f"measurements of shape {x.shape}: expected (subjects, readers), two of each at least"
        )
    bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if bad.size:
        raise ContentError(
            f"subjects {bad[:5].tolist()} have readings that are missing or not finite; leave them "
            "out and say so, or use krippendorff_alpha(metric='interval'), which takes gaps"
        )
    return x


def _features(x: FloatArray) -> FloatArray:
    """What a subject adds to the sums that all mean squares come from."""
    total = x.sum(axis=1)
    columns = np.stack([np.ones(len(x)), total**2, np.sum(x**2, axis=1)], axis=1)
    return np.concatenate([columns, x], axis=1)


def _mean_squares(sums: AnyArray, k: int) -> tuple[AnyArray, AnyArray, AnyArray, AnyArray]:
    """Between subjects, within subjects, between readers, residual."""
    n, totals, squares = sums[..., 0], sums[..., 1], sums[..., 2]
    readers = sums[..., 3:]
    correction = readers.sum(axis=-1) ** 2 / (n * k)
    subjects = totals / k - correction
    columns = np.sum(readers**2, axis=-1) / n - correction
    whole = squares - correction
    within = whole - subjects
    left = within - columns
    return (
        subjects / (n - 1),
        within / (n * (k - 1)),
        columns / (k - 1),
        left / ((n - 1) * (k - 1)),
    )


def _coefficients(sums: AnyArray, k: int) -> AnyArray:
    """The six, in the order of NAMES, along the first axis."""
    n = sums[..., 0]
    bms, wms, jms, ems = _mean_squares(sums, k)
    with np.errstate(all="ignore"):
        return np.stack(
            [
                (bms - wms) / (bms + (k - 1) * wms),
                (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n),
                (bms - ems) / (bms + (k - 1) * ems),
                (bms - wms) / bms,
                (bms - ems) / (bms + (jms - ems) / n),
                (bms - ems) / bms,
            ]
        )


def _by_f(
    values: Sequence[float],
    squares: tuple[float, float, float, float],
    size: tuple[int, int],
    level: float,
) -> list[Estimate]:
    n, k = size
    bms, wms, _, ems = squares
    tail = (1 + level) / 2
    one = _from_f(_ratio(bms, wms), (n - 1, n * (k - 1)), tail)
    three = _from_f(_ratio(bms, ems), (n - 1, (n - 1) * (k - 1)), tail)
    low, high = _two_way_random(values[1], squares, size, tail)
    limits = [
        tuple(_single(f, k) for f in one),
        (low, high),
        tuple(_single(f, k) for f in three),
        tuple(_mean(f) for f in one),
        (_stepped_up(low, k), _stepped_up(high, k)),
        tuple(_mean(f) for f in three),
    ]
    return [
        bracketed(
            value,
            (ends[0], ends[1]),
            n=n,
            level=level,
            method=Method(what=name, by="F distribution", notes=(f"{k} readers",)),
        )
        for name, value, ends in zip(NAMES, values, limits, strict=True)
    ]


def _by_bootstrap(
    values: Sequence[float], sums: FloatArray, rng: np.random.Generator, level: float, unit: str
) -> list[Estimate]:
    n, k = len(sums), sums.shape[1] - 3
    if n < 2:
        raise ContentError("one patient says nothing about others; expected at least two")
    drawn = resampled_sums(sums, lambda s: np.moveaxis(_coefficients(s, k), 0, -1), rng=rng)
    found = []
    for index, name in enumerate(NAMES):
        what = Method(what=name, notes=(f"{k} readers",))
        low, high, method = percentile(
            drawn[:, index], values[index], level, n=n, what=what, unit=unit
        )
        found.append(bracketed(values[index], (low, high), n=n, level=level, method=method))
    return found


def _two_way_random(
    value: float,
    squares: tuple[float, float, float, float],
    size: tuple[int, int],
    tail: float,
) -> tuple[float, float]:
    """Interval of ICC(2,1), with Satterthwaite's degrees of freedom."""
    n, k = size
    bms, _, jms, ems = squares
    if ems == 0:
        ems = 1e-12 * max(bms, jms)  # the limit of readers who differ by a constant only
    fj = jms / ems
    rest = n * (1 + (k - 1) * value) - k * value
    df = (k - 1) * (n - 1) * (k * value * fj + rest) ** 2
    df /= (n - 1) * (k * value * fj) ** 2 + rest**2
    df = max(df, 1e-12)  # 0 for two readers of whom one mirrors the other
    upper, lower = stats.f.ppf(tail, n - 1, df), stats.f.ppf(tail, df, n - 1)
    other = k * jms + (k * n - k - n) * ems
    return (
        float(n * (bms / upper - ems) / (other + n * bms / upper)),  # upper may be 1e304
        float(n * (lower * bms - ems) / (other + n * lower * bms)),
    )


def _stepped_up(r: float, k: int) -> float:
    """Spearman and Brown: from one reading to the mean of k."""
    return k * r / (1 + (k - 1) * r)


def _from_f(f: float, df: tuple[int, int], tail: float) -> tuple[float, float]:
    return f / float(stats.f.ppf(tail, *df)), f * float(stats.f.ppf(tail, df[1], df[0]))


def _single(f: float, k: int) -> float:
    return 1.0 if math.isinf(f) else (f - 1) / (f + k - 1)


def _mean(f: float) -> float:
    return 1 - 1 / f if f > 0 else -math.inf


def _ratio(a: float, b: float) -> float:
    if b > 0:
        return a / b
    return math.inf if a > 0 else math.nan
