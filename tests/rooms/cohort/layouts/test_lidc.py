"""LIDC-IDRI nodules, cut out."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.cohort.layouts import LAYOUTS
from onkos.core.errors import CohortError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.io import nifti

TABLE = """patient_id,nodule_id,diameter_mm,Diagnosis,Spiculation
LIDC-IDRI-9001,1,7.5,Benign,None
LIDC-IDRI-9001,2,15.0,Malign,Marked
"""
GRID = Geometry(
    shape=(9, 8, 5),
    affine=np.array(
        [[0.7, 0, 0, -40], [0, 0.7, 0, 11], [0, 0, 2.5, -90], [0, 0, 0, 1]], dtype=float
    ),
)


@pytest.fixture
def folder(tmp_path, rng):
    root = tmp_path / "lung-nodules-lidc-voi"
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[2:6, 3:6, 1:4] = 1
    for number in (1, 2):
        name = f"LIDC-IDRI-9001_R_{number}.nii.gz"
        data = rng.integers(-1000, 200, GRID.shape).astype(np.int16)
        volume = Volume(data=data, geometry=GRID, modality="CT", unit="HU")
        nifti.write_volume(root / "image" / name, volume)
        nifti.write_mask(
            root / "nodule_mask" / name, Mask(labels=labels, geometry=GRID, names={1: "n"})
        )
    (root / "nodules.csv").write_text(TABLE)
    return root


def test_nodules_are_cases_of_their_patient_with_outline_and_no_opinions(folder):
    cohort = LAYOUTS["lidc-voi"](folder.parent)
    assert [(case.id, case.target) for case in cohort.cases] == [
        ("LIDC-IDRI-9001_R_1", "benign"),
        ("LIDC-IDRI-9001_R_2", "malignant"),
    ]
    assert cohort.patients == ("LIDC-IDRI-9001",)
    case = cohort.cases[0]
    assert dict(case.covariates) == {"diameter_mm": "7.5"}
    image = case.study.volume("ct")
    assert (image.modality, image.unit) == ("CT", "HU")
    assert case.outline.counts == {"nodule": 36}
    assert case.outline.geometry.matches(image.geometry)


def test_a_missing_image_outline_or_folder_is_refused(folder, tmp_path):
    (folder / "nodule_mask" / "LIDC-IDRI-9001_R_2.nii.gz").unlink()
    with pytest.raises(CohortError, match=r"nodule_mask.*LIDC-IDRI-9001_R_2"):
        LAYOUTS["lidc-voi"](folder)
    with pytest.raises(CohortError, match="lung-nodules-lidc-voi"):
        LAYOUTS["lidc-voi"](tmp_path / "none")


def test_an_unknown_diagnosis_is_refused(folder):
    (folder / "nodules.csv").write_text(TABLE.replace("Malign", "Perhaps"))
    with pytest.raises(CohortError, match="Perhaps"):
        LAYOUTS["lidc-voi"](folder)
