"""One predicted outline against its reference: every metric of every tissue."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from onkos.clinic.lesions import quantities
from onkos.core.answers import KeptOutline, Outline
from onkos.core.case import Case
from onkos.core.comparison import Answered
from onkos.core.errors import GeometryError
from onkos.core.mask import Mask
from onkos.core.task import Task
from onkos.judge.settings import Settings
from onkos.stats.lesions import LesionRule, match_lesions
from onkos.stats.overlap import Overlap, overlap
from onkos.stats.surfaces import diagonal_mm, surface_distances

WHOLE = "tumour"
LESIONS = ("lesion_recall", "lesion_precision", "lesion_f1", "lesion_pq")

_SHARES = ("dice", "iou", "sensitivity", "precision", "surface_dice")
_DISTANCES = ("hd95_mm", "assd_mm")
_OF_THE_TRUTH = ("sensitivity", "lesion_recall")  # nothing to find, nothing to miss
_AGREED = {
    **dict.fromkeys(("dice", "iou", "surface_dice", "lesion_f1", "lesion_pq"), 1.0),
    **dict.fromkeys(("hd95_mm", "assd_mm", "volume_error_ml", "absolute_volume_error_ml"), 0.0),
    "relative_volume_error": 0.0,
}

Values = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseValues:
    """One case: values by tissue ("" is the whole), what was missed, whether it was answered.

    ``empty`` are the tissues that neither outline has; ``measured`` and ``true`` what is
    measured on the outline and on its reference.
    """

    case: Case
    answered: bool
    values: Mapping[str, Values]
    missed: frozenset[str]
    empty: frozenset[str]
    calibrated: bool
    true_tissues: frozenset[str]
    measured: Mapping[str, float] = field(default_factory=dict)
    true: Mapping[str, float] = field(default_factory=dict)

    def is_empty(self, tissue: str) -> bool:
        """Whether neither outline has a tissue."""
        return tissue in self.empty or tissue not in self.values


def case_values(
    case: Case, truth: Mask, answered: Answered | None, settings: Settings
) -> CaseValues:
    """Compare one case, each tissue that either outline has.

    Raises
    ------
    GeometryError
        If the outline lies on another grid than its reference.
    """
    said = answered.answers.get(Task.SEGMENT) if answered else None
    kept = isinstance(said, KeptOutline | Outline)
    reference = _by_value(truth)
    prediction = _predicted(case, said, reference)
    possible = said.possible if isinstance(said, KeptOutline) else None
    names = list(dict.fromkeys([*reference.names.values(), *prediction.names.values()]))
    values: dict[str, Values] = {}
    missed, empty = set(), set()
    for tissue in ("", *names):
        found = overlap(prediction, reference, *((tissue,) if tissue else ()))
        values[tissue] = _values(prediction, reference, tissue, found, settings)
        values[tissue] |= _balanced(found, possible)
        if not kept:
            values[tissue] |= _worst(values[tissue], reference)
        if found.missed or (not kept and not tissue):
            missed.add(tissue)
        if not found.present and not found.outlined and kept:
            empty.add(tissue)
    spatial = truth.geometry.ndim == 3 and kept
    return CaseValues(
        case=case,
        answered=kept,
        values=values,
        missed=frozenset(missed),
        empty=frozenset(empty),
        calibrated=truth.geometry.calibrated,
        true_tissues=frozenset(reference.names.values()),
        measured=quantities(prediction) if spatial else {},
        true=quantities(reference) if spatial else {},
    )


def agreed(kinds: Sequence[str]) -> Values:
    """Values of a tissue that neither outline has."""
    return {kind: _AGREED.get(kind, math.nan) for kind in kinds}


def _predicted(case: Case, said: object, truth: Mask) -> Mask:
    """The predicted outline on the grid of the reference; empty where there is none."""
    if isinstance(said, KeptOutline):
        mask = said.load()
    elif isinstance(said, Outline):
        mask = said.mask
    else:
        return replace(truth, labels=np.zeros(truth.geometry.shape, dtype=np.uint8))
    mask = _by_value(mask)
    if not mask.geometry.matches(truth.geometry):
        raise GeometryError(
            f"case {case.id}: its outline lies on a grid of {mask.geometry}, its reference on "
            f"one of {truth.geometry}; bring the outline onto the grid of the reference first"
        )
    return replace(mask, geometry=truth.geometry)


def _by_value(mask: Mask) -> Mask:
    """An outline of one value named ``tumour`` and one with several get names that agree."""
    if list(mask.names.values()) != [WHOLE]:
        return mask
    return replace(mask, names={label: f"label-{label}" for label in mask.names})


def _values(
    prediction: Mask, truth: Mask, tissue: str, found: Overlap, settings: Settings
) -> Values:
    """Every metric of one tissue; NaN where the case does not define it."""
    names = (tissue,) if tissue else ()
    values = {
        "dice": found.dice,
        "iou": found.iou,
        "sensitivity": found.sensitivity,
        "precision": 0.0 if found.missed else found.precision,
        "volume_error_ml": found.volume_error_ml,
        "absolute_volume_error_ml": abs(found.volume_error_ml),
        "relative_volume_error": found.relative_volume_error,
    }
    if not truth.geometry.calibrated:
        return values
    miss_mm = diagonal_mm(truth.geometry) or 1.0
    apart = surface_distances(prediction, truth, *names, miss_mm=miss_mm)
    area = surface_distances(prediction, truth, *names, miss_mm=miss_mm, surface="surfels")
    values["surface_dice"] = area.surface_dice(settings.tolerance_mm)
    values |= {"hd95_mm": apart.hd95, "assd_mm": apart.assd}
    rule = LesionRule(by="iou", threshold=settings.lesion_iou)
    lesions = match_lesions(prediction, truth, *names, rule=rule, miss_mm=miss_mm)
    alone = bool(lesions.lesions) and not lesions.predicted
    values["lesion_recall"] = lesions.recall
    values["lesion_precision"] = 0.0 if alone else lesions.precision
    values |= {"lesion_f1": lesions.f1, "lesion_pq": lesions.panoptic_quality}
    return values


def _balanced(found: Overlap, possible: int | None) -> Values:
    """Balanced error among the voxels that could have been outlined, where those are known."""
    if possible is None:
        return {}
    least = found.true_positive + found.false_positive + found.false_negative
    return {"balanced_error": replace(found, inside=max(possible, least)).balanced_error}


def _worst(values: Mapping[str, float], truth: Mask) -> Values:
    """What a case without an answer costs, even where there was nothing to outline."""
    worst = dict.fromkeys((*_SHARES, *LESIONS), 0.0)
    if truth.geometry.calibrated:
        worst |= dict.fromkeys(_DISTANCES, diagonal_mm(truth.geometry) or 1.0)
    undefined = {name for name in _OF_THE_TRUTH if math.isnan(values.get(name, 0.0))}
    return {name: worst[name] for name in values if name in worst and name not in undefined}
