"""Decision curves: the net benefit of acting on a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.calibration.brier import require_same
from onkos.stats.calibration.forecast import Forecast
from onkos.stats.intervals import DEFAULT, Resampling
from onkos.stats.ranking import BoolArray
from onkos.stats.resampled import resampled, resampled_differences
from onkos.stats.resampling import Clusters, Multiplicities, Statistic
from onkos.stats.significance import SignificanceTest
from onkos.stats.survival import kernels
from onkos.stats.survival.calibration import probabilities
from onkos.stats.survival.followup import FollowUp

BENEFITS = (
    "net benefit",
    "net benefit of treating all",
    "standardised net benefit",
    "interventions avoided per 100",
)

Shares = Callable[[FloatArray, BoolArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPoint:
    """Net benefit at one threshold.

    Parameters
    ----------
    threshold
        Probability from which one would act; its odds are the unnecessary interventions that
        one would accept for a necessary one.
    model
        Net benefit of acting on the model, in necessary interventions a patient.
    treat_all
        Net benefit of acting on everybody; that of acting on nobody is 0.
    standardised
        ``model`` over the prevalence: 1 is perfect.
    avoided_per_100
        Net reduction of interventions among 100 patients against acting on everybody, no
        necessary one missed on balance; not defined at threshold 0.
    """

    threshold: float
    model: Estimate
    treat_all: Estimate
    standardised: Estimate
    avoided_per_100: Estimate

    @property
    def treat_none(self) -> float:
        """Net benefit of acting on nobody."""
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurvivalForecast:
    """Predicted probabilities of an event by a horizon, and the follow-up.

    Parameters
    ----------
    follow
        The patients.
    risk
        Predicted probability of the event by the horizon, shape (patients,).
    horizon
        Before the longest follow-up.

    Raises
    ------
    UsageError
        If the horizon lies beyond the follow-up.
    ContentError
        If a risk is not a probability.
    """

    follow: FollowUp
    risk: FloatArray
    horizon: float

    def __post_init__(self) -> None:
        self.follow.require_horizon(self.horizon)
        object.__setattr__(self, "risk", probabilities(self.risk, self.follow))

    @property
    def clusters(self) -> Clusters:
        """Every row is a patient."""
        return Clusters.of(self.follow.n)

    @property
    def words(self) -> str:
        """Events by the horizon, and patients."""
        events = self.follow.until(self.horizon).events
        return f"{events} events by {self.horizon:g} in {self.follow.n} patients"


def decision_curve(
    forecast: Forecast | SurvivalForecast,
    thresholds: ArrayLike,
    *,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
) -> tuple[DecisionPoint, ...]:
    """Estimate the net benefit of acting on a model over threshold probabilities.

    Patients with a prediction at or above the threshold (and above 0) are acted on. With
    follow-up, their proportion of events is Kaplan and Meier's at the horizon; where nobody
    above the threshold was followed to it, net benefit is not defined and its estimate says so.

    Parameters
    ----------
    forecast
        Predictions and outcomes, or predictions and follow-up.
    thresholds
        From 0 to below 1.
    rng, plan
        Of the bootstrap by patient.

    Raises
    ------
    UsageError
        If a threshold is not in [0, 1), or there is none.

    References
    ----------
    Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction
    models. Med Decis Making 2006;26:565-574. doi:10.1177/0272989X06295361
    Vickers AJ, Cronin AM, Elkin EB, Gonen M. Extensions to decision curve analysis. BMC Med
    Inform Decis Mak 2008;8:53. doi:10.1186/1472-6947-8-53
    Kerr KF, Brown MD, Zhu K, Janes H. Assessing the clinical impact of risk prediction models
    with decision curves. J Clin Oncol 2016;34:2534-2540. doi:10.1200/JCO.2015.65.5654
    """
    at = _thresholds(thresholds)
    found = resampled(
        _statistic(forecast, at),
        names=_names(forecast, at),
        clusters=forecast.clusters,
        rng=rng,
        plan=plan,
    )
    kinds = [found[k :: len(BENEFITS)] for k in range(len(BENEFITS))]
    return tuple(
        DecisionPoint(
            threshold=threshold,
            model=model,
            treat_all=treat_all,
            standardised=standardised,
            avoided_per_100=avoided,
        )
        for threshold, model, treat_all, standardised, avoided in zip(at, *kinds, strict=True)
    )


def net_benefit_difference(
    a: Forecast | SurvivalForecast,
    b: Forecast | SurvivalForecast,
    thresholds: ArrayLike,
    *,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
) -> tuple[SignificanceTest, ...]:
    """Estimate and test net benefit of ``a`` minus ``b`` at each threshold, on the same patients.

    Raises
    ------
    UsageError
        If one has follow-up and the other not, or the horizons differ.
    ContentError
        If outcomes or patients differ.
    """
    at = _thresholds(thresholds)
    _require_paired(a, b)
    first, second = _statistic(a, at), _statistic(b, at)
    return resampled_differences(
        (lambda w: first(w)[:, :: len(BENEFITS)], lambda w: second(w)[:, :: len(BENEFITS)]),
        names=_names(a, at)[:: len(BENEFITS)],
        clusters=a.clusters,
        rng=rng,
        plan=plan,
    )


def _thresholds(thresholds: ArrayLike) -> tuple[float, ...]:
    at = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if at.ndim != 1 or at.size == 0 or not ((at >= 0) & (at < 1)).all():
        raise UsageError(f"thresholds {at.tolist()}: expected probabilities from 0 to below 1")
    return tuple(at.tolist())


def _require_paired(a: Forecast | SurvivalForecast, b: Forecast | SurvivalForecast) -> None:
    if isinstance(a, Forecast) and isinstance(b, Forecast):
        require_same(a, b)
        return
    if isinstance(a, SurvivalForecast) and isinstance(b, SurvivalForecast):
        same = np.array_equal(a.follow.time, b.follow.time)
        if same and np.array_equal(a.follow.event, b.follow.event) and a.horizon == b.horizon:
            return
    raise UsageError(
        f"paired net benefit: {a.words} against {b.words}; expected the same patients, judged "
        "at the same horizon"
    )


def _statistic(forecast: Forecast | SurvivalForecast, at: tuple[float, ...]) -> Statistic:
    """Four columns a threshold, in the order of ``BENEFITS``."""
    if isinstance(forecast, Forecast):
        shares = _binary(forecast)
        predicted = forecast.probability
    else:
        shares = _survival(forecast)
        predicted = forecast.risk

    def statistic(weights: Multiplicities) -> FloatArray:
        w = weights.astype(np.float64)
        prevalence, _ = shares(w, np.ones(predicted.size, dtype=bool))
        columns = []
        for threshold in at:
            odds = threshold / (1 - threshold)
            true, false = shares(w, (predicted >= threshold) & (predicted > 0))
            model = true - odds * false
            treat_all = prevalence - odds * (1 - prevalence)
            some = np.where(prevalence > 0, prevalence, math.nan)
            avoided = (model - treat_all) / (odds if odds > 0 else math.nan) * 100
            columns += [model, treat_all, model / some, avoided]
        return np.column_stack(columns)

    return statistic


def _binary(forecast: Forecast) -> Shares:
    """True and false positives a case."""
    yes = forecast.truth.astype(np.float64)

    def shares(w: FloatArray, positive: BoolArray) -> tuple[FloatArray, FloatArray]:
        total = w.sum(axis=1)
        return w @ (yes * positive) / total, w @ ((1 - yes) * positive) / total

    return shares


def _survival(forecast: SurvivalForecast) -> Shares:
    """True and false positives a patient, by the Kaplan-Meier risk of the positives."""
    order = forecast.follow.order
    time, event = forecast.follow.time[order], forecast.follow.event[order]
    horizon = np.array([forecast.horizon])

    def shares(w: FloatArray, positive: BoolArray) -> tuple[FloatArray, FloatArray]:
        if not positive.any():
            return np.zeros(len(w)), np.zeros(len(w))
        chosen = order[positive[order]]
        drawn, kept = w[:, chosen], positive[order]
        survival = kernels.survival_at(drawn, time[kept], event[kept], horizon)[:, 0]
        share = drawn.sum(axis=1) / w.sum(axis=1)
        survival = np.where(share > 0, survival, 1.0)
        return share * (1 - survival), share * survival

    return shares


def _names(forecast: Forecast | SurvivalForecast, at: Sequence[float]) -> list[Method]:
    notes = (forecast.words,)
    return [Method(what=f"{name} at {t:g}", notes=notes) for t in at for name in BENEFITS]
