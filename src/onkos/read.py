"""The second verb: apply a fitted model to a patient's study."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onkos.clinic.lesions import describe, separate
from onkos.clinic.measure import error_model
from onkos.core.card import Card, ErrorModel
from onkos.core.comparison import ArmResult
from onkos.core.desk import PLAIN, Desk
from onkos.core.estimate import Estimate
from onkos.core.findings import Lesion
from onkos.core.mask import Mask
from onkos.core.method import Method
from onkos.core.plain import to_plain
from onkos.core.protocols import Model
from onkos.core.reading import Prediction, Provenance, Reading
from onkos.core.source import PHANTOM, Caveat
from onkos.core.study import Study
from onkos.core.version import __version__

_TRACKING = uuid.UUID("8b1f2f6e-6d0e-5c39-9a6e-3f6b3c5d7a10")


def read(model: Model, study: Study, *, desk: Desk = PLAIN) -> Reading:
    """Find, outline and measure the tumour in a study.

    Every lesion carries its volume and its two axes with the interval that the model's errors
    on unseen patients give; whatever limits the answer stands in the caveats.

    Parameters
    ----------
    model
        A fitted model.
    study
        The images of one examination.
    desk
        Device and threads.

    Returns
    -------
    Reading
        The one source of SEG, RTSTRUCT, SR and the report.

    Raises
    ------
    ModelError
        If the study is not what the model was made for.
    """
    card = model.card
    prediction = model.predict(study, desk=desk)
    outline = prediction.outline
    mask = outline.mask if outline else None
    lesions, specks = _lesions(mask, study, card)
    caveats = (
        *study.all_caveats,
        *_fitness(card, study),
        *prediction.caveats,
        *([specks] if specks else []),
        *(mask.caveats if mask else ()),
    )
    return Reading(
        study=study,
        reference=outline.reference if outline else card.reference,
        mask=mask,
        lesions=lesions,
        classes=_classes(prediction),
        stage=None,
        caveats=tuple(dict.fromkeys(caveats)),
        card=to_plain(card),
        provenance=Provenance(
            version=__version__,
            model=card.arm,
            weights_sha256=card.weights_sha256,
            inputs=tuple(_input(study, role) for role in card.roles),
            settings=card.settings,
            seed=card.seed,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        ),
    )


def with_errors(model: Model, judged: ArmResult) -> Model:
    """Give a model the errors and metrics its arm showed on patients it had not seen.

    They come from a comparison of the same arm on the same cohort, in which every patient was
    held out once; the model itself was fitted on all of them.
    """
    cases = judged.judgement.cases
    errors: dict[str, ErrorModel] = {}
    for name in dict.fromkeys(name for case in cases for name in case.measured):
        both = [case for case in cases if name in case.measured and name in case.true]
        found = error_model(
            np.array([case.true[name] for case in both]),
            np.array([case.measured[name] for case in both]),
        )
        if found is not None:
            errors[name] = found
    return model.with_card(replace(model.card, errors=errors, estimates=dict(judged.metrics)))


def _lesions(
    mask: Mask | None, study: Study, card: Card
) -> tuple[tuple[Lesion, ...], Caveat | None]:
    """Separate and measure what was outlined."""
    if mask is None:
        return (), None
    parts, specks = separate(mask)
    lesions = tuple(
        describe(part, number=n, uid=_tracking_uid(study, n), site=card.site, errors=card.errors)
        for n, part in enumerate(parts, start=1)
    )
    return lesions, specks


def _fitness(card: Card, study: Study) -> Sequence[Caveat]:
    """Caveats where the model stands on thin ground for this study."""
    found = []
    phantom_study = any(caveat.code == PHANTOM.code for caveat in study.all_caveats)
    if card.simulated and not phantom_study:
        text = (
            "The model was fitted on simulated patients (phantom) only; on a real patient its "
            "outline and its intervals have not been tested."
        )
        found.append(Caveat(code="phantom-model", text=text))
    if not card.errors:
        text = "The model's error on unseen patients is not known, so no interval can be given."
        found.append(Caveat(code="no-error-model", text=text))
    return found


def _classes(prediction: Prediction) -> dict[str, Estimate]:
    """Probabilities as the model gives them; their own uncertainty is not known yet."""
    said, outline = prediction.probabilities, prediction.outline
    if said is not None:
        found, by = said.of, "calibrated on training patients"
    elif outline is not None:
        found, by = outline.presence, "highest of any region in this study, not calibrated"
    else:
        return {}
    unknown = "its own uncertainty is not estimated: the interval is the widest possible"
    method = Method(what="probability", by=by, notes=(unknown,))
    return {
        name: Estimate(value=p, low=0.0, high=1.0, n=1, method=method) for name, p in found.items()
    }


def _input(study: Study, role: str) -> str:
    """Series UID of an image, or its role where it has none."""
    source = study.volumes[role].source if role in study.volumes else None
    return source.series_uid if source else role


def _tracking_uid(study: Study, number: int) -> str:
    """UID of a lesion: the same study and place in the list give the same UID."""
    return f"2.25.{uuid.uuid5(_TRACKING, f'{study.uid or study.patient.id}/{number}').int}"
