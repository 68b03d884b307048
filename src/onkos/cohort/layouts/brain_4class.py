"""Slices of brain MR: glioma, meningioma, pituitary tumour or none."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from onkos.cohort.layouts.alike import patients_of
from onkos.cohort.layouts.folder import cohort_of, found
from onkos.cohort.leakage import fingerprint
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.study import Patient, Study
from onkos.io import picture

SETS = ("brain-mri-4class", "Brain-Tumor-Classification-DataSet")
PARTS = ("Training", "Testing")
CLASSES = {
    "glioma_tumor": "glioma",
    "meningioma_tumor": "meningioma",
    "no_tumor": "none",
    "pituitary_tumor": "pituitary",
}


def brain_4class(data: Path) -> Cohort:
    """Kind of brain tumour on a single slice, four classes, whole pictures.

    Target: the folder a picture lies in. Both published parts are put together and split anew;
    the part is the case's site, since glioma pictures of ``Testing`` are widely reported to be
    mislabelled. There is no patient identifier: pictures that look nearly alike count as one
    patient's, others as a patient each, so that other slices of a patient may still lie on the
    other side of a split, and figures are likely too good. For research only; no licence is
    stated.

    Raises
    ------
    CohortError
        If the folder is missing or holds no pictures.

    References
    ----------
    Bhuvaji S et al. Brain tumor classification (MRI). Kaggle 2020; partly from
    Cheng J. Brain tumor dataset. figshare 2017. doi:10.6084/m9.figshare.1512427
    """
    folder = found(data, *SETS, holds="Training")
    pictures = {
        f"{part}-{CLASSES[label]}-{path.stem}": (path, part, CLASSES[label])
        for part in PARTS
        for label in CLASSES
        for path in sorted((folder / part / label).glob("*.jpg"))
    }
    patients = patients_of(
        {name: fingerprint(picture.read(path).data) for name, (path, _, _) in pictures.items()}
    )
    cases = [
        Case(
            id=name,
            patient=patients[name],
            load=partial(_study, path, patients[name]),
            truths=known_truths(target=target),
            site=part,
        )
        for name, (path, part, target) in pictures.items()
    ]
    return cohort_of(cases, name=SETS[0], folder=folder)


def _study(path: Path, patient: str) -> Study:
    volume = picture.read(path, modality="MR")
    return Study(patient=Patient(id=patient), volumes={"image": volume})
