"""KiTS19: stage, grade, and the size of outlines."""

from __future__ import annotations

import json

import numpy as np
import pytest

from onkos.cohort.layouts import LAYOUTS
from onkos.core.errors import CohortError, ContentError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.io import nifti

GRID = Geometry(shape=(6, 7, 8), affine=np.diag([3.0, 0.8, 0.8, 1.0]))


def row(number, stage, grade, *, malignant=True, egfr=67.0):
    return {
        "case_id": f"case_{number:05d}",
        "age_at_nephrectomy": 50 + number,
        "gender": "male",
        "body_mass_index": 33.5,
        "smoking_history": "never_smoked",
        "radiographic_size": 2.5,
        "pathologic_size": 2.4,
        "malignant": malignant,
        "pathology_t_stage": stage,
        "tumor_isup_grade": grade,
        "surgery_type": "open",
        "last_preop_egfr": {"value": egfr, "days_before_nephrectomy": 1},
    }


ROWS = [
    row(1, "1a", 2),
    row(2, "2b", 3, egfr=">=90"),
    row(3, "3", None),
    row(4, "0", None, malignant=False),
    row(5, "4", 4, egfr=None),
]


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "kits19" / "data"
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[1:5, 1:6, 1:6] = 1
    labels[2:4, 2:4, 2:5] = 2
    for number in (1, 3, 4):
        mask = Mask(labels=labels, geometry=GRID, names={1: "kidney", 2: "tumour"})
        nifti.write_mask(root / f"case_{number:05d}" / "segmentation.nii.gz", mask)
    (root / "kits.json").write_text(json.dumps(ROWS))
    return root


def targets(cohort):
    return {case.id[-1]: case.target for case in cohort.cases}


def test_stage_and_grade_are_of_malignant_tumours_that_have_one(folder):
    stage = LAYOUTS["kits19-stage"](folder.parents[1])
    assert targets(stage) == {"1": "T1-2", "2": "T1-2", "3": "T3-4", "5": "T3-4"}
    grade = LAYOUTS["kits19-grade"](folder)
    assert targets(grade) == {"1": "ISUP-1-2", "2": "ISUP-3-4", "5": "ISUP-3-4"}
    assert stage.fingerprint != grade.fingerprint


def test_facts_are_those_known_before_the_operation(folder):
    first, second, _, last = LAYOUTS["kits19-stage"](folder).cases
    assert dict(first.study.facts) == {
        "radiographic_size": "2.5",
        "age": "51",
        "sex": "male",
        "body_mass_index": "33.5",
        "smoking": "never_smoked",
        "egfr": "67.0",
    }
    assert second.covariates["egfr"] == "90"
    assert "egfr" not in last.covariates


def test_only_outlined_tumours_are_asked_for_size(folder):
    cohort = LAYOUTS["kits19-outlined"](folder)
    assert targets(cohort) == {"1": "T1a", "3": "beyond-T1a"}
    truth = cohort.cases[0].outline
    assert truth.counts == {"tumour": 12}
    centre = truth.geometry.to_mm(np.argwhere(truth.labels).mean(axis=0))
    assert centre == pytest.approx(GRID.to_mm((2.5, 2.5, 3.0)))  # cut, and still in its place
    assert not cohort.cases[0].study.volumes


def test_a_label_map_without_tumour_is_refused(folder):
    mask = Mask(labels=np.ones(GRID.shape, dtype=np.uint8), geometry=GRID, names={1: "kidney"})
    nifti.write_mask(folder / "case_00001" / "segmentation.nii.gz", mask)
    with pytest.raises(ContentError, match="no tumour"):
        _ = LAYOUTS["kits19-outlined"](folder).cases[0].outline


def test_label_maps_in_one_folder_are_found_too(folder):
    together = folder / "segmentation"
    together.mkdir()
    moved = folder / "case_00001" / "segmentation.nii.gz"
    moved.rename(together / "case_00001.nii.gz")
    assert targets(LAYOUTS["kits19-outlined"](folder)) == {"1": "T1a", "3": "beyond-T1a"}


@pytest.mark.parametrize("text", ["{", "{}", '[{"case_id": "x"}]', "[3]"])
@pytest.mark.parametrize("layout", ["kits19-stage", "kits19-grade", "kits19-outlined"])
def test_a_damaged_table_is_refused(tmp_path, layout, text):
    (tmp_path / "kits.json").write_text(text)
    with pytest.raises(CohortError, match=r"kits\.json"):
        LAYOUTS[layout](tmp_path)


def test_no_label_maps_and_no_folder_are_refused(tmp_path):
    with pytest.raises(CohortError, match="no folder"):
        LAYOUTS["kits19-stage"](tmp_path)
    (tmp_path / "kits.json").write_text(json.dumps(ROWS))
    with pytest.raises(CohortError, match="no cases"):
        LAYOUTS["kits19-outlined"](tmp_path)
