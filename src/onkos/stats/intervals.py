"""Bootstrap intervals: how many resamples, and how the interval is read from them."""

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
from onkos.stats.resampling import Clusters, IntArray, Statistic, leave_one_out, replicates

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Statistics on the sample, and on resamples of its patients.

    Parameters
    ----------
    value
        On the sample, shape (statistics,); NaN where one is not defined.
    drawn
        On each resample, shape (resamples, statistics).
    clusters, plan
        Patients and strata of the cases; how many resamples, and which interval.
    influence
        Influence of each patient on each statistic, (patients, statistics), as BCa needs it;
        intervals are percentiles without it.
    """

    value: FloatArray
    drawn: FloatArray
    clusters: Clusters
    plan: Resampling
    influence: FloatArray | None = None

    @classmethod
    def of(
        cls,
        statistic: Statistic,
        *,
        clusters: Clusters,
        rng: np.random.Generator,
        plan: Resampling,
        influence: FloatArray | None = None,
    ) -> Draws:
        """Evaluate a statistic; the influence of patients is by jackknife if not given.

        The statistic takes multiplicities, shape (resamples, cases), and gives (resamples,
        statistics).
        """
        once = np.ones((1, len(clusters.of_case)), dtype=np.int32)
        value = statistic(once)[0]
        threads = plan.threads
        drawn = replicates(
            statistic, clusters=clusters, resamples=plan.resamples, rng=rng, threads=threads
        )
        if influence is None and plan.interval == "bca" and clusters.count > 1:
            without = leave_one_out(statistic, clusters=clusters, threads=threads)
            influence = jackknife_influence(without, clusters)
        return cls(value=value, drawn=drawn, clusters=clusters, plan=plan, influence=influence)

    @property
    def lost(self) -> IntArray:
        """On how many resamples each statistic is not defined, shape (statistics,)."""
        return np.asarray(np.isnan(self.drawn).sum(axis=0), dtype=np.intp)

    @property
    def error(self) -> FloatArray:
        """Standard deviation of each statistic over the resamples, shape (statistics,)."""
        known = np.isfinite(self.drawn)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, self.drawn, 0).sum(axis=0) / count
        squares = np.where(known, (self.drawn - mean) ** 2, 0).sum(axis=0)
        return np.asarray(np.sqrt(squares / count), dtype=np.float64)

    @property
    def tails(self) -> FloatArray:
        """Where the percentiles of the interval are read, widened for few patients."""
        n = self.clusters.count
        df = max(1, n - len(self.clusters.strata))
        tail = widened((1 - self.plan.level) / 2, n=n, df=df)
        return np.array([tail, 1 - tail])

    def estimate(self, what: Method | str, *, column: int = 0) -> Estimate:
        """Estimate a statistic, with the interval read from the values of the resamples.

        Resamples on which it is not defined (NaN: one class only, say) are left out and counted
        in the method.

        Raises
        ------
        ContentError
            If more than half of the resamples are undefined.
        """
        value, drawn = float(self.value[column]), self.drawn[:, column]
        if self.clusters.count == 1:
            return unbounded(value, level=self.plan.level, what=what)
        lost = int(self.lost[column])
        if lost > len(drawn) / 2:
            raise ContentError(
                f"{described(what).what} is not defined on {lost} of {len(drawn)} resamples; too "
                "few cases for an interval"
            )
        tails, defined = self.tails, drawn[~np.isnan(drawn)]
        if self.influence is not None and self.plan.interval == "bca":
            acceleration = _acceleration(self.influence[:, column], self.clusters)
            tails = _bca_tails(tails, value, defined, acceleration)
        low, high = (float(end) for end in np.quantile(defined, tails))
        notes = [f"{lost} resamples on which it is not defined left out"] if lost else []
        if low == high:
            notes.append("all resamples agree, so the interval understates the uncertainty")
        method = self.plan.of(what, *notes)
        n = self.clusters.count
        return bracketed(value, (low, high), n=n, level=self.plan.level, method=method)


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
