"""Marked lesions of one model against those that are there, repeat by repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.answers import Finding, Findings, Unit
from onkos.core.case import Case, Cohort
from onkos.core.comparison import Answered, Predicted
from onkos.core.errors import CohortError
from onkos.core.geometry import FloatArray
from onkos.core.task import Task
from onkos.judge.part import BoolArray
from onkos.judge.settings import Settings
from onkos.stats.froc import FrocCurve, froc_curve
from onkos.stats.marks import Marks
from onkos.stats.matching import Affinity, Matching, by_iou, match_marks
from onkos.stats.resampling import IntArray, Multiplicities

BOX_IOUS = (0.1, 0.3, 0.5)

Matched = tuple[Matching, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repeat:
    """One draw of the folds.

    Parameters
    ----------
    marks
        By the rule of hits; a further mark on a lesion already found costs nothing.
    pure
        The same where such a further mark is a false one, and by IoU (COCO's rule).
    matched
        What became of each mark of each case.
    highest
        The highest score in each case, minus infinity without a mark.
    folds
        Where each case was held out.
    """

    marks: Marks
    pure: dict[str, Marks]
    matched: Matched
    highest: FloatArray
    folds: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marked:
    """Every repeat, the same cases in the same order; ``lost`` got no answer in some repeat."""

    cases: tuple[Case, ...]
    lesions: tuple[tuple[Finding, ...], ...]
    repeats: tuple[Repeat, ...]
    lost: BoolArray
    unit: Unit
    rule: str
    several_kinds: bool

    @property
    def split(self) -> bool:
        """Whether the cases were held out in several folds."""
        return any(len(np.unique(one.folds)) > 1 for one in self.repeats)

    @property
    def patients(self) -> list[str]:
        """Patient of each case."""
        return [case.patient for case in self.cases]

    def rows(self, rows: IntArray) -> Marked:
        """Only some cases."""
        some = rows.tolist()
        return replace(
            self,
            cases=tuple(self.cases[row] for row in some),
            lesions=tuple(self.lesions[row] for row in some),
            repeats=tuple(
                Repeat(
                    marks=chosen(one.marks, rows),
                    pure={name: chosen(marks, rows) for name, marks in one.pure.items()},
                    matched=tuple(one.matched[row] for row in some),
                    highest=one.highest[rows],
                    folds=one.folds[rows],
                )
                for one in self.repeats
            ),
            lost=self.lost[rows],
        )


def marked(predicted: Predicted, cohort: Cohort, settings: Settings) -> Marked:
    """Match the marks of all repeats with the lesions of the cohort's cases.

    Raises
    ------
    CohortError
        If the lesions of a case are not known, nothing was answered, or marks and lesions do
        not have one unit and one number of axes.
    """
    truths = _truths(cohort)
    places = [_answers(answered) for answered in predicted.repeats]
    if not any(places):
        raise CohortError(
            f"{predicted.name}: no case of the truth, {cohort.name}, has marks; expected a table "
            "of detections with a row for every case"
        )
    unit = _unit(predicted.name, truths, places)
    lost = np.array([any(case.id not in place for place in places) for case in cohort.cases])
    boxed = _all_boxes(truths.values()) and all(_all_boxes(place.values()) for place in places)
    repeats = []
    for place, answered in zip(places, predicted.repeats, strict=True):
        top = max((m.score for found in place.values() for m in found.marks), default=0.0) + 1
        given = [_given(truths[case.id], place.get(case.id), top) for case in cohort.cases]
        of_case = {one.case: one.fold for one in answered}
        folds = np.array([of_case.get(case.id, 0) for case in cohort.cases], dtype=np.intp)
        made = _repeat(cohort.cases, truths, given, settings, boxed=boxed)
        repeats.append(replace(made, folds=folds))
    kinds = {m.kind for found in truths.values() for m in found.marks}
    return Marked(
        cases=cohort.cases,
        lesions=tuple(truths[case.id].marks for case in cohort.cases),
        repeats=tuple(repeats),
        lost=lost,
        unit=unit,
        rule=_rule(settings, unit),
        several_kinds=len(kinds) > 1,
    )


def chosen(marks: Marks, rows: IntArray) -> Marks:
    """Marks of some cases, each as often as its row stands there; marks in order of cases."""
    false, false_case = _of_rows(marks.false_case, rows)
    lesion, lesion_case = _of_rows(marks.lesion_case, rows)
    return Marks(
        cases=tuple(range(len(rows))),
        patients=tuple(marks.patients[row] for row in rows.tolist()),
        false_case=false_case,
        false_score=marks.false_score[false],
        lesion_case=lesion_case,
        lesion_score=marks.lesion_score[lesion],
        lesion_weight=marks.lesion_weight[lesion],
        doubles=marks.doubles,
    )


def drawn_curve(marks: Marks) -> Callable[[Multiplicities], FrocCurve]:
    """FROC curve as a function of how often each case was drawn, (cases,).

    Marks are sorted once. Thresholds at which nothing was drawn repeat the point before, which
    changes no reading of the curve. At least one drawn case must have a lesion.

    Raises
    ------
    ContentError
        If no case has a lesion.
    """
    thresholds = froc_curve(marks).thresholds
    hit = ~np.isneginf(marks.lesion_score)
    found_case = marks.lesion_case[hit]
    found = np.searchsorted(-thresholds, -marks.lesion_score[hit])
    wrong = np.searchsorted(-thresholds, -marks.false_score)
    per_case = marks.lesions_per_case

    def curve(drawn: Multiplicities) -> FrocCurve:
        hits = np.bincount(found, weights=drawn[found_case], minlength=len(thresholds))
        false = np.bincount(wrong, weights=drawn[marks.false_case], minlength=len(thresholds))
        return FrocCurve(
            thresholds=thresholds,
            false_per_case=np.cumsum(false) / drawn.sum(),
            sensitivity=np.cumsum(hits) / (drawn @ per_case),
        )

    return curve


def _of_rows(case: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Places of the marks of some cases in a list ordered by case, and their new cases."""
    start = np.searchsorted(case, rows, side="left")
    length = np.searchsorted(case, rows, side="right") - start
    before = np.cumsum(length) - length
    places = np.repeat(start - before, length) + np.arange(int(length.sum()))
    return places.astype(np.intp), np.repeat(np.arange(len(rows)), length).astype(np.intp)


def affinity(
    marks: Sequence[Finding], lesions: Sequence[Finding], *, iou: float, distance: float
) -> Affinity:
    """How close each mark is to each lesion, from 0 to 1, and whether that is a hit.

    Box against box: their IoU. A point against a box: inside it. Anything against a point: its
    centre no further than ``distance``.
    """
    closeness = np.zeros((len(marks), len(lesions)))
    accepted = np.zeros(closeness.shape, dtype=bool)
    if not closeness.size:
        return Affinity(closeness=closeness, accepted=accepted)
    boxes = [k for k, one in enumerate(lesions) if one.size]
    points = [k for k, one in enumerate(lesions) if not one.size]
    drawn = [n for n, one in enumerate(marks) if one.size]
    dots = [n for n, one in enumerate(marks) if not one.size]
    centres, true = (np.array([one.centre for one in side]) for side in (marks, lesions))
    apart = centres[:, None] - true[None]
    if points:
        far = np.linalg.norm(apart[:, points], axis=-1)
        closeness[:, points] = np.clip(1 - far / distance, 0, 1)
        accepted[:, points] = far <= distance
    if boxes and dots:
        halves = np.array([lesions[k].size for k in boxes]) / 2
        share = (np.abs(apart[np.ix_(dots, boxes)]) / halves).max(axis=-1)
        closeness[np.ix_(dots, boxes)] = np.clip(1 - share, 0, 1)
        accepted[np.ix_(dots, boxes)] = share <= 1
    if boxes and drawn:
        found = by_iou(
            [_corners(marks[n]) for n in drawn],
            [_corners(lesions[k]) for k in boxes],
            at_least=max(iou, 1e-9),
        )
        closeness[np.ix_(drawn, boxes)] = found.closeness
        accepted[np.ix_(drawn, boxes)] = found.accepted
    return Affinity(closeness=closeness, accepted=accepted)


def _truths(cohort: Cohort) -> dict[str, Findings]:
    found = {case.id: case.lesions for case in cohort.cases}
    without = [case for case, lesions in found.items() if lesions is None]
    if without:
        raise CohortError(
            f"truth {cohort.name}: it is not known of {len(without)} cases what lesions they have, "
            f"{without[:5]}; give lesions.csv beside the table, a row without a centre for a case "
            "that has none"
        )
    return {case: lesions for case, lesions in found.items() if lesions is not None}


def _answers(answered: Sequence[Answered]) -> dict[str, Findings]:
    answers = {one.case: one.answers.get(Task.DETECT) for one in answered}
    return {case: found for case, found in answers.items() if isinstance(found, Findings)}


def _unit(name: str, truths: dict[str, Findings], places: Sequence[dict[str, Findings]]) -> Unit:
    """The one unit of all coordinates, all of which have as many axes."""
    first: tuple[str, Unit, int] | None = None
    for who, side in (("the truth", truths), *((name, place) for place in places)):
        for case, found in side.items():
            for mark in found.marks:
                here = (f"{who}, case {case!r}", found.unit, len(mark.centre))
                first = first or here
                if here[1:] != first[1:]:
                    raise CohortError(
                        f"{here[0]}: marks in {here[1]} on {here[2]} axes, but {first[0]} has them "
                        f"in {first[1]} on {first[2]}; bring both into one unit and one number of "
                        "axes"
                    )
    return first[1] if first else "mm"


def _given(truth: Findings, found: Findings | None, top: float) -> tuple[Finding, ...]:
    """Marks of a case; without an answer all is missed, or the surest false mark of all made."""
    if found is not None:
        return found.marks
    return () if truth.marks else (Finding(centre=(0.0, 0.0), score=top),)


def _repeat(
    cases: Sequence[Case],
    truths: dict[str, Findings],
    given: Sequence[tuple[Finding, ...]],
    settings: Settings,
    *,
    boxed: bool,
) -> Repeat:
    def matched(iou: float) -> Matched:
        return tuple(
            match_marks(
                affinity(marks, truths[case.id].marks, iou=iou, distance=settings.distance_mm),
                [mark.score for mark in marks],
            )
            for case, marks in zip(cases, given, strict=True)
        )

    names, patients = [case.id for case in cases], [case.patient for case in cases]
    found = matched(settings.lesion_iou)
    pure = {"ap": Marks.of(found, cases=names, patients=patients, doubles="false")}
    for iou in BOX_IOUS if boxed else ():
        pure[f"ap_at:{iou:g}"] = Marks.of(
            matched(iou), cases=names, patients=patients, doubles="false"
        )
    return Repeat(
        marks=Marks.of(found, cases=names, patients=patients),
        pure=pure,
        matched=found,
        highest=np.array([max((m.score for m in marks), default=-np.inf) for marks in given]),
        folds=np.zeros(len(cases), dtype=np.intp),
    )


def _rule(settings: Settings, unit: Unit) -> str:
    return (
        f"a box finds a box by IoU of at least {settings.lesion_iou:g}, a point a box inside it, "
        f"a mark a point within {settings.distance_mm:g} {unit}; each mark finds at most one "
        "lesion, each lesion is found once"
    )


def _all_boxes(every: Iterable[Findings]) -> bool:
    return all(mark.size for found in every for mark in found.marks)


def _corners(box: Finding) -> FloatArray:
    centre, half = np.array(box.centre), np.array(box.size) / 2
    return np.stack([centre - half, centre + half])
