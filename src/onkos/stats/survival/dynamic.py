"""Time-dependent AUC and Brier score of survival predictions."""

from __future__ import annotations

import math
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.intervals import DEFAULT, Resampling
from onkos.stats.resampled import resampled, resampled_differences
from onkos.stats.resampling import Clusters, Multiplicities, Statistic
from onkos.stats.significance import SignificanceTest
from onkos.stats.survival import kernels
from onkos.stats.survival.followup import scores
from onkos.stats.survival.horizons import Found, Horizons, OverTime

AUC, BRIER = "cumulative/dynamic AUC", "Brier score"


def dynamic_auc(
    horizons: Horizons, risk: ArrayLike, *, rng: np.random.Generator, plan: Resampling = DEFAULT
) -> OverTime[Estimate]:
    """Estimate the area under the ROC curve of who has the event by each horizon.

    Cumulative cases (event by the time) against dynamic controls (free of it at the time);
    cases weigh one over the chance of not having been censored before. ``overall`` averages
    the times, each weighted by the fall of the Kaplan-Meier curve since the one before.

    Parameters
    ----------
    horizons
        The patients and the times.
    risk
        Higher means an earlier event, shape (patients,), or (patients, times) if it changes.
    rng
        Source of the resamples of patients.
    plan
        How many resamples, which interval, which level.

    Raises
    ------
    ContentError
        If a risk is not finite, or the times have no event before the first of them.

    References
    ----------
    Uno H, Cai T, Tian L, Wei LJ. Evaluating prediction rules for t-year survivors with censored
    regression models. J Am Stat Assoc 2007;102:527-537. doi:10.1198/016214507000000149
    Lambert J, Chevret S. Summary measure of discrimination in survival models based on
    cumulative/dynamic time-dependent ROC curves. Stat Methods Med Res 2016;25:2088-2102.
    doi:10.1177/0962280213515571
    """
    asked = _asked(horizons, AUC, rng, plan)
    return _over_time(horizons, resampled(area_statistic(horizons, risk), **asked))


def dynamic_auc_difference(
    horizons: Horizons,
    a: ArrayLike,
    b: ArrayLike,
    *,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
) -> OverTime[SignificanceTest]:
    """Estimate the dynamic AUC of model ``a`` minus that of ``b``, on the same resamples."""
    asked = _asked(horizons, AUC, rng, plan)
    models = (area_statistic(horizons, a), area_statistic(horizons, b))
    return _over_time(horizons, resampled_differences(models, **asked))


def brier(
    horizons: Horizons, survival: ArrayLike, *, rng: np.random.Generator, plan: Resampling = DEFAULT
) -> OverTime[Estimate]:
    """Estimate the squared error of predicted survival at each horizon, and over all of them.

    Zero is perfect, 0.25 is what always answering one half gives. Patients with the event
    before the horizon weigh one over the chance of being uncensored at their event, patients
    followed beyond it one over that chance at the horizon. ``overall`` is the integrated Brier
    score: the trapezoid over the times, divided by their range (with one time, its own score).

    Parameters
    ----------
    horizons
        The patients and the times.
    survival
        Predicted probability of being free of the event at each time, shape (patients, times).
    rng
        Source of the resamples of patients.
    plan
        How many resamples, which interval, which level.

    Raises
    ------
    ContentError
        If a probability is not finite or not between 0 and 1, or the shape differs.

    References
    ----------
    Graf E, Schmoor C, Sauerbrei W, Schumacher M. Assessment and comparison of prognostic
    classification schemes for survival data. Stat Med 1999;18:2529-2545.
    doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5
    """
    asked = _asked(horizons, BRIER, rng, plan)
    return _over_time(horizons, resampled(brier_statistic(horizons, survival), **asked))


def brier_difference(
    horizons: Horizons,
    a: ArrayLike,
    b: ArrayLike,
    *,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
) -> OverTime[SignificanceTest]:
    """Estimate the Brier score of model ``a`` minus that of ``b``: negative if ``a`` is better."""
    asked = _asked(horizons, BRIER, rng, plan)
    models = (brier_statistic(horizons, a), brier_statistic(horizons, b))
    return _over_time(horizons, resampled_differences(models, **asked))


def area_statistic(horizons: Horizons, risk: ArrayLike) -> Statistic:
    """Dynamic AUC at each time and their mean, of resamples."""
    weigh = horizons.weighing()
    values = _per_time(risk, horizons, what="risk")[weigh.order]
    orders = np.argsort(values, axis=0, kind="stable")
    ranks = [np.unique(column, return_inverse=True)[1] for column in values.T]
    times = np.array(horizons.times)

    def statistic(weights: Multiplicities) -> FloatArray:
        drawn = weights[:, weigh.order].astype(np.float64)
        cases, _ = weigh(drawn)
        areas = np.stack(
            [
                kernels.area_under_roc(cases, drawn, until, np.ascontiguousarray(order), rank)
                for until, order, rank in zip(weigh.until, orders.T, ranks, strict=True)
            ],
            axis=1,
        )
        survival = kernels.survival_at(drawn, weigh.time, weigh.event, times)
        falls = -np.diff(survival, axis=1, prepend=1.0)
        fall = 1 - survival[:, -1]
        mean = np.divide(
            (areas * falls).sum(axis=1), fall, out=np.full_like(fall, math.nan), where=fall > 0
        )
        return np.column_stack([areas, mean])

    return statistic


def brier_statistic(horizons: Horizons, survival: ArrayLike) -> Statistic:
    """Brier score at each time and integrated, of resamples."""
    weigh = horizons.weighing()
    predicted = _per_time(survival, horizons, what="predicted survival")[weigh.order]
    if predicted.min() < 0 or predicted.max() > 1:
        raise ContentError(
            f"predicted survival from {predicted.min():g} to {predicted.max():g}: expected "
            "probabilities between 0 and 1 of being free of the event"
        )
    times = np.array(horizons.times)

    def statistic(weights: Multiplicities) -> FloatArray:
        drawn = weights[:, weigh.order].astype(np.float64)
        cases, outliving = weigh(drawn)
        scores_at = np.empty((len(drawn), times.size))
        for k, until in enumerate(weigh.until):
            early = cases[:, :until] @ predicted[:until, k] ** 2
            late = drawn[:, until:] @ (1 - predicted[until:, k]) ** 2
            scores_at[:, k] = (early + late * outliving[:, k]) / drawn.sum(axis=1)
        whole = scores_at[:, 0]
        if times.size > 1:
            whole = np.trapezoid(scores_at, times, axis=1) / (times[-1] - times[0])
        return np.column_stack([scores_at, whole])

    return statistic


def _per_time(values: ArrayLike, horizons: Horizons, *, what: str) -> FloatArray:
    """One column a time; a risk that does not change is repeated."""
    array = scores(values, horizons.follow, what=what)
    shape = (horizons.follow.n, len(horizons.times))
    if array.ndim == 1 and (what == "risk" or shape[1] == 1):
        array = np.broadcast_to(array[:, None], shape)
    if array.shape != shape:
        raise ContentError(f"{what} of shape {array.shape}: expected (patients, times) = {shape}")
    return array


class _Asked(TypedDict):
    names: list[Method]
    clusters: Clusters
    rng: np.random.Generator
    plan: Resampling


def _asked(horizons: Horizons, what: str, rng: np.random.Generator, plan: Resampling) -> _Asked:
    """What resampling asks for, with the events that each column rests on."""
    follow = horizons.follow
    by = [int(np.count_nonzero(follow.event & (follow.time <= time))) for time in horizons.times]
    names = [f"{what} at {time:g}" for time in horizons.times]
    names.append(f"{what} over {horizons.times[0]:g} to {horizons.times[-1]:g}")
    columns = [
        Method(what=name, notes=(f"{events} events",))
        for name, events in zip(names, [*by, by[-1]], strict=True)
    ]
    return _Asked(names=columns, clusters=Clusters.of(follow.n), rng=rng, plan=plan)


def _over_time(horizons: Horizons, found: tuple[Found, ...]) -> OverTime[Found]:
    return OverTime(times=horizons.times, at=found[:-1], overall=found[-1])
