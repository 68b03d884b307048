"""Calibration of predicted risks at a time horizon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.estimates import transformed
from onkos.stats.intervals import DEFAULT, Resampling
from onkos.stats.resampled import resampled
from onkos.stats.resampling import Clusters, Multiplicities
from onkos.stats.survival import kernels
from onkos.stats.survival.cox import cox
from onkos.stats.survival.followup import FollowUp, scores
from onkos.stats.survival.kaplan_meier import kaplan_meier


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationGroup:
    """Patients of similar predicted risk: mean prediction, and what was observed."""

    predicted: float
    observed: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonCalibration:
    """Calibration of predicted risks at one horizon.

    Parameters
    ----------
    horizon
        The time.
    observed_to_expected
        Kaplan-Meier risk over mean predicted risk: 1 is right, above 1 too little was predicted.
    slope
        1 is right, below 1 the predictions are too extreme (overfitted).
    groups
        From the lowest to the highest predicted risk.
    """

    horizon: float
    observed_to_expected: Estimate
    slope: Estimate
    groups: tuple[CalibrationGroup, ...]


def calibration_at(
    follow: FollowUp,
    risk: ArrayLike,
    *,
    horizon: float,
    groups: int = 10,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
) -> HorizonCalibration:
    """Compare predicted risks of an event by a horizon with what Kaplan and Meier observed.

    Parameters
    ----------
    follow
        The patients.
    risk
        Predicted probability of the event by the horizon, shape (patients,).
    horizon
        Before the longest follow-up.
    groups
        Number of groups of equal size by predicted risk; equal predictions stay in one group.
    rng, plan
        Of the interval of observed over expected. That of a group's risk is Greenwood's
        (log-log), that of the slope Wald's: the coefficient of the complementary log-log of
        the risk in a Cox model of the follow-up until the horizon.

    Raises
    ------
    UsageError
        If the horizon lies beyond the follow-up, or there is no group.
    ContentError
        If a risk is not a probability; if it is exactly 0 or 1, or all are equal, for which no
        slope exists; if there is no event before the horizon; or if a group was not followed
        to the horizon (ask for fewer groups).

    References
    ----------
    Crowson CS, Atkinson EJ, Therneau TM. Assessing calibration of prognostic risk scores. Stat
    Methods Med Res 2016;25:1692-1706. doi:10.1177/0962280213497434
    McLernon DJ, Giardiello D, Van Calster B, et al. Assessing performance and clinical
    usefulness in prediction models with survival outcomes. Ann Intern Med 2023;176:105-114.
    doi:10.7326/M22-0844
    """
    follow.require_horizon(horizon)
    predicted = probabilities(risk, follow)
    if groups < 1:
        raise UsageError(f"{groups} groups: expected at least one")
    if predicted.min() <= 0 or predicted.max() >= 1:
        raise ContentError(
            "predicted risk of exactly 0 or 1: no slope exists, and no patient's risk is certain; "
            "say how sure the model can be at most, e.g. by clipping to 0.001 and 0.999"
        )
    until = follow.until(horizon)
    if until.events == 0:
        raise ContentError(f"no event before horizon {horizon:g} (n = {follow.n})")
    members = _groups(follow, predicted, horizon, groups, plan.level)
    hazard = np.log(-np.log1p(-predicted))
    fit = cox(until, hazard[:, None], names=["cloglog of predicted risk"], level=plan.level)
    return HorizonCalibration(
        horizon=horizon,
        observed_to_expected=_ratio(follow, predicted, horizon, rng=rng, plan=plan),
        slope=fit.log_hazard_ratios[0],
        groups=members,
    )


def probabilities(risk: ArrayLike, follow: FollowUp) -> FloatArray:
    """One predicted probability a patient.

    Raises
    ------
    ContentError
        If there is not one a patient, or one is not between 0 and 1.
    """
    predicted = scores(risk, follow, what="predicted risk")
    if predicted.ndim != 1 or predicted.min() < 0 or predicted.max() > 1:
        raise ContentError(
            f"predicted risk of shape {predicted.shape} from {predicted.min():g} to "
            f"{predicted.max():g}: expected one probability between 0 and 1 a patient"
        )
    return predicted


def _ratio(
    follow: FollowUp,
    predicted: FloatArray,
    horizon: float,
    *,
    rng: np.random.Generator,
    plan: Resampling,
) -> Estimate:
    order = follow.order
    time, event, sorted_risk = follow.time[order], follow.event[order], predicted[order]

    def statistic(weights: Multiplicities) -> FloatArray:
        drawn = weights[:, order].astype(np.float64)
        survival = kernels.survival_at(drawn, time, event, np.array([horizon]))
        expected: FloatArray = drawn @ sorted_risk / drawn.sum(axis=1)
        ratio: FloatArray = (1 - survival) / expected[:, None]
        return ratio

    events = follow.until(horizon).events
    (found,) = resampled(
        statistic,
        names=[
            Method(what=f"observed over expected risk at {horizon:g}", notes=(f"{events} events",))
        ],
        clusters=Clusters.of(follow.n),
        rng=rng,
        plan=plan,
    )
    return found


def _groups(
    follow: FollowUp, predicted: FloatArray, horizon: float, count: int, level: float
) -> tuple[CalibrationGroup, ...]:
    edges = np.unique(np.quantile(predicted, np.arange(1, count) / count))
    of = np.searchsorted(edges, predicted, side="left")
    found = []
    for number in np.unique(of):
        members = follow.where(of == number)
        mean = float(predicted[of == number].mean())
        if members.longest < horizon and not kaplan_meier(members).value[-1] == 0:
            raise ContentError(
                f"of the {members.n} patients predicted {mean:.3g} none was followed to "
                f"{horizon:g}; ask for fewer groups or an earlier horizon"
            )
        survival = kaplan_meier(members, level=level).at(horizon)
        observed = transformed(
            survival, lambda free: 1 - free, what="risk, 1 - Kaplan-Meier survival"
        )
        found.append(CalibrationGroup(predicted=mean, observed=observed))
    return tuple(found)
