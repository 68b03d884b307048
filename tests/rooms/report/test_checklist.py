"""The checklist says what was run, and never that more was done."""

from __future__ import annotations

from dataclasses import replace

from onkos.core.estimate import Estimate
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


def test_a_patient_in_two_folds_is_not_a_split_by_patient(comparison):
    assert status(comparison)["Split by patient"] == "done"
    first = comparison.arms[0]
    moved = replace(first.scores[0], case="again", fold=first.scores[0].fold + 1)
    leaky = replace(first, scores=(*first.scores, moved))
    found = status(replace(comparison, arms=(leaky, *comparison.arms[1:])))
    assert found["Split by patient"] == "not done"


def test_what_outlines_do_not_have_does_not_apply(comparison):
    found = status(comparison)
    assert found["Calibration"] == found["Missing values"] == "not applicable"
    assert found["Guard against leakage"] == "not done"
    assert "Thresholds" not in found
    assert "Which features are used" not in found


def test_calibration_is_claimed_only_where_it_was_estimated(comparison):
    two = replace(comparison, classes=("benign", "malignant"), positive="malignant")
    assert status(two)["Calibration"] == "not done"  # these arms have no slope
    slope = Estimate(value=1.1, low=0.9, high=1.3, n=12, method="by hand")
    arms = tuple(replace(arm, metrics={"calibration_slope": slope}) for arm in two.arms)
    assert status(replace(two, arms=arms))["Calibration"] == "done"
    answers = {item.item: item.answer for item in checklist(two)}
    assert answers["Thresholds"].startswith("None chosen")


def test_cases_that_an_arm_left_out_are_counted(comparison):
    first = comparison.arms[0]
    fewer = replace(comparison, arms=(replace(first, scores=first.scores[2:]),))
    answers = {item.item: item.answer for item in checklist(fewer)}
    assert "An arm left out 2 cases." in answers["Missing values"]
