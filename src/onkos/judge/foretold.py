"""Foretold risks of one model, repeat by repeat, in the order of the follow-up of the truth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from onkos.core.answers import Risk
from onkos.core.case import Case, Cohort
from onkos.core.comparison import Answered, Predicted
from onkos.core.errors import CohortError, ContentError
from onkos.core.geometry import FloatArray
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.judge.part import BoolArray
from onkos.stats.resampling import IntArray
from onkos.stats.survival.followup import FollowUp

_EVENT_SHARES = (0.25, 0.5, 0.75)
_ALONE = -1  # fold of a patient whom no fold answered, until they are given one

Risks = Mapping[str, Risk]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foretold:
    """Risks of patients in the order of the follow-up, in each repeat of the folds.

    Parameters
    ----------
    cases, follow
        One case a patient, and what became of them.
    times
        Horizons: those that probabilities are given by, or where a quarter, half and three
        quarters of the events had come.
    risks
        (repeats, patients, columns): the probability of the event by each of ``times``, or one
        score on a scale of its own.
    probability
        Whether they are probabilities.
    folds
        (repeats, patients): where each was held out.
    lost
        Patients without an answer in some repeat; they have the lowest risk of all if the event
        came, the highest if not.
    """

    cases: tuple[Case, ...]
    follow: FollowUp
    times: tuple[float, ...]
    risks: FloatArray
    probability: bool
    folds: IntArray
    lost: BoolArray

    @property
    def patients(self) -> list[str]:
        """Patient of each case."""
        return [case.patient for case in self.cases]

    @property
    def within(self) -> bool:
        """Whether scores can be compared within a fold only.

        A score on a scale of its own means something else in each fold's model; a probability
        by a time does not.
        """
        return not self.probability and any(len(np.unique(one)) > 1 for one in self.folds)

    @property
    def ordering(self) -> FloatArray:
        """(repeats, patients): what orders patients, by the last time of probabilities."""
        last: FloatArray = self.risks[:, :, -1]
        return last

    @property
    def scaled(self) -> FloatArray:
        """(repeats, patients): the same on one scale over folds, by ranks within the fold."""
        if not self.within:
            return self.ordering
        placed = np.empty(self.ordering.shape)
        for row, (risk, folds) in enumerate(zip(self.ordering, self.folds, strict=True)):
            for fold in np.unique(folds):
                here = folds == fold
                placed[row, here] = (rankdata(risk[here]) - 0.5) / here.sum()
        worst = np.where(self.follow.event, -1.0, 2.0)
        found: FloatArray = np.where(self.lost, worst, placed)
        return found

    def rows(self, rows: IntArray) -> Foretold:
        """Only some patients, in the order of all."""
        chosen = np.zeros(len(self.cases), dtype=bool)
        chosen[rows] = True
        return Foretold(
            cases=tuple(case for case, kept in zip(self.cases, chosen, strict=True) if kept),
            follow=self.follow.where(chosen),
            times=self.times,
            risks=self.risks[:, chosen],
            probability=self.probability,
            folds=self.folds[:, chosen],
            lost=self.lost[chosen],
        )


def foretold(predicted: Predicted, cohort: Cohort) -> tuple[Foretold, tuple[Caveat, ...]]:
    """Bring the risks of all repeats into the order of the cohort's cases.

    Raises
    ------
    CohortError
        If the follow-up of a case is not known, a patient stands twice, nothing was answered,
        or risks are not given by the same times for every case.
    ContentError
        If a risk is no number, or risks at given times are no probabilities.
    """
    follow = follow_up(cohort)
    said = [_said(answered) for answered in predicted.repeats]
    if not any(said):
        raise CohortError(
            f"{predicted.name}: no case of the truth, {cohort.name}, has a foretold risk; expected "
            "a column risk"
        )
    at, caveats = _times(predicted.name, said, cohort, follow)
    risks = np.stack([_table(predicted.name, one, cohort.cases, at) for one in said])
    gone: BoolArray = np.isnan(risks[:, :, -1])
    low, high = (0.0, 1.0) if at else (np.nanmin(risks) - 1, np.nanmax(risks) + 1)
    worst = np.where(follow.event, low, high)
    risks = np.where(gone[:, :, None], worst[None, :, None], risks)
    if at and not ((risks >= 0) & (risks <= 1)).all():
        raise ContentError(
            f"{predicted.name}: risks from {risks.min():g} to {risks.max():g} at times {list(at)}; "
            "expected probabilities of the event by that time. Leave the column time out for a "
            "risk on another scale"
        )
    found = Foretold(
        cases=cohort.cases,
        follow=follow,
        times=at or _horizons(follow),
        risks=risks,
        probability=bool(at),
        folds=np.stack([_folds(one, cohort.cases) for one in predicted.repeats]),
        lost=np.asarray(gone.any(axis=0)),
    )
    return found, caveats


def follow_up(cohort: Cohort) -> FollowUp:
    """Follow-up of all cases.

    Raises
    ------
    CohortError
        If a case has none, with what its cells say, or a patient has several cases.
    """
    for case in cohort.cases:
        if case.outcome is None:
            time, event = case.covariates.get("time", ""), case.covariates.get("event", "")
            raise CohortError(
                f"truth, case {case.id!r}: time {time!r} and event {event!r}; expected a time "
                "not below 0, and 1 where the event was seen, 0 where the patient was censored"
            )
    outcomes = [case.outcome for case in cohort.cases if case.outcome is not None]
    return FollowUp(
        time=np.array([one.time for one in outcomes]),
        event=np.array([one.event for one in outcomes]),
        patients=tuple(case.patient for case in cohort.cases),
    )


def _said(answered: Sequence[Answered]) -> dict[str, Risk]:
    """Risk of each case that has one."""
    answers = {one.case: one.answers.get(Task.PROGNOSE) for one in answered}
    return {case: risk for case, risk in answers.items() if isinstance(risk, Risk)}


def _times(
    name: str, said: Sequence[Risks], cohort: Cohort, follow: FollowUp
) -> tuple[tuple[float, ...], tuple[Caveat, ...]]:
    """Times that risks are probabilities by; none where they are scores."""
    given = [(case, tuple(sorted(risk.by))) for risks in said for case, risk in risks.items()]
    kinds = {times for _, times in given}
    if kinds == {()}:
        return (), ()
    followed = dict(zip((case.id for case in cohort.cases), follow.time.tolist(), strict=True))
    if len(kinds) > 1 and all(times == (followed[case],) for case, times in given):
        text = (
            "The column time of the predictions repeats the follow-up; it is not used, and "
            "risk is taken for a score on a scale of its own."
        )
        return (), (Caveat(code="time-repeats", text=text),)
    common = given[0][1]
    if len(kinds) > 1:
        case, times = next(one for one in given if one[1] != common)
        raise CohortError(
            f"{name}, case {case!r}: risks at times {list(times)}; expected the same times for "
            f"every case, {list(common)} as the first has"
        )
    if not 0 < common[0] <= common[-1] < follow.longest:
        raise CohortError(
            f"{name}: risks by times {list(common)}; expected times above 0 and below the longest "
            f"follow-up of the truth, {follow.longest:g}: nothing is known beyond it"
        )
    return common, ()


def _table(name: str, said: Risks, cases: Sequence[Case], at: tuple[float, ...]) -> FloatArray:
    """(patients, columns): risks, NaN where there is no answer."""
    table = np.full((len(cases), max(1, len(at))), math.nan)
    for row, case in enumerate(cases):
        risk = said.get(case.id)
        if risk is None:
            continue
        alone = next(iter(risk.by.values()), risk.score)
        table[row] = [risk.by[time] for time in at] if at else alone
        if not np.isfinite(table[row]).all():
            raise ContentError(
                f"{name}, case {case.id!r}: risk {table[row].tolist()}; expected a number. Leave "
                "a case without an answer out: it then counts as missed"
            )
    return table


def _folds(answered: Sequence[Answered], cases: Sequence[Case]) -> IntArray:
    """Fold of each patient; one whom no fold answered is put into the largest."""
    of_case = {one.case: one.fold for one in answered}
    found = np.array([of_case.get(case.id, _ALONE) for case in cases], dtype=np.intp)
    known = found[found != _ALONE]
    largest = Counter(known.tolist()).most_common(1)
    found[found == _ALONE] = largest[0][0] if largest else 0
    return found


def _horizons(follow: FollowUp) -> tuple[float, ...]:
    """Times by which a quarter, half and three quarters of the events had come."""
    if not follow.events:
        return ()
    quantiles = np.quantile(follow.time[follow.event], _EVENT_SHARES, method="lower")
    return tuple(float(time) for time in np.unique(quantiles) if 0 < time < follow.longest)
