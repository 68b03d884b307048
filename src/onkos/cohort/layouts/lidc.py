"""LIDC-IDRI nodules cut out of their CT, each with its outline and the readers' opinion."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from onkos.cohort.layouts.folder import cohort_of, file_in, found, known, rows_of
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import CohortError
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.io import nifti, outline

SET = "lung-nodules-lidc-voi"
_TARGETS = {"Benign": "benign", "Malign": "malignant"}


def lidc_voi(data: Path) -> Cohort:
    """Benign and malignant lung nodules on CT, cut out, with outlines.

    Target: the consensus of the readers, not pathology, and they saw the nodule's size; any
    method has to be set against size alone. A patient is a patient of LIDC-IDRI; a case is a
    nodule. The readers' other opinions (spiculation, texture, ...) are not given as facts,
    since they were formed with the target. For research only (LIDC-IDRI: CC BY 3.0).

    Folder: ``image`` and ``nodule_mask`` with ``<patient>_R_<nodule>.nii.gz``, and
    ``nodules.csv``, the set's table of nodules (max voting) as CSV.

    Raises
    ------
    CohortError
        If the folder, its table, or an image or outline of a nodule is missing, or a diagnosis
        is not known.

    References
    ----------
    Armato SG et al. The Lung Image Database Consortium (LIDC) and Image Database Resource
    Initiative (IDRI): a completed reference database of lung nodules on CT scans. Med Phys
    2011;38:915-931. doi:10.1118/1.3528204. Data: doi:10.7937/K9/TCIA.2015.LO9QL9SX
    """
    folder = found(data, SET, holds="nodules.csv")
    cases = []
    for row in rows_of(folder / "nodules.csv", "patient_id", "nodule_id", "Diagnosis"):
        name = f"{row['patient_id']}_R_{row['nodule_id']}"
        if row["Diagnosis"] not in _TARGETS:
            raise CohortError(
                f"{folder / 'nodules.csv'}, {name}: diagnosis {row['Diagnosis']!r}; expected one "
                f"of {list(_TARGETS)}"
            )
        facts = known(row, {"diameter_mm": "diameter_mm"})
        image = file_in(folder / "image", f"{name}.nii.gz")
        load = partial(_study, image, row["patient_id"], facts)
        mask = file_in(folder / "nodule_mask", f"{name}.nii.gz")
        cases.append(
            Case(
                id=name,
                patient=row["patient_id"],
                load=load,
                truths=known_truths(
                    outline=partial(_nodule, mask, load), target=_TARGETS[row["Diagnosis"]]
                ),
                covariates=facts,
            )
        )
    return cohort_of(cases, name=SET, folder=folder)


def _study(path: Path, patient: str, facts: dict[str, str]) -> Study:
    volume = nifti.read(path, modality="CT", unit="HU")
    return Study(patient=Patient(id=patient), volumes={"ct": volume}, facts=facts)


def _nodule(path: Path, load: partial[Study]) -> Mask:
    return outline.read(path, labels={"nodule": (1,)}, study=load)
