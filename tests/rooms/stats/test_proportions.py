"""Proportions and their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from onkos.core.errors import ContentError
from onkos.stats.proportions import clopper_pearson, clustered_proportion, wilson


@pytest.mark.parametrize("n", [1, 7, 60])
def test_intervals_agree_with_scipys(n):
    for successes in range(n + 1):
        test = stats.binomtest(successes, n)
        for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
            found, theirs = ours(successes, n), test.proportion_ci(0.95, method)
            assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
            assert found.n == n


def test_no_cases_are_not_a_number_and_contradictions_refused():
    for ours in (wilson, clopper_pearson):
        assert math.isnan(ours(0, 0).value)
        assert ours(0, 0).n == 0
        with pytest.raises(ContentError, match="5 of 3"):
            ours(5, 3)


def test_copies_of_a_patients_case_change_nothing():
    hits = [1, 0, 1, 1, 0, 1, 1, 1]
    alone = clustered_proportion(hits, groups=range(8))
    copied = clustered_proportion(np.repeat(hits, 6), groups=np.repeat(range(8), 6).tolist())
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))
    assert copied.n == 8


def test_agreement_of_all_cases_counts_patients():
    found = clustered_proportion(np.ones(40), groups=np.repeat(range(4), 10).tolist())
    assert found.high == 1
    assert found.low < 0.5
    one = clustered_proportion([1, 1], groups=["a", "a"])
    assert (one.low, one.high, one.n) == (0, 1, 1)


def test_hits_that_are_neither_are_refused():
    with pytest.raises(ContentError, match="0 or 1"):
        clustered_proportion([0.5, 1], groups=["a", "b"])
    assert math.isnan(clustered_proportion([], groups=[]).value)
