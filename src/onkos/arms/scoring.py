"""One fitted model judged on one case."""

from __future__ import annotations

from onkos.arms.classify.arm import CLASSIFY, characterised, target_of
from onkos.clinic.lesions import quantities
from onkos.core.case import Case
from onkos.core.errors import ModelError
from onkos.core.geometry import AnyArray
from onkos.core.mask import Mask
from onkos.core.protocols import Model
from onkos.core.reading import CaseScore
from onkos.core.study import Study
from onkos.stats.overlap import overlap

WHOLE = "tumour"


def score(model: Model, case: Case, *, fold: int) -> CaseScore:
    """Judge a model on a case it was not fitted on: its outline, or its answer."""
    if model.card.task == CLASSIFY:
        return _answered(model, case, fold=fold)
    return _outlined(model, case, fold=fold)


def _answered(model: Model, case: Case, *, fold: int) -> CaseScore:
    """Probabilities of a case's classes, beside its reference class."""
    prediction = model.predict(characterised(case))
    return CaseScore(
        case=case.id,
        patient=case.patient,
        fold=fold,
        metrics={},
        classes=prediction.classes,
        target=target_of(case),
        threshold=model.card.threshold,
    )


def _outlined(model: Model, case: Case, *, fold: int) -> CaseScore:
    """Outline a case and compare with its reference, tissue by tissue and as a whole.

    Metrics: Dice, sensitivity, balanced error rate and signed volume error; a tissue that is
    there and not found at all costs a Dice of 0 and is named in ``missed``.
    """
    study, truth = case.study, case.truth
    prediction = model.predict(study)
    if prediction.mask is None:
        raise ModelError(f"case {case.id}: the model outlines nothing; expected a segmentation")
    outline = prediction.mask.on(truth.geometry)
    inside = _possible(study, prediction.reference, truth)
    known = (*model.card.tissues.values(), *truth.names.values())
    groups: dict[str, tuple[str, ...]] = {name: (name,) for name in known}
    groups[WHOLE] = ()
    metrics: dict[str, float] = {}
    missed = []
    for name, tissues in groups.items():
        found = overlap(outline, truth, *tissues, inside=inside)
        metrics[f"dice:{name}"] = found.dice
        metrics[f"sensitivity:{name}"] = found.sensitivity
        metrics[f"balanced_error:{name}"] = found.balanced_error
        metrics[f"volume_error_ml:{name}"] = found.volume_error_ml
        if found.missed:
            missed.append(name)
    spatial = truth.geometry.ndim == 3
    return CaseScore(
        case=case.id,
        patient=case.patient,
        fold=fold,
        metrics=metrics,
        measured=quantities(outline) if spatial else {},
        true=quantities(truth) if spatial else {},
        missed=tuple(missed),
    )


def _possible(study: Study, reference: str, truth: Mask) -> AnyArray | None:
    """Voxels that are not plain background: those that differ from the image's corner value."""
    volume = study.volume(reference)
    if volume.channels > 1 or not volume.geometry.matches(truth.geometry):
        return None
    differs: AnyArray = volume.data != volume.data.flat[0]
    return differs
