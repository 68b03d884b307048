"""Cohorts as tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from onkos.cohort.table import load_table
from onkos.core.errors import CohortError
from onkos.core.mask import Mask
from onkos.io import nifti
from onkos.io.whole import write_table
from toys import blob


def write_case(folder: Path, number: int, *, values: tuple[int, int] = (1, 2)) -> dict[str, str]:
    study, truth = blob(number)
    table = np.array([0, *values], dtype=np.uint8)
    names = {value: str(value) for value in set(values)}
    mask = Mask(labels=table[truth.labels], geometry=truth.geometry, names=names)
    nifti.write_volume(folder / f"{number}" / "flair.nii.gz", study.volume("flair"))
    nifti.write_mask(folder / f"{number}" / "mask.nii.gz", mask)
    return {
        "case": f"c{number}",
        "patient": f"P{number}",
        "flair": f"{number}/flair.nii.gz",
        "mask": f"{number}/mask.nii.gz",
    }


def test_a_table_gives_back_images_outlines_and_covariates(tmp_path):
    rows = [{**write_case(tmp_path, n), "site": "A", "age": str(60 + n)} for n in (1, 2)]
    write_table(tmp_path / "cases.csv", rows)
    cohort = load_table(tmp_path / "cases.csv")
    study, truth = blob(2)
    case = cohort.cases[1]
    found = case.study.volume("flair")
    assert np.array_equal(found.data, study.volume("flair").data)
    assert found.geometry.matches(study.volume("flair").geometry, tolerance_mm=1e-3)
    assert np.array_equal(case.outline.labels, truth.labels)
    assert dict(case.outline.names) == {1: "label-1", 2: "label-2"}
    assert (case.site, dict(case.covariates)) == ("A", {"age": "62"})
    assert not cohort.simulated


def test_labels_json_names_and_merges_values(tmp_path):
    write_table(tmp_path / "cases.csv", [write_case(tmp_path, 1, values=(4, 2))])
    (tmp_path / "labels.json").write_text(json.dumps({"tumour": [2, 4]}))
    truth = load_table(tmp_path / "cases.csv").cases[0].outline
    assert dict(truth.names) == {2: "tumour"}
    assert truth.counts["tumour"] == int(np.count_nonzero(blob(1)[1].labels))


def test_one_value_is_called_tumour_and_keeps_its_number(tmp_path):
    write_table(tmp_path / "cases.csv", [write_case(tmp_path, 1, values=(3, 3))])
    assert dict(load_table(tmp_path / "cases.csv").cases[0].outline.names) == {3: "tumour"}


def test_a_phantom_says_so_in_the_study_and_the_cohort(tmp_path):
    write_table(tmp_path / "cases.csv", [{**write_case(tmp_path, 1), "simulated": "yes"}])
    cohort = load_table(tmp_path / "cases.csv")
    assert cohort.simulated
    assert [caveat.code for caveat in cohort.cases[0].study.caveats] == ["phantom"]


def test_the_fingerprint_changes_with_a_file(tmp_path):
    write_table(tmp_path / "cases.csv", [write_case(tmp_path, 1)])
    before = load_table(tmp_path / "cases.csv").fingerprint
    assert load_table(tmp_path / "cases.csv").fingerprint == before
    write_case(tmp_path, 1, values=(2, 1))
    assert load_table(tmp_path / "cases.csv").fingerprint != before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("case,flair\na,x\n", r"expected \['case', 'patient'\]"),
        ("case,patient,flair\n", "no cases"),
        ("case,patient,flair\na,p,missing.nii\n", "names files that exist"),
        ("case,patient,flair\n,p,1/flair.nii.gz\n", "line 2: case and patient must not be empty"),
        ("case,patient,flair\n../a,p,1/flair.nii.gz\n", "cannot name a file"),
        ("case,patient,flair\na,p,1/flair.nii.gz\na,q,1/flair.nii.gz\n", "more than once"),
        ("case,patient,flair\na,p,1/flair.nii.gz\nb,q,2/flair.nii.gz\n", "line 3: 2/flair.nii.gz"),
        ("case,patient,flair,mask\na,p,,1/mask.nii.gz\n", "names files"),
        ("case,patient,flair,flair\na,p,1/flair.nii.gz,x\n", "each column once"),
        ("case,patient,flair\na,p\n", "line 2"),
        ("\x00\x01", "not a table|expected"),
    ],
)
def test_bad_tables_are_refused_by_line(tmp_path, text, says):
    write_case(tmp_path, 1)
    path = tmp_path / "cases.csv"
    path.write_text(text)
    with pytest.raises(CohortError, match=says):
        load_table(path)


@pytest.mark.parametrize("text", ['{"core": 1}', '{"core": [0]}', '{"a": [1], "b": [1]}', "["])
def test_bad_labels_are_refused(tmp_path, text):
    write_table(tmp_path / "cases.csv", [write_case(tmp_path, 1)])
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(CohortError, match=r"labels\.json"):
        load_table(tmp_path / "cases.csv")


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CohortError, match="no such table"):
        load_table(tmp_path / "cases.csv")


def test_outlines_alone_are_a_truth_to_be_judged_against(tmp_path):
    row = write_case(tmp_path, 1)
    alone = {name: row[name] for name in ("case", "patient", "mask")}
    write_table(tmp_path / "cases.csv", [alone])
    with pytest.raises(CohortError, match="names files that exist"):
        load_table(tmp_path / "cases.csv")
    (case,) = load_table(tmp_path / "cases.csv", images=False).cases
    assert case.outline.labels.any()
    assert not case.study.volumes
