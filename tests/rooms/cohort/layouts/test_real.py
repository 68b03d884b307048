"""The real sets: counts as their SOURCE.md states them, and the first case on one grid."""

from __future__ import annotations

from collections import Counter

import pytest

from onkos.cohort.layouts import LAYOUTS
from onkos.cohort.layouts.folder import rows_of

pytestmark = pytest.mark.data

STATED = {
    "busi": (320, None, {"benign": 180, "malignant": 140}),
    "busi-outlined": (28, None, {"benign": 14, "malignant": 14}),
    "brain-4class": (256, None, None),
    # films of two of the 93 women are nearly equal
    "mias": (186, 93 - 1, {"abnormal": 39 + 46, "normal": 101}),
    "lidc-voi": (520, 296, {"benign": 331, "malignant": 189}),
    "ucsf-pdgm": (377, 377, {"grade-4": 302, "grade-2-3": 35 + 40}),
    "lgg-slices": (261, 83, None),
    "lgg-grade": (82, 82, {"code-1": 34, "code-2": 48}),
    "lung1": (107, 107, None),
    "picai": (1122, None, {"significant": 317, "not-significant": 805}),
    "brats2013": (3, 3, None),
}


@pytest.mark.parametrize("layout", STATED)
def test_cases_patients_and_classes_are_those_stated(data_dir, layout):
    cases, patients, classes = STATED[layout]
    cohort = LAYOUTS[layout](data_dir)
    assert len(cohort.cases) == cases
    assert patients is None or len(cohort.patients) == patients
    assert classes is None or Counter(case.target for case in cohort.cases) == classes
    case = cohort.cases[0]
    study = case.study
    if case.outlined:
        grids = [volume.geometry for volume in study.volumes.values()]
        assert grids
        assert all(grid.matches(case.outline.geometry) for grid in grids)


def test_kits19_has_145_malignant_tumours_and_outlines_of_some(data_dir):
    assert len(LAYOUTS["kits19-stage"](data_dir).cases) == 145
    outlined = LAYOUTS["kits19-outlined"](data_dir)
    assert 0 < len(outlined.cases) <= 28
    assert outlined.cases[0].outline.counts["tumour"] > 0


def test_mias_findings_are_those_with_a_circle_of_the_right_size(data_dir):
    cohort = LAYOUTS["mias-severity"](data_dir)
    rows = rows_of(data_dir / "breast-mammo-mias" / "labels.csv", "image", "r512")
    wide = {row["image"] for row in rows if row["r512"] and 0.4 * float(row["r512"]) >= 1}  # mm
    assert {row["image"] for row in rows if row["r512"]} - wide == {"mdb212"}
    assert {case.id for case in cohort.cases} == wide
    case = cohort.cases[0]
    (radius,) = (float(row["r512"]) for row in rows if row["image"] == case.id)
    assert case.outline.counts["finding"] == pytest.approx(3.14159 * radius**2, rel=0.02)


def test_lgg_takes_a_slice_of_the_largest_area_in_the_table(data_dir):
    folder = data_dir / "brain-mri-lgg-tcga"
    rows = rows_of(folder / "slices.csv", "case", "slice", "mask_pixels")
    areas = {f"{row['case']}_{row['slice']}": int(row["mask_pixels"]) for row in rows}
    for case in LAYOUTS["lgg-grade"](data_dir).cases:
        of_patient = [area for name, area in areas.items() if name.startswith(case.patient)]
        assert areas[case.id] == max(of_patient)


def test_near_duplicates_of_busi_are_put_together(data_dir):
    cohort = LAYOUTS["busi"](data_dir)
    assert 0.8 * len(cohort.cases) < len(cohort.patients) < len(cohort.cases)
