"""Test of the proportional hazards assumption."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from scipy.stats import chi2, rankdata

from onkos.core.errors import ContentError, UsageError
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.survival.cox import CoxFit
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.kaplan_meier import kaplan_meier

Clock = Literal["km", "rank", "identity", "log"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proportionality:
    """Score tests of hazard ratios that change with time.

    ``statistic`` and ``p`` hold one entry a covariate (1 degree of freedom each); ``overall``
    is the chi-square of all together with ``len(names)`` degrees of freedom.
    ``times`` and ``residuals`` (events, covariates) are the scaled Schoenfeld residuals, which
    scatter about the log hazard ratio at their time: plot them.
    """

    names: tuple[str, ...]
    statistic: FloatArray
    p: FloatArray
    overall: float
    overall_p: float
    times: FloatArray
    residuals: FloatArray
    n: int
    events: int
    method: Method


def proportional_hazards(fit: CoxFit, *, clock: Clock = "km") -> Proportionality:
    """Test whether the hazard ratios of a Cox model stay the same over time.

    A small p says that one does not: the single ratio is then an average over the follow-up.
    A large p says little where events are few.

    Parameters
    ----------
    fit
        The model, without penalty.
    clock
        How time is counted: ``km`` (1 - pooled Kaplan-Meier just before), ``rank``,
        ``identity`` or ``log``.

    Raises
    ------
    UsageError
        If the clock is unknown, or ``log`` meets an event at time zero.
    ContentError
        If all events happened at one time.

    References
    ----------
    Grambsch PM, Therneau TM. Proportional hazards tests and diagnostics based on weighted
    residuals. Biometrika 1994;81:515-526. doi:10.1093/biomet/81.3.515
    """
    some = fit.partial.deaths > 0
    _, first = np.unique(fit.patients.moment, return_index=True)
    times, deaths = fit.patients.time[first][some], fit.partial.deaths[some]
    seen, variance = fit.partial.schoenfeld[some], fit.partial.variance[some]
    scale = _clock(fit, times, clock)
    scale = scale - np.average(scale, weights=deaths)
    if not np.any(np.abs(scale) > 0):
        raise ContentError(f"all {int(deaths.sum())} events happened at one time; no drift to test")
    drift = scale @ seen
    cross = np.einsum("k,kij->ij", scale, variance)
    left = np.einsum("k,kij->ij", scale**2, variance) - cross @ np.linalg.solve(
        variance.sum(axis=0), cross
    )
    statistic = drift**2 / np.diag(left)
    overall = float(drift @ np.linalg.solve(left, drift))
    inverse = np.linalg.inv(variance.sum(axis=0)) * deaths.sum()
    return Proportionality(
        names=fit.names,
        statistic=statistic,
        p=chi2.sf(statistic, 1),
        overall=overall,
        overall_p=float(chi2.sf(overall, len(fit.names))),
        times=times,
        residuals=seen / deaths[:, None] @ inverse + fit.coefficients,
        n=fit.n,
        events=int(deaths.sum()),
        method=replace(fit.method, what=f"score test of drift over time ({clock})"),
    )


def _clock(fit: CoxFit, times: FloatArray, clock: Clock) -> FloatArray:
    if clock not in get_args(Clock):
        raise UsageError(f"clock {clock!r}: expected one of {get_args(Clock)}")
    if clock == "identity":
        return times
    if clock == "rank":
        ranks: FloatArray = rankdata(times, method="dense").astype(np.float64)
        return ranks
    if clock == "log":
        if times.min() <= 0:
            raise UsageError("an event at time zero has no logarithm; choose another clock")
        return np.log(times)
    pooled = kaplan_meier(FollowUp(time=fit.patients.time, event=fit.patients.event))
    before = np.searchsorted(pooled.times, times, side="left") - 1
    left: FloatArray = 1 - np.where(before >= 0, pooled.value[np.maximum(before, 0)], 1.0)
    return left
