"""Judging finished predictions: every case counts, every number has its interval."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from onkos.cohort.predictions import PredictedCase, Predictions
from onkos.core.answers import ObservedOutcome
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import CohortError, ContentError, GeometryError, UsageError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.core.task import Task
from onkos.evaluate import evaluate
from onkos.judge import Settings
from onkos.stats.delong import auc
from onkos.stats.surfaces import diagonal_mm

GRID = Geometry.upright((14, 11, 6), spacing_mm=(1.0, 1.5, 3.0), origin_mm=(7, -3, 40))


def cohort(n, *, target=None, truth=None, **covariates):
    return Cohort(
        name="toy",
        cases=tuple(
            Case(
                id=f"c{k}",
                patient=f"P{k}",
                load=lambda: Study(patient=Patient(id="P"), volumes={}),
                truths=known_truths(
                    outline=None if truth is None else (lambda k=k: truth[k]),
                    target=None if target is None else target[k],
                    outcome=followed_up(covariates, k),
                ),
                site=f"site {k % 2}",
                covariates={name: str(values[k]) for name, values in covariates.items()},
            )
            for k in range(n)
        ),
    )


def followed_up(covariates, k):
    if "time" not in covariates:
        return None
    return ObservedOutcome(time=float(covariates["time"][k]), event=bool(covariates["event"][k]))


def predicted(cases, *, classes=(), surviving=False):
    rows = tuple(
        PredictedCase(
            case=name, patient=f"P{name[1:]}", line=line, **({"classes": said} if classes else {}),
            **({"risks": said} if surviving else {}),
        )
        for line, (name, said) in enumerate(cases.items(), start=2)
    )  # fmt: skip
    return Predictions(path=Path("predictions.csv"), rows=rows, sha256="0" * 64)


def two_classes(n, *, left_out=(), sexes=None):
    rng = np.random.default_rng(3)
    positive = np.arange(n) % 3 == 0
    p = 1 / (1 + np.exp(-(rng.normal(size=n) + 2 * positive - 1)))
    cases = {
        f"c{k}": {"benign": 1 - p[k], "malignant": p[k]} for k in range(n) if k not in left_out
    }
    told = cohort(
        n,
        target=["malignant" if yes else "benign" for yes in positive],
        sex=sexes or ["F"] * n,
        age=[str(30 + 10 * (k % 5)) for k in range(n)],
    )
    return predicted(cases, classes=("benign", "malignant")), told, positive, p


def box(*sides, labels=1):
    array = np.zeros(GRID.shape, dtype=np.uint8)
    array[tuple(slice(*side) for side in sides)] = labels
    return Mask(labels=array, geometry=GRID, names={1: "tumour"})


def test_two_classes_have_every_metric_with_its_interval():
    predictions, told, positive, p = two_classes(36)
    made = evaluate(predictions, told)
    found = made.judgement
    assert found.tasks == (Task.CLASSIFY,)
    assert found.positive == "malignant"
    expected = auc(positive, p)
    area = found.metrics["auc"]
    assert area.value == pytest.approx(expected.value)
    assert (area.low, area.high) == pytest.approx((expected.low, expected.high), abs=0.02)
    assert {
        "average_precision", "brier", "calibration_slope", "ece", "sensitivity", "specificity",
        "ppv", "npv", "accuracy", "balanced_accuracy", "odds_ratio", "net_benefit:0.2",
        "net_benefit_over_all:0.2",
    } <= set(found.metrics)  # fmt: skip
    for one in found.metrics.values():
        assert one.low <= one.value <= one.high
        assert one.method
    kinds = ["roc", "precision_recall", "reliability", "decision", "confusion"]
    assert [curve.kind for curve in found.curves] == kinds
    assert evaluate(predictions, told).judgement.metrics == found.metrics


def test_a_case_without_a_prediction_counts_as_the_worst():
    predictions, told, positive, p = two_classes(36, left_out=(0, 4))
    made = evaluate(predictions, told)
    found = made.judgement
    worst = p.copy()
    worst[0], worst[4] = 0.0, 1.0  # c0 is malignant, c4 benign
    assert found.unanswered == ("c0", "c4")
    assert found.metrics["auc"].value == pytest.approx(auc(positive, worst).value)
    assert (found.metrics["auc"].n, found.metrics["auc"].missed) == (36, 2)
    assert (found.metrics["sensitivity"].n, found.metrics["sensitivity"].missed) == (12, 1)
    assert found.metrics["brier"].value == pytest.approx(((worst - positive) ** 2).mean())
    slope = found.metrics["calibration_slope"]
    assert slope.n == 34
    assert "only of the 34 cases with an answer, 2 had none" in slope.method.notes
    codes = {caveat.code: caveat.text for caveat in made.caveats}
    assert "c0, c4" in codes["unanswered"]


def test_subgroups_are_judged_by_themselves_and_tested():
    sexes = ["F" if k < 20 else "M" for k in range(36)]
    predictions, told, positive, p = two_classes(36, sexes=sexes)
    found = evaluate(predictions, told).judgement
    assert set(found.subgroups) == {"site", "sex", "age"}
    assert list(found.subgroups["age"]) == ["< 50 years", "50-65 years", ">= 65 years"]
    mine = found.subgroups["sex"]["M"]
    assert mine["auc"].value == pytest.approx(auc(positive[20:], p[20:]).value)
    assert set(mine) == {"auc", "brier", "sensitivity", "specificity", "accuracy"}
    assert {(one.column, one.metric) for one in found.interactions} == {
        ("site", "auc"),
        ("sex", "auc"),
        ("age", "auc"),
    }
    assert all(0 <= one.p <= one.p_adjusted <= 1 for one in found.interactions)


def test_columns_to_divide_by_can_be_named():
    predictions, told, *_ = two_classes(36)
    settings = Settings(by=("sex",))
    with pytest.raises(UsageError, match="no such columns"):
        evaluate(predictions, told, settings=replace(settings, by=("scanner",)))


def test_one_column_is_enough_for_two_classes():
    predictions, told, *_ = two_classes(24)
    alone = predicted(
        {one.case: {"malignant": one.classes["malignant"]} for one in predictions.rows},
        classes=("malignant",),
    )
    one, two = (evaluate(each, told).judgement.metrics for each in (alone, predictions))
    for name, estimate in one.items():
        assert estimate.value == pytest.approx(two[name].value), name


def test_a_threshold_and_a_positive_class_can_be_chosen():
    predictions, told, positive, p = two_classes(24)
    settings = Settings(threshold=0.8, positive="benign")
    made = evaluate(predictions, told, settings=settings)
    found = made.judgement
    called = 1 - p >= 0.8
    assert found.metrics["sensitivity"].value == pytest.approx(called[~positive].mean())
    assert not any(caveat.code == "threshold-half" for caveat in made.caveats)
    with pytest.raises(UsageError, match="positive class 'cyst'"):
        evaluate(predictions, told, settings=Settings(positive="cyst"))


def test_several_classes_are_judged_each_against_the_others():
    rng = np.random.default_rng(9)
    names = ("glioma", "meningioma", "metastasis")
    target = [names[k % 3] for k in range(30)]
    table = rng.dirichlet(np.ones(3), size=30) + np.eye(3)[np.arange(30) % 3]
    table /= table.sum(axis=1, keepdims=True)
    cases = {f"c{k}": dict(zip(names, table[k].tolist(), strict=True)) for k in range(1, 30)}
    made = evaluate(predicted(cases, classes=names), cohort(30, target=target))
    found = made.judgement
    assert found.positive == ""
    assert {"auc", "kappa", "mcc", "sensitivity:glioma"} <= set(found.metrics)
    assert found.metrics["auc"].missed == 1
    assert [curve.kind for curve in found.curves] == ["roc", "roc", "roc", "confusion"]


def test_one_class_alone_is_refused():
    predictions = predicted({"c0": {"a": 1.0}}, classes=("a",))
    with pytest.raises(CohortError, match="all cases are of class 'a'"):
        evaluate(predictions, cohort(2, target=["a", "a"]))


def outlined(truth, masks, **settings):
    told = cohort(len(truth), truth=truth)
    read = {
        f"c{k}": None if mask is None else (lambda mask=mask: mask) for k, mask in masks.items()
    }
    nothing = predicted({f"c{k}": {} for k in masks})
    return evaluate(nothing, told, masks=read, settings=Settings(**settings))


def test_outlines_are_judged_and_misses_cost_the_worst():
    truth = [box((2, 8), (2, 8), (1, 4))] * 4
    masks = {
        0: truth[0],
        1: box((2, 8), (2, 8), (1, 3)),
        2: box((11, 13), (9, 11), (4, 6)),
        3: None,
    }
    found = outlined(truth, masks).judgement
    assert found.tasks == (Task.SEGMENT,)
    assert not any(name.endswith(":label-1") for name in found.metrics)
    dice = found.metrics["dice:tumour"]
    assert dice.value == pytest.approx((1 + 0.8 + 0 + 0) / 4)
    assert (dice.n, dice.missed) == (4, 2)
    assert found.unanswered == ("c3",)
    worst = {one.case: one for one in found.cases}["c3"]
    assert worst.values["hd95_mm:tumour"] == pytest.approx(diagonal_mm(GRID))
    assert worst.values["lesion_precision:tumour"] == 0
    assert found.metrics["lesion_recall:tumour"].value == pytest.approx(0.5)
    assert found.metrics["volume_error_ml:tumour"].value < 0
    assert "tolerance 2 mm" in str(found.metrics["surface_dice:tumour"].method)
    assert "IoU above 0.5" in str(found.metrics["lesion_pq:tumour"].method)
    for one in found.metrics.values():
        assert one.low <= one.value <= one.high


def test_a_healthy_case_without_an_outline_is_no_success():
    empty = box((0, 0), (0, 0), (0, 0))
    truth = [empty, empty, box((2, 8), (2, 8), (1, 4))]
    found = outlined(truth, {0: empty, 1: None, 2: truth[2]}).judgement
    assert found.metrics["dice:tumour"].value == pytest.approx(2 / 3)
    assert found.metrics["sensitivity:tumour"].n == 1
    assert "not defined on 2 of 3 cases" in found.metrics["lesion_recall:tumour"].method.notes
    told = "1 cases with nothing to outline and nothing outlined count as perfect"
    assert told in found.metrics["dice:tumour"].method.notes


def test_tissues_are_judged_apart_and_an_absent_one_agrees():
    def two(inner):
        labels = np.zeros(GRID.shape, dtype=np.uint8)
        labels[2:8, 2:8, 1:4] = 1
        if inner:
            labels[4:6, 4:6, 2:3] = 2
        return Mask(labels=labels, geometry=GRID, names={1: "oedema", 2: "core"})

    truth = [two(True), two(False)]
    found = outlined(truth, {0: two(False), 1: two(False)}).judgement
    assert found.metrics["dice:tumour"].value == 1
    assert found.metrics["dice:core"].value == pytest.approx(0.5)  # missed once, absent once
    assert found.metrics["dice:core"].missed == 1


def test_an_outline_on_another_grid_is_refused():
    moved = replace(box((2, 8), (2, 8), (1, 4)), geometry=Geometry.upright(
        GRID.shape, spacing_mm=(1.0, 1.5, 3.0)
    ))  # fmt: skip
    with pytest.raises(GeometryError, match="case c0: its outline lies on a grid"):
        outlined([box((2, 8), (2, 8), (1, 4))], {0: moved})


def test_a_picture_without_millimetres_is_judged_by_overlap_alone():
    flat = Geometry.picture((20, 16))
    labels = np.zeros(flat.shape, dtype=np.uint8)
    labels[4:9, 3:9] = 1
    mask = Mask(labels=labels, geometry=flat, names={1: "tumour"})
    made = outlined([mask, mask], {0: mask, 1: mask})
    found = made.judgement
    assert found.metrics["dice:tumour"].value == 1
    assert "hd95_mm:tumour" not in found.metrics
    assert math.isnan(found.metrics["volume_error_ml:tumour"].value)
    assert any(caveat.code == "no-millimetres" for caveat in made.caveats)


def followed(n=60):
    rng = np.random.default_rng(12)
    x = rng.normal(size=n)
    time, free = rng.exponential(20 * np.exp(-x)), rng.exponential(50, n)
    told = cohort(n, time=np.minimum(time, free), event=(time <= free).astype(int))
    return told, x


def test_risks_are_judged_against_follow_up():
    told, x = followed()
    made = evaluate(predicted({f"c{k}": {math.nan: x[k]} for k in range(60)}, surviving=True), told)
    found = made.judgement
    assert found.tasks == (Task.PROGNOSE,)
    assert found.metrics["c_harrell"].value > 0.65
    assert "c_uno" in found.metrics
    assert sum(name.startswith("auc_at:") for name in found.metrics) == 3
    assert not any(name.startswith("brier") for name in found.metrics)
    assert {curve.kind for curve in found.curves} == {"survival"}


def test_probabilities_by_given_times_are_judged_as_such():
    told, x = followed()
    hazard = np.exp(x) / 20
    cases = {
        f"c{k}": {time: 1 - math.exp(-time * hazard[k]) for time in (6.0, 18.0)} for k in range(60)
    }
    made = evaluate(predicted(cases, surviving=True), told)
    assert {"brier_at:6", "brier_at:18", "integrated_brier", "calibration_slope_at:6",
            "observed_to_expected_at:18", "auc_at:18"} <= set(made.judgement.metrics)  # fmt: skip
    assert made.judgement.metrics["brier_at:6"].value < 0.25
    with pytest.raises(ContentError, match="expected probabilities of the event"):
        evaluate(predicted({f"c{k}": {6.0: x[k]} for k in range(60)}, surviving=True), told)


def test_a_patient_without_a_risk_counts_against_the_model():
    told, x = followed()
    whole = predicted({f"c{k}": {math.nan: x[k]} for k in range(60)}, surviving=True)
    fewer = predicted({f"c{k}": {math.nan: x[k]} for k in range(4, 60)}, surviving=True)
    all_told, some = (evaluate(one, told).judgement for one in (whole, fewer))
    assert some.metrics["c_harrell"].value < all_told.metrics["c_harrell"].value
    assert (some.metrics["c_harrell"].n, some.metrics["c_harrell"].missed) == (60, 4)


def test_times_that_repeat_the_follow_up_are_no_horizons():
    told, x = followed()
    times = [float(case.covariates["time"]) for case in told.cases]
    found = evaluate(
        predicted({f"c{k}": {times[k]: x[k]} for k in range(60)}, surviving=True), told
    )
    assert any(caveat.code == "time-repeats" for caveat in found.caveats)
    mixed = {f"c{k}": {6.0 + (k == 7): 0.5} for k in range(60)}
    with pytest.raises(CohortError, match="case 'c7': risks at times"):
        evaluate(predicted(mixed, surviving=True), told)


def test_a_time_beyond_the_follow_up_is_refused():
    told, _ = followed()
    cases = {f"c{k}": {5000.0: 0.5} for k in range(60)}
    with pytest.raises(CohortError, match="nothing is known beyond it"):
        evaluate(predicted(cases, surviving=True), told)


def test_nothing_to_judge_is_refused():
    with pytest.raises(UsageError, match="--masks"):
        evaluate(predicted({"c0": {}}), cohort(2))


@pytest.mark.parametrize(
    "wrong", [{"tolerance_mm": -1.0}, {"lesion_iou": 1.0}, {"threshold": 0.0}, {"threshold": 1.2}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match="expected"):
        Settings(**wrong)
