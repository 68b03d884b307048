"""Predicting when an event occurs: survival of patients of low and high risk."""

from __future__ import annotations

from onkos.core.judgement import Judgement
from onkos.report import figures
from onkos.report.figures import Drawing, Sample
from onkos.report.parts.part import Part, all_values, chosen, every_value

_MAIN = ("c_harrell", "c_uno", "auc_at", "integrated_brier", "brier_at")


def _drawings(judgement: Judgement, sample: Sample) -> list[Drawing]:
    """Draw survival by group of risk, and what acting on the risk is worth."""
    groups = [one for one in judgement.curves if one.kind == "survival"]
    worth = {one.name: one for one in judgement.curves if one.kind == "decision" and one.name}
    drawn = [figures.kaplan_meier(groups, sample=sample)] if groups else []
    return [*drawn, figures.decision(worth, sample=sample)] if worth else drawn


PROGNOSIS = Part(
    title="Survival",
    missed="patients without an answer",
    columns=chosen(_MAIN),
    drawings=_drawings,
    tables=every_value,
    values=all_values,
)
