"""Intervals and tests by resampling patients."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest
from scipy import stats as scipy_stats

from onkos.core.errors import ContentError
from onkos.stats.bootstrap import bootstrap_mean, bootstrap_weighted, paired_difference
from onkos.stats.multiplicity import holm
from onkos.stats.resampling import Clusters


def test_interval_agrees_with_scipys_percentile_bootstrap(rng):
    values = rng.beta(8, 2, size=40)
    ours = bootstrap_mean(values, groups=range(40), rng=np.random.default_rng(1))
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.value == pytest.approx(fmean(values))
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * width)
    assert ours.n == 40


def test_nominal_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        found = bootstrap_mean(rng.normal(0.7, 0.1, size=60), groups=range(60), rng=rng)
        held += found.low <= 0.7 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_cases_of_one_patient_are_not_taken_for_independent_ones(rng):
    per_patient = rng.normal(size=15)
    alone = bootstrap_mean(per_patient, groups=range(15), rng=np.random.default_rng(0))
    copied = bootstrap_mean(
        np.repeat(per_patient, 8),
        groups=np.repeat(np.arange(15), 8).tolist(),
        rng=np.random.default_rng(0),
    )
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))
    assert copied.n == 15


def test_one_patient_gives_an_unbounded_interval(rng):
    found = bootstrap_mean([0.9, 0.8], groups=["a", "a"], rng=rng)
    assert (found.low, found.high, found.n) == (-np.inf, np.inf, 1)


def test_values_that_are_not_finite_are_refused_by_place(rng):
    with pytest.raises(ContentError, match=r"\[1\] are not finite"):
        bootstrap_mean([1.0, np.nan], groups=["a", "b"], rng=rng)


def test_sign_flip_p_is_exact_for_few_patients(rng):
    a, b = np.array([3.0, 4.0, 5.0, 6.0, 7.0]), np.array([1.0, 3.0, 4.5, 5.0, 6.2])
    estimate, p = paired_difference(a, b, groups=range(5), rng=rng)
    assert p == pytest.approx(2 / 2**5)
    assert estimate.value == pytest.approx(fmean(a - b))


def test_sign_flip_p_agrees_with_scipys_permutation_test(rng):
    a = rng.normal(0.3, 1, size=30)
    _, p = paired_difference(a, np.zeros(30), groups=range(30), rng=np.random.default_rng(5))
    theirs = scipy_stats.permutation_test(
        (a, np.zeros(30)),
        lambda x, y: np.mean(x - y),
        permutation_type="samples",
        n_resamples=9_999,
        rng=np.random.default_rng(6),
    ).pvalue
    assert p == pytest.approx(theirs, abs=0.02)


def test_holm_agrees_with_the_worked_example():
    """Four tests: sorted p times 4, 3, 2, 1, never falling, at most 1."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_two_patients_have_a_bca_interval(rng):
    values = np.array([0.2, 0.4, 0.9, 0.5])
    found = bootstrap_weighted(
        lambda weights: weights @ values / weights.sum(axis=1),
        clusters=Clusters.of(4, groups=["a", "a", "b", "b"]),
        rng=rng,
    )
    assert found.value == pytest.approx(0.5)
    assert found.low <= 0.3 + 1e-12  # no narrower than the two patients' own means
    assert found.high >= 0.7 - 1e-12
    assert found.n == 2
