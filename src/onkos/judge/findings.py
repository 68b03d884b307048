"""Marked lesions judged: free-response curves, CPM, wAFROC, average precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.case import Case, Cohort
from onkos.core.comparison import Predicted
from onkos.core.curve import Curve
from onkos.core.desk import Tell
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.judgement import JudgedCase, Spread
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.judge.class_curves import thinned
from onkos.judge.marked import Marked, chosen, drawn_curve, marked
from onkos.judge.part import Difference, Metrics, estimated, with_missed
from onkos.judge.settings import LEVEL, Settings
from onkos.stats import joint
from onkos.stats.afroc import FreeResponseFigure, figure_of_merit
from onkos.stats.average_precision import precision_statistic
from onkos.stats.bootstrap import bootstrap_weighted
from onkos.stats.estimates import noted, undefined
from onkos.stats.froc import (
    CPM_POINTS,
    FrocCurve,
    cpm,
    froc_area,
    froc_curve,
    sensitivity_at,
)
from onkos.stats.intervals import Resampling
from onkos.stats.marks import Marks
from onkos.stats.resampled import resampled, resampled_differences
from onkos.stats.resampling import IntArray, Multiplicities, Statistic

MOST_FALSE = 8.0  # false marks a case, up to which the curve is judged
_PLAN = Resampling(level=LEVEL)
_LOOPED = Resampling(resamples=2000, interval="percentile", level=LEVEL, threads=1)
_GRID = tuple(np.geomspace(CPM_POINTS[0], MOST_FALSE, 25).tolist())
_AT = tuple(f"lesion_sensitivity_at:{point:g}" for point in CPM_POINTS)
_POOLED = "scores of the models of all folds are pooled as if on one scale"
_ONCE = "each mark finds at most one lesion, each lesion is found once"
_WITHIN = "only pairs of cases held out in the same fold"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedFindings:
    """Marked lesions against those that are there."""

    said: Marked
    seed: int
    classes: tuple[str, ...] = ()
    positive: str = ""

    @property
    def task(self) -> Task:
        """Finding lesions."""
        return Task.DETECT

    @property
    def cases(self) -> tuple[Case, ...]:
        """All cases of the truth."""
        return self.said.cases

    @property
    def main(self) -> str:
        """Mean sensitivity at 1/8 to 8 false marks a case."""
        return "cpm"

    @property
    def judged(self) -> tuple[JudgedCase, ...]:
        """Every case of the first repeat: its lesions, those found at any score, false marks."""
        first = self.said.repeats[0]
        return tuple(
            JudgedCase(
                case=case.id,
                patient=case.patient,
                task=self.task,
                fold=int(first.folds[row]),
                answered=not self.said.lost[row],
                values={
                    "lesions": float(len(lesions)),
                    "found": float(len(lesions) - found.missed),
                    "false_marks": float(found.false.sum()),
                    "highest": float(high) if math.isfinite(high) else math.nan,
                },
                truth=f"{len(lesions)} lesions" if len(lesions) != 1 else "1 lesion",
                missed=tuple(
                    f"lesion at ({', '.join(f'{x:g}' for x in lesion.centre)}) {self.said.unit}"
                    for lesion, score in zip(lesions, found.lesion_scores, strict=True)
                    if np.isneginf(score)
                ),
            )
            for row, (case, lesions, found, high) in enumerate(
                zip(self.cases, self.said.lesions, first.matched, first.highest, strict=True)
            )
        )

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What was pooled, left out or not there."""
        said, found = self.said, []
        if said.lost.any():
            text = (
                f"{int(said.lost.sum())} cases do not appear among the detections: their lesions "
                "count as missed, and where there are none as one false mark above all others. A "
                "case that was read and has no mark needs a row without a centre."
            )
            found.append(Caveat(code="no-detections", text=text))
        if not any(said.lesions):
            text = "No case has a lesion: nothing can be said of how many are found."
            found.append(Caveat(code="no-lesion", text=text))
        if said.several_kinds:
            text = "Lesions of all classes are judged as one; the class of a mark is not judged."
            found.append(Caveat(code="classes-not-judged", text=text))
        if said.split:
            found.append(Caveat(code="folds-pooled", text=f"FROC: {_POOLED}."))
        return tuple(found)

    def metrics(self) -> Metrics:
        """Sensitivity over false marks a case, wAFROC, area by case, average precision."""
        said = self.said
        found = _froc(said, self.seed)
        found["wafroc"] = _figure(said, "wAFROC", self.seed)
        found["case_auc"] = _figure(said, "HR-AUC", self.seed)
        return found | {name: _precision(said, name, self.seed) for name in said.repeats[0].pure}

    def of_subgroup(self, rows: IntArray) -> Metrics:
        """CPM and wAFROC of a subgroup."""
        some = self.said.rows(rows)
        return {"cpm": _cpm(some, self.seed), "wafroc": _figure(some, "wAFROC", self.seed)}

    def main_of(self, rows: IntArray) -> Estimate:
        """CPM of some cases."""
        return _cpm(self.said.rows(rows), self.seed)

    def curves(self, metrics: Metrics) -> tuple[Curve, ...]:
        """FROC curve of the first repeat with its band."""
        del metrics
        marks = self.said.repeats[0].marks
        try:
            found = froc_curve(marks)
        except ContentError:
            return ()
        rng = np.random.default_rng(self.seed)
        band = sensitivity_at(marks, _GRID, rng=rng, plan=replace(_LOOPED, threads=2))
        return (
            Curve(
                kind="froc",
                x=thinned(found.false_per_case),
                y=thinned(found.sensitivity),
                lines={
                    "band_x": _GRID,
                    "band_low": tuple(one.low for one in band),
                    "band_high": tuple(one.high for one in band),
                },
                notes=(self.said.rule, *([_POOLED] if self.said.split else [])),
            ),
        )

    def spread(self) -> Mapping[str, Spread]:
        """CPM in each repeat."""
        if len(self.said.repeats) < 2 or not any(self.said.lesions):
            return {}
        return {"cpm": joint.spread([_read(froc_curve(o.marks))[-2] for o in self.said.repeats])}

    def against(self, other: JudgedFindings) -> Sequence[Difference]:
        """Differences of CPM and of wAFROC on the same resamples of patients."""
        pair = (self.said, other.said)
        made = [
            self._difference("cpm", lambda said: _looped(said, only_cpm=True), pair),
            self._difference("wafroc", lambda said: _column(_within(said, "wAFROC")), pair),
        ]
        return [one for one in made if one is not None]

    def _difference(
        self, metric: str, make: Callable[[Marked], Statistic], pair: tuple[Marked, Marked]
    ) -> Difference | None:
        """None where it is not defined or cannot be tested."""
        try:
            (test,) = resampled_differences(
                (make(pair[0]), make(pair[1])),
                names=[metric],
                clusters=self.said.repeats[0].marks.clusters,
                rng=np.random.default_rng(self.seed),
                plan=_LOOPED,
            )
        except ContentError:
            return None
        if not math.isfinite(test.p):
            return None
        return Difference(metric=metric, estimate=_told(test.difference, self.said), p=test.p)


def judge_findings(
    predicted: Predicted, cohort: Cohort, settings: Settings, seed: int, tell: Tell
) -> JudgedFindings:
    """Judge marked lesions; errors as :func:`onkos.judge.marked.marked`.

    A case without an answer has missed all of its lesions; one that has none counts as falsely
    marked with a higher score than any other.
    """
    del tell
    return JudgedFindings(said=marked(predicted, cohort, settings), seed=seed)


def _told(found: Estimate, said: Marked, *notes: str, rule: str = "") -> Estimate:
    """Say by which rule, of which repeats, and who had no answer."""
    told = noted(found, rule or said.rule, *notes)
    if len(said.repeats) > 1:
        told = joint.over_repeats(told, len(said.repeats))
    return replace(with_missed(told, said.patients, said.lost), missed=found.missed)


def _cpm(said: Marked, seed: int) -> Estimate:
    if len(said.repeats) > 1:
        return _froc(said, seed)["cpm"]
    marks = said.repeats[0].marks
    rng = np.random.default_rng(seed)
    found = estimated("CPM", lambda: cpm(marks, rng=rng, plan=_PLAN), n=_patients(said))
    return _told(found, said, _POOLED if said.split else "")


def _froc(said: Marked, seed: int) -> Metrics:
    """Sensitivities at some numbers of false marks a case, their mean, and the area."""
    marks, n = said.repeats[0].marks, _patients(said)
    names = (*_AT, "cpm", "froc_area")
    try:
        made = _of_one(marks, seed) if len(said.repeats) == 1 else _of_several(said, names, seed)
    except ContentError as error:
        made = tuple(undefined(name, str(error), n=n) for name in names)
    note = _POOLED if said.split else ""
    return {name: _told(one, said, note) for name, one in zip(names, made, strict=True)}


def _of_one(marks: Marks, seed: int) -> tuple[Estimate, ...]:
    def rng() -> np.random.Generator:
        return np.random.default_rng(seed)

    at = sensitivity_at(marks, CPM_POINTS, rng=rng(), between="linear", plan=_PLAN)
    area = froc_area(marks, upto=MOST_FALSE, rng=rng(), plan=_PLAN)
    return (*at, cpm(marks, rng=rng(), plan=_PLAN), area)


def _of_several(said: Marked, names: Sequence[str], seed: int) -> tuple[Estimate, ...]:
    marks = said.repeats[0].marks
    marks.require_lesions(doing="FROC")
    found = resampled(
        _looped(said),
        names=list(names),
        clusters=marks.clusters,
        rng=np.random.default_rng(seed),
        plan=_LOOPED,
    )
    return tuple(marks.told(one) for one in found)


def _read(curve: FrocCurve) -> list[float]:
    """Sensitivities at the points of CPM, their mean, and the mean over the curve up to 8."""
    at = [curve.at(point, between="linear") for point in CPM_POINTS]
    return [*at, float(np.mean(at)), curve.area(upto=MOST_FALSE) / MOST_FALSE]


def _looped(said: Marked, *, only_cpm: bool = False) -> Statistic:
    """The same over resamples, the mean over repeats; NaN where a resample has no lesion."""
    curves = [drawn_curve(one.marks) for one in said.repeats]
    lesions = said.repeats[0].marks.lesions_per_case
    wanted = slice(-2, -1) if only_cpm else slice(None)
    nothing = np.full(len(CPM_POINTS) + 2, math.nan)[wanted]

    def once(drawn: Multiplicities) -> FloatArray:
        if not drawn @ lesions:
            return nothing
        averaged: FloatArray = np.mean([_read(curve(drawn))[wanted] for curve in curves], axis=0)
        return averaged

    def statistic(weights: Multiplicities) -> FloatArray:
        return np.stack([once(row) for row in weights])

    return statistic


def _within(said: Marked, figure: FreeResponseFigure) -> Statistic:
    """A figure of merit among pairs of cases of one fold, the mean over repeats."""
    each = [_within_folds(one.marks, one.folds, figure) for one in said.repeats]

    def mean(weights: Multiplicities) -> FloatArray:
        averaged: FloatArray = np.mean([one(weights) for one in each], axis=0)
        return averaged

    return mean


def _within_folds(marks: Marks, folds: IntArray, figure: FreeResponseFigure) -> Statistic:
    """Mean over folds, each weighted by its pairs of a case with lesions and one without.

    Raises
    ------
    ContentError
        If no fold has cases of both kinds.
    """
    parts = []
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        some = chosen(marks, rows)
        ill = some.lesions_per_case > 0
        if ill.any() and not ill.all():
            parts.append((rows, ill, figure_of_merit(some, figure)))
    if not parts:
        raise ContentError(f"{figure} needs cases with lesions and cases without in one fold")

    def merit(weights: Multiplicities) -> FloatArray:
        won, pairs = np.zeros(len(weights)), np.zeros(len(weights))
        for rows, ill, one in parts:
            drawn = np.ascontiguousarray(weights[:, rows])
            count = drawn[:, ill].sum(axis=1) * drawn[:, ~ill].sum(axis=1).astype(np.float64)
            won += np.where(count > 0, count * np.nan_to_num(one(drawn)), 0.0)
            pairs += count
        found: FloatArray = np.divide(won, pairs, out=np.full_like(won, math.nan), where=pairs > 0)
        return found

    return merit


def _figure(said: Marked, figure: FreeResponseFigure, seed: int) -> Estimate:
    marks = said.repeats[0].marks

    def made() -> Estimate:
        found = bootstrap_weighted(
            _within(said, figure),
            clusters=marks.clusters,
            rng=np.random.default_rng(seed),
            plan=_PLAN,
            what=figure,
        )
        return marks.told(found)

    return _told(estimated(figure, made, n=_patients(said)), said, _WITHIN if said.split else "")


def _precision(said: Marked, name: str, seed: int) -> Estimate:
    """Average precision by the rule of hits, or by an IoU as COCO has it."""
    every = [one.pure[name] for one in said.repeats]
    read, iou = ("coco", name.partition(":")[2]) if ":" in name else ("step", "")
    what = f"average precision ({read}{f', IoU of at least {iou}' if iou else ''})"

    def made() -> Estimate:
        each = [precision_statistic(marks, read="coco" if iou else "step") for marks in every]

        def mean(weights: Multiplicities) -> FloatArray:
            averaged: FloatArray = np.mean([one(weights) for one in each], axis=0)
            return averaged

        found = bootstrap_weighted(
            mean,
            clusters=every[0].clusters,
            rng=np.random.default_rng(seed),
            plan=_PLAN,
            what=what,
        )
        return every[0].told(found)

    return _told(
        estimated(what, made, n=_patients(said)),
        said,
        _POOLED if said.split else "",
        rule=_ONCE if iou else "",
    )


def _column(statistic: Statistic) -> Statistic:
    return lambda weights: statistic(weights)[:, None]


def _patients(said: Marked) -> int:
    return len(set(said.patients))
