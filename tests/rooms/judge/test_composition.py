"""The judge: subgroups, interactions, missing answers, several models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos.core.answers import ClassProbabilities, KeptOutline
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.comparison import Answered, Predicted
from onkos.core.errors import CohortError, UsageError
from onkos.core.study import Patient, Study
from onkos.core.task import Task
from onkos.judge import Settings, judge
from onkos.stats.delong import auc
from toys import toy_cohort


def truth(rng, n: int, *, sites: str = "AB") -> tuple[Cohort, dict[str, float]]:
    """Cases whose class follows a probability that is known."""
    cases, told = [], {}
    for number in range(n):
        p = float(rng.uniform())
        target = "malignant" if rng.uniform() < p else "benign"
        told[f"c{number}"] = p
        cases.append(
            Case(
                id=f"c{number}",
                patient=f"P{number}",
                load=lambda number=number: Study(patient=Patient(id=f"P{number}")),
                truths=known_truths(target=target),
                site=sites[number % len(sites)],
            )
        )
    return Cohort(name="drawn", cases=tuple(cases), fingerprint="d"), told


def said(told: dict[str, float], *, name: str = "model", threshold: float | None = None):
    """What a model says that knows the probabilities."""
    return Predicted(
        name=name,
        repeats=(
            tuple(
                Answered(
                    case=case,
                    patient=case.replace("c", "P"),
                    answers={
                        Task.CLASSIFY: ClassProbabilities(
                            of={"benign": 1 - p, "malignant": p}, threshold=threshold
                        )
                    },
                )
                for case, p in told.items()
            ),
        ),
    )


def test_the_area_of_a_subgroup_is_that_of_its_cases(rng):
    cohort, told = truth(rng, 60)
    (found,) = judge([said(told)], cohort).judgements
    for site, part in (("A", cohort.cases[::2]), ("B", cohort.cases[1::2])):
        expected = auc([c.target == "malignant" for c in part], [told[c.id] for c in part])
        assert found.subgroups["site"][site]["auc"].value == pytest.approx(expected.value)
        assert found.subgroups["site"][site]["auc"].n == 30
    (one,) = found.interactions
    assert (one.column, one.metric) == ("site", "auc")
    assert 0 < one.p <= 1


def test_a_subgroup_of_one_class_stands_with_the_reason(rng):
    cohort, told = truth(rng, 40)
    cases = tuple(replace(case, site=case.target or "") for case in cohort.cases)
    (found,) = judge([said(told)], replace(cohort, cases=cases)).judgements
    for estimates in found.subgroups["site"].values():
        assert np.isnan(estimates["auc"].value)
        assert estimates["auc"].method.undefined
    assert np.isnan(found.interactions[0].p)


def test_a_threshold_of_the_model_calls_and_one_that_is_asked_for_overrules_it(rng):
    cohort, told = truth(rng, 80)
    strict = said(told, threshold=0.8)
    plain, own, asked = (
        judge([one], cohort, settings=settings).judgements[0].metrics["specificity"].value
        for one, settings in (
            (said(told), Settings()),
            (strict, Settings()),
            (strict, Settings(threshold=0.1)),
        )
    )
    assert asked < plain < own
    codes = {one.code for one in judge([said(told)], cohort).judgements[0].caveats}
    assert "threshold-half" in codes
    assert "threshold-half" not in {c.code for c in judge([strict], cohort).judgements[0].caveats}


def test_a_case_without_an_answer_is_the_worst_there_is_and_is_listed(rng):
    cohort, told = truth(rng, 50)
    some = {case: p for case, p in told.items() if case not in ("c3", "c7")}
    whole, less = (judge([said(one)], cohort).judgements[0] for one in (told, some))
    assert less.unanswered == ("c3", "c7")
    assert less.metrics["auc"].value < whole.metrics["auc"].value
    assert less.metrics["auc"].missed == 2
    assert less.metrics["accuracy"].value < whole.metrics["accuracy"].value


def test_one_column_of_two_classes_is_enough_and_is_read_as_its_own_class(rng):
    cohort, told = truth(rng, 40)
    one = said(told)
    half = replace(
        one,
        repeats=(
            tuple(
                replace(
                    each,
                    answers={Task.CLASSIFY: ClassProbabilities(of={"benign": 1 - told[each.case]})},
                )
                for each in one.repeats[0]
            ),
        ),
    )
    (whole,), (single,) = (judge([each], cohort).judgements for each in (one, half))
    assert single.metrics["auc"].value == pytest.approx(whole.metrics["auc"].value)


@pytest.mark.parametrize("names", [("benign", "malign"), ("benign", "malignant", "odd")])
def test_classes_that_do_not_fit_are_refused(rng, names):
    cohort, told = truth(rng, 30)
    odd = replace(
        said(told),
        repeats=(
            tuple(
                Answered(
                    case=case,
                    patient="P",
                    answers={
                        Task.CLASSIFY: ClassProbabilities(of=dict.fromkeys(names, 1 / len(names)))
                    },
                )
                for case in told
            ),
        ),
    )
    with pytest.raises(CohortError, match=r"classes"):
        judge([odd], cohort)


def test_two_models_are_told_apart_by_paired_tests_adjusted_by_holm(rng):
    cohort, told = truth(rng, 120)
    noise = {case: float(rng.uniform()) for case in told}
    found = judge([said(told, name="good"), said(noise, name="noise")], cohort)
    by = {test.metric: test for test in found.tests}
    assert set(by) == {"auc", "brier"}
    good, poor = (one.metrics["auc"].value for one in found.judgements)
    assert by["auc"].difference.value == pytest.approx(good - poor)
    assert by["auc"].p < 0.001
    assert all(test.p_adjusted >= test.p for test in found.tests)


def test_dice_of_missed_cases_counts_as_missed_in_its_subgroup():
    cohort = toy_cohort(12)
    cases = tuple(replace(case, site="AB"[n >= 6]) for n, case in enumerate(cohort.cases))
    cohort = replace(cohort, cases=cases)
    answered = tuple(
        Answered(
            case=case.id,
            patient=case.patient,
            answers={Task.SEGMENT: KeptOutline(load=lambda case=case: case.outline)},
        )
        for case in cases[1:]
    )
    (found,) = judge([Predicted(name="copy", repeats=(answered,))], cohort).judgements
    at = found.subgroups["site"]
    assert (at["A"]["dice:tumour"].missed, at["B"]["dice:tumour"].missed) == (1, 0)
    assert at["A"]["dice:tumour"].value == pytest.approx(5 / 6)
    assert found.unanswered == (cases[0].id,)


def test_nothing_to_judge_is_refused(rng):
    cohort, _ = truth(rng, 10)
    with pytest.raises(UsageError, match="nothing to judge"):
        judge([Predicted(name="silent", repeats=((),))], cohort)


def test_an_interval_that_shrank_to_a_point_is_said_to_say_nothing_of_further_cases(rng):
    cohort, told = truth(rng, 40)
    never = dict.fromkeys(told, 0.1)
    whole, constant = (judge([said(one)], cohort).judgements[0] for one in (told, never))
    balanced = constant.metrics["balanced_accuracy"]
    assert (balanced.low, balanced.high) == (0.5, 0.5)
    texts = {one.code: one.text for one in constant.caveats}
    assert "Balanced accuracy" in texts["interval-without-width"]
    assert "interval-without-width" not in {one.code for one in whole.caveats}
