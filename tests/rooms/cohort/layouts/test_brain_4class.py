"""Four classes of brain MR slices."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from onkos.cohort.layouts import LAYOUTS
from onkos.cohort.layouts.brain_4class import CLASSES, PARTS
from onkos.core.errors import CohortError


@pytest.fixture
def folder(tmp_path, rng):
    for part in PARTS:
        for label in CLASSES:
            path = tmp_path / "Brain-Tumor-Classification-DataSet" / part / label / "image(1).jpg"
            path.parent.mkdir(parents=True)
            pixels = np.kron(rng.uniform(0, 255, (5, 5)), np.ones((9, 7)))
            Image.fromarray(pixels.astype(np.uint8)).save(path, quality=95)
    return tmp_path


def test_classes_are_folders_and_parts_are_sites(folder):
    cohort = LAYOUTS["brain-4class"](folder)
    assert len(cohort.cases) == len(cohort.patients) == 8
    assert {case.target for case in cohort.cases} == {"glioma", "meningioma", "none", "pituitary"}
    assert {case.site for case in cohort.cases} == {"Training", "Testing"}
    assert cohort.cases[0].id == "Training-glioma-image(1)"
    assert cohort.cases[0].study.volume("image").geometry.shape == (35, 45)


def test_a_copy_in_the_other_part_belongs_to_the_same_patient(folder):
    root = folder / "Brain-Tumor-Classification-DataSet"
    copied = (root / "Training" / "glioma_tumor" / "image(1).jpg").read_bytes()
    (root / "Testing" / "glioma_tumor" / "image(2).jpg").write_bytes(copied)
    patients = {case.id: case.patient for case in LAYOUTS["brain-4class"](folder).cases}
    assert patients["Testing-glioma-image(2)"] == "Training-glioma-image(1)"


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(CohortError, match="brain-mri-4class"):
        LAYOUTS["brain-4class"](tmp_path)
