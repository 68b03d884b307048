"""Predicted classes of one model, repeat by repeat, in the order of the cases of the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.answers import ClassProbabilities
from onkos.core.case import Case, Cohort
from onkos.core.comparison import Answered, Predicted
from onkos.core.errors import CohortError, UsageError
from onkos.core.geometry import FloatArray
from onkos.core.task import Task
from onkos.judge.part import BoolArray
from onkos.judge.settings import Settings
from onkos.stats.classification import Answers, positive_class
from onkos.stats.folded.held_out import HeldOut
from onkos.stats.resampling import IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """What was said in each repeat of the same cases, and in which fold each was held out.

    A case without an answer is given the surest wrong one, in the fold that held it out (in the
    first one where that is not told), so that it counts against the model in the area, too.
    """

    cases: tuple[Case, ...]
    repeats: tuple[Answers, ...]
    folds: tuple[IntArray, ...]
    lost: BoolArray

    @property
    def first(self) -> Answers:
        """Answers of the first repeat."""
        return self.repeats[0]

    @property
    def split(self) -> bool:
        """Whether the cases were held out in several folds."""
        return any(len(np.unique(folds)) > 1 for folds in self.folds)

    @property
    def patients(self) -> list[str]:
        """Patient of each case."""
        return [case.patient for case in self.cases]

    def rows(self, rows: IntArray) -> Gathered:
        """Only some cases."""
        return Gathered(
            cases=tuple(self.cases[row] for row in rows.tolist()),
            repeats=tuple(chosen(one, rows) for one in self.repeats),
            folds=tuple(folds[rows] for folds in self.folds),
            lost=self.lost[rows],
        )

    def held_out(self) -> HeldOut:
        """The same for ranking within folds."""
        several = len(self.first.classes) > 2
        scores = [one.probabilities if several else one.score for one in self.repeats]
        truth = np.array(list(self.first.truth)) if several else self.first.positives
        return HeldOut(
            truth=truth,
            scores=np.stack(scores),
            folds=np.stack(self.folds),
            patients=self.patients,
            classes=self.first.classes if several else (),
        )


def gathered(predicted: Predicted, cohort: Cohort, settings: Settings) -> Gathered:
    """Bring the probabilities of all repeats into the order of the cohort's cases.

    Raises
    ------
    CohortError
        If a case has no reference class, all are of one class, or a class of the truth or of
        the predictions is unknown to the other.
    UsageError
        If the positive class asked for is none of the classes.
    """
    classes = _classes(predicted, cohort)
    alone = _said(predicted)
    positive = settings.positive or (alone[0] if len(alone) == 1 else positive_class(classes))
    if positive not in classes:
        raise UsageError(f"positive class {positive!r}: expected one of {list(classes)}")
    places = [{one.case: one for one in answered} for answered in predicted.repeats]
    repeats, folds, lost = [], [], np.zeros(len(cohort.cases), dtype=bool)
    for place in places:
        answers, gone = _answers(place, cohort.cases, classes, positive, settings.threshold)
        repeats.append(answers)
        lost |= gone
        of_patient = {one.patient: one.fold for one in place.values()}
        first = min(of_patient.values(), default=0)
        held = [of_patient.get(case.patient, first) for case in cohort.cases]
        folds.append(np.array(held, dtype=np.int64))
    return Gathered(cases=cohort.cases, repeats=tuple(repeats), folds=tuple(folds), lost=lost)


def chosen(answers: Answers, rows: IntArray) -> Answers:
    """Answers of some cases."""
    wanted = rows.tolist()
    return replace(
        answers,
        truth=[answers.truth[row] for row in wanted],
        probabilities=answers.probabilities[rows],
        patients=[answers.patients[row] for row in wanted],
        called=None if answers.called is None else answers.called[rows],
        missed=None if answers.missed is None else answers.missed[rows],
    )


def _classes(predicted: Predicted, cohort: Cohort) -> tuple[str, ...]:
    """All classes, in the order of the predictions; refuses those that do not fit the truth."""
    without = [case.id for case in cohort.cases if case.target is None]
    if without:
        raise CohortError(
            f"truth {cohort.name}: {len(without)} cases have no reference class, {without[:5]}; "
            "fill the target column, or leave these cases out of both tables"
        )
    true = sorted({case.target for case in cohort.cases if case.target})
    if len(true) < 2:
        raise CohortError(
            f"truth {cohort.name}: all cases are of class {true[0]!r}; expected two or more"
        )
    said = _said(predicted)
    if not said:  # nobody answered anything
        return tuple(true)
    unknown = [name for name in said if name not in true]
    if len(said) == 1 and not unknown and len(true) == 2:
        (other,) = (name for name in true if name != said[0])
        return (said[0], other)
    lacking = [name for name in true if name not in said]
    if lacking or (unknown and len(said) - len(unknown) < 1):
        raise CohortError(
            f"{predicted.name}: classes {list(said)}; the truth, {cohort.name}, has {true}: "
            "expected a column p_CLASS for each of them"
        )
    if unknown:
        raise CohortError(
            f"{predicted.name}: classes {unknown} that no case of the truth, {cohort.name}, has; "
            f"it has {true}. Correct the names of the columns, or leave them out"
        )
    return said


def _said(predicted: Predicted) -> tuple[str, ...]:
    """Classes that some answer gives a probability; one alone names the event."""
    return tuple(
        dict.fromkeys(
            name
            for answered in predicted.repeats
            for one in answered
            for name in _probabilities(one)
        )
    )


def _probabilities(one: Answered) -> dict[str, float]:
    found = one.answers.get(Task.CLASSIFY)
    return dict(found.of) if isinstance(found, ClassProbabilities) else {}


def _threshold(one: Answered) -> float | None:
    found = one.answers.get(Task.CLASSIFY)
    return found.threshold if isinstance(found, ClassProbabilities) else None


def _answers(
    place: dict[str, Answered],
    cases: Sequence[Case],
    classes: tuple[str, ...],
    positive: str,
    threshold: float | None,
) -> tuple[Answers, BoolArray]:
    """One repeat; no answer is the surest wrong one."""
    probabilities = np.zeros((len(cases), len(classes)))
    thresholds: list[float | None] = []
    lost = np.array([not _probabilities(place[c.id]) if c.id in place else True for c in cases])
    for row, case in enumerate(cases):
        if lost[row]:
            wrong = (classes.index(case.target or "") + 1) % len(classes)
            probabilities[row, wrong] = 1.0
            continue
        said = _probabilities(place[case.id])
        if len(said) == 1:
            ((name, value),) = said.items()
            probabilities[row] = 1 - value
            probabilities[row, classes.index(name)] = value
        else:
            probabilities[row] = [said.get(name, 0.0) for name in classes]
        thresholds.append(threshold if threshold is not None else _threshold(place[case.id]))
    answers = Answers(
        truth=[case.target or "" for case in cases],
        classes=classes,
        probabilities=probabilities,
        patients=[case.patient for case in cases],
        positive=positive,
        called=_called(probabilities[:, classes.index(positive)], thresholds, lost)
        if len(classes) == 2
        else None,
        missed=lost,
    )
    return answers, lost


def _called(score: FloatArray, thresholds: list[float | None], lost: BoolArray) -> BoolArray | None:
    """Which cases are called positive; None where a model has no threshold of its own."""
    known = [one for one in thresholds if one is not None]
    if not known or len(known) < len(thresholds):
        return None
    limit = np.full(len(score), 0.5)
    limit[~lost] = known
    called: BoolArray = score >= limit
    return called
