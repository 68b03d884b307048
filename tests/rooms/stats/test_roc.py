"""The empirical curve: worked examples, intervals, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError, UsageError
from onkos.stats.bootstrap import Resampling
from onkos.stats.delong import auc
from onkos.stats.roc import (
    Region,
    bootstrap_auc,
    bootstrap_auc_difference,
    partial_auc,
    roc_curve,
    sensitivity_at,
    specificity_at,
)

TRUTH = np.array([0, 0, 0, 0, 1, 1, 1, 1])
SCORES = np.array([1, 2, 3, 4, 2.5, 3, 5, 6])


def test_points_of_a_worked_example():
    curve = roc_curve(TRUTH, SCORES)
    assert curve.thresholds.tolist() == [np.inf, 6, 5, 4, 3, 2.5, 2, 1]
    assert (4 * curve.true_positive_rate).tolist() == [0, 1, 2, 2, 3, 4, 4, 4]
    assert (4 * curve.false_positive_rate).tolist() == [0, 0, 0, 1, 2, 2, 3, 4]
    assert curve.area == pytest.approx((2 + 2.5 + 4 + 4) / 16)


def test_readings_of_a_worked_example(rng):
    found = sensitivity_at(TRUTH, SCORES, specificity=0.5, rng=rng)
    assert found.value == 1.0  # the upper end of the step
    assert sensitivity_at(TRUTH, SCORES, specificity=0.625, rng=rng).value == 0.625
    assert specificity_at(TRUTH, SCORES, sensitivity=0.5, rng=rng).value == 1.0
    assert found.low < found.high


def test_bootstrap_and_delong_agree_on_many_cases(rng):
    truth = np.arange(1000) % 3 == 0
    scores = rng.normal(size=1000) + truth
    ours, theirs = bootstrap_auc(truth, scores, rng=rng), auc(truth, scores)
    assert ours.value == pytest.approx(theirs.value)
    width = theirs.high - theirs.low
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.06 * width)
    assert ours.n == 1000


def test_bootstrap_is_reproducible_from_its_generator(rng):
    truth = np.arange(40) % 2
    scores = rng.normal(size=40)
    found = [
        bootstrap_auc(truth, scores, rng=np.random.default_rng(5), plan=Resampling(threads=threads))
        for threads in (1, 2)
    ]
    assert found[0] == found[1]


def test_copies_of_a_patients_cases_change_nothing(rng):
    truth = np.arange(30) % 2
    scores = rng.normal(size=30) + truth
    plan = Resampling(interval="percentile")
    alone = bootstrap_auc(truth, scores, groups=range(30), rng=np.random.default_rng(0), plan=plan)
    copied = bootstrap_auc(
        np.repeat(truth, 4),
        np.repeat(scores, 4),
        groups=np.repeat(range(30), 4).tolist(),
        rng=np.random.default_rng(0),
        plan=plan,
    )
    assert (copied.low, copied.high, copied.n) == pytest.approx((alone.low, alone.high, 30))


def test_a_method_does_not_differ_from_itself(rng):
    found = bootstrap_auc_difference(TRUTH, SCORES, 2 * SCORES, rng=rng)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_complete_separation_keeps_its_uncertainty(rng):
    found = bootstrap_auc([0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6], rng=rng)
    assert (found.value, found.high) == (1, 1)
    assert found.low < 0.8
    assert "Newcombe" in str(found.method)


def test_standardised_part_is_one_half_for_a_coin_and_one_for_perfection(rng):
    region = Region(axis="specificity", low=0.8, standardised=True)
    coin = partial_auc([0, 1, 0, 1], [1, 1, 1, 1], region=region, rng=rng)
    perfect = partial_auc([0, 1, 0, 1], [1, 2, 1, 2], region=region, rng=rng)
    assert (coin.value, perfect.value) == pytest.approx((0.5, 1.0))


@pytest.mark.parametrize(
    ("truth", "scores", "said"),
    [
        ([1, 1], [1, 2], "all 2 cases are diseased"),
        ([0, 0], [1, 2], "all 2 cases are not diseased"),
        ([], [], "truth of shape"),
        ([0, 2], [1, 2], "expected 0 .* and 1"),
        ([0, 1], [1, np.nan], r"NaN, first at \[1\]"),
        ([0, 1], [1, 2, 3], "for 2 cases"),
    ],
)
def test_bad_input_is_refused_by_name(rng, truth, scores, said):
    with pytest.raises(ContentError, match=said):
        roc_curve(truth, scores)
    with pytest.raises(ContentError, match=said):
        bootstrap_auc(truth, scores, rng=rng)


def test_unread_cases_may_score_minus_infinity(rng):
    found = bootstrap_auc([0, 0, 1, 1], [-np.inf, 1, -np.inf, 2], rng=rng)
    assert found.value == pytest.approx((0.5 + 0 + 1 + 1) / 4)


def test_limits_out_of_range_are_refused(rng):
    with pytest.raises(UsageError, match="low < high"):
        Region(axis="specificity", low=0.9, high=0.5)
    with pytest.raises(UsageError, match="between 0 and 1"):
        sensitivity_at(TRUTH, SCORES, specificity=90, rng=rng)
