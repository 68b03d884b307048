"""Proportions with intervals that hold for few cases and near 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.stats.estimates import undefined
from onkos.stats.resampling import Clusters
from onkos.stats.significance import quantile


def wilson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """Proportion with Wilson's score interval; its coverage is near nominal on average.

    No cases (``n`` = 0) give an estimate of NaN.

    Raises
    ------
    ContentError
        If the counts contradict each other.

    References
    ----------
    Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat
    Assoc 1927;22:209-212. doi:10.1080/01621459.1927.10502953
    """
    _checked(successes, n)
    if n == 0:
        return _none(level)
    value = successes / n
    low, high = score_interval(value, n, quantile(level))
    method = Method(what="proportion", share=(successes, n), by="Wilson's interval")
    return Estimate(value=value, low=low, high=high, n=n, level=level, method=method)


def clopper_pearson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """Proportion with the exact interval; its coverage is never below nominal, often above.

    No cases (``n`` = 0) give an estimate of NaN.

    Raises
    ------
    ContentError
        If the counts contradict each other.

    References
    ----------
    Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of
    the binomial. Biometrika 1934;26:404-413. doi:10.1093/biomet/26.4.404
    """
    _checked(successes, n)
    quantile(level)
    if n == 0:
        return _none(level)
    tail = (1 - level) / 2
    low = stats.beta.ppf(tail, successes, n - successes + 1) if successes > 0 else 0.0
    high = stats.beta.isf(tail, successes + 1, n - successes) if successes < n else 1.0
    exact = "Clopper and Pearson's exact interval"
    return Estimate(
        value=successes / n,
        low=float(low),
        high=float(high),
        n=n,
        level=level,
        method=Method(what="proportion", share=(successes, n), by=exact),
    )


def clustered_proportion(
    hits: ArrayLike, *, groups: Sequence[Hashable], level: float = 0.95
) -> Estimate:
    """Proportion of cases where patients have several, with an interval by patient.

    Wilson's interval for the number of independent cases that would be as informative (Rao and
    Scott), with Student's t for few patients. Where all cases agree, each patient counts as
    one case.

    Parameters
    ----------
    hits
        1 or True where it holds, shape (cases,).
    groups
        Patient of each case; ``n`` of the estimate counts patients.

    Raises
    ------
    ContentError
        If an entry is neither 0 nor 1.

    References
    ----------
    Rao JNK, Scott AJ. A simple method for the analysis of clustered binary data. Biometrics
    1992;48:577-585. doi:10.2307/2532311
    """
    held = np.asarray(hits, dtype=np.float64)
    if held.ndim != 1 or not np.isin(held, (0, 1)).all():
        raise ContentError(f"hits of shape {held.shape}; expected 0 or 1 a case, (cases,)")
    if held.size == 0:
        return _none(level)
    clusters = Clusters.of(len(held), groups=groups)
    sums, sizes = clusters.sums(held), clusters.sums(np.ones_like(held))
    total, patients = len(held), clusters.count
    value = float(held.mean())
    method = Method(
        what="proportion of cases",
        share=(int(held.sum()), total),
        by="Wilson's interval by patient (Rao and Scott)",
    )
    if patients == 1:
        method = replace(method, notes=("one patient says nothing about others",))
        return Estimate(value=value, low=0.0, high=1.0, n=1, level=level, method=method)
    variance = patients / (patients - 1) * float(((sums - value * sizes) ** 2).sum()) / total**2
    known = value * (1 - value) / variance if 0 < value < 1 and variance > 0 else float(patients)
    low, high = score_interval(value, min(known, total), quantile(level, df=patients - 1))
    return Estimate(value=value, low=low, high=high, n=patients, level=level, method=method)


def share(
    hits: ArrayLike,
    among: ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> Estimate:
    """Proportion of some of the cases: of the diseased, of those called positive.

    Parameters
    ----------
    hits, among
        Where it holds, and which cases it is asked of; shape (cases,).
    groups
        Patient of each case where patients have several, else None: Wilson's interval by case.
    """
    asked = np.asarray(among, dtype=bool)
    held = np.asarray(hits, dtype=bool)[asked]
    if groups is None or not held.size:
        return wilson(int(held.sum()), len(held), level=level)
    who = [groups[int(case)] for case in np.flatnonzero(asked)]
    return clustered_proportion(held, groups=who, level=level)


def score_interval(value: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's limits of a share of ``n`` cases at ``z`` standard errors; they hold the share."""
    centre = (value + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(value * (1 - value) / n + z**2 / (4 * n**2))
    return min(value, max(0.0, centre - half)), max(value, min(1.0, centre + half))


def _checked(successes: int, n: int) -> None:
    if not 0 <= successes <= n:
        raise ContentError(f"{successes} of {n}: expected 0 <= successes <= n")


def _none(level: float) -> Estimate:
    return undefined("proportion", "no cases", n=0, level=level)
