"""Agreement of several readers from the command line: what comes out, and what is refused."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest

from builders import PROVENANCE
from onkos.core.agreement import Agreement
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.plain import from_plain
from onkos.io import export, nifti
from onkos.io.intake import open_study
from reading_toys import GRID, ball, drawn, rated_rows, write_folders, write_long
from slices import slices
from slices import write as write_slices

HEAD = "case,reader,rating"
SCALE = [[1, 1, 2], [2, 2, 2], [3, 4, 3], [5, 5, 4], [4, None, 4], [1, 1, 1], [2, 3, 2], [5, 5, 5]]


@pytest.fixture
def table(tmp_path):
    def write(rows, head=HEAD, name="readings.csv"):
        return write_long(tmp_path / name, rows, head=head)

    return write


@pytest.fixture
def agreed(run, tmp_path):
    """Run to the end; gives what was found."""

    def go(*arguments):
        code, out, err = run("agree", *arguments, "--out", tmp_path / "out", "--json")
        assert code == 0, err
        stored = json.loads((tmp_path / "out" / "agreement.json").read_text())
        assert json.loads(out) == stored
        return from_plain(Agreement, stored)

    return go


@pytest.fixture
def refused(run, tmp_path):
    """Run to a refusal; gives the exit code and the sentence, and nothing is written."""

    def go(*arguments):
        code, _, err = run("agree", *arguments, "--out", tmp_path / "out")
        assert "Traceback" not in err
        assert not (tmp_path / "out").exists()
        said = " ".join(err.split())
        return code, said

    return go


def test_categories_give_every_coefficient_and_the_cases_to_review(agreed, table, tmp_path):
    found = agreed(table(rated_rows(SCALE)), "--scale", "ordinal")
    keys = {one.key for one in found.found if not one.readers}
    assert keys == {
        "percent_agreement", "fleiss_kappa", "conger_kappa", "gwet_ac", "brennan_prediger",
        "krippendorff_alpha",
    }  # fmt: skip
    for one in found.found:
        assert str(one.estimate.method)
        if one.estimate.n:
            assert one.estimate.low <= one.estimate.value <= one.estimate.high
        else:
            assert one.estimate.method.undefined
    assert found.missing == 1
    assert found.unread == {"A": 0, "B": 1, "C": 0}
    assert "missing-readings" in {caveat.code for caveat in found.caveats}
    assert "quadratic weights" in str(found.of("fleiss_kappa").method)
    with (tmp_path / "out" / "labels-to-review.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [row["case"] for row in rows] == [one.case for one in found.review]
    assert {row["case"] for row in rows} == {"P1", "P3", "P4", "P7"}
    assert rows[0]["reader A"]
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_wide_table_says_the_same_as_a_long_one(agreed, table):
    long = agreed(table(rated_rows(SCALE)), "--scale", "nominal")
    rows = [
        (f"P{n}", *("" if cell is None else cell for cell in row))
        for n, row in enumerate(SCALE, start=1)
    ]
    wide = agreed(table(rows, "case,A,B,C", "w.csv"), "--readers", "C,A,B", "--scale", "nominal")
    assert [one.estimate for one in wide.found] == [one.estimate for one in long.found]


def test_measurements_give_icc_limits_and_repeatability(agreed, table, rng):
    rows = []
    for case in range(25):
        size = rng.uniform(10, 50)
        for reader, shift in zip("AB", (0.0, 1.5), strict=True):
            rows += [
                (f"L{case}", reader, f"{size + shift + rng.normal(0, 0.5):.2f}", session)
                for session in (1, 2)
            ]
    found = agreed(table(rows, "case,reader,value,session"), "--unit", "mm")
    assert found.of("icc_2_1").value > 0.98
    assert found.of("bias", "A", "B").value == pytest.approx(-1.5, abs=0.5)
    limits = found.of("lower_limit", "A", "B"), found.of("upper_limit", "A", "B")
    assert limits[0].high < found.of("bias", "A", "B").value < limits[1].low
    repeat = found.of("repeatability_coefficient", "A")
    assert repeat.low < 1.96 * math.sqrt(2) * 0.5 < repeat.high
    assert {one.unit for one in found.found if one.key == "within_sd"} == {"mm"}
    assert found.repeats == 2
    assert "first-reading" in {caveat.code for caveat in found.caveats}


def test_one_reader_with_repeats_is_held_against_themself(agreed, table):
    rows = [
        ("1", "A", 30, "2026-01-02"),
        ("1", "A", 31, "2025-12-30"),
        ("2", "A", 12, "2026-01-01"),
    ]
    rows += [("2", "A", 11, "2026-02-01"), ("3", "A", 50, "2026-01-01")]
    found = agreed(table(rows, "case,reader,value,date"), "--unit", "mm")
    assert found.of("within_sd", "A").value == pytest.approx(math.sqrt(0.5))
    assert found.of("icc_2_1") is None
    assert "missing-repeats" in {caveat.code for caveat in found.caveats}


def test_cases_of_one_patient_are_not_independent(agreed, table):
    rows = [
        (case, f"p{int(case[1:]) // 3}", reader, rating)
        for case, reader, rating in rated_rows(SCALE)
    ]
    found = agreed(table(rows, "case,patient,reader,rating"), "--scale", "nominal")
    assert found.patients == 3
    assert found.of("fleiss_kappa").n == 3


def test_folders_of_masks_give_overlap_and_consensus(agreed, tmp_path):
    cases = drawn(6)
    del cases["case2"]["B"]
    cases["case4"]["C"] = Mask(labels=np.zeros(GRID.shape, dtype=np.uint8), geometry=GRID, names={})
    found = agreed(*write_folders(tmp_path / "in", cases))
    assert found.readers == ("A", "B", "C")
    assert (found.cases, found.missing, found.complete) == (6, 1, 5)
    assert found.of("dice", "A", "C").missed == 1
    assert found.of("dice", "A", "B").n == 5
    assert found.of("hd95_mm", "A", "B").value < 4
    assert found.of("volume_icc_2_1") is not None
    assert found.of("staple_sensitivity", "A").value > 0.8
    assert found.review[0].case == "case4"
    assert found.review[0].suspected == ("C",)
    for method in ("majority", "staple"):
        mask = nifti.read_mask(tmp_path / "out" / "consensus" / method / "case0.nii.gz", None)
        assert mask.geometry.matches(GRID)
        assert set(np.unique(mask.labels)) == {0, 1}
    assert not (tmp_path / "out" / "consensus" / "simple" / "case2.nii.gz").exists()


def test_segmentations_and_structures_lie_on_their_image(agreed, refused, tmp_path, rng):
    """One reader drew in NIfTI, one as SEG, one as RTSTRUCT: the same ball."""
    grid = Geometry.upright((24, 20, 8), spacing_mm=(1.0, 1.2, 3.0), origin_mm=(4.0, -9.0, 30.0))
    write_slices(tmp_path / "ct", slices(grid, rng))
    study = open_study(tmp_path / "ct")
    (volume,) = study.volumes.values()
    mask = ball((11, 9, 4), 6, grid=volume.geometry)
    mask = Mask(labels=mask.labels, geometry=mask.geometry, names={1: "tumour"})
    files = [tmp_path / name for name in ("A.nii.gz", "B.dcm", "C.dcm")]
    nifti.write_mask(files[0], mask)
    export.seg.write(files[1], masks=[mask], volume=volume, study=study, provenance=PROVENANCE)
    export.rtstruct.write(files[2], masks=[mask], volume=volume, study=study, provenance=PROVENANCE)
    assert refused(*files)[0] == 3  # without the image the grid of the SEG is not known
    found = agreed(*files, "--image", tmp_path / "ct")
    assert found.of("dice", "A", "B").value == 1
    assert found.of("dice", "A", "C").value > 0.97


def test_files_of_one_case_have_no_interval_over_cases(agreed, tmp_path):
    write_folders(tmp_path / "in", {name: {"x": mask} for name, mask in drawn(1)["case0"].items()})
    files = [tmp_path / "in" / "x" / f"{reader}.nii.gz" for reader in "ABC"]
    found = agreed(*files)
    assert found.readers == ("A", "B", "C")
    assert math.isnan(found.of("dice").low) or math.isinf(found.of("dice").low)
    assert "one-case" in {caveat.code for caveat in found.caveats}


def test_a_grid_stored_in_another_order_is_the_same_grid(agreed, tmp_path):
    one = ball((9, 8, 4), 5)
    affine = GRID.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (GRID.shape[0] - 1)
    affine[:3, 0] *= -1
    turned = Geometry(shape=GRID.shape, affine=affine)
    other = Mask(labels=one.labels[::-1], geometry=turned, names=one.names)
    found = agreed(*write_folders(tmp_path / "in", {"c": {"A": one, "B": other}}))
    assert found.of("dice").value == 1


def test_tissues_keep_their_values_in_the_consensus(agreed, tmp_path):
    made = {}
    for reader, shift in zip("ABC", (0, 0, 1), strict=True):
        inner, outer = ball((10 + shift, 9, 4), 3), ball((10 + shift, 9, 4), 6)
        labels = np.where(inner.labels, 4, np.where(outer.labels, 2, 0)).astype(np.uint8)
        made[reader] = Mask(labels=labels, geometry=GRID, names={2: "a", 4: "b"})
    found = agreed(*write_folders(tmp_path / "in", {"c": made}))
    assert found.of("dice", part="label-4") is not None
    for method in ("majority", "staple"):
        path = tmp_path / "out" / "consensus" / method / "c.nii.gz"
        mask = nifti.read_mask(path, None)
        assert set(np.unique(mask.labels)) == {0, 2, 4}


REFUSED = {
    "a reading twice": ("1,A,x\n1,B,x\n1,A,y", ["--scale", "nominal"], 3, "line 4"),
    "a word among numbers": ("1,A,1\n1,B,2\n2,A,NA\n2,B,1", ["--scale", "nominal"], 3, "line 4"),
    "a decimal comma": ('1,A,1\n1,B,2\n2,A,"1,5"', ["--scale", "nominal"], 3, "decimal comma"),
    "a gap as a word": ("1,A,yes\n1,B,n/a", [], 3, "line 3"),
    "zeros that lead": ("001,A,1\n1,B,1\n2,A,2\n2,B,2", [], 3, "leading zeros"),
    "two spellings of a reader": ("1,A,1\n1,a,2", [], 3, "write each reader in one way"),
    "two spellings of a category": ("1,A,Yes\n1,B,yes", [], 3, "differ only in spelling"),
    "numbers without a scale": ("1,A,1\n1,B,2\n2,A,3\n2,B,3", [], 2, "--scale ordinal"),
    "ordinal words without order": ("1,A,x\n1,B,y\n2,A,z", ["--scale", "ordinal"], 2, "--order"),
    "a rating outside the order": ("1,A,1\n1,B,7", ["--order", "1,2,3"], 3, "line 3"),
    "no case read twice": ("1,A,1\n2,B,1", [], 3, "no case was read twice"),
    "a silent reader": ("1,A,1\n1,B,2\n1,C,", [], 3, "'C' read nothing"),
    "a unit for ratings": ("1,A,1\n1,B,2", ["--unit", "mm"], 2, "column value"),
    "an empty case": (",A,1\n1,B,2", [], 3, "case must not be empty"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "options", "exit_code", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_certain_is_refused(refused, tmp_path, body, options, exit_code, said):
    path = tmp_path / "r.csv"
    path.write_text(f"{HEAD}\n{body}\n")
    code, err = refused(path, *options)
    assert (code, said in err) == (exit_code, True), err


@pytest.mark.parametrize(
    ("cell", "said"),
    [("NA", "'NA'"), ('"3,5"', "decimal comma"), ("inf", "'inf'"), ("1_0", "'1_0'")],
)
def test_a_measurement_that_is_no_number_is_refused(refused, tmp_path, cell, said):
    path = tmp_path / "v.csv"
    path.write_text(f"case,reader,value\n1,A,3\n1,B,{cell}\n")
    code, err = refused(path, "--unit", "mm")
    assert code == 3
    assert "line 3" in err
    assert said in err
    assert refused(path)[0] == 2  # no unit


def test_a_byte_order_mark_is_no_part_of_a_name(agreed, tmp_path):
    path = tmp_path / "excel.csv"
    path.write_text("\ufeffCase,Reader,Rating\n1,A,x\n1,B,y\n", encoding="utf-8")
    assert agreed(path).cases == 1


def test_semicolons_are_named(refused, tmp_path):
    path = tmp_path / "semi.csv"
    path.write_text("case;reader;value\n1;A;3,5\n1;B;4\n")
    code, err = refused(path, "--unit", "mm")
    assert code == 3
    assert "semicolons" in err


def test_different_grids_are_refused_with_millimetres(refused, tmp_path):
    affine = GRID.affine.copy()
    affine[2, 3] += 2.0
    other = ball((9, 8, 4), 5, grid=Geometry(shape=GRID.shape, affine=affine))
    folders = write_folders(tmp_path / "in", {"c7": {"A": ball((9, 8, 4), 5), "B": other}})
    code, err = refused(*folders)
    assert code == 3
    assert "case c7: reader B" in err
    assert "2 mm apart" in err


def test_a_grid_that_differs_by_rounding_is_the_same(agreed, tmp_path):
    affine = GRID.affine.copy()
    affine[0, 3] += 1e-5
    other = ball((9, 8, 4), 5, grid=Geometry(shape=GRID.shape, affine=affine))
    found = agreed(*write_folders(tmp_path / "in", {"c": {"A": ball((9, 8, 4), 5), "B": other}}))
    assert found.of("dice").value == 1


@pytest.mark.parametrize(
    ("case", "given", "code"), [("01", ["A", "B"], 3), ("1", ["A"], 2), ("1", ["A", "gone"], 3)]
)
def test_folders_that_do_not_fit_are_refused(refused, tmp_path, case, given, code):
    mask = ball((9, 8, 4), 5)
    nifti.write_mask(tmp_path / "A" / "1.nii.gz", mask)
    nifti.write_mask(tmp_path / "B" / f"{case}.nii.gz", mask)
    assert refused(*(tmp_path / name for name in given))[0] == code


def test_outlines_of_nothing_are_refused(run, tmp_path):
    nothing = Mask(labels=np.zeros(GRID.shape, dtype=np.uint8), geometry=GRID, names={})
    folders = write_folders(tmp_path / "in", {"c": {"A": nothing, "B": nothing}})
    code, _, err = run("agree", *folders, "--out", tmp_path / "out")
    assert code == 3
    assert "nothing to compare" in err
    assert not (tmp_path / "out" / "agreement.json").exists()


def test_the_terminal_says_the_answer_first_and_where_the_files_lie(run, table, tmp_path):
    code, out, _ = run(
        "agree", table(rated_rows(SCALE)), "--scale", "ordinal", "--out", tmp_path / "o"
    )
    assert code == 0
    assert out.startswith("3 readers agree in")
    assert "labels-to-review.csv" in "".join(out.split())
