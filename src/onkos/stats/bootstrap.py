"""Bootstrap estimates that resample patients."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.estimates import described, undefined
from onkos.stats.intervals import DEFAULT, RESAMPLES, Draws, Resampling, jackknife_influence
from onkos.stats.permutation import sign_flip_p
from onkos.stats.resampled import resampled
from onkos.stats.resampling import (
    Clusters,
    IntArray,
    Multiplicities,
    Statistic,
    replicates,
    weighted_sums,
)

__all__ = [
    "DEFAULT",
    "RESAMPLES",
    "Resampling",
    "bootstrap_indexed",
    "bootstrap_mean",
    "bootstrap_table",
    "bootstrap_weighted",
    "jackknife_influence",
    "paired_difference",
]


def bootstrap_mean(
    values: ArrayLike,
    *,
    groups: Sequence[Hashable],
    rng: np.random.Generator,
    level: float = 0.95,
    missed: int = 0,
) -> Estimate:
    """Estimate a mean over cases, with a percentile bootstrap interval that resamples patients.

    A patient is drawn with all of their cases, since cases of one patient are not independent.
    The percentiles are widened for few patients (Hesterberg's expanded
    percentile interval): simulated Dice means of 10 patients are then held by 93 % of the
    nominal 95 % intervals in place of 89 %. Rare misses are not seen in few patients: with 8 %
    missed and 20 patients 89 % hold, with 100 patients 95 %.

    Parameters
    ----------
    values
        One value a case, shape (cases,); finite. A missed lesion enters as the value a miss
        costs, it is never left out.
    groups
        The patient of each case.
    rng
        Source of the resamples.
    level
        Confidence level.
    missed
        How many patients' targets were not found at all; only passed on.

    Raises
    ------
    ContentError
        If a value is not finite: decide what it costs first, do not drop it.

    References
    ----------
    Field CA, Welsh AH. Bootstrapping clustered data. J R Stat Soc B 2007;69:369-390.
    doi:10.1111/j.1467-9868.2007.00593.x; Hesterberg TC. What teachers should know about the
    bootstrap. Am Stat 2015;69:371-386. doi:10.1080/00031305.2015.1089789
    """
    sums, counts = _by_group(values, groups)
    n = len(counts)
    what = f"mean over {int(counts.sum())} cases"
    if n == 0:
        return undefined(what, "no cases", n=0, level=level)
    value = float(sums.sum() / counts.sum())
    draws = Draws(
        value=np.array([value]),
        drawn=_resampled_means(sums, counts, rng)[:, None] if n > 1 else np.zeros((0, 1)),
        clusters=Clusters.of(n),
        plan=Resampling(interval="percentile", level=level),
    )
    return replace(draws.estimate(what), missed=missed)


def paired_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    groups: Sequence[Hashable],
    rng: np.random.Generator,
    level: float = 0.95,
) -> tuple[Estimate, float]:
    """Estimate mean(a - b) on the same cases, and its two-sided p by sign flips of patients.

    The p-value is that of the permutation test that flips the sign of each patient's whole
    difference: exact (all flips) up to 16 patients, 10,000 random flips above. With n patients
    it cannot be below 2 / 2^n.

    Raises
    ------
    ContentError
        If the two do not have the same cases, or a value is not finite.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise ContentError(
            f"paired test: {first.size} against {second.size} cases; expected the same"
        )
    difference = first - second
    estimate = bootstrap_mean(difference, groups=groups, rng=rng, level=level)
    sums, _ = _by_group(difference, groups)
    if len(sums) == 0:
        return estimate, math.nan
    return estimate, sign_flip_p(sums, rng=rng)


def bootstrap_weighted(
    statistic: Statistic,
    *,
    clusters: Clusters,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
    what: Method | str = "statistic",
    influence: FloatArray | None = None,
) -> Estimate:
    """Estimate a statistic of weighted cases, with a bootstrap interval by patient.

    Parameters
    ----------
    statistic
        Takes multiplicities, shape (resamples, cases), and gives one value a resample.
    clusters
        Patients and strata of the cases.
    rng
        Source of the resamples.
    plan
        How many resamples and which interval.
    what
        Name of the statistic, or its method with notes of its own.
    influence
        Influence of each patient on the statistic, shape (patients,) in the order of
        ``clusters``, where it is known: it spares the jackknife that BCa needs.

    Raises
    ------
    ContentError
        If the statistic is not defined on the cases, or not on more than half of the resamples.
    """
    draws = Draws.of(
        lambda weights: statistic(weights)[:, None],
        clusters=clusters,
        rng=rng,
        plan=plan,
        influence=None if influence is None else influence[:, None],
    )
    if np.isnan(draws.value[0]):
        name = described(what).what
        raise ContentError(f"{name} is not defined on these {len(clusters.of_case)} cases")
    return draws.estimate(what)


def bootstrap_table(
    statistic: Statistic,
    *,
    names: Sequence[str],
    clusters: Clusters,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
) -> dict[str, Estimate]:
    """Estimate several statistics on the same resamples, by name.

    As :func:`onkos.stats.resampled.resampled`; here a statistic may be undefined on up to half
    of the resamples before its interval is unbounded.
    """
    found = resampled(
        statistic, names=names, clusters=clusters, rng=rng, plan=plan, undefined_at_most=0.5
    )
    return dict(zip(names, found, strict=True))


def bootstrap_indexed(
    statistic: Callable[[IntArray], float],
    *,
    clusters: Clusters,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
    what: Method | str = "statistic",
) -> Estimate:
    """Estimate any statistic, called once a resample with the numbers of the drawn cases.

    Slower than :func:`bootstrap_weighted` by the cost of the calls; for statistics that cannot
    take weights.

    Raises
    ------
    ContentError
        As :func:`bootstrap_weighted`.
    """
    cases = np.arange(len(clusters.of_case))

    def looped(weights: Multiplicities) -> FloatArray:
        return np.array([statistic(np.repeat(cases, row)) for row in weights], dtype=np.float64)

    return bootstrap_weighted(
        looped, clusters=clusters, rng=rng, plan=replace(plan, threads=1), what=what
    )


def _by_group(values: ArrayLike, groups: Sequence[Hashable]) -> tuple[FloatArray, FloatArray]:
    """Sum and number of the values of each group, in order of first appearance."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (len(groups),):
        raise ContentError(
            f"values of shape {array.shape} for {len(groups)} cases; expected one each"
        )
    if not np.isfinite(array).all():
        where = np.flatnonzero(~np.isfinite(array))[:5].tolist()
        raise ContentError(
            f"values at {where} are not finite; say what such a case costs instead of dropping it"
        )
    if len(groups) == 0:
        return np.zeros(0), np.zeros(0)
    clusters = Clusters.of(len(groups), groups=groups)
    return clusters.sums(array), clusters.sums(np.ones_like(array))


def _resampled_means(sums: FloatArray, counts: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Means over resamples of whole groups."""

    def mean(weights: Multiplicities) -> FloatArray:
        means: FloatArray = weighted_sums(weights, sums) / weighted_sums(weights, counts)
        return means

    alone = Clusters.of(len(sums))
    return replicates(mean, clusters=alone, resamples=RESAMPLES, rng=rng)
