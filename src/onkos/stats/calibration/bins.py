"""Reliability curve and expected calibration error, over bins of the predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from onkos.core.errors import UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.calibration.forecast import Forecast
from onkos.stats.intervals import DEFAULT, Draws, Resampling
from onkos.stats.proportions import share
from onkos.stats.resampling import IntArray, Multiplicities

By = Literal["count", "width"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """How predictions are put into bins.

    Parameters
    ----------
    number
        How many, at most.
    by
        ``count``: the same number of cases each, equal predictions in one bin; ``width``:
        equal steps of probability, empty ones left out.
    """

    number: int = 10
    by: By = "count"

    def __post_init__(self) -> None:
        if self.number < 1 or self.by not in get_args(By):
            raise UsageError(f"{self}: expected at least one bin, by one of {get_args(By)}")

    @property
    def words(self) -> str:
        """The bins in words."""
        return f"{self.number} bins of equal {self.by}"

    def of(self, probability: FloatArray) -> tuple[FloatArray, IntArray]:
        """Upper edges of all bins but the last, and the bin of each prediction."""
        steps = np.arange(1, self.number) / self.number
        edges = steps
        if self.by == "count":
            edges = np.unique(np.quantile(probability, steps))
        return edges, np.searchsorted(edges, probability, side="left")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """One point of a reliability curve: mean prediction and observed proportion."""

    cases: int
    events: int
    lowest: float
    highest: float
    predicted: float
    observed: Estimate


def reliability_curve(
    forecast: Forecast, *, bins: Bins | None = None, level: float = 0.95
) -> tuple[ReliabilityBin, ...]:
    """Compare mean prediction and observed share in bins, each share with its interval.

    The interval is Wilson's; where patients have several cases it is that of
    :func:`onkos.stats.proportions.clustered_proportion`, and n counts patients.
    """
    bins = Bins() if bins is None else bins
    _, of = bins.of(forecast.probability)
    groups = None if forecast.patients == forecast.cases else forecast.groups
    found = []
    for number in np.unique(of):
        members = np.flatnonzero(of == number)
        p, hits = forecast.probability[members], forecast.truth[members]
        observed = share(forecast.truth, of == number, groups=groups, level=level)
        found.append(
            ReliabilityBin(
                cases=hits.size,
                events=int(hits.sum()),
                lowest=float(p.min()),
                highest=float(p.max()),
                predicted=float(p.mean()),
                observed=observed,
            )
        )
    return tuple(found)


def expected_calibration_error(
    forecast: Forecast,
    *,
    rng: np.random.Generator,
    bins: Bins | None = None,
    debiased: bool = True,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Estimate the mean distance between predicted and observed shares over bins (ECE).

    In a finite sample even a perfectly calibrated model has an ECE above zero, and resampling
    adds the same bias once more: a percentile interval would exclude zero. The interval is
    therefore a test inversion: it holds the true ECEs under which the observed one is likely,
    given the sampling errors of the bins (from resamples of patients). These depend on how the
    true distances are distributed over the bins. The bias is least when all distances are
    equal, which gives the upper limit, and largest when one bin has all of it, which gives the
    lower; coverage is nominal or above for any distribution.

    Parameters
    ----------
    forecast
        Predictions and outcomes.
    rng, plan
        Of the bootstrap by patient; BCa or percentile makes no difference here.
    bins
        Equal count or equal width; the value depends on them and means nothing without them.
    debiased
        Whether to correct for the bias of sampling: the value is then the true ECE for which
        the observed one would be the median, midway between equal distances and the observed
        ones. It is less biased than the plain ECE, not unbiased. A plain ECE above its interval
        becomes the upper limit.

    References
    ----------
    Naeini MP, Cooper GF, Hauskrecht M. Obtaining well calibrated probabilities using Bayesian
    binning. AAAI 2015:2901-2907. doi:10.1609/aaai.v29i1.9602
    Carpenter J. Test inversion bootstrap confidence intervals. J R Stat Soc B 1999;61:159-172.
    doi:10.1111/1467-9868.00169
    """
    bins = Bins() if bins is None else bins
    _, of = np.unique(bins.of(forecast.probability)[1], return_inverse=True)
    inside = np.eye(int(of.max()) + 1)[of]
    distance = forecast.probability - forecast.truth

    def gaps(weights: Multiplicities) -> FloatArray:
        count = weights @ inside
        found: FloatArray = np.divide(
            (weights * distance) @ inside,
            count,
            out=np.full_like(count, math.nan),
            where=count > 0,
        )
        return found

    percentile = replace(plan, interval="percentile")
    draws = Draws.of(gaps, clusters=forecast.clusters, rng=rng, plan=percentile)
    seen = draws.value
    error = np.nan_to_num(draws.drawn - seen)
    share = inside.mean(axis=0)
    plain = float(share @ np.abs(seen))
    tail = (1 - plan.level) / 2
    even = np.where(seen < 0, -plain, plain) * share
    one = np.where(np.arange(seen.size) == np.argmax(share * np.abs(seen)), seen, 0.0) * share
    spread = error * share
    low = _true(one, spread, plain, tail)
    middle = (_true(even, spread, plain, 0.5) + _true(seen * share, spread, plain, 0.5)) / 2
    high = _true(even, spread, plain, 1 - tail)
    value = middle if debiased else plain
    alone = forecast.patients == 1
    kind = "debiased ECE" if debiased else "ECE"
    return Estimate(
        value=value,
        low=0.0 if alone else min(low, value),
        high=1.0 if alone else min(1.0, max(high, value)),
        n=forecast.patients,
        level=plan.level,
        method=Method(
            what=kind,
            by="test inversion bootstrap by patient",
            resamples=plan.resamples,
            notes=(bins.words, forecast.words),
        ),
    )


def _true(gaps: FloatArray, spread: FloatArray, plain: float, chance: float) -> float:
    """ECE of gaps of this pattern with which one as large as seen, or larger, has a chance."""
    whole = np.abs(gaps).sum()

    def larger(factor: float) -> float:
        return float(np.mean(np.abs(factor * gaps + spread).sum(axis=1) >= plain))

    low, high = 0.0, 1.0
    if whole == 0 or larger(low) >= chance:
        return 0.0
    while larger(high) < chance and high * whole < 1:
        high *= 2
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if larger(middle) < chance else (low, middle)
    return float(high * whole)
