"""Operating points: chosen on training cases, judged on others."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from onkos.core.errors import CohortError, ContentError, UsageError
from onkos.stats.operating import (
    at_sensitivity,
    at_specificity,
    judge,
    odds_ratio,
    odds_ratio_difference,
    youden,
)
from onkos.stats.proportions import wilson

TRUTH = np.array([0, 0, 0, 0, 1, 1, 1, 1])
SCORES = np.array([1, 2, 3, 4, 2.5, 3.5, 5, 6])


def test_points_of_a_worked_example():
    assert at_sensitivity(TRUTH, SCORES, least=0.75).threshold == 3.5
    assert at_sensitivity(TRUTH, SCORES, least=0.76).threshold == 2.5
    assert at_specificity(TRUTH, SCORES, least=0.75).threshold == 3.5
    assert at_specificity(TRUTH, SCORES, least=1.0).threshold == 5
    assert at_specificity([0, 1], [2, 1], least=1.0).threshold == math.inf
    assert youden(TRUTH, SCORES).threshold in (3.5, 5, 2.5)
    assert youden(TRUTH, SCORES).cases == 8


def test_judging_counts_the_test_cases():
    point = at_sensitivity(TRUTH, SCORES, least=0.75)
    truth = np.repeat([1, 1, 0, 0], [30, 10, 15, 45])
    scores = np.repeat([9, 1, 9, 1], [30, 10, 15, 45])
    found = judge(point, truth, scores)
    for ours, theirs in (
        (found.sensitivity, wilson(30, 40)),
        (found.specificity, wilson(45, 60)),
        (found.ppv, wilson(30, 45)),
        (found.npv, wilson(45, 55)),
        (found.accuracy, wilson(75, 100)),
    ):
        assert ours == theirs
    log_error = math.sqrt(1 / 30 + 1 / 10 + 1 / 15 + 1 / 45)
    assert found.odds_ratio.value == pytest.approx(30 * 45 / 10 / 15)
    reach = math.exp(stats.norm.ppf(0.975) * log_error)
    assert found.odds_ratio.high == pytest.approx(9 * reach)
    assert found.odds_ratio.low == pytest.approx(9 / reach)


def test_judging_by_patient_counts_patients():
    point = at_sensitivity(TRUTH, SCORES, least=0.75)
    truth, scores = np.tile([1, 0, 1, 0], 10), np.tile([9, 1, 1, 1], 10)
    scores[:6] = [1, 9, 9, 1, 1, 9]
    groups = np.repeat(range(10), 4).tolist()
    alone, by_patient = judge(point, truth, scores), judge(point, truth, scores, groups=groups)
    assert (alone.sensitivity.n, by_patient.sensitivity.n) == (20, 10)
    assert by_patient.odds_ratio.n == 10
    assert by_patient.odds_ratio.value == pytest.approx(alone.odds_ratio.value)


def test_the_training_cases_are_no_test_cases():
    point = youden(TRUTH, SCORES, patients=list("abcdefgh"))
    with pytest.raises(UsageError, match="chosen on these very cases"):
        judge(point, TRUTH[::-1], SCORES[::-1])
    with pytest.raises(CohortError, match="1 patients are among the training and the test"):
        judge(point, TRUTH, SCORES + 1, groups=list("hijklmno"))


def test_an_empty_cell_is_said_and_agrees_with_woolfs_half():
    truth, called = np.repeat([1, 0], [10, 20]), np.repeat([1, 0], [10, 20])
    found = odds_ratio(truth, called)
    assert "one half added" in str(found.method)
    assert found.value == pytest.approx(10.5 * 20.5 / 0.25)
    error = math.sqrt(1 / 10.5 + 1 / 0.5 + 1 / 0.5 + 1 / 20.5)
    assert math.log(found.high / found.value) == pytest.approx(stats.norm.ppf(0.975) * error)


def test_difference_of_odds_ratios_of_independent_calls_adds_variances(rng):
    truth = np.arange(4000) % 2
    first = rng.random(4000) < np.where(truth, 0.8, 0.3)
    second = rng.random(4000) < np.where(truth, 0.7, 0.3)
    found = odds_ratio_difference(truth, first, second)
    each = [odds_ratio(truth, called) for called in (first, second)]
    assert found.difference.value == pytest.approx(math.log(each[0].value / each[1].value))
    errors = [math.log(one.high / one.value) / stats.norm.ppf(0.975) for one in each]
    assert found.error == pytest.approx(math.hypot(*errors), rel=0.05)
    assert odds_ratio_difference(truth, first, first).p == 1
    copied = odds_ratio_difference(
        np.repeat(truth, 2),
        np.repeat(first, 2),
        np.repeat(second, 2),
        groups=np.repeat(range(4000), 2).tolist(),
    )
    assert copied.error == pytest.approx(found.error, rel=1e-3)


def test_bad_input_is_refused():
    with pytest.raises(UsageError, match="sensitivity 90"):
        at_sensitivity(TRUTH, SCORES, least=90)
    with pytest.raises(UsageError, match="specificity 0"):
        at_specificity(TRUTH, SCORES, least=0)
    with pytest.raises(ContentError, match="calls of shape"):
        odds_ratio(TRUTH, SCORES)
    with pytest.raises(ContentError, match="all 2 cases"):
        judge(youden(TRUTH, SCORES), [1, 1], [1, 2])
