"""Several statistics on the same resamples of patients, and tests of their differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.stats.estimates import described, undefined
from onkos.stats.intervals import DEFAULT, Draws, Resampling, unbounded
from onkos.stats.resampling import Clusters, Statistic
from onkos.stats.significance import SignificanceTest, Wald

UNDEFINED_AT_MOST = 0.1


def resampled(
    statistic: Statistic,
    *,
    names: Sequence[Method | str],
    clusters: Clusters,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
    undefined_at_most: float = UNDEFINED_AT_MOST,
) -> tuple[Estimate, ...]:
    """Estimate every column of a statistic, with intervals from the same resamples.

    Parameters
    ----------
    statistic
        Takes multiplicities, shape (resamples, cases), and gives (resamples, columns); NaN
        where a column is not defined.
    names
        Name of each column, or its method with notes of its own.
    clusters, rng, plan
        As of :func:`onkos.stats.bootstrap.bootstrap_weighted`.
    undefined_at_most
        On which share of the resamples a column may be undefined and still have an interval.

    Returns
    -------
    tuple of Estimate
        A column that is not defined on the cases is NaN and its method says so. One that is
        undefined on too many resamples keeps its value, and has an unbounded interval.
    """
    draws = Draws.of(statistic, clusters=clusters, rng=rng, plan=plan)
    return tuple(
        _column(draws, k, what, undefined_at_most=undefined_at_most) for k, what in enumerate(names)
    )


def resampled_differences(
    models: tuple[Statistic, Statistic],
    *,
    names: Sequence[Method | str],
    clusters: Clusters,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
) -> tuple[SignificanceTest, ...]:
    """Estimate and test every column of one model's statistic minus another's.

    Both are computed on the same resamples. The test takes the standard deviation of the
    resampled differences as standard error; a difference that is not defined has p NaN.
    """
    first, second = models
    draws = Draws.of(
        lambda weights: first(weights) - second(weights), clusters=clusters, rng=rng, plan=plan
    )
    found = []
    for k, name in enumerate(names):
        whole = described(name)
        what = replace(whole, what=f"paired difference of {whole.what}")
        difference = _column(draws, k, what, undefined_at_most=UNDEFINED_AT_MOST)
        known = draws.lost[k] <= UNDEFINED_AT_MOST * len(draws.drawn)
        found.append(_test(difference, float(draws.error[k]) if known else math.nan))
    return tuple(found)


def _test(found: Estimate, error: float) -> SignificanceTest:
    estimated = described(found.method)
    parts = (estimated.by, "z of the bootstrap standard error")
    method = replace(estimated, by="; ".join(part for part in parts if part))
    if math.isnan(found.value) or math.isnan(error):
        statistic, p = math.nan, math.nan
    elif abs(found.value) < 1e-15:
        statistic, p = 0.0, 1.0
    else:
        test = Wald(error=error, n=found.n, level=found.level, method=method).test(found.value)
        statistic, p = test.statistic, test.p
    return SignificanceTest(difference=found, statistic=statistic, p=p, error=error, method=method)


def _column(draws: Draws, column: int, what: Method | str, *, undefined_at_most: float) -> Estimate:
    """Estimate of one column, whether or not it has a value and an interval."""
    value, lost = float(draws.value[column]), int(draws.lost[column])
    n, level = draws.clusters.count, draws.plan.level
    if math.isnan(value):
        return undefined(what, "nothing to compute it from", n=n, level=level)
    if lost > undefined_at_most * len(draws.drawn):
        why = f"not defined on {lost} of {len(draws.drawn)} resamples, no interval"
        return unbounded(value, level=level, what=what, n=n, why=why)
    return draws.estimate(what, column=column)
