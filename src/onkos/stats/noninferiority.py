"""Tests of non-inferiority to a reference, by a margin fixed beforehand."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.stats.clustered import clustered_paired_test
from onkos.stats.delong import paired_test
from onkos.stats.resampling import Clusters
from onkos.stats.significance import SignificanceTest, Wald, tail


@dataclass(frozen=True, slots=True, kw_only=True)
class NonInferiority:
    """A test of non-inferiority.

    Parameters
    ----------
    difference
        New minus reference, with its two-sided interval.
    margin
        How much worse would still be accepted; above 0.
    statistic
        Distance of the difference from the margin in standard errors.
    p
        One-sided p of being worse by the margin or more.
    shown
        True when the interval lies wholly on the good side of the margin: a one-sided test at
        (1 - level) / 2, 2.5 % for a 95 % interval.
    better
        Whether higher or lower values are better.
    """

    difference: Estimate
    margin: float
    statistic: float
    p: float
    shown: bool
    better: Literal["higher", "lower"] = "higher"


def noninferior_auc(
    truth: ArrayLike,
    new: ArrayLike,
    reference: ArrayLike,
    *,
    margin: float,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> NonInferiority:
    """Test non-inferiority of an area under the ROC curve on the same cases.

    DeLong's variance, Obuchowski's where ``groups`` gives the patient of each case.

    Raises
    ------
    UsageError
        If the margin is not above 0.
    ContentError
        As :func:`onkos.stats.delong.paired_test`.

    References
    ----------
    Liu JP, Ma MC, Wu CY, Tai JY. Tests of equivalence and non-inferiority for diagnostic
    accuracy based on the paired areas under ROC curves. Stat Med 2006;25:1219-1238.
    doi:10.1002/sim.2358
    """
    _margin(margin)
    if groups is None:
        found = paired_test(truth, new, reference, level=level)
    else:
        found = clustered_paired_test(truth, new, reference, groups=groups, level=level)
    return _judged(found, margin, "higher")


def noninferior_mean(
    new: ArrayLike,
    reference: ArrayLike,
    *,
    margin: float,
    groups: Sequence[Hashable] | None = None,
    better: Literal["higher", "lower"] = "higher",
    level: float = 0.95,
) -> NonInferiority:
    """Test non-inferiority of a mean (Dice, surface distance in mm) on the same cases.

    Student's t on the difference, by patient.

    Parameters
    ----------
    new, reference
        One value a case, shape (cases,), finite: a miss enters as what it costs.
    margin
        In the unit of the values.
    groups
        Patient of each case.
    better
        "lower" for distances and errors.

    Raises
    ------
    UsageError
        If the margin is not above 0.
    ContentError
        If the two do not have the same cases, a value is not finite, or there are fewer than
        two patients.
    """
    _margin(margin)
    if better not in ("higher", "lower"):
        raise UsageError(f"better {better!r}: expected 'higher' or 'lower'")
    pair = [np.asarray(values, dtype=np.float64) for values in (new, reference)]
    if pair[0].shape != pair[1].shape or pair[0].ndim != 1:
        raise ContentError(
            f"paired test: shapes {pair[0].shape} and {pair[1].shape}; expected the same cases"
        )
    gap = pair[0] - pair[1]
    if not np.isfinite(gap).all():
        where = np.flatnonzero(~np.isfinite(gap))[:5].tolist()
        raise ContentError(f"values at {where} are not finite; say what such a case costs first")
    clusters = Clusters.of(len(gap), groups=groups)
    n = clusters.count
    if n < 2:
        raise ContentError("one patient says nothing about others; expected at least two")
    value = float(gap.mean())
    spread = clusters.sums(gap - value)
    how = Wald(
        error=float(np.sqrt(n / (n - 1) * (spread**2).sum())) / len(gap),
        n=n,
        df=n - 1,
        level=level,
        method=Method(what=f"mean difference over {len(gap)} cases", by="Student's t by patient"),
    )
    return _judged(how.test(value), margin, better)


def _judged(
    found: SignificanceTest, margin: float, better: Literal["higher", "lower"]
) -> NonInferiority:
    """Test against the margin in place of zero; methods without any difference pass."""
    difference = found.difference
    gain = difference.value if better == "higher" else -difference.value
    worst = difference.low if better == "higher" else -difference.high
    statistic = (gain + margin) / found.error if found.error > 0 else math.inf
    return NonInferiority(
        difference=difference,
        margin=margin,
        statistic=statistic,
        p=tail(statistic, df=found.df, alternative="greater"),
        shown=worst > -margin,
        better=better,
    )


def _margin(margin: float) -> None:
    if not margin > 0:
        raise UsageError(
            f"margin {margin}: expected above 0, how much worse would still be accepted"
        )
