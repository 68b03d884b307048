"""TCGA lower-grade glioma: slices, and one slice a patient with its grade."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from onkos.cohort.layouts import LAYOUTS
from onkos.core.errors import CohortError

TABLE = """Patient,neoplasm_histologic_grade,age_at_initial_pathologic,death01
TCGA_XX_0001,1.0,44.0,1
TCGA_XX_0002,2.0,,0
TCGA_YY_0003,,51.0,0
TCGA_YY_0004,2.0,51.0,0
"""
AREAS = {
    "TCGA_XX_0001_19990101": {1: 0, 2: 30, 10: 50},
    "TCGA_XX_0002_19990102": {5: 12},
    "TCGA_YY_0003_19990103": {5: 12},
    "TCGA_YY_0004_19990104": {5: 0},
}


def write(folder, rng, *, own_folders):
    for name, slices in AREAS.items():
        for number, area in slices.items():
            ending = "tif" if own_folders else "png"
            image = folder / (name if own_folders else "images") / f"{name}_{number}.{ending}"
            mask = folder / (name if own_folders else "masks") / f"{name}_{number}_mask.{ending}"
            for path in (image, mask):
                path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).save(image)
            pixels = np.zeros(12 * 16, dtype=np.uint8)
            pixels[:area] = 255
            Image.fromarray(pixels.reshape(12, 16)).save(mask)
    (folder / "data.csv").write_text(TABLE)
    return folder


@pytest.fixture(params=[True, False], ids=["published", "together"])
def folder(request, tmp_path, rng):
    name = "kaggle_3m" if request.param else "brain-mri-lgg-tcga"
    return write(tmp_path / name, rng, own_folders=request.param)


def test_every_slice_is_a_case_in_the_order_of_its_number(folder):
    cohort = LAYOUTS["lgg-slices"](folder.parent)
    assert [case.id.rpartition("_")[2] for case in cohort.cases] == ["1", "2", "10", "5", "5", "5"]
    assert cohort.patients == ("TCGA_XX_0001", "TCGA_XX_0002", "TCGA_YY_0003", "TCGA_YY_0004")
    assert [case.site for case in cohort.cases][-1] == "YY"
    case = cohort.cases[2]
    image = case.study.volume("image")
    assert (image.channels, image.geometry.shape) == (3, (16, 12))
    assert case.outline.counts == {"tumour": 50}
    assert case.outline.geometry.matches(image.geometry)
    assert cohort.cases[0].outline.counts.get("tumour", 0) == 0


def test_the_grade_is_asked_of_the_largest_slice_of_those_that_have_both(folder):
    cohort = LAYOUTS["lgg-grade"](folder)
    assert [(case.id, case.target) for case in cohort.cases] == [
        ("TCGA_XX_0001_19990101_10", "code-1"),
        ("TCGA_XX_0002_19990102_5", "code-2"),
    ]
    assert dict(cohort.cases[0].covariates) == {"age": "44.0"}
    assert dict(cohort.cases[0].study.facts) == {"age": "44.0"}


def test_a_slice_without_its_outline_is_refused(tmp_path, rng):
    folder = write(tmp_path, rng, own_folders=False)
    (folder / "masks" / "TCGA_XX_0002_19990102_5_mask.png").unlink()
    with pytest.raises(CohortError, match=r"TCGA_XX_0002_19990102_5_mask\.png"):
        LAYOUTS["lgg-slices"](folder)


@pytest.mark.parametrize("layout", ["lgg-slices", "lgg-grade"])
def test_a_missing_folder_or_no_slices_are_refused(tmp_path, layout):
    with pytest.raises(CohortError, match="brain-mri-lgg-tcga"):
        LAYOUTS[layout](tmp_path)
    (tmp_path / "data.csv").write_text(TABLE)
    with pytest.raises(CohortError, match="no slices"):
        LAYOUTS[layout](tmp_path)
