"""Lin's concordance: how near pairs of measurements lie to the line of equality."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray
from onkos.core.method import Method
from onkos.stats.agreement.measurements import paired
from onkos.stats.agreement.resample import percentile, resampled_sums
from onkos.stats.estimates import undefined
from onkos.stats.resampling import Clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class Concordance:
    """Lin's coefficient and its two factors.

    ``correlation`` is precision (nearness to some line), ``accuracy`` how near that line is to
    equality; ``scale_shift`` is the ratio of the standard deviations, ``location_shift`` the
    difference of the means in their geometric mean.
    """

    estimate: Estimate
    correlation: float
    accuracy: float
    scale_shift: float
    location_shift: float


def lin_concordance(
    a: ArrayLike,
    b: ArrayLike,
    *,
    patients: Sequence[Hashable] | None = None,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Concordance:
    """Lin's concordance correlation coefficient with its interval.

    Parameters
    ----------
    a, b
        Two measurements of each case, in one unit; at least three pairs.
    patients
        Patient of each case; used by the bootstrap.
    rng
        If given, percentile bootstrap by patient; else Lin's normal-theory variance on
        Fisher's z, which takes cases for independent.
    level
        Confidence level.

    Raises
    ------
    ContentError
        If the two differ in length, hold what is not finite, or have fewer than three pairs.

    References
    ----------
    Lin LI. A concordance correlation coefficient to evaluate reproducibility. Biometrics
    1989;45:255-268. doi:10.2307/2532051; corrections 2000;56:324-325.
    """
    first, second = paired(a, b, least=3)
    n = len(first)
    middle = (first.mean() + second.mean()) / 2
    x, y = first - middle, second - middle
    features = np.stack([np.ones(n), x, y, x * x, y * y, x * y], axis=1)
    sums = features.sum(axis=0)
    vx, vy, cov, shift = (float(part) for part in _moments(sums))
    what = f"Lin's concordance of {n} pairs"
    clusters = Clusters.of(n, groups=patients)
    units = clusters.count
    if vx + vy + shift**2 == 0:
        return _nothing(units, level)
    value = 2 * cov / (vx + vy + shift**2)
    spread = math.sqrt(vx * vy)
    correlation = cov / spread if spread > 0 else math.nan
    accuracy = 2 * spread / (vx + vy + shift**2)
    location = shift / math.sqrt(spread) if spread > 0 else math.nan
    if rng is not None and units > 1:
        drawn = resampled_sums(clusters.sums(features), _concordance, rng=rng)
        unit = "case" if patients is None else "patient"
        low, high, method = percentile(drawn, value, level, n=units, what=what, unit=unit)
    else:
        low, high = _by_fisher(value, correlation, accuracy, location, n, level)
        notes = ("cases taken for independent",)
        if low == high:
            notes = ("no difference seen: the interval has no width and says nothing",)
        method = Method(what=what, by="Lin's variance on Fisher's z", notes=notes)
    return Concordance(
        estimate=Estimate(value=value, low=low, high=high, n=units, level=level, method=method),
        correlation=correlation,
        accuracy=accuracy,
        scale_shift=math.sqrt(vx / vy) if vy > 0 else math.inf,
        location_shift=location,
    )


def _moments(sums: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray, AnyArray]:
    """Variances (divided by n), covariance and difference of means."""
    n = sums[..., 0]
    mx, my = sums[..., 1] / n, sums[..., 2] / n
    return (
        sums[..., 3] / n - mx**2,
        sums[..., 4] / n - my**2,
        sums[..., 5] / n - mx * my,
        mx - my,
    )


def _concordance(sums: AnyArray) -> AnyArray:
    vx, vy, cov, shift = _moments(sums)
    value: AnyArray = 2 * cov / (vx + vy + shift**2)
    return value


def _by_fisher(
    value: float, r: float, accuracy: float, shift: float, n: int, level: float
) -> tuple[float, float]:
    """Interval on the scale of Fisher's z; written with value / r as accuracy, so r may be 0."""
    if not math.isfinite(r) or abs(value) >= 1 - 1e-12:
        return (value, value) if abs(value) >= 1 - 1e-12 else (-1.0, 1.0)
    rest = 1 - value**2
    variance = (1 - r**2) * accuracy**2 / rest
    variance += 2 * value**2 * (1 - value) * accuracy * shift**2 / rest**2
    variance -= value**2 * accuracy**2 * shift**4 / (2 * rest**2)
    half = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt(max(variance, 0.0) / (n - 2))
    z = math.atanh(value)
    return math.tanh(z - half), math.tanh(z + half)


def _nothing(n: int, level: float) -> Concordance:
    nan = math.nan
    return Concordance(
        estimate=undefined("Lin's concordance", "all measurements are equal", n=n, level=level),
        correlation=nan,
        accuracy=nan,
        scale_shift=nan,
        location_shift=nan,
    )
