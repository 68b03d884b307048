"""Intervals read from the values that resamples give."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.estimates import bracketed, described, noted
from onkos.stats.resampling import Clusters

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How many resamples are drawn and how an interval is read from them.

    Parameters
    ----------
    resamples
        How many; at least 100.
    interval
        "bca" corrects for bias and skewness, "percentile" does neither. Both are widened for
        few patients as Student's t widens a normal interval, since percentiles of resamples
        are too narrow then.
    level
        Confidence level.
    threads
        How many threads evaluate; the answer does not depend on it.

    References
    ----------
    Efron B. Better bootstrap confidence intervals. J Am Stat Assoc 1987;82:171-185.
    doi:10.1080/01621459.1987.10478410; Hesterberg TC. What teachers should know about the
    bootstrap. Am Stat 2015;69:371-386. doi:10.1080/00031305.2015.1089789
    """

    resamples: int = RESAMPLES
    interval: Literal["bca", "percentile"] = "bca"
    level: float = 0.95
    threads: int = 2

    def __post_init__(self) -> None:
        if self.resamples < 100:
            raise UsageError(f"{self.resamples} resamples: expected at least 100")
        if not 0 < self.level < 1:
            raise UsageError(f"level {self.level}: expected a number between 0 and 1")
        if self.interval not in ("bca", "percentile"):
            raise UsageError(f"interval {self.interval!r}: expected 'bca' or 'percentile'")

    def words(self) -> str:
        """How the interval is made, in words."""
        return f"{self.by}, {self.resamples} resamples"

    @property
    def by(self) -> str:
        """How the interval is made, without the number of resamples."""
        kind = "BCa" if self.interval == "bca" else "percentile"
        return f"{kind} bootstrap by patient, widened by t"

    def of(self, what: Method | str, *notes: str) -> Method:
        """Method of a statistic whose interval is made this way."""
        method = described(what)
        return replace(method, by=self.by, resamples=self.resamples, notes=(*method.notes, *notes))


DEFAULT = Resampling()
PERCENTILE = Resampling(interval="percentile")


def interval(
    value: float,
    drawn: FloatArray,
    *,
    influence: FloatArray | None,
    clusters: Clusters,
    plan: Resampling,
    what: Method | str,
) -> Estimate:
    """Read an interval from the values of the resamples.

    Resamples on which the statistic is not defined (NaN: one class only, say) are left out and
    counted in the method.

    Raises
    ------
    ContentError
        If more than half of the resamples are undefined.
    """
    name = described(what).what
    if clusters.count == 1:
        return unbounded(value, level=plan.level, what=what)
    defined = drawn[~np.isnan(drawn)]
    lost = len(drawn) - len(defined)
    if lost > len(drawn) / 2:
        raise ContentError(
            f"{name} is not defined on {lost} of {len(drawn)} resamples; too few cases for an "
            "interval"
        )
    tail = widened(
        (1 - plan.level) / 2, n=clusters.count, df=max(1, clusters.count - len(clusters.strata))
    )
    tails = np.array([tail, 1 - tail])
    if plan.interval == "bca" and influence is not None:
        tails = _bca_tails(tails, value, defined, _acceleration(influence, clusters))
    low, high = np.quantile(defined, tails)
    notes = [f"{lost} resamples on which it is not defined left out"] if lost else []
    if low == high:
        notes.append("all resamples agree, so the interval understates the uncertainty")
    return bracketed(
        value,
        (float(low), float(high)),
        n=clusters.count,
        level=plan.level,
        method=plan.of(what, *notes),
    )


def jackknife_influence(without: FloatArray, clusters: Clusters) -> FloatArray:
    """Influence of each patient from the values without them; shape (patients, ...).

    Patients without whom the statistic is not defined count as having none.
    """
    influence = np.zeros_like(without)
    edges = np.concatenate([[0], np.cumsum(clusters.strata)])
    for start, stop in pairwise(edges):
        if stop - start > 1:
            left = without[start:stop]
            known = ~np.isnan(left)
            number = np.maximum(known.sum(axis=0), 1)
            mean = np.where(known, left, 0).sum(axis=0) / number
            influence[start:stop] = np.where(known, (stop - start - 1) * (mean - left), 0)
    return influence


def _acceleration(influence: FloatArray, clusters: Clusters) -> float:
    """Efron's acceleration, strata by strata (Davison and Hinkley 1997, equation 5.28)."""
    scaled = influence / clusters.strata[clusters.stratum]
    spread = float((scaled**2).sum())
    return 0.0 if spread == 0 else float((scaled**3).sum()) / (6 * spread**1.5)


def _bca_tails(
    tails: FloatArray, value: float, drawn: FloatArray, acceleration: float
) -> FloatArray:
    """Where to read the quantiles, corrected for bias and skewness."""
    below = (float((drawn < value).mean()) + float((drawn <= value).mean())) / 2
    edge = 0.5 / len(drawn)
    bias = stats.norm.ppf(np.clip(below, edge, 1 - edge))
    finite = np.clip(tails, 1e-15, 1 - 1e-15)  # widened for two patients, a tail rounds to 1
    z = bias + stats.norm.ppf(finite)
    corrected: FloatArray = stats.norm.cdf(bias + z / np.maximum(1 - acceleration * z, 1e-3))
    return corrected


def widened(tail: float, *, n: int, df: int) -> float:
    """Tail of the percentiles that makes the interval as wide as Student's t would."""
    wide = math.sqrt(n / df) * stats.t.ppf(tail, df)
    return float(stats.norm.cdf(wide))


def unbounded(
    value: float,
    *,
    level: float,
    what: Method | str,
    n: int = 1,
    why: str = "one patient says nothing about others",
) -> Estimate:
    """A value whose interval is unbounded, as nothing is known of its uncertainty."""
    found = Estimate(
        value=value, low=-math.inf, high=math.inf, n=n, level=level, method=described(what)
    )
    return noted(found, why)
