"""Figures of arms that tell classes apart: ROC and reliability curves, confusion matrices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onkos.arms.judging import LEVEL, answers
from onkos.core.errors import ContentError
from onkos.core.reading import ArmResult, Comparison
from onkos.report import figures, words
from onkos.report.figures import Drawing, Line, Sample
from onkos.report.verdict import floor_arm, leading_arm
from onkos.stats.bands import Band, roc_band
from onkos.stats.calibration import Forecast, reliability_curve
from onkos.stats.classification import Answers
from onkos.stats.multiclass import confusion_matrix
from onkos.stats.roc import roc_curve

MOST_CURVES = 6


def class_figures(comparison: Comparison) -> list[Drawing]:
    """Draw what the arms said of held-out cases; nothing for arms that outline.

    Two classes: the ROC curves of the best arms and the best trivial one, then the leading arm's
    own with its operating point, and its reliability. More: how often the leading arm took each
    class for each. A figure that these cases do not define is left out.
    """
    leading = leading_arm(comparison)
    if not comparison.classes or leading is None or not leading.scores:
        return []
    said = answers(leading.scores)
    sample = Sample(n=len(set(said.patients)), phantom=comparison.simulated)
    wanted: list[Callable[[], Drawing]]
    if len(comparison.classes) > 2:
        wanted = [lambda: _confusion(said, sample)]
    else:
        seed = comparison.provenance.seed or 0
        wanted = [
            lambda: _all_curves(comparison, sample, seed),
            lambda: _own_curve(leading, said, sample, seed),
            lambda: _reliability(leading, said, sample),
        ]
    return [drawing for draw in wanted if (drawing := _or_none(draw)) is not None]


def shown_arms(comparison: Comparison) -> list[ArmResult]:
    """Arms whose curves are drawn: the best ones, the best trivial one always among them."""
    floor = floor_arm(comparison)
    judged = [
        arm
        for arm in comparison.arms
        if "auc" in arm.metrics and np.isfinite(arm.metrics["auc"].value)
    ]
    ordered = sorted(judged, key=lambda arm: (arm is not floor, -arm.metrics["auc"].value))
    chosen = ordered[:MOST_CURVES]
    return sorted(chosen, key=lambda arm: -arm.metrics["auc"].value)


def _or_none(draw: Callable[[], Drawing]) -> Drawing | None:
    """Draw, or not where the cases do not define it (one class only)."""
    try:
        return draw()
    except ContentError:
        return None


def _all_curves(comparison: Comparison, sample: Sample, seed: int) -> Drawing:
    banded = (floor_arm(comparison), leading_arm(comparison))
    lines = []
    for arm in shown_arms(comparison):
        said = answers(arm.scores)
        lines.append(
            Line.of(
                roc_curve(said.positives, said.score),
                name=arm.name,
                note=f"AUC {words.estimated(arm.metrics['auc'])}",
                band=_band(said, seed) if arm in banded else None,
            )
        )
    return figures.rocs(lines, sample=sample, title="ROC curves of the arms")


def _own_curve(arm: ArmResult, said: Answers, sample: Sample, seed: int) -> Drawing:
    point = None
    if {"sensitivity", "specificity"} <= set(arm.metrics):
        point = (arm.metrics["sensitivity"], arm.metrics["specificity"])
    return figures.roc(
        roc_curve(said.positives, said.score),
        area=arm.metrics["auc"],
        sample=sample,
        band=_band(said, seed),
        point=point,
    )


def _reliability(arm: ArmResult, said: Answers, sample: Sample) -> Drawing:
    forecast = Forecast(truth=said.positives, probability=said.score, groups=_groups(said))
    slope = arm.metrics.get("calibration_slope")
    return figures.reliability(
        reliability_curve(forecast, level=LEVEL),
        probability=forecast.probability,
        sample=sample,
        slope=slope if slope is not None and np.isfinite(slope.value) else None,
    )


def _confusion(said: Answers, sample: Sample) -> Drawing:
    table = confusion_matrix(list(said.truth), said.predicted, classes=said.classes)
    return figures.confusion(table, sample=sample)


def _band(said: Answers, seed: int) -> Band:
    rng = np.random.default_rng(seed)
    return roc_band(said.positives, said.score, rng=rng, groups=_groups(said))


def _groups(said: Answers) -> list[object] | None:
    return list(said.patients) if said.several_a_patient else None
