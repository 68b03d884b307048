"""Reference outlines in whatever format they come, with the names a cohort gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.mask import Mask, label_counts
from onkos.core.study import Study
from onkos.io import intake, nifti, nrrd, picture


def read(path: Path, *, labels: Mapping[str, Sequence[int]], study: Callable[[], Study]) -> Mask:
    """Read one outline: NIfTI, NRRD or a picture of labels, or a DICOM SEG or RTSTRUCT.

    Parameters
    ----------
    path
        The file.
    labels
        Name to the values that make it up, e.g. ``{"core": (1, 3, 4)}``; other values become
        background. Empty: values keep their number.
    study
        Opens the images the outline was drawn on; called for RTSTRUCT and SEG, whose grid it is.

    Raises
    ------
    ContentError
        If the file holds no outline, or several that overlap.
    """
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        found = nifti.read_mask(path, names=None)
    elif name.endswith((".nrrd", ".nhdr")):
        found = nrrd.read_mask(path, names=None)
    elif name.endswith((".png", ".tif", ".tiff", ".bmp", ".gif", ".jpg", ".jpeg")):
        found = picture.read_mask(path, names=None)
    else:
        return _from_dicom(path, labels, study())
    counts = label_counts(found.labels)
    if labels:
        return _grouped(found, {n: tuple(values) for n, values in labels.items()})
    if len(counts) == 1:
        return _named(found, {next(iter(counts)): "tumour"})
    return _named(found, {label: f"label-{label}" for label in counts})


def _from_dicom(path: Path, labels: Mapping[str, Sequence[int]], study: Study) -> Mask:
    """Outline in a SEG or RTSTRUCT, on the grid of the study's image."""
    masks = intake.read_masks(path, tuple(study.volumes.values()))
    if len(masks) != 1:
        raise ContentError(
            f"{path}: {len(masks)} overlapping outlines; expected tissues that do not overlap. "
            "Export only the structures that are meant"
        )
    if not labels:
        return masks[0]
    return _grouped(masks[0], {name: tuple(values) for name, values in labels.items()})


def _grouped(mask: Mask, labels: Mapping[str, tuple[int, ...]]) -> Mask:
    """Merge values into named tissues; each takes the first of its values as label."""
    table = np.zeros(int(mask.labels.max()) + 1, dtype=mask.labels.dtype)
    for values in labels.values():
        for value in values:
            if value < len(table):
                table[value] = values[0]
    names = {values[0]: name for name, values in labels.items()}
    return Mask(
        labels=table[mask.labels], geometry=mask.geometry, names=names, caveats=mask.caveats
    )


def _named(mask: Mask, names: Mapping[int, str]) -> Mask:
    return Mask(labels=mask.labels, geometry=mask.geometry, names=names, caveats=mask.caveats)
