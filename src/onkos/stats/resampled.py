"""Several statistics on the same resamples of patients, and tests of their differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.estimates import described, undefined
from onkos.stats.intervals import DEFAULT, Resampling, interval, jackknife_influence, unbounded
from onkos.stats.resampling import Clusters, Statistic, leave_one_out, replicates
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
    return _columns(
        statistic,
        names=names,
        clusters=clusters,
        rng=rng,
        plan=plan,
        undefined_at_most=undefined_at_most,
    )[0]


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
    whole = [described(name) for name in names]
    estimates, spread = _columns(
        lambda weights: first(weights) - second(weights),
        names=[replace(one, what=f"paired difference of {one.what}") for one in whole],
        clusters=clusters,
        rng=rng,
        plan=plan,
    )
    return tuple(_test(found, float(error)) for found, error in zip(estimates, spread, strict=True))


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


def _columns(
    statistic: Statistic,
    *,
    names: Sequence[Method | str],
    clusters: Clusters,
    rng: np.random.Generator,
    plan: Resampling,
    undefined_at_most: float = UNDEFINED_AT_MOST,
) -> tuple[tuple[Estimate, ...], FloatArray]:
    """Estimates, and the standard deviation of each column over the resamples."""
    values = statistic(np.ones((1, len(clusters.of_case)), dtype=np.int32))[0]
    drawn = replicates(
        statistic, clusters=clusters, resamples=plan.resamples, rng=rng, threads=plan.threads
    )
    influence = np.zeros((clusters.count, values.size))
    if plan.interval == "bca" and clusters.count > 1:
        without = leave_one_out(statistic, clusters=clusters, threads=plan.threads)
        influence = jackknife_influence(without, clusters)
    defined = np.isfinite(drawn)
    count = np.maximum(defined.sum(axis=0), 1)
    mean = np.where(defined, drawn, 0).sum(axis=0) / count
    spread = np.sqrt(np.where(defined, (drawn - mean) ** 2, 0).sum(axis=0) / count)
    estimates = []
    for k, what in enumerate(names):
        value = float(values[k])
        lost = int(np.count_nonzero(~defined[:, k]))
        if math.isnan(value):
            why = "nothing to compute it from"
            estimates.append(undefined(what, why, n=clusters.count, level=plan.level))
        elif lost > undefined_at_most * len(drawn):
            why = f"not defined on {lost} of {plan.resamples} resamples, no interval"
            estimates.append(
                unbounded(value, level=plan.level, what=what, n=clusters.count, why=why)
            )
        else:
            found = interval(
                value,
                drawn[:, k],
                influence=influence[:, k],
                clusters=clusters,
                plan=plan,
                what=what,
            )
            estimates.append(found)
            continue
        spread[k] = math.nan
    return tuple(estimates), spread
