"""BUSI: breast ultrasound pictures, benign, malignant and normal."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from onkos.cohort.layouts.folder import fingerprint, found, rows_of
from onkos.core.case import Case, Cohort
from onkos.core.study import Patient, Study
from onkos.io import picture

SET = "breast-us-busi"


def busi(data: Path) -> Cohort:
    """Benign and malignant breast lesions on ultrasound, whole pictures.

    There is no patient identifier: pictures that look nearly alike count as one patient's, as
    far as :func:`onkos.cohort.leakage` finds them; others as a patient each.

    References
    ----------
    Al-Dhabyani W et al. Dataset of breast ultrasound images. Data Brief 2020;28:104863.
    doi:10.1016/j.dib.2019.104863
    """
    folder = found(data, SET)
    cases = [
        Case(
            id=Path(row["file"]).stem,
            patient=Path(row["file"]).stem,
            load=partial(_study, folder / row["file"]),
            target=row["label"],
        )
        for row in rows_of(folder / "labels.csv", "file", "label")
        if row["label"] != "normal"
    ]
    return Cohort(name=SET, cases=tuple(cases), fingerprint=fingerprint(folder))


def _study(path: Path) -> Study:
    volume = picture.read(path, modality="US")
    return Study(patient=Patient(id=path.stem), volumes={"image": volume})
