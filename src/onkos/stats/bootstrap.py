"""Intervals by resampling patients."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray

RESAMPLES = 10_000


def bootstrap_mean(
    values: ArrayLike,
    *,
    groups: Sequence[Hashable],
    rng: np.random.Generator,
    level: float = 0.95,
    missed: int = 0,
) -> Estimate:
    """Estimate a mean over cases, with a percentile bootstrap interval that resamples patients.

    A patient is drawn with all of their cases, so that cases of one patient are not taken for
    independent ones.

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
    doi:10.1111/j.1467-9868.2007.00593.x
    """
    sums, counts = _by_group(values, groups)
    n = len(counts)
    what = f"mean over {int(counts.sum())} cases"
    if n == 0:
        return Estimate(value=math.nan, low=math.nan, high=math.nan, n=0, level=level, method=what)
    value = float(sums.sum() / counts.sum())
    if n == 1:
        return Estimate(
            value=value,
            low=-math.inf,
            high=math.inf,
            n=1,
            level=level,
            method=f"{what}; one patient says nothing about others",
            missed=missed,
        )
    means = _resampled_means(sums, counts, rng)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Estimate(
        value=value,
        low=min(float(low), value),
        high=max(float(high), value),
        n=n,
        level=level,
        method=f"{what}; percentile bootstrap by patient, {RESAMPLES} resamples",
        missed=missed,
    )


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
    n = len(sums)
    if n == 0:
        return estimate, math.nan
    if n <= 16:
        bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        flipped = np.abs((1 - 2 * bits) @ sums)
        p = float(np.mean(flipped >= abs(sums.sum()) * (1 - 1e-12)))
    else:
        signs = rng.integers(0, 2, size=(RESAMPLES, n)) * 2 - 1
        beyond = int(np.sum(np.abs(signs @ sums) >= abs(sums.sum()) * (1 - 1e-12)))
        p = (beyond + 1) / (RESAMPLES + 1)
    return estimate, p


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for making several tests (Holm's step-down).

    References
    ----------
    Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65-70.
    """
    order = np.argsort(p_values)
    adjusted = [math.nan] * len(p_values)
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


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
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    index = np.array([numbers[group] for group in groups], dtype=np.intp)
    sums = np.bincount(index, weights=array, minlength=len(numbers)).astype(np.float64)
    counts = np.bincount(index, minlength=len(numbers)).astype(np.float64)
    return sums, counts


def _resampled_means(sums: FloatArray, counts: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Means over resamples of whole groups, a bounded block of resamples at a time."""
    n = len(sums)
    block = max(1, 4_000_000 // n)
    means = []
    for start in range(0, RESAMPLES, block):
        drawn = rng.integers(0, n, size=(min(block, RESAMPLES - start), n))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    return np.concatenate(means)
