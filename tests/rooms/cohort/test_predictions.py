"""Tables of predictions: what is read, and what is refused with its line."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.cohort.predictions import (
    find_outlines,
    load_predictions,
    require_known,
)
from onkos.cohort.table import load_table
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import CohortError, ContentError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.core.task import Task
from onkos.io import nifti
from onkos.judge import Settings
from onkos.judge.gathered import gathered

GRID = Geometry.upright((5, 4, 3), spacing_mm=(1.0, 2.0, 3.0))
BALL = Mask(labels=np.ones(GRID.shape, dtype=np.uint8), geometry=GRID, names={1: "tumour"})


def written(tmp_path, text):
    path = tmp_path / "predictions.csv"
    path.write_text(text, encoding="utf-8")
    return path


def truth(*targets, masks=True, **covariates):
    return Cohort(
        name="toy",
        cases=tuple(
            Case(
                id=f"c{number}",
                patient=f"P{number}",
                load=lambda: Study(patient=Patient(id="P"), volumes={}),
                truths=known_truths(outline=(lambda: BALL) if masks else None, target=target),
                covariates={name: values[number] for name, values in covariates.items()},
            )
            for number, target in enumerate(targets)
        ),
    )


def test_probabilities_and_risks_are_read(tmp_path):
    path = written(
        tmp_path,
        "case,patient,note,p_benign,p_malignant,risk\nc0,P0,x,0.25,0.75,-3\n\nc1,P1,,1,0,2\n",
    )
    first, second = load_predictions(path).rows
    assert dict(first.classes) == {"benign": 0.25, "malignant": 0.75}
    ((time, risk),) = first.risks.items()
    assert math.isnan(time)
    assert risk == -3
    assert (second.case, second.patient, second.line) == ("c1", "P1", 4)


def test_rounded_probabilities_sum_to_one_afterwards(tmp_path):
    path = written(tmp_path, "case,patient,p_a,p_b,p_c\nc0,P0,0.33,0.33,0.33\n")
    (made,) = load_predictions(path).rows
    assert sum(made.classes.values()) == pytest.approx(1, abs=1e-12)


def test_a_case_may_have_risks_at_several_times(tmp_path):
    path = written(tmp_path, "case,patient,time,risk\nc0,P0,12,0.3\nc1,P1,12,0.1\nc0,P0,24,0.5\n")
    first, _ = load_predictions(path).rows
    assert (first.case, dict(first.risks)) == ("c0", {12: 0.3, 24: 0.5})
    answer = first.answers[Task.PROGNOSE]
    assert (answer.by, math.isnan(answer.score)) == ({12: 0.3, 24: 0.5}, True)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("case,p_a,p_b\nc0,0,1\n", CohortError, r"expected \['case', 'patient'\]"),
        ("case,patient,p_a,p_a\nc0,P0,0,1\n", CohortError, "each column once"),
        ("case,patient,p_a,p_b\n", CohortError, "no rows"),
        ("case,patient,p_a,p_b\nc0,P0,0\n", CohortError, "line 2: 3 cells under 4 columns"),
        ("case,patient,p_a,p_b\n,P0,0,1\n", CohortError, "line 2: case and patient"),
        ("case,patient,p_a,p_b\nc0,P0,nan,1\n", CohortError, "line 2: p_a is 'nan'"),
        ("case,patient,p_a,p_b\nc0,P0,,1\n", CohortError, "Leave the whole row out"),
        ("case,patient,p_a,p_b\nc0,P0,0,1\nc1,P1,-.1,1.1\n", ContentError, "line 3: p_a is -0.1"),
        ("case,patient,p_a,p_b\nc0,P0,0.49,0.49\n", ContentError, "line 2: .* sum to 0.98"),
        ("case,patient,p_a,p_b\nc0,P0,0.2,0.7\n", ContentError, "line 2: .* sum to 0.9"),
        ("case,patient,p_a\nc0,P0,1.5\n", ContentError, "line 2: p_a is 1.5"),
        ("case,patient,risk\nc0,P0,inf\n", CohortError, "line 2: risk is 'inf'"),
        (
            "case,patient,risk\nc0,P0,1\nc0,P0,2\n",
            CohortError,
            "line 3: case 'c0' stands on line 2",
        ),
        ("case,patient,time,risk\nc0,P0,6,1\nc0,P0,6,0\n", CohortError, "line 3: .*line 2"),
        (
            "case,patient,time,risk\nc0,P0,6,1\nc0,P1,9,0\n",
            CohortError,
            "'P1', fold 1 here and of 'P0'",
        ),
        (
            "case,patient,p_a,p_b\nc0,P0,0,1\nc0,P0,0,1\n",
            CohortError,
            "once for each arm and repeat",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line(tmp_path, text, kind, says):
    with pytest.raises(kind, match=says):
        load_predictions(written(tmp_path, text))


def test_a_prediction_must_be_of_a_case_of_the_truth(tmp_path):
    found = load_predictions(written(tmp_path, "case,patient,p_b\nc0,P0,0\nc9,P9,1\n"))
    with pytest.raises(CohortError, match="line 3: case 'c9' is not among the 2 cases"):
        require_known(found, truth("a", "b"))
    found = load_predictions(written(tmp_path, "case,patient,p_b\nc0,P1,0\n"))
    with pytest.raises(CohortError, match=r"line 2: case 'c0' is of patient 'P1' here and .*'P0'"):
        require_known(found, truth("a", "b"))


def test_classes_must_be_those_of_the_truth(tmp_path):
    def classes(columns, *targets):
        head = ",".join(f"p_{name}" for name in columns)
        row = ",".join(["1", *"0" * (len(columns) - 1)])
        path = written(tmp_path, f"case,patient,{head}\nc0,P0,{row}\n")
        (model,) = load_predictions(path).predicted()
        return gathered(model, truth(*targets), Settings()).first.classes

    assert classes("ab", "a", "b", "a") == ("a", "b")
    assert classes("b", "a", "b") == ("b", "a")
    with pytest.raises(CohortError, match=r"classes \['c'\] that no case of the truth"):
        classes("abc", "a", "b")
    with pytest.raises(CohortError, match="expected a column p_CLASS for each of them"):
        classes("ab", "a", "b", "c")
    with pytest.raises(CohortError, match=r"2 cases have no reference class, \['c1', 'c2'\]"):
        classes("ab", "a", None, None)


def test_several_arms_repeats_folds_and_thresholds_are_told_apart(tmp_path):
    path = written(
        tmp_path,
        "case,patient,arm,repeat,fold,p_a,p_b,threshold\n"
        "c0,P0,one,1,2,0.2,0.8,0.4\nc0,P0,one,2,1,0.3,0.7,\nc0,P0,two,1,2,0.5,0.5,0.5\n",
    )
    found = load_predictions(path)
    assert found.arms == ("one", "two")
    one, two = found.predicted()
    assert (len(one.repeats), len(two.repeats)) == (2, 1)
    said = one.repeats[0][0].answers[Task.CLASSIFY]
    assert (one.repeats[0][0].fold, said.threshold, said.of["b"]) == (1, 0.4, 0.8)
    assert one.repeats[1][0].answers[Task.CLASSIFY].threshold is None
    with pytest.raises(CohortError, match="line 2: fold is '0'; expected a whole number from 1"):
        load_predictions(written(tmp_path, "case,patient,fold,p_a,p_b\nc0,P0,0,0,1\n"))


def test_an_outline_that_the_table_names_is_read(tmp_path):
    nifti.write_mask(tmp_path / "m" / "c0.nii.gz", BALL)
    head = "case,patient,mask,mask_labels,mask_possible\n"
    path = written(tmp_path, f"{head}c0,P0,m/c0.nii.gz,1=tumour,40\n")
    (model,) = load_predictions(path).predicted()
    kept = model.repeats[0][0].answers[Task.SEGMENT]
    assert (kept.possible, dict(kept.load().names)) == (40, {1: "tumour"})
    with pytest.raises(CohortError, match=r"line 2: m/c1\.nii\.gz does not exist"):
        load_predictions(written(tmp_path, f"{head}c0,P0,m/c1.nii.gz,,\n"))
    with pytest.raises(CohortError, match="expected 1=core"):
        load_predictions(written(tmp_path, f"{head}c0,P0,m/c0.nii.gz,tumour,\n"))


def test_outlines_are_found_and_strays_refused(tmp_path):
    folder = tmp_path / "masks"
    with pytest.raises(CohortError, match="no such folder"):
        find_outlines(folder, truth("a"), table=tmp_path / "cases.csv")
    nifti.write_mask(folder / "c1.nii.gz", BALL)
    found = find_outlines(folder, truth("a", "b"), table=tmp_path / "cases.csv")
    assert found["c0"] is None
    assert np.array_equal(found["c1"]().labels, BALL.labels)
    with pytest.raises(CohortError, match="no case has a mask"):
        find_outlines(folder, truth("a", "b", masks=False), table=tmp_path / "cases.csv")
    with pytest.raises(CohortError, match=r"c1\.nii\.gz: 'c1' is not a case of the truth"):
        find_outlines(folder, truth("a"), table=tmp_path / "cases.csv")


def test_outlines_of_plain_nifti_are_found_and_an_empty_folder_is_no_folder(tmp_path):
    folder = tmp_path / "masks"
    nifti.write_mask(folder / "c0.nii", BALL)
    found = find_outlines(folder, truth("a"), table=tmp_path / "cases.csv")
    assert np.array_equal(found["c0"]().labels, BALL.labels)
    (folder / "c0.nii").rename(folder / "c0.mha")
    with pytest.raises(CohortError, match=r"no outline in it; expected CASE\.nii\.gz"):
        find_outlines(folder, truth("a"), table=tmp_path / "cases.csv")


def test_follow_up_is_read_from_a_cohort_table(tmp_path):
    rows = [("3", "yes"), ("4.5", "0"), ("-1", "1"), ("nan", "1"), ("3", "2"), ("", "1")]
    text = "".join(f"c{n},P{n},{time},{event}\n" for n, (time, event) in enumerate(rows))
    (tmp_path / "cases.csv").write_text(f"case,patient,time,event\n{text}")
    first, second, *others = load_table(tmp_path / "cases.csv").cases
    assert (first.outcome.time, first.outcome.event) == (3.0, True)
    assert (second.outcome.time, second.outcome.event) == (4.5, False)
    assert [case.outcome for case in others] == [None] * 4
