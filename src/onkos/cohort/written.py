"""What a comparison predicted, written beside its result so that it can be judged again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from onkos.cohort.marked import rows_of
from onkos.cohort.predictions import DETECTIONS, PREDICTIONS
from onkos.core.answers import ClassProbabilities, KeptImage, KeptOutline, Risk
from onkos.core.case import Cohort
from onkos.core.comparison import Answered, Predicted
from onkos.core.task import Task
from onkos.io import nifti
from onkos.io.whole import write_table, written_whole

MASKS, IMAGES = "masks", "images"


def write_predictions(folder: Path, predicted: Sequence[Predicted], cohort: Cohort) -> None:
    """Write ``predictions.csv``, ``detections.csv`` and what lies in files of its own.

    Outlines are called ``masks/ARM/CASE.nii.gz``, images ``images/ARM/CASE.nii.gz``.

    Numbers stand with all their digits: judged again, they give the same result.
    """
    targets = {case.id: case.target or "" for case in cohort.cases}
    repeated = any(len(one.repeats) > 1 for one in predicted)
    rows = [
        row
        for one in predicted
        for repeat, answered in enumerate(one.repeats, start=1)
        for case in answered
        for row in _rows(
            case,
            {
                "case": case.case,
                "patient": case.patient,
                "arm": one.name,
                **({"repeat": str(repeat)} if repeated else {}),
                "fold": str(case.fold + 1),
                "target": targets.get(case.case, ""),
            },
            Path(one.name) / (f"repeat-{repeat}" if repeat > 1 else ""),
            folder,
        )
    ]
    write_table(folder / PREDICTIONS, rows)
    marks = rows_of(predicted)
    if marks:
        write_table(folder / DETECTIONS, marks)


def _rows(case: Answered, head: dict[str, str], arm: Path, folder: Path) -> list[dict[str, str]]:
    """Row of a case; one for each time that a risk is given by."""
    row = dict(head)
    said = case.answers.get(Task.CLASSIFY)
    if isinstance(said, ClassProbabilities):
        row |= {f"p_{name}": repr(p) for name, p in said.of.items()}
        row["threshold"] = "" if said.threshold is None else repr(said.threshold)
    outline = case.answers.get(Task.SEGMENT)
    if isinstance(outline, KeptOutline):
        row |= _outline(outline, folder / MASKS / arm / f"{case.case}.nii.gz", folder)
    image = case.answers.get(Task.RECONSTRUCT)
    if isinstance(image, KeptImage):
        row |= _image(image, folder / IMAGES / arm / f"{case.case}.nii.gz", folder)
    risk = case.answers.get(Task.PROGNOSE)
    if isinstance(risk, Risk):
        if risk.by:
            return [{**row, "risk": repr(p), "time": repr(time)} for time, p in risk.by.items()]
        row["risk"] = repr(risk.score)
    return [row]


def _outline(outline: KeptOutline, path: Path, folder: Path) -> dict[str, str]:
    """Copy an outline to where it is looked for, and say what its values mean."""
    mask = outline.load()
    source = getattr(outline.load, "args", (None,))[0]
    if isinstance(source, Path) and source.is_file():
        with written_whole(path) as temporary:
            shutil.copyfile(source, temporary)
    else:
        nifti.write_mask(path, mask)
    return {
        "mask": path.relative_to(folder).as_posix(),
        "mask_labels": ";".join(f"{label}={name}" for label, name in mask.names.items()),
        "mask_possible": "" if outline.possible is None else str(outline.possible),
        **{f"presence_{name}": repr(p) for name, p in outline.presence.items()},
    }


def _image(image: KeptImage, path: Path, folder: Path) -> dict[str, str]:
    """Write an image to where it is looked for, and say what its values are."""
    volume = image.load()
    nifti.write_volume(path, volume)
    return {
        "image": path.relative_to(folder).as_posix(),
        "image_modality": volume.modality,
        "image_unit": volume.unit,
        "image_role": image.role or "image",
    }
