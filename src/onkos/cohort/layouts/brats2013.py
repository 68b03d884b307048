"""BraTS 2013 patients as DeepMedic gives them: T1c and FLAIR, brain only, with tissues."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from onkos.cohort.layouts.folder import cohort_of, file_in
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import CohortError
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.io import nifti, outline

SETS = ("brain-mri-brats2013", "brats2015TrainingData")
ROLES = {"t1c": "T1c", "flair": "Flair"}
_TISSUES = {"core": (1, 3, 4), "oedema": (2,)}  # necrosis, non-enhancing, enhancing: core
_PARTS = ("", "train", "test")


def brats2013(data: Path) -> Cohort:
    """Outline the core and the oedema of a glioma on T1c and FLAIR, in three dimensions.

    Reference: the labels of BraTS 2013 and 2015; necrosis, non-enhancing and enhancing tumour
    are the core. A patient is a folder ``brats_2013_pat...``. Grey values are standardised
    within the brain by the source. For research only (CC BY-NC-SA 3.0).

    Raises
    ------
    CohortError
        If the folder is missing, holds no patient, or a patient lacks an image or the labels.

    References
    ----------
    Menze BH et al. The multimodal brain tumor image segmentation benchmark (BRATS). IEEE Trans
    Med Imaging 2015;34:1993-2024. doi:10.1109/TMI.2014.2377694
    """
    folder = _root(data)
    cases = []
    patients = [one for part in _PARTS for one in sorted((folder / part).glob("brats_2013_pat*"))]
    for patient in patients:
        images = {
            role: file_in(patient, f"{name}_subtrMeanDivStd.nii.gz") for role, name in ROLES.items()
        }
        load = partial(_study, patient.name, images)
        mask = file_in(patient, "OTMultiClass.nii.gz")
        cases.append(
            Case(
                id=patient.name,
                patient=patient.name,
                load=load,
                truths=known_truths(outline=partial(_tissues, mask, load)),
            )
        )
    return cohort_of(cases, name=SETS[0], folder=folder)


def _root(data: Path) -> Path:
    """Folder that holds patients, directly or in its parts ``train`` and ``test``."""
    for folder in (*(data / name for name in SETS), data):
        if any(any((folder / part).glob("brats_2013_pat*")) for part in _PARTS):
            return folder
    raise CohortError(
        f"{data}: no folder {SETS[0]!r} with folders brats_2013_pat* in it; expected the data set "
        "as it is published"
    )


def _study(patient: str, images: dict[str, Path]) -> Study:
    volumes = {role: nifti.read(path, modality="MR") for role, path in images.items()}
    return Study(patient=Patient(id=patient), volumes=volumes)


def _tissues(path: Path, load: partial[Study]) -> Mask:
    return outline.read(path, labels=_TISSUES, study=load)
