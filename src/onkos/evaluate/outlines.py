"""Predicted outlines judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.case import Case, Cohort
from onkos.core.errors import GeometryError
from onkos.core.estimate import Estimate
from onkos.core.evaluation import JudgedCase
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.evaluate.part import LEVEL, Metrics, Part, Settings
from onkos.report import figures
from onkos.report.figures import Drawing, Sample, Spread
from onkos.stats.aggregate import mean_with_misses
from onkos.stats.lesions import LesionRule, match_lesions
from onkos.stats.overlap import overlap
from onkos.stats.resampling import IntArray
from onkos.stats.surfaces import diagonal_mm, surface_distances

WHOLE = "tumour"
Done = Callable[[int, int], None]

_SHOWN = {"dice": "Dice", "surface_dice": "Surface Dice", "hd95_mm": "HD95 (mm)"}
_SHARES = ("dice", "iou", "sensitivity", "precision", "surface_dice")
_LESIONS = ("lesion_recall", "lesion_precision", "lesion_f1", "lesion_pq")
_DISTANCES = ("hd95_mm", "assd_mm")
_OF_THE_TRUTH = ("sensitivity", "lesion_recall")  # nothing to find, nothing to miss
_AGREED = {
    **dict.fromkeys(("dice", "iou", "surface_dice", "lesion_f1", "lesion_pq"), 1.0),
    **dict.fromkeys(("hd95_mm", "assd_mm", "volume_error_ml", "absolute_volume_error_ml"), 0.0),
    "relative_volume_error": 0.0,
}


_Values = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Compared:
    """One case: values by tissue ("" is the whole), what was missed, whether it was answered."""

    case: Case
    answered: bool
    values: Mapping[str, _Values]
    missed: frozenset[str]
    calibrated: bool
    true_tissues: frozenset[str]


def part(
    cohort: Cohort,
    outlines: Mapping[str, Callable[[], Mask] | None],
    settings: Settings,
    *,
    seed: int,
    done: Done,
) -> Part:
    """Judge predicted outlines against the reference ones, tissue by tissue and as a whole.

    A case without an outline counts as the worst there is: Dice 0, distances as long as the
    grid's diagonal, no lesion found.

    Raises
    ------
    GeometryError
        If an outline does not lie on the grid of its reference.
    ContentError
        If an outline cannot be read.
    """
    cases = tuple(case for case in cohort.cases if case.id in outlines)
    compared = []
    for number, case in enumerate(cases, start=1):
        compared.append(_compared(case, outlines[case.id], settings))
        done(number, len(cases))
    tissues = _tissues(compared)
    judged = tuple(_judged(one, tissues) for one in compared)
    main = f"dice:{tissues['']}"

    def chosen(rows: IntArray) -> list[JudgedCase]:
        return [judged[row] for row in rows.tolist()]

    return Part(
        task="segmentation",
        cases=cases,
        main=main,
        measured=lambda rows: _mean(main, chosen(rows), settings, seed),
        measure=lambda rows: _means(chosen(rows), settings, seed),
        draw=lambda sample, metrics: _drawn(judged, tissues, sample, metrics),
        judged=judged,
        caveats=_caveats(compared, len(cohort.cases)),
    )


def _compared(case: Case, read: Callable[[], Mask] | None, settings: Settings) -> _Compared:
    """Compare one case, each tissue that either outline has."""
    truth = _by_value(case.truth)
    if read is None:
        empty = np.zeros(truth.geometry.shape, dtype=np.uint8)
        prediction = replace(truth, labels=empty)
    else:
        prediction = _by_value(read())
        if not prediction.geometry.matches(truth.geometry):
            raise GeometryError(
                f"case {case.id}: its outline lies on a grid of {prediction.geometry}, its "
                f"reference on one of {truth.geometry}; bring the outline onto the grid of the "
                "reference first"
            )
        prediction = replace(prediction, geometry=truth.geometry)
    names = list(dict.fromkeys([*truth.names.values(), *prediction.names.values()]))
    values, missed = {}, set()
    for tissue in ("", *names):
        values[tissue], gone = _values(prediction, truth, tissue, settings)
        if read is None:
            values[tissue] |= _worst(values[tissue], truth)
        if gone or (read is None and not tissue):
            missed.add(tissue)
    return _Compared(
        case=case,
        answered=read is not None,
        values=values,
        missed=frozenset(missed),
        calibrated=truth.geometry.calibrated,
        true_tissues=frozenset(truth.names.values()),
    )


def _by_value(mask: Mask) -> Mask:
    """An outline of one value named ``tumour`` and one with several get names that agree."""
    if list(mask.names.values()) != [WHOLE]:
        return mask
    return replace(mask, names={label: f"label-{label}" for label in mask.names})


def _values(prediction: Mask, truth: Mask, tissue: str, settings: Settings) -> tuple[_Values, bool]:
    """Every metric of one tissue; NaN where the case does not define it."""
    names = (tissue,) if tissue else ()
    found = overlap(prediction, truth, *names)
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
        return values, found.missed
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
    return values, found.missed


def _worst(values: Mapping[str, float], truth: Mask) -> _Values:
    """What a case without an answer costs, even where there was nothing to outline."""
    worst = dict.fromkeys((*_SHARES, *_LESIONS), 0.0)
    if truth.geometry.calibrated:
        worst |= dict.fromkeys(_DISTANCES, diagonal_mm(truth.geometry) or 1.0)
    undefined = {name for name in _OF_THE_TRUTH if math.isnan(values.get(name, 0.0))}
    return {name: worst[name] for name in values if name in worst and name not in undefined}


def _tissues(compared: Sequence[_Compared]) -> dict[str, str]:
    """Key of each tissue in the names of metrics; one tissue alone is the whole."""
    true = list(dict.fromkeys(name for one in compared for name in sorted(one.true_tissues)))
    several = true if len(true) > 1 else []
    return {"": "whole" if WHOLE in several else WHOLE} | {name: name for name in several}


def _judged(one: _Compared, tissues: Mapping[str, str]) -> JudgedCase:
    """Values under the names of metrics; a tissue that neither outline has agrees perfectly."""
    kinds = list(one.values[""])
    agreed = {kind: _AGREED.get(kind, math.nan) for kind in kinds}
    values = {
        f"{kind}:{key}": one.values.get(tissue, agreed)[kind]
        for tissue, key in tissues.items()
        for kind in kinds
    }
    return JudgedCase(
        case=one.case.id,
        patient=one.case.patient,
        task="segmentation",
        answered=one.answered,
        values=values,
        missed=tuple(key for tissue, key in tissues.items() if tissue in one.missed),
    )


def _means(cases: Sequence[JudgedCase], settings: Settings, seed: int) -> Metrics:
    """Mean of every metric over the cases that define it, the misses counted in."""
    names = dict.fromkeys(name for one in cases for name in one.values)
    return {name: _mean(name, cases, settings, seed) for name in names}


def _mean(name: str, cases: Sequence[JudgedCase], settings: Settings, seed: int) -> Estimate:
    kind, _, tissue = name.partition(":")
    defined = [one for one in cases if math.isfinite(one.values.get(name, math.nan))]
    if not defined:
        nan = math.nan
        why = f"{name} is not defined on any of these {len(cases)} cases"
        return Estimate(value=nan, low=nan, high=nan, n=0, level=LEVEL, method=why)
    found = mean_with_misses(
        [one.values[name] for one in defined],
        missed=np.array([tissue in one.missed for one in defined]),
        patients=[one.patient for one in defined],
        rng=np.random.default_rng(seed),
        level=LEVEL,
    )
    left = len(cases) - len(defined)
    note = f"; not defined on {left} of {len(cases)} cases" if left else ""
    return replace(found, method=f"{found.method}{_rule(kind, settings)}{note}")


def _rule(kind: str, settings: Settings) -> str:
    """What had to be decided before the metric could be computed."""
    if kind == "surface_dice":
        return f"; tolerance {settings.tolerance_mm:g} mm, surfels weighted by area"
    if kind in _DISTANCES:
        return "; boundary voxels; a miss costs the diagonal of the grid"
    if kind in _LESIONS:
        return f"; lesions paired one to one by IoU above {settings.lesion_iou:g}"
    return ""


def _drawn(
    judged: Sequence[JudgedCase], tissues: Mapping[str, str], sample: Sample, metrics: Metrics
) -> tuple[Drawing, ...]:
    """Values of single cases, a figure a metric."""
    drawings = []
    for kind, label in _SHOWN.items():
        spreads = []
        for key in tissues.values():
            name = f"{kind}:{key}"
            defined = [one for one in judged if math.isfinite(one.values.get(name, math.nan))]
            if defined:
                spreads.append(
                    Spread(
                        name=key,
                        values=np.array([one.values[name] for one in defined]),
                        missed=np.array([key in one.missed for one in defined]),
                        estimate=metrics[name],
                    )
                )
        if spreads:
            drawings.append(figures.distribution(spreads, label=label, sample=sample))
    return tuple(drawings)


def _caveats(compared: Sequence[_Compared], cases: int) -> tuple[Caveat, ...]:
    found = []
    if len(compared) < cases:
        text = (
            f"{cases - len(compared)} of {cases} cases have no reference outline and are not "
            "judged on outlines."
        )
        found.append(Caveat(code="no-reference", text=text))
    flat = sum(not one.calibrated for one in compared)
    if flat:
        text = f"{flat} outlines have no millimetres: distances and lesions are not judged there."
        found.append(Caveat(code="no-millimetres", text=text))
    return tuple(found)
