"""Finding and marking lesions: the FROC curve, and what was marked of each case."""

from __future__ import annotations

from onkos.core.estimate import Estimate
from onkos.core.judgement import Judgement
from onkos.report import figures
from onkos.report.figures import Drawing, Sample
from onkos.report.parts.part import Part, all_values, chosen, every_value

_MAIN = ("cpm", "lesion_sensitivity_at", "wafroc", "froc_area", "ap")
_AT = "lesion_sensitivity_at"


def _drawings(judgement: Judgement, sample: Sample) -> list[Drawing]:
    """Draw the FROC curve with the points that the CPM averages."""
    cpm = judgement.metrics.get("cpm")
    if cpm is None:
        return []
    return [
        figures.froc(curve, points=_points(judgement), cpm=cpm, sample=sample)
        for curve in judgement.curves
        if curve.kind == "froc"
    ]


def _points(judgement: Judgement) -> dict[float, Estimate]:
    """Sensitivities by false marks a case."""
    return {
        float(name.partition(":")[2]): one
        for name, one in judgement.metrics.items()
        if name.startswith(f"{_AT}:")
    }


DETECTION = Part(
    title="Detection",
    missed="patients of whom no lesion was found, or who have no answer",
    columns=chosen(_MAIN),
    drawings=_drawings,
    tables=every_value,
    values=all_values,
)
