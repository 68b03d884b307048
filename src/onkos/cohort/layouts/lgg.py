"""TCGA lower-grade glioma: slices of brain MR with the FLAIR abnormality outlined, and grade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from onkos.cohort.layouts.folder import cohort_of, file_in, found, known, rows_of
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import CohortError
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.io import outline, picture

SETS = ("brain-mri-lgg-tcga", "kaggle_3m")
_MASK = "_mask"
_GRADE = "neoplasm_histologic_grade"
_TISSUE = {"tumour": (255,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    """A picture (pre-contrast, FLAIR, post-contrast as red, green, blue) and its outline."""

    picture: Path
    mask: Path

    @property
    def patient(self) -> str:
        """``TCGA_CS_4941`` of ``TCGA_CS_4941_19960909_11``."""
        return "_".join(self.picture.stem.split("_")[:3])

    def case(self, *, target: str | None = None, facts: Mapping[str, str] | None = None) -> Case:
        """Return the slice as a case."""
        load = partial(_study, self.picture, self.patient, facts or {})
        return Case(
            id=self.picture.stem,
            patient=self.patient,
            load=load,
            truths=known_truths(outline=partial(_abnormality, self.mask, load), target=target),
            site=self.patient.split("_")[1],
            covariates=facts or {},
        )


def lgg_slices(data: Path) -> Cohort:
    """Outline a lower-grade glioma on slices of brain MR, those without tumour among them.

    Reference: the FLAIR abnormality, outlined by hand. A patient is a patient of TCGA, a case
    a slice; the site is the code of the hospital. The pixel size is not stored, so sizes are in
    pixels. Folder: ``images`` and ``masks``, or one folder a patient as published. For research
    only (CC BY-NC-SA 4.0 as published).

    Raises
    ------
    CohortError
        If the folder is missing, holds no slices, or a slice has no outline.

    References
    ----------
    Buda M, Saha A, Mazurowski MA. Association of genomic subtypes of lower-grade gliomas with
    shape features automatically extracted by a deep learning algorithm. Comput Biol Med 2019;
    109:218-225. doi:10.1016/j.compbiomed.2019.05.002
    """
    folder = found(data, *SETS, holds="data.csv")
    return cohort_of([one.case() for one in _slices(folder)], name=SETS[0], folder=folder)


def lgg_grade(data: Path) -> Cohort:
    """Grade of a lower-grade glioma from the slice with its largest outlined area.

    Target: ``neoplasm_histologic_grade`` of the patient table, whose codes 1 and 2 the source
    does not explain (usually read as grades II and III), hence ``code-1`` and ``code-2``. One
    case a patient; those without a grade or without outlined tumour are left out. Of the table
    only the age is given as a fact: histology, molecular clusters and death are known after
    the grade or with it. Folder, licence and reference as :func:`lgg_slices`.

    Raises
    ------
    CohortError
        If the folder or its table is missing, or a slice has no outline.
    """
    folder = found(data, *SETS, holds="data.csv")
    largest: dict[str, tuple[int, _Slice]] = {}
    for one in _slices(folder):
        area = int(np.count_nonzero(picture.read_mask(one.mask, names=None).labels))
        if area > largest.get(one.patient, (0, one))[0]:
            largest[one.patient] = area, one
    cases = []
    for row in rows_of(folder / "data.csv", "Patient", _GRADE):
        if row[_GRADE] and row["Patient"] in largest:
            facts = known(row, {"age": "age_at_initial_pathologic"})
            target = f"code-{float(row[_GRADE]):.0f}"
            cases.append(largest[row["Patient"]][1].case(target=target, facts=facts))
    return cohort_of(cases, name=f"{SETS[0]}-grade", folder=folder)


def _slices(folder: Path) -> list[_Slice]:
    """All slices, in the order of their patient and number; each has its outline."""
    if (folder / "images").is_dir():
        pictures = (folder / "images").glob("TCGA_*.png")
    else:
        pictures = folder.glob("TCGA_*/TCGA_*.tif")
    made = []
    for path in sorted(pictures, key=_order):
        if not path.stem.endswith(_MASK):
            where = folder / "masks" if path.suffix == ".png" else path.parent
            mask = file_in(where, f"{path.stem}{_MASK}{path.suffix}")
            made.append(_Slice(picture=path, mask=mask))
    if not made:
        raise CohortError(f"{folder}: no slices; expected the data set as it is published")
    return made


def _order(path: Path) -> tuple[str, int]:
    name, _, number = path.stem.removesuffix(_MASK).rpartition("_")
    return name, int(number) if number.isdecimal() else 0


def _study(path: Path, patient: str, facts: Mapping[str, str]) -> Study:
    volume = picture.read(path, modality="MR")
    return Study(patient=Patient(id=patient), volumes={"image": volume}, facts=facts)


def _abnormality(path: Path, load: partial[Study]) -> Mask:
    return outline.read(path, labels=_TISSUE, study=load)
