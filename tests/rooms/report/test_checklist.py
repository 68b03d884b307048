"""The checklist says what was run, and never that more was done."""

from __future__ import annotations

import math
from dataclasses import replace

from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.report.checklist import checklist


def status(comparison) -> dict[str, str]:
    return {item.item: item.status for item in checklist(comparison)}


def test_what_nobody_did_is_not_done(comparison):
    found = status(comparison)
    for item in ("External validation", "Protocol and registration", "Sample size", "Clinical use"):
        assert found[item] == "not done"
    assert found["Calibration"] == "not applicable"
    assert found["Subgroups and fairness"] == "not done"


def test_tests_and_the_trivial_arm_are_done_only_where_they_stand(comparison):
    alone = replace(comparison, tests=(), arms=comparison.arms[:1])
    found = status(alone)
    assert found["Tests and their number"] == "not done"
    assert found["Comparison with a trivial arm"] == "not done"
    trivial = replace(comparison.arms[-1], family="trivial")
    stands = replace(comparison, arms=(*comparison.arms[:-1], trivial))
    assert status(stands)["Comparison with a trivial arm"] == "done"


def test_numbers_are_those_of_the_comparison(comparison):
    answers = {item.item: item.answer for item in checklist(comparison)}
    assert "12 patients, 12 cases" in answers["Participants and outcomes"]
    assert "phantom" in answers["Source of the data"]
    assert f"{len(comparison.tests)} paired tests" in answers["Tests and their number"]


def test_a_patient_in_two_folds_is_not_a_split_by_patient(comparison, of_arm):
    assert status(comparison)["Split by patient"] == "done"
    first = comparison.arms[0]
    cases = first.judgement.cases
    moved = replace(cases[0], case="again", fold=cases[0].fold + 1)
    leaky = of_arm(first, cases=(*cases, moved))
    found = status(replace(comparison, arms=(leaky, *comparison.arms[1:])))
    assert found["Split by patient"] == "not done"
    lost = of_arm(first, cases=(*cases, replace(moved, answered=False)))
    found = status(replace(comparison, arms=(lost, *comparison.arms[1:])))
    assert found["Split by patient"] == "done"  # a case without an answer was in no fold


def test_what_outlines_do_not_have_does_not_apply(comparison):
    found = status(comparison)
    assert found["Calibration"] == found["Missing values"] == "not applicable"
    assert found["Guard against leakage"] == "not done"
    assert "Thresholds" not in found
    assert "Which features are used" not in found


def test_calibration_is_claimed_only_where_it_was_estimated(judged, of_arm):
    slope = Estimate(value=1.1, low=0.9, high=1.3, n=12, method=Method(what="by hand"))
    none = Estimate(
        value=math.nan, low=math.nan, high=math.nan, n=12, method=Method(what="by hand")
    )
    for found, said in ((slope, "done"), (none, "not done")):
        arms = tuple(of_arm(arm, metrics={"calibration_slope": found}) for arm in judged.arms)
        assert status(replace(judged, arms=arms))["Calibration"] == said


def test_thresholds_are_chosen_unless_a_caveat_says_that_they_are_not(judged, of_arm):
    answers = {item.item: item.answer for item in checklist(judged)}
    assert answers["Thresholds"].startswith("None chosen")
    chose = of_arm(judged.arms[2], caveats=())
    answers = {
        item.item: item.answer
        for item in checklist(replace(judged, arms=(*judged.arms[:2], chose)))
    }
    assert answers["Thresholds"].startswith("Chosen on training patients by facts-logistic;")


def test_a_decision_curve_is_claimed_only_where_there_is_one(comparison, judged):
    assert status(comparison)["Net benefit of acting on it"] == "not done"
    assert status(judged)["Net benefit of acting on it"] == "done"
    assert status(judged)["Clinical use"] == "not done"


def test_cases_that_an_arm_left_out_are_counted(comparison, of_arm):
    lost = of_arm(comparison.arms[0], unanswered=("case-1-0", "case-2-0"))
    fewer = replace(comparison, arms=(lost,))
    answers = {item.item: item.answer for item in checklist(fewer)}
    assert "An arm left 2 cases without an answer" in answers["Missing values"]
