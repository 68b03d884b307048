"""Sets that are tables: UCSF-PDGM, LUNG1 and PI-CAI."""

from __future__ import annotations

import gzip

import pytest

from onkos.cohort.layouts import LAYOUTS
from onkos.core.errors import CohortError

UCSF = """ID,Sex,Age at MRI,WHO CNS Grade,IDH,OS,EOR
P-1,F,80,4,wildtype,274.0,biopsy
P-2,M,41,2,mutant,,GTR
P-3,M,,3,mutant,,GTR
"""
UCSF_FEATURES = """ID,diagnostics_Image,original_shape_MeshVolume,original_glcm_Contrast
P-2,x,11.5,0.5
P-1,x,30.25,1.5
P-3,x,20.0,2.5
"""
LUNG = """PatientID,age,clinical.T.Stage,Overall.Stage,Histology
L-1,70.1,2.0,IIIb,large cell
L-2,,4.0,IIIb,adeno
L-3,60,,I,adeno
L-4,61,1.0,I,adeno
"""
LUNG_FEATURES = """PatientID,ROI,original_shape_MeshVolume,wavelet-LLL_x,diagnostics_y
L-1,GTV-2_mask,99,1,1
L-1,GTV-1_mask,10,1,1
L-1,GTV-1_mask,11,1,1
L-2,GTV-1_mask,40,1,1
L-3,GTV-1_mask,20,1,1
"""
PICAI = """patient_id,study_id,patient_age,psa,psad,prostate_volume,lesion_PIRADS,case_csPCa,center
1,11,64,8.0,0.09,100.0,2,NO,A
1,12,65,10.0,,40.0,4,YES,A
2,13,58,,0.2,74.0,3,NO,B
"""


@pytest.fixture
def ucsf(tmp_path):
    root = tmp_path / "glioma-ucsf-pdgm-tables"
    root.mkdir()
    (root / "metadata.csv").write_text(UCSF)
    (root / "pyradiomics_t1gad.csv.gz").write_bytes(gzip.compress(UCSF_FEATURES.encode()))
    return root


@pytest.fixture
def lung(tmp_path):
    root = tmp_path / "lung1-nsclc-radiomics-tables"
    root.mkdir()
    (root / "lung1_clinical.csv").write_text(LUNG)
    features = gzip.compress(LUNG_FEATURES.encode())
    (root / "lung1_pyradiomics_features.csv.gz").write_bytes(features)
    return root


def test_ucsf_joins_features_to_grades_and_keeps_the_answer_out(ucsf):
    cohort = LAYOUTS["ucsf-pdgm"](ucsf.parent)
    assert {case.patient: case.target for case in cohort.cases} == {
        "P-1": "grade-4",
        "P-2": "grade-2-3",
        "P-3": "grade-2-3",
    }
    assert dict(cohort.cases[0].study.facts) == {
        "age": "80",
        "sex": "F",
        "original_shape_MeshVolume": "30.25",
        "original_glcm_Contrast": "1.5",
    }
    assert "age" not in cohort.cases[2].covariates


def test_ucsf_under_its_published_names(tmp_path):
    (tmp_path / "UCSF-PDGM-metadata_v2.csv").write_text(UCSF)
    (tmp_path / "radiomic_features_T1gad_bias.csv").write_text(UCSF_FEATURES)
    assert len(LAYOUTS["ucsf-pdgm"](tmp_path).cases) == 3


@pytest.mark.parametrize(
    ("metadata", "features", "says"),
    [
        (UCSF.replace(",4,", ",5,"), UCSF_FEATURES, "grade '5'"),
        (UCSF, UCSF_FEATURES.replace("P-3", "P-9"), "P-3: grade '3', no features"),
        (UCSF, UCSF_FEATURES.replace("P-3", "P-1"), "P-1 has several rows"),
    ],
)
def test_ucsf_refuses_what_does_not_fit(tmp_path, metadata, features, says):
    (tmp_path / "metadata.csv").write_text(metadata)
    (tmp_path / "radiomic_features_T1gad_bias.csv").write_text(features)
    with pytest.raises(CohortError, match=says):
        LAYOUTS["ucsf-pdgm"](tmp_path)


def test_lung1_takes_the_first_gtv_1_of_patients_with_a_stage(lung):
    cohort = LAYOUTS["lung1"](lung.parent)
    assert [(case.id, case.target) for case in cohort.cases] == [("L-1", "T1-2"), ("L-2", "T3-4")]
    assert dict(cohort.cases[0].study.facts) == {"age": "70.1", "original_shape_MeshVolume": "10"}
    assert dict(cohort.cases[1].study.facts) == {"original_shape_MeshVolume": "40"}


def test_lung1_without_a_table_is_refused(lung):
    (lung / "lung1_pyradiomics_features.csv.gz").unlink()
    with pytest.raises(CohortError, match="no such table"):
        LAYOUTS["lung1"](lung)


def test_picai_studies_with_a_density_that_follows_from_psa_and_volume(tmp_path):
    root = tmp_path / "picai_labels" / "clinical_information"
    root.mkdir(parents=True)
    (root / "marksheet.csv").write_text(PICAI)
    for data in (tmp_path, root.parent, root):
        cohort = LAYOUTS["picai"](data)
        assert [(case.id, case.patient, case.target, case.site) for case in cohort.cases] == [
            ("11", "1", "not-significant", "A"),
            ("12", "1", "significant", "A"),
            ("13", "2", "not-significant", "B"),
        ]
    first, second, third = (dict(case.study.facts) for case in cohort.cases)
    assert first == {
        "age": "64",
        "psa": "8.0",
        "volume_ml": "100.0",
        "psad": "0.08",
        "psad_reported": "0.09",
    }
    assert second["psad"] == "0.25"
    assert "psad_reported" not in second
    assert "psad" not in third


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (PICAI.replace("YES", "MAYBE"), "MAYBE"),
        (PICAI.replace("100.0", "0"), "study 11: PSA '8.0' over volume '0'"),
        (PICAI.replace("8.0", "<1"), "study 11"),
        (PICAI.replace("psad,", "density,"), "psad"),
    ],
)
def test_picai_refuses_a_table_that_cannot_be_meant(tmp_path, table, says):
    (tmp_path / "marksheet.csv").write_text(table)
    with pytest.raises(CohortError, match=says):
        LAYOUTS["picai"](tmp_path)


@pytest.mark.parametrize("layout", ["ucsf-pdgm", "lung1", "picai"])
def test_a_missing_folder_is_refused(tmp_path, layout):
    with pytest.raises(CohortError, match="no folder"):
        LAYOUTS[layout](tmp_path)
