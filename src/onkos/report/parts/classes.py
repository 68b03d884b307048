"""Telling classes apart: curves of discrimination, calibration and decisions, confusion."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from onkos.core.curve import Curve
from onkos.core.judgement import JudgedCase, Judgement
from onkos.core.task import Task
from onkos.report import figures, words
from onkos.report.figures import Drawing, Line, Sample
from onkos.report.parts.part import CaseTable, Drawn, Part, Wrong, all_values, chosen

_TWO = ("auc", "average_precision", "brier", "sensitivity", "specificity", "calibration_slope")
_MORE = ("auc", "brier", "accuracy", "balanced_accuracy", "f1_macro", "kappa")


def _columns(names: Sequence[str], judgement: Judgement) -> list[str]:
    return chosen(_TWO if len(judgement.classes) == 2 else _MORE)(
        [name for name in names if ":" not in name], judgement
    )


def _drawings(judgement: Judgement, sample: Sample) -> list[Drawing]:
    """Draw the curves of one model, in the order of the judge."""
    several = [one for one in judgement.curves if one.kind == "roc" and one.name]
    drawn = []
    if several:
        title = "Each class against the others"
        drawn.append(figures.rocs([Line.of(one) for one in several], sample=sample, title=title))
    for curve in judgement.curves:
        draw = _KINDS.get(curve.kind)
        if draw is not None and not curve.name:
            drawn += draw(curve, judgement, sample)
    return drawn


def _roc(curve: Curve, judgement: Judgement, sample: Sample) -> list[Drawing]:
    metrics = judgement.metrics
    point = None
    if {"sensitivity", "specificity"} <= set(metrics):
        point = (metrics["sensitivity"], metrics["specificity"])
        if not all(math.isfinite(one.value) for one in point):
            point = None
    counts = _counts(judgement)
    return [figures.roc(curve, area=metrics["auc"], sample=sample, point=point, counts=counts)]


def _precision_recall(curve: Curve, judgement: Judgement, sample: Sample) -> list[Drawing]:
    area = judgement.metrics.get("average_precision")
    return [] if area is None else [figures.precision_recall(curve, area=area, sample=sample)]


def _reliability(curve: Curve, judgement: Judgement, sample: Sample) -> list[Drawing]:
    slope = judgement.metrics.get("calibration_slope")
    known = slope if slope is not None and math.isfinite(slope.value) else None
    return [figures.reliability(curve, sample=sample, slope=known)]


def _decision(curve: Curve, judgement: Judgement, sample: Sample) -> list[Drawing]:
    del judgement
    return [figures.decision({"acting on the predictions": curve}, sample=sample)]


def _confusion(curve: Curve, judgement: Judgement, sample: Sample) -> list[Drawing]:
    del judgement
    return [figures.confusion(curve, sample=sample)]


_KINDS: Mapping[str, Callable[[Curve, Judgement, Sample], list[Drawing]]] = {
    "roc": _roc,
    "precision_recall": _precision_recall,
    "reliability": _reliability,
    "decision": _decision,
    "confusion": _confusion,
}


def _counts(judgement: Judgement) -> dict[str, int]:
    """How many cases are of each class."""
    counts = Counter(one.truth for one in judgement.of(Task.CLASSIFY))
    return {name: counts[name] for name in judgement.classes}


def _together(arms: Sequence[Drawn], sample: Sample) -> list[Drawing]:
    """ROC curves of several arms."""
    lines = [
        Line.of(
            curve,
            name=arm.name,
            note=f"AUC {words.estimated(arm.judgement.metrics['auc'])}",
            banded=arm.banded,
        )
        for arm in arms
        for curve in arm.judgement.curves
        if curve.kind == "roc" and not curve.name
    ]
    return [figures.rocs(lines, sample=sample, title="ROC curves of the arms")] if lines else []


def _own(one: JudgedCase) -> float:
    return one.values.get(one.truth, 0.0)


def _is_wrong(one: JudgedCase) -> bool:
    """Whether another class is likelier than the true one."""
    return _own(one) < max(one.values.values(), default=0.0)


def _own_class(one: JudgedCase) -> str:
    if not one.answered:
        return "no answer"
    return f"{_own(one):.2f}, wrong" if _is_wrong(one) else f"{_own(one):.2f}"


def _tables(names: Sequence[str], cases: Sequence[JudgedCase]) -> list[CaseTable]:
    del names, cases
    return [CaseTable(heading="Probability of the reference class", value=_own_class)]


def _found(one: JudgedCase, metric: str) -> tuple[bool, float]:
    del metric
    return _is_wrong(one), _own(one)


def _said(one: JudgedCase, metric: str) -> str:
    del metric
    if not one.answered:
        return "no answer"
    likeliest = max(one.values, key=lambda name: one.values[name])
    return f"{likeliest} {one.values[likeliest]:.2f}"


CLASSES = Part(
    title="Classes",
    missed="patients without an answer",
    columns=_columns,
    drawings=_drawings,
    together=_together,
    tables=_tables,
    values=all_values,
    folds=(
        "AUC is the area within folds: a case is ranked only against cases held out in the same "
        "fold, since models of different folds give scores that cannot be compared. An arm that "
        "gives every case the same score has an AUC of 0.5."
    ),
    wrong=Wrong(
        when=lambda metric: "the true class is not the likeliest one", found=_found, said=_said
    ),
)
