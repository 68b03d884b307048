"""Marked lesions judged: what users of other tools reported as counted wrongly, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.cohort.predictions import load_predictions
from onkos.cohort.table import load_table
from onkos.core.answers import Finding, Findings
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.comparison import Answered, Predicted
from onkos.core.errors import CohortError
from onkos.core.study import Patient, Study
from onkos.core.task import Task
from onkos.evaluate import evaluate
from onkos.judge import Settings, judge
from onkos.judge.marked import chosen, drawn_curve
from onkos.stats.afroc import afroc
from onkos.stats.froc import CPM_POINTS, cpm, froc_curve
from onkos.stats.marks import Marks
from onkos.stats.matching import by_distance, match_marks


def points(*rows, unit="mm"):
    """Marks (x, y, z, score) or lesions (x, y, z)."""
    return Findings(
        marks=tuple(Finding(centre=row[:3], score=row[3] if len(row) > 3 else 1.0) for row in rows),
        unit=unit,
    )


def boxes(*rows, unit="px"):
    """(x, y, width, height, score)."""
    return Findings(
        marks=tuple(Finding(centre=r[:2], size=r[2:4], score=r[4]) for r in rows), unit=unit
    )


def cohort(*truths):
    return Cohort(
        name="toy",
        cases=tuple(
            Case(
                id=f"c{k}",
                patient=f"P{k}",
                load=lambda: Study(patient=Patient(id="P")),
                truths=known_truths(lesions=truth),
            )
            for k, truth in enumerate(truths)
        ),
    )


def said(*repeats, name="model", folds=None):
    return Predicted(
        name=name,
        repeats=tuple(
            tuple(
                Answered(
                    case=f"c{k}",
                    patient=f"P{k}",
                    answers={Task.DETECT: found},
                    fold=0 if folds is None else folds[k],
                )
                for k, found in enumerate(answers)
                if found is not None
            )
            for answers in repeats
        ),
    )


def judged(predicted, truth, **asked):
    return judge([predicted], truth, tasks=(Task.DETECT,), **asked).judgements[0]


@pytest.fixture(scope="module")
def many():
    """Thirty cases, every third without a lesion, and two models of unlike skill."""
    rng = np.random.default_rng(4)
    truths, good, poor = [], [], []
    for k in range(30):
        lesions = [tuple(rng.uniform(-90, 90, 3)) for _ in range(k % 3)]
        truths.append(points(*lesions))
        for model, skill in ((good, 2.0), (poor, 0.7)):
            hits = [
                (*(np.array(at) + rng.normal(0, 2, 3)), rng.normal(skill))
                for at in lesions
                if rng.uniform() < 0.9
            ]
            noise = [(*rng.uniform(-90, 90, 3), rng.normal()) for _ in range(rng.poisson(2))]
            model.append(points(*hits, *noise))
    return cohort(*truths), good, poor


def as_marks(truth, answers):
    matchings = [
        match_marks(
            by_distance(
                [m.centre for m in found.marks], [m.centre for m in case.lesions.marks],
                within_mm=10.0,
            ),
            [m.score for m in found.marks],
        )
        for case, found in zip(truth.cases, answers, strict=True)
    ]  # fmt: skip
    return Marks.of(matchings, cases=[case.id for case in truth.cases])


def test_points_have_every_metric_as_the_engine_gives_it(many):
    truth, good, _ = many
    found = judged(said(good), truth)
    assert found.main[Task.DETECT] == "cpm"
    assert set(found.metrics) == {
        *(f"lesion_sensitivity_at:{x:g}" for x in CPM_POINTS),
        "cpm", "froc_area", "wafroc", "case_auc", "ap",
    }  # fmt: skip
    marks = as_marks(truth, good)
    expected = cpm(marks, rng=np.random.default_rng(0))
    one = found.metrics["cpm"]
    assert (one.value, one.low, one.high) == (expected.value, expected.low, expected.high)
    assert "within 10 mm" in str(one.method)
    at = [found.metrics[f"lesion_sensitivity_at:{x:g}"].value for x in CPM_POINTS]
    assert one.value == pytest.approx(np.mean(at))
    for name, figure in (("wafroc", "wAFROC"), ("case_auc", "HR-AUC")):
        whole = afroc(marks, figure, rng=np.random.default_rng(0))
        assert found.metrics[name].value == pytest.approx(whole.value)
        assert found.metrics[name].low == pytest.approx(whole.low)
    for estimate in found.metrics.values():
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.n == 30
    (curve,) = found.curves
    assert curve.kind == "froc"
    assert len(curve.lines["band_x"]) == len(curve.lines["band_low"])
    assert sum(case.values["found"] for case in found.cases) <= 30


def test_a_drawn_curve_is_that_of_the_drawn_cases(many):
    truth, good, _ = many
    marks = as_marks(truth, good)
    rows = np.random.default_rng(8).integers(0, 30, 30)
    drawn = drawn_curve(marks)(np.bincount(rows, minlength=30).astype(np.int32))
    expected = froc_curve(chosen(marks, rows))
    for x in (0.0, 0.1, 0.5, 1.0, 2.5, 8.0):
        for between in ("step", "linear"):
            assert drawn.at(x, between=between) == pytest.approx(expected.at(x, between=between))
    assert drawn.area(upto=8.0) == pytest.approx(expected.area(upto=8.0))


def test_doubles_cost_nothing_in_froc_and_count_as_false_in_average_precision():
    truth = cohort(points((0, 0, 0)), points())
    once = judged(said([points((1, 0, 0, 0.9)), points()]), truth)
    mark = (1, 0, 0, 0.9)
    twice = judged(said([points(mark, mark, mark), points()]), truth)
    assert once.metrics["cpm"].value == twice.metrics["cpm"].value == 1
    assert once.metrics["ap"].value == 1
    assert twice.metrics["ap"].value == pytest.approx(1 / 3)
    assert "each lesion is found once" in str(twice.metrics["cpm"].method)


def test_marks_of_equal_score_give_the_same_in_any_order():
    truth = cohort(points((0, 0, 0), (50, 0, 0)), points((0, 0, 0)))
    rows = [(0, 0, 0, 1.0), (90, 0, 0, 1.0), (50, 0, 0, 1.0), (-90, 0, 0, 1.0)]
    one = judged(said([points(*rows), points()]), truth)
    other = judged(said([points(*rows[::-1]), points()]), truth)
    assert one.metrics == other.metrics
    assert one.metrics["ap"].value == pytest.approx(2 / 3 * 1 / 2)
    assert one.metrics["lesion_sensitivity_at:1"].value == pytest.approx(2 / 3)


def test_a_mark_between_two_lesions_finds_one_of_them():
    truth = cohort(points((0, 0, 0), (8, 0, 0)), points())
    found = judged(said([points((4.5, 0, 0, 1.0)), points()]), truth)
    assert found.metrics["lesion_sensitivity_at:8"].value == 0.5
    assert found.cases[0].values["found"] == 1
    assert found.cases[0].missed == ("lesion at (0, 0, 0) mm",)


def test_no_marks_at_all_miss_everything():
    truth = cohort(points((0, 0, 0)), points(), points((1, 2, 3)))
    found = judged(said([points(), points(), points()]), truth)
    assert found.metrics["cpm"].value == 0
    assert found.metrics["cpm"].missed == 2
    assert found.metrics["wafroc"].value == 0.5
    assert found.unanswered == ()


def test_no_lesions_at_all_give_no_number_and_say_so():
    found = judged(said([points((1, 1, 1, 0.4)), points()]), cohort(points(), points()))
    assert all(math.isnan(one.value) for one in found.metrics.values())
    assert "none of 2 cases has a lesion" in found.metrics["cpm"].method.undefined
    assert "no-lesion" in {caveat.code for caveat in found.caveats}
    assert found.curves == ()


def test_cases_without_lesions_bring_their_false_marks_with_them():
    # tools that leave images without annotation out do not see these marks
    mark = points((0, 0, 0, 0.5))
    few = judged(said([mark]), cohort(points((0, 0, 0))))
    wrong = points(*[(n, 0, 0, 0.9) for n in range(9)])
    more = judged(said([mark, wrong]), cohort(points((0, 0, 0)), points()))
    assert few.metrics["cpm"].value == 1
    assert more.metrics["lesion_sensitivity_at:4"].value < 1


def test_a_case_without_an_answer_is_the_worst_there_is(many):
    truth, good, _ = many
    given = list(good)
    given[3], given[4] = None, None  # without a lesion, and with one
    found = judged(said(given), truth)
    assert found.unanswered == ("c3", "c4")
    assert {"unanswered", "no-detections"} <= {caveat.code for caveat in found.caveats}
    whole = judged(said(good), truth)
    for name in ("cpm", "wafroc", "case_auc", "ap"):
        assert found.metrics[name].value < whole.metrics[name].value


def test_two_models_are_told_apart_on_the_same_resamples(many):
    truth, good, poor = many
    tests = judge([said(good, name="a"), said(poor, name="b")], truth, tasks=(Task.DETECT,)).tests
    assert [one.metric for one in tests] == ["cpm", "wafroc"]
    expected = [
        cpm(as_marks(truth, one), rng=np.random.default_rng(0)).value for one in (good, poor)
    ]
    assert tests[0].difference.value == pytest.approx(expected[0] - expected[1])
    assert tests[0].p < 0.05
    assert tests[0].difference.low > 0


def test_of_repeats_the_mean_with_patients_drawn_together(many):
    truth, good, poor = many
    both = judged(said(good, poor), truth)
    alone = [judged(said(one), truth) for one in (good, poor)]
    for name, one in both.metrics.items():
        assert one.value == pytest.approx(np.mean([single.metrics[name].value for single in alone]))
        assert one.method.repeats == 2
        assert one.low <= one.value <= one.high
    assert both.spread["cpm"].values == pytest.approx([o.metrics["cpm"].value for o in alone])


def test_scores_of_folds_are_pooled_in_froc_and_said_and_apart_in_wafroc(many):
    truth, good, _ = many
    folds = [k // 10 for k in range(30)]
    moved = [
        points(*[(*m.centre, m.score + 50 * folds[k]) for m in found.marks])
        for k, found in enumerate(good)
    ]
    plain, other = (judged(said(one, folds=folds), truth) for one in (good, moved))
    assert plain.metrics["wafroc"].value == pytest.approx(other.metrics["wafroc"].value)
    assert plain.metrics["case_auc"].value == pytest.approx(other.metrics["case_auc"].value)
    assert "pooled" in str(plain.metrics["cpm"].method)
    assert "folds-pooled" in {caveat.code for caveat in plain.caveats}


def test_boxes_find_boxes_by_overlap_and_points_by_lying_inside():
    lesion = boxes((10, 20, 8, 4, 1.0))
    truth = cohort(lesion, Findings(unit="px"))
    nothing = Findings(unit="px")
    for width, hit in ((8, 1), (3.9, 0), (4.1, 1)):  # IoU is width / 8
        found = judged(said([boxes((10, 20, width, 4, 0.7)), nothing]), truth)
        assert found.metrics["cpm"].value == hit
        assert found.metrics["ap_at:0.5"].value == pytest.approx(hit)
        assert found.metrics["ap_at:0.3"].value == pytest.approx(1)
    dot = Findings(marks=(Finding(centre=(13.9, 21.9), score=0.3),), unit="px")
    inside = judged(said([dot, nothing]), truth)
    assert inside.metrics["cpm"].value == 1
    assert "ap_at:0.5" not in inside.metrics
    strict = judged(
        said([boxes((10, 20, 7, 4, 0.7)), nothing]), truth, settings=Settings(lesion_iou=0.9)
    )
    assert strict.metrics["cpm"].value == 0


def test_what_does_not_fit_is_refused():
    truth = cohort(points((0, 0, 0)), points())
    with pytest.raises(CohortError, match="one unit"):
        judged(said([points((0, 0, 0, 1.0), unit="px"), points()]), truth)
    flat = Findings(marks=(Finding(centre=(0.0, 0.0)),))
    with pytest.raises(CohortError, match="number of axes"):
        judged(said([flat, points()]), truth)
    with pytest.raises(CohortError, match=r"'c1'.*lesions\.csv"):
        judged(said([points(), points()]), cohort(points((0, 0, 0)), None))
    with pytest.raises(CohortError, match="no case of the truth"):
        judged(Predicted(name="nothing", repeats=((),)), truth)


def write(folder, lesions, marks):
    (folder / "cases.csv").write_text("case,patient\na,A\nb,B\nc,C\n")
    (folder / "lesions.csv").write_text("case,patient,x_mm,y_mm,z_mm\n" + lesions)
    (folder / "detections.csv").write_text("case,patient,x_mm,y_mm,z_mm,score\n" + marks)


def test_a_table_of_detections_is_judged_against_lesions_beside_the_cases(tmp_path):
    lesions = "a,A,1,2,3\na,A,60,2,3\nb,B,5,5,5\nc,C,,,\n"
    write(tmp_path, lesions, "a,A,1,2,4,0.9\na,A,61,2,4,0.8\nb,B,,,,\nc,C,1,1,1,0.1\n")
    table, truth = tmp_path / "detections.csv", load_table(tmp_path / "cases.csv")
    found = evaluate(table, truth).judgement
    assert found.tasks == (Task.DETECT,)
    assert found.metrics["lesion_sensitivity_at:8"].value == pytest.approx(2 / 3)
    assert found.unanswered == ()
    write(tmp_path, lesions, "a,A,1,2,4,0.9\na,B,61,2,4,0.8\n")
    with pytest.raises(CohortError, match="line 3"):
        load_predictions(table)


def test_a_case_whose_lesions_nobody_listed_is_refused(tmp_path):
    write(tmp_path, "a,A,1,2,3\nb,B,5,5,5\n", "a,A,1,2,4,0.9\n")
    with pytest.raises(CohortError, match=r"\['c'\].*row without a centre"):
        load_table(tmp_path / "cases.csv")
    write(tmp_path, "a,A,1,2,3\nb,B,5,5,5\nc,C,,,\n", "a,A,1,2,4,0.9\n")
    before = load_table(tmp_path / "cases.csv")
    write(tmp_path, "a,A,1,2,3\nb,B,5,5,6\nc,C,,,\n", "a,A,1,2,4,0.9\n")
    assert load_table(tmp_path / "cases.csv").fingerprint != before.fingerprint
