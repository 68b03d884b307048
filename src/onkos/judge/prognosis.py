"""Predicted risks judged against follow-up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from onkos.cohort.predictions import Predictions, follow_up
from onkos.core.case import Cohort
from onkos.core.errors import CohortError, ContentError
from onkos.core.estimate import Estimate
from onkos.core.evaluation import JudgedCase
from onkos.core.geometry import FloatArray
from onkos.core.source import Caveat
from onkos.evaluate.part import LEVEL, BoolArray, Metrics, Part, estimated, with_missed
from onkos.report import figures, words
from onkos.report.figures import Drawing, Sample
from onkos.stats.bands import BANDS
from onkos.stats.decision import SurvivalForecast, decision_curve
from onkos.stats.resampling import IntArray
from onkos.stats.survival.calibration import HorizonCalibration, calibration_at
from onkos.stats.survival.concordance import Harrell, Uno, concordance
from onkos.stats.survival.dynamic import brier, dynamic_auc
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.horizons import Horizons
from onkos.stats.survival.kaplan_meier import SurvivalCurve, kaplan_meier
from onkos.stats.survival.logrank import logrank

_EVENT_SHARES = (0.25, 0.5, 0.75)
_SURE = 1e-6  # the complementary log-log needs risks off 0 and 1 by as much
_GRID = np.arange(0.01, 1.0, 0.02)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Foretold:
    """Risks of patients in the order of the follow-up.

    ``risk`` orders them; ``by`` has the probability of the event by each of ``times``, shape
    (patients, times), and is None where the risks are no probabilities.
    """

    follow: FollowUp
    patients: tuple[str, ...]
    times: tuple[float, ...]
    risk: FloatArray
    by: FloatArray | None
    lost: BoolArray

    def rows(self, rows: IntArray) -> _Foretold:
        """Only some patients."""
        chosen = np.zeros(len(self.patients), dtype=bool)
        chosen[rows] = True
        return _Foretold(
            follow=self.follow.where(chosen),
            patients=tuple(p for p, kept in zip(self.patients, chosen, strict=True) if kept),
            times=self.times,
            risk=self.risk[chosen],
            by=None if self.by is None else self.by[chosen],
            lost=self.lost[chosen],
        )


def part(predictions: Predictions, cohort: Cohort, *, seed: int) -> Part:
    """Judge the column ``risk`` against the columns ``time`` and ``event`` of the truth.

    A patient without a prediction is given the lowest risk of all if the event came, the
    highest if not.

    Raises
    ------
    CohortError
        If the follow-up of a case is not known or a patient stands twice, or the times of the
        predictions are neither common to all cases nor the follow-up itself.
    ContentError
        If risks at given times are no probabilities.
    """
    whole, caveats = _foretold(predictions, cohort)
    return Part(
        task="survival",
        cases=cohort.cases,
        main="c_harrell",
        measured=lambda rows: _c_harrell(whole.rows(rows), seed),
        measure=lambda rows: _metrics(whole.rows(rows), seed),
        draw=lambda sample, metrics: _drawn(whole, sample, seed),
        judged=_judged(whole, cohort),
        caveats=caveats,
    )


def _foretold(predictions: Predictions, cohort: Cohort) -> tuple[_Foretold, tuple[Caveat, ...]]:
    times, events = follow_up(cohort.cases)
    patients = tuple(case.patient for case in cohort.cases)
    follow = FollowUp(time=np.array(times), event=np.array(events), patients=patients)
    made = [predictions.cases.get(case.id) for case in cohort.cases]
    lost = np.array([one is None for one in made])
    given = [one for one in made if one is not None]
    if not given:
        raise CohortError(f"{predictions.path}: no case of the truth has a prediction")
    at, caveats = _times(predictions, cohort, follow)
    probability = bool(at)
    columns = at or (math.nan,)
    table = np.zeros((follow.n, len(columns)))
    for row, one in enumerate(made):
        if one is not None and probability:
            table[row] = [one.risks[time] for time in columns]
        elif one is not None:
            table[row] = next(iter(one.risks.values()))
    known = table[~lost]
    least, most = (0.0, 1.0) if probability else (known.min() - 1, known.max() + 1)
    table[lost] = np.where(follow.event[lost], least, most)[:, None]
    if probability and not ((table >= 0) & (table <= 1)).all():
        raise ContentError(
            f"{predictions.path}: risks from {table.min():g} to {table.max():g} at times "
            f"{list(at)}; expected probabilities of the event by that time. Leave the column "
            "time out for a risk on another scale"
        )
    found = _Foretold(
        follow=follow,
        patients=patients,
        times=at or _horizons(follow),
        risk=table[:, -1],
        by=table if probability else None,
        lost=lost,
    )
    return found, caveats


def _times(
    predictions: Predictions, cohort: Cohort, follow: FollowUp
) -> tuple[tuple[float, ...], tuple[Caveat, ...]]:
    """Times that risks are probabilities by; none where the table tells none."""
    given = {name: tuple(sorted(one.risks)) for name, one in predictions.cases.items()}
    kinds = set(given.values())
    if all(len(times) == 1 and math.isnan(times[0]) for times in given.values()):
        return (), ()
    followed = dict(zip((case.id for case in cohort.cases), follow.time.tolist(), strict=True))
    if all(times == (followed[name],) for name, times in given.items()) and len(kinds) > 1:
        text = (
            "The column time of the predictions repeats the follow-up; it is not used, and "
            "risk is taken for a score on a scale of its own."
        )
        return (), (Caveat(code="time-repeats", text=text),)
    if len(kinds) > 1:
        odd = next(name for name, times in given.items() if times != next(iter(given.values())))
        line = predictions.cases[odd].line
        raise CohortError(
            f"{predictions.path}, line {line}: case {odd!r} has risks at times "
            f"{list(given[odd])}; expected the same times for every case, "
            f"{list(next(iter(given.values())))} as the first has"
        )
    (common,) = kinds
    if not 0 < common[0] <= common[-1] < follow.longest:
        raise CohortError(
            f"{predictions.path}: risks by times {list(common)}; expected times above 0 and below "
            f"the longest follow-up of the truth, {follow.longest:g}: nothing is known beyond it"
        )
    return common, ()


def _horizons(follow: FollowUp) -> tuple[float, ...]:
    """Times by which a quarter, half and three quarters of the events had come."""
    if not follow.events:
        return ()
    quantiles = np.quantile(follow.time[follow.event], _EVENT_SHARES, method="lower")
    return tuple(float(time) for time in np.unique(quantiles) if 0 < time < follow.longest)


def _metrics(told: _Foretold, seed: int) -> Metrics:
    """Concordance, AUC over time and, of probabilities, Brier's score and calibration."""
    n = told.follow.n
    made: dict[str, Callable[[], Estimate]] = {
        "c_harrell": partial(_c_harrell, told, seed),
        "c_uno": partial(_c_uno, told, seed),
    }
    for column, time in enumerate(told.times):
        made[f"auc_at:{time:g}"] = partial(_auc_at, told, column, seed)
        if told.by is not None:
            risk = told.by[:, column]
            made[f"brier_at:{time:g}"] = partial(_brier, told, (time,), 1 - risk, seed)
            made[f"observed_to_expected_at:{time:g}"] = partial(_ratio, told, time, risk, seed)
            made[f"calibration_slope_at:{time:g}"] = partial(_slope, told, time, risk, seed)
    if told.by is not None and len(told.times) > 1:
        made["integrated_brier"] = partial(_brier, told, told.times, 1 - told.by, seed)
    found = {name: estimated(name, make, n=n) for name, make in made.items()}
    return {name: with_missed(one, told.patients, told.lost) for name, one in found.items()}


def _c_harrell(told: _Foretold, seed: int) -> Estimate:
    return concordance(told.follow, told.risk, kind=Harrell(), rng=np.random.default_rng(seed))


def _c_uno(told: _Foretold, seed: int) -> Estimate:
    kind = Uno(tau=told.times[-1] if told.times else None)
    return concordance(told.follow, told.risk, kind=kind, rng=np.random.default_rng(seed))


def _auc_at(told: _Foretold, column: int, seed: int) -> Estimate:
    horizons = Horizons(follow=told.follow, times=(told.times[column],))
    risk = told.risk if told.by is None else told.by[:, column]
    return dynamic_auc(horizons, risk, rng=np.random.default_rng(seed)).at[0]


def _brier(told: _Foretold, times: tuple[float, ...], free: FloatArray, seed: int) -> Estimate:
    """Squared error of the predicted chance to be free of the event, over the times."""
    horizons = Horizons(follow=told.follow, times=times)
    return brier(horizons, free, rng=np.random.default_rng(seed)).overall


def _ratio(told: _Foretold, time: float, risk: FloatArray, seed: int) -> Estimate:
    return _calibrated(told, time, risk, seed).observed_to_expected


def _slope(told: _Foretold, time: float, risk: FloatArray, seed: int) -> Estimate:
    return _calibrated(told, time, risk, seed).slope


def _calibrated(told: _Foretold, time: float, risk: FloatArray, seed: int) -> HorizonCalibration:
    sure = np.clip(risk, _SURE, 1 - _SURE)
    rng = np.random.default_rng(seed)
    return calibration_at(told.follow, sure, horizon=time, groups=1, rng=rng)


def _drawn(told: _Foretold, sample: Sample, seed: int) -> tuple[Drawing, ...]:
    """Survival of patients of low, middle and high risk, and what acting is worth."""
    follow = told.follow
    edges = np.unique(np.quantile(told.risk, (1 / 3, 2 / 3)))
    of = np.searchsorted(edges, told.risk, side="left")
    names = {1: ("all",), 2: ("lower risk", "higher risk")}.get(
        len(np.unique(of)), ("lowest third of risk", "middle third", "highest third of risk")
    )
    curves: dict[str, SurvivalCurve] = {
        name: kaplan_meier(follow.where(of == number), level=LEVEL)
        for name, number in zip(names, np.unique(of).tolist(), strict=True)
    }
    note = ""
    if len(curves) > 1 and follow.events:
        p = logrank(follow, groups=of.tolist()).p
        note = f"log-rank p {'' if p < 0.001 else '= '}{words.p_value(p)}"
    drawings = [figures.kaplan_meier(curves, sample=sample, note=note)]
    if told.by is not None:
        time = told.times[-1]
        forecast = SurvivalForecast(follow=follow, risk=told.by[:, -1], horizon=time)
        curve = decision_curve(forecast, _GRID, rng=np.random.default_rng(seed), plan=BANDS)
        drawings.append(figures.decision({f"event by {time:g}": curve}, sample=sample))
    return tuple(drawings)


def _judged(told: _Foretold, cohort: Cohort) -> tuple[JudgedCase, ...]:
    return tuple(
        JudgedCase(
            case=case.id,
            patient=case.patient,
            task="survival",
            answered=not told.lost[row],
            values={"risk": float(told.risk[row])},
            truth=f"{'event' if told.follow.event[row] else 'censored'} at "
            f"{told.follow.time[row]:g}",
        )
        for row, case in enumerate(cohort.cases)
    )
