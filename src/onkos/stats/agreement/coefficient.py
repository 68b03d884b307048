"""What kappas and alphas have in common: agreement observed beyond agreement by chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.method import Method
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.agreement.resample import percentile, resampled_sums
from onkos.stats.estimates import described, undefined
from onkos.stats.significance import Wald

Parts = tuple[AnyArray, AnyArray, AnyArray]

_STEP = 1e-30  # of the complex step: derivatives without cancellation


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A coefficient of agreement with its parts.

    Parameters
    ----------
    estimate
        The coefficient with its interval.
    observed, chance
        Share of (weighted) agreement seen, and expected by chance as this coefficient defines it.
    se, df, p
        Standard error, its degrees of freedom, and the two-sided p of no agreement beyond chance.
    """

    estimate: Estimate
    observed: float
    chance: float
    se: float
    df: int
    p: float

    def normal(self, level: float = 0.95) -> Estimate:
        """The coefficient with the large-sample (normal) interval many programs print."""
        method = described(self.estimate.method)
        method = replace(method, by="asymptotic, normal quantiles", resamples=0)
        normal = Wald(error=self.se, n=self.estimate.n, level=level, method=method)
        return normal.estimate(self.estimate.value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kernel:
    """One coefficient as a function of sums over cases.

    Parameters
    ----------
    name
        As the literature names it.
    ratings
        The cases that enter.
    features
        (rows, features): what a case adds to the sums.
    parts
        From sums (..., features) to agreement seen, agreement by chance, and the share of cases
        that have a pair of ratings (1 where only such cases enter).
    sizes
        From sums to (ratings, cases) where Krippendorff's small-sample term applies: with e of
        one in all ratings, the coefficient is 1 - (1 - e) (1 - coefficient of the parts).
    multinomial
        Take the multinomial variance (Fleiss, Cohen and Everitt) in place of the one of cases
        drawn, with n / (n - 1). Tables of frequencies have the multinomial one in any case.
    notes
        What its method has to say of the cases that enter.
    """

    name: str
    ratings: Ratings
    features: FloatArray
    parts: Callable[[AnyArray], Parts]
    sizes: Callable[[AnyArray], tuple[AnyArray, AnyArray]] | None = None
    multinomial: bool = False
    notes: tuple[str, ...] = ()

    def value(self, sums: AnyArray) -> AnyArray:
        """The coefficient of sums (..., features)."""
        observed, chance, _ = self.parts(sums)
        coefficient: AnyArray = (observed - chance) / (1 - chance)
        if self.sizes is None:
            return coefficient
        corrected: AnyArray = 1 - (1 - 1 / self.sizes(sums)[0]) * (1 - coefficient)
        return corrected

    def method(self, by: str, *notes: str) -> Method:
        """Method of the coefficient, with the cases and readers it rests on."""
        return Method(what=self.name, by=by, notes=(_who(self.ratings), *self.notes, *notes))

    def gradient(self, sums: FloatArray) -> FloatArray:
        """Derivative by each sum, in Gwet's manner: the share of cases with a pair is held."""
        held = self.parts(sums)[2]
        stepped = sums[None, :] + 1j * _STEP * np.eye(len(sums))
        observed, chance, paired = self.parts(stepped)
        coefficient = (observed - chance) * paired / held / (1 - chance)
        if self.sizes is not None:
            ratings, cases = self.sizes(stepped)
            small = cases / (ratings * self.sizes(sums)[1])
            coefficient = coefficient + small * (1 - coefficient.real)
        slope: FloatArray = coefficient.imag / _STEP
        return slope


def estimate_agreement(
    kernel: Kernel, *, level: float, rng: np.random.Generator | None
) -> Agreement:
    """Coefficient with its linearised or bootstrap interval.

    The variance is that of the coefficient made linear in its sums (delta method, infinitesimal
    jackknife), summed within patients first where patients are named; the interval uses
    Student's t. With an ``rng`` it is the percentile bootstrap by patient instead.
    """
    ratings = kernel.ratings
    if not 0 < level < 1:
        raise ContentError(f"level {level}: expected a number between 0 and 1")
    sums = ratings.frequency @ kernel.features
    with np.errstate(all="ignore"):
        observed, chance = (float(part) for part in kernel.parts(sums)[:2])
        value = float(kernel.value(sums))
        if kernel.sizes is not None:
            small = 1 / float(kernel.sizes(sums)[0])
            observed = (1 - small) * observed + small
    if not math.isfinite(value):
        return _nothing(kernel, observed, chance, level)
    se = _standard_error(kernel, sums)
    df = max(ratings.n - 1, 1)
    p = float(2 * stats.t.sf(abs(value) / se, df)) if se > 0 else math.nan
    low, high, method = _interval(kernel, value, chance, se, level)
    if rng is not None and ratings.n > 1 and observed < 1:
        low, high, method, se = _bootstrap(kernel, value, level, rng)
    estimate = Estimate(
        value=value,
        low=low,
        high=high,
        n=ratings.n,
        level=level,
        method=method,
    )
    return Agreement(estimate=estimate, observed=observed, chance=chance, se=se, df=df, p=p)


def _standard_error(kernel: Kernel, sums: FloatArray) -> float:
    ratings = kernel.ratings
    pull = kernel.features @ kernel.gradient(sums)
    if ratings.clustered:
        whole = np.bincount(ratings.groups, weights=pull * ratings.frequency)
        squares, n = float(np.sum(whole**2)), ratings.n
    else:
        squares, n = float(np.sum(ratings.frequency * pull**2)), ratings.cases
    if n < 2:
        return math.inf
    drawn = not kernel.multinomial and bool((ratings.frequency == 1).all())
    factor = n / (n - 1) if drawn or ratings.clustered else 1.0
    return math.sqrt(factor * squares)


def _interval(
    kernel: Kernel, value: float, chance: float, se: float, level: float
) -> tuple[float, float, Method]:
    n = kernel.ratings.n
    if n < 2:
        return -math.inf, math.inf, kernel.method("", "one unit says nothing about others")
    if value >= 1 - 1e-12:
        seen = ((1 - level) / 2) ** (1 / _units_with_a_pair(kernel.ratings))
        low = min(value, (seen - chance) / (1 - chance))
        by = "exact binomial lower limit on the units, chance held"
        return low, value, kernel.method(by, "no disagreement seen")
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * se
    by = " by patient" if kernel.ratings.clustered else ""
    method = kernel.method(f"linearised variance{by}, Student's t")
    return value - half, max(value, min(1.0, value + half)), method


def _units_with_a_pair(ratings: Ratings) -> int:
    """Units in which two ratings could have differed; a case rated once could not."""
    paired = ratings.counts.sum(axis=1) >= 2
    if ratings.clustered:
        return len(np.unique(ratings.groups[paired]))
    return int(ratings.frequency[paired].sum())


def _bootstrap(
    kernel: Kernel, value: float, level: float, rng: np.random.Generator
) -> tuple[float, float, Method, float]:
    ratings = kernel.ratings
    if ratings.clustered:
        units = np.zeros((ratings.n, kernel.features.shape[1]))
        np.add.at(units, ratings.groups, kernel.features * ratings.frequency[:, None])
        frequency = None
    else:
        units, frequency = kernel.features, ratings.frequency
    drawn = resampled_sums(units, kernel.value, rng=rng, frequency=frequency)
    unit = "patient" if ratings.clustered else "case"
    low, high, method = percentile(
        drawn, value, level, n=ratings.n, what=kernel.method(""), unit=unit
    )
    return low, high, method, float(drawn.std(ddof=1))


def _nothing(kernel: Kernel, observed: float, chance: float, level: float) -> Agreement:
    """What is returned where chance alone agrees always: no coefficient, and why."""
    why = "all ratings are in one category"
    estimate = undefined(kernel.method(""), why, n=kernel.ratings.n, level=level)
    nothing = math.nan
    return Agreement(
        estimate=estimate, observed=observed, chance=chance, se=nothing, df=0, p=nothing
    )


def _who(ratings: Ratings) -> str:
    words = f"{ratings.cases} cases, {ratings.readers} readers"
    return f"{words}, {ratings.n} patients" if ratings.clustered else words
