"""BUSI: breast ultrasound pictures, benign, malignant and normal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from onkos.cohort.layouts.alike import patients_of
from onkos.cohort.layouts.folder import cohort_of, found
from onkos.cohort.leakage import fingerprint
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import ContentError
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.io import picture

SETS = ("breast-us-busi", "Dataset_BUSI_with_GT")
CLASSES = ("benign", "malignant")
_MASK = "_mask"
_APART = "with_masks"


def busi(data: Path) -> Cohort:
    """Benign and malignant breast lesions on ultrasound, whole pictures.

    Target: the histological class of the lesion; normal breasts are left out. There is no
    patient identifier: pictures that look nearly alike count as one patient's
    (:func:`onkos.cohort.layouts.alike.patients_of`), others as a patient each, though one
    patient may have several. Some copies of one picture are published under both classes; they
    are kept, as one patient. Callipers and words burnt into the pictures may give the class
    away. For research only, with citation.

    Raises
    ------
    CohortError
        If the folder is missing or holds no pictures of the two classes.

    References
    ----------
    Al-Dhabyani W et al. Dataset of breast ultrasound images. Data Brief 2020;28:104863.
    doi:10.1016/j.dib.2019.104863
    """
    folder = found(data, *SETS, holds="benign")
    return _cohort([(path, label, ()) for path, label in _pictures(folder)], SETS[0], folder)


def busi_outlined(data: Path) -> Cohort:
    """Pictures of :func:`busi` that come with the lesion's outline.

    They lie in ``with_masks``, or beside the other pictures as published; several outlines of
    one picture are one. Target, patients and licence as there.

    Raises
    ------
    CohortError
        If the folder is missing or no picture has an outline.
    """
    folder = found(data, *SETS, holds="benign")
    apart = folder / _APART
    where = _beside(apart) if apart.is_dir() else _pictures(folder)
    outlined = []
    for path, label in where:
        masks = sorted(path.parent.glob(f"{_escaped(path.stem)}{_MASK}*.png"))
        if masks:
            outlined.append((path, label, tuple(masks)))
    return _cohort(outlined, f"{SETS[0]}-outlined", folder)


def _pictures(folder: Path) -> Iterator[tuple[Path, str]]:
    for label in CLASSES:
        for path in sorted((folder / label).glob("*.png")):
            if _MASK not in path.stem:
                yield path, label


def _beside(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.glob("*.png")):
        label = path.stem.split("_")[0]
        if _MASK not in path.stem and label in CLASSES:
            yield path, label


def _escaped(stem: str) -> str:
    """Stem as glob takes it literally."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in stem)


def _cohort(
    pictures: Sequence[tuple[Path, str, tuple[Path, ...]]], name: str, folder: Path
) -> Cohort:
    prints = {path.stem: fingerprint(picture.read(path).data) for path, _, _ in pictures}
    patients = patients_of(prints)
    cases = [
        Case(
            id=path.stem,
            patient=patients[path.stem],
            load=partial(_study, path, patients[path.stem]),
            truths=known_truths(outline=partial(_lesion, masks) if masks else None, target=label),
        )
        for path, label, masks in pictures
    ]
    return cohort_of(cases, name=name, folder=folder)


def _study(path: Path, patient: str) -> Study:
    volume = picture.read(path, modality="US")
    return Study(patient=Patient(id=patient), volumes={"image": volume})


def _lesion(paths: Sequence[Path]) -> Mask:
    """Outlines of one picture together."""
    read = [picture.read_mask(path, names=None) for path in paths]
    shapes = {mask.geometry.shape for mask in read}
    if len(shapes) > 1:
        raise ContentError(f"{paths[0]}: outlines of shapes {sorted(shapes)}; expected one")
    inside = np.any([mask.labels != 0 for mask in read], axis=0)
    return Mask(labels=inside, geometry=read[0].geometry, names={1: "lesion"})
