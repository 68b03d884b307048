"""The checklist says what was run, and never that more was done."""

from __future__ import annotations

from dataclasses import replace

from onkos.report.checklist import checklist


def status(comparison) -> dict[str, str]:
    return {item.ask: item.status for item in checklist(comparison)}


def test_what_nobody_did_is_not_done(comparison):
    found = status(comparison)
    for ask in ("External validation", "Registered protocol", "Sample size"):
        assert found[ask] == "not done"
    assert found["Calibration"] == "not applicable"
    assert found["Subgroups and fairness"] == "not done"


def test_tests_and_the_trivial_arm_are_done_only_where_they_stand(comparison):
    alone = replace(comparison, tests=(), arms=comparison.arms[:1])
    found = status(alone)
    assert found["Tests between methods"] == "not done"
    assert found["Comparison with a trivial method"] == "not done"
    trivial = replace(comparison.arms[-1], family="trivial")
    stands = replace(comparison, arms=(*comparison.arms[:-1], trivial))
    assert status(stands)["Comparison with a trivial method"] == "done"


def test_numbers_are_those_of_the_comparison(comparison):
    answers = {item.ask: item.answer for item in checklist(comparison)}
    assert "12 patients, 12 cases" in answers["Number of patients and cases"]
    assert "phantom" in answers["Source of data"]
    assert f"{len(comparison.tests)} paired tests" in answers["Tests between methods"]


def test_classes_of_two_are_calibrated(comparison):
    two = replace(comparison, classes=("benign", "malignant"), positive="malignant")
    assert status(two)["Calibration"] == "done"
    assert status(two)["Guard against leakage"] == "done"
