"""Outlines and images that a table of predictions names by their files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from onkos.core.answers import KeptImage, KeptOutline
from onkos.core.errors import CohortError, ContentError
from onkos.core.study import Study
from onkos.io import nifti, outline


def kept_outline(row: Mapping[str, str], table: Path, where: str) -> KeptOutline:
    """The outline that a row names; ``mask_labels`` says what its values mean."""
    file = (table.parent / row["mask"]).resolve()
    if not file.is_file():
        raise CohortError(f"{where}: {row['mask']} does not exist beside the table")
    names: dict[int, str] | None = None
    if row.get("mask_labels"):
        pairs = [part.partition("=") for part in row["mask_labels"].split(";")]
        if not all(label.isdigit() and name for label, _, name in pairs):
            raise CohortError(f"{where}: mask_labels {row['mask_labels']!r}; expected 1=core;2=...")
        names = {int(label): name for label, _, name in pairs}
    possible = row.get("mask_possible", "")
    load = (
        partial(nifti.read_mask, file, names=names)
        if names is not None
        else partial(outline.read, file, labels={}, study=_no_study)
    )
    return KeptOutline(load=load, possible=int(_count(possible, where)) if possible else None)


def _no_study() -> Study:
    raise ContentError("an outline in DICOM is judged on its images; give it with --masks")


def kept_image(row: Mapping[str, str], table: Path, where: str) -> KeptImage:
    """The image that a row names, with the modality and unit of its values."""
    file = (table.parent / row["image"]).resolve()
    if not file.is_file():
        raise CohortError(f"{where}: {row['image']} does not exist beside the table")
    load = partial(
        nifti.read,
        file,
        modality=row.get("image_modality", ""),
        unit=row.get("image_unit", "") or "1",
    )
    return KeptImage(load=load, role=row["image_role"])


def _count(text: str, where: str) -> int:
    if not text.isdigit():
        raise CohortError(f"{where}: mask_possible is {text!r}; expected a number of voxels")
    return int(text)
