"""Log-rank test and its weighted variants."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.stats import chi2

from onkos.core.errors import ContentError, UsageError
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.resampling import IntArray
from onkos.stats.survival.followup import FollowUp

LogRankWeighting = Literal["log-rank", "wilcoxon", "tarone-ware", "peto"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogRank:
    """Result of a log-rank test: one entry a group in ``groups``, ``n`` and ``events``.

    ``observed`` and ``expected`` are the (weighted) events seen and those expected if the
    groups did not differ; ``covariance`` is that of their difference, shape (groups, groups).
    """

    groups: tuple[Hashable, ...]
    n: tuple[int, ...]
    observed: FloatArray
    expected: FloatArray
    covariance: FloatArray
    statistic: float
    df: int
    p: float
    method: Method


def logrank(
    follow: FollowUp,
    *,
    groups: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    weighting: LogRankWeighting = "log-rank",
) -> LogRank:
    """Compare two or more groups of patients by the log-rank test or a weighted variant.

    Parameters
    ----------
    follow
        The patients.
    groups
        Group of each patient.
    strata
        Stratum of each patient (site, scanner): groups are compared within strata only.
    weighting
        ``log-rank`` weighs all times alike; ``wilcoxon`` (Gehan, Breslow) by the number at
        risk, ``tarone-ware`` by its root, ``peto`` by the pooled survival (Peto and Peto's
        modified one), all three favouring early differences.

    Raises
    ------
    ContentError
        If there is only one group, no event, or no time at which groups can be compared.
    UsageError
        If the weighting is unknown.

    References
    ----------
    Mantel N. Evaluation of survival data and two new rank order statistics arising in its
    consideration. Cancer Chemother Rep 1966;50:163-170.
    Tarone RE, Ware J. On distribution-free tests for equality of survival distributions.
    Biometrika 1977;64:156-160. doi:10.1093/biomet/64.1.156
    Peto R, Peto J. Asymptotically efficient rank invariant test procedures. J R Stat Soc A
    1972;135:185-207. doi:10.2307/2344317
    """
    if weighting not in get_args(LogRankWeighting):
        raise UsageError(f"weighting {weighting!r}: expected one of {get_args(LogRankWeighting)}")
    names, group = labels(groups, follow.n, what="group")
    _, stratum = labels([0] * follow.n if strata is None else strata, follow.n, what="stratum")
    k = len(names)
    if k < 2:
        raise ContentError(f"log-rank test of one group, {names[0]!r}; expected two or more")
    if follow.events == 0:
        raise ContentError(f"log-rank test without a single event (n = {follow.n})")
    observed, expected, covariance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for one in range(int(stratum.max()) + 1):
        within = stratum == one
        part = _stratum(follow.where(within), group[within], k, weighting)
        observed, expected, covariance = (
            observed + part[0],
            expected + part[1],
            covariance + part[2],
        )
    difference = observed - expected
    df = int(np.linalg.matrix_rank(covariance, hermitian=True))
    if df == 0:
        raise ContentError("log-rank test: no event while patients of two groups were at risk")
    statistic = float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference)
    within_strata = () if strata is None else (f"in {int(stratum.max()) + 1} strata",)
    return LogRank(
        groups=names,
        n=tuple(int(count) for count in np.bincount(group, minlength=k)),
        observed=observed,
        expected=expected,
        covariance=covariance,
        statistic=statistic,
        df=df,
        p=float(chi2.sf(statistic, df)),
        method=Method(
            what=f"{weighting} test",
            by="chi-square",
            notes=(*within_strata, f"{follow.events} events"),
        ),
    )


def labels(
    values: Sequence[Hashable], n: int, *, what: str
) -> tuple[tuple[Hashable, ...], IntArray]:
    """Distinct labels in order (sorted where they can be) and the number of each patient's.

    Raises
    ------
    ContentError
        If there is not one label a patient, or one is missing (None or NaN).
    """
    if len(values) != n:
        raise ContentError(f"{len(values)} {what} labels for {n} patients; expected one each")
    missing = [place for place, value in enumerate(values) if _missing(value)]
    if missing:
        raise ContentError(f"{what} of patients {missing[:5]} is missing; name it or leave it out")
    names = tuple(sorted(dict.fromkeys(values), key=lambda name: (str(type(name)), name)))
    number = {name: place for place, name in enumerate(names)}
    return names, np.array([number[value] for value in values], dtype=np.intp)


def _missing(value: Hashable) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _stratum(
    follow: FollowUp, group: IntArray, k: int, weighting: LogRankWeighting
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weighted events seen and expected in each group, and their covariance."""
    times, where = np.unique(follow.time, return_inverse=True)
    everyone, events = np.zeros((times.size, k)), np.zeros((times.size, k))
    np.add.at(everyone, (where, group), 1.0)
    np.add.at(events, (where, group), follow.event)
    at_risk = everyone[::-1].cumsum(axis=0)[::-1]
    seen = events.sum(axis=1) > 0
    at_risk, events = at_risk[seen], events[seen]
    total, died = at_risk.sum(axis=1), events.sum(axis=1)
    weight = _weights(total, died, weighting)
    share = at_risk / total[:, None]
    spread = weight**2 * died * (total - died) / np.maximum(total - 1, 1)
    covariance = np.asarray(
        np.diag(spread @ share) - (share * spread[:, None]).T @ share, dtype=np.float64
    )
    observed = np.asarray(weight @ events, dtype=np.float64)
    expected = np.asarray((weight * died) @ share, dtype=np.float64)
    return observed, expected, covariance.astype(np.float64)


def _weights(total: FloatArray, died: FloatArray, weighting: LogRankWeighting) -> FloatArray:
    if weighting == "wilcoxon":
        return total
    if weighting == "tarone-ware":
        return np.sqrt(total)
    if weighting == "peto":
        return np.asarray(np.cumprod(1 - died / (total + 1)), dtype=np.float64)
    return np.ones_like(total)
