"""Non-inferiority of areas and means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.stats.delong import paired_test
from onkos.stats.noninferiority import noninferior_auc, noninferior_mean


def test_an_area_is_judged_by_the_lower_limit(rng):
    truth = np.arange(300) % 2
    reference = rng.normal(size=300) + 1.5 * truth
    new = reference + 0.3 * rng.normal(size=300)
    wide, narrow = (
        noninferior_auc(truth, new, reference, margin=margin) for margin in (0.1, 0.001)
    )
    test = paired_test(truth, new, reference)
    assert wide.difference == test.difference
    assert (wide.shown, narrow.shown) == (True, False)
    assert wide.p == pytest.approx(stats.norm.sf((test.difference.value + 0.1) / test.error))
    for found in (wide, narrow):
        assert found.shown == (found.p < 0.025)


def test_a_mean_agrees_with_students_t(rng):
    new, reference = rng.normal(0.8, 0.1, size=25), rng.normal(0.8, 0.1, size=25)
    found = noninferior_mean(new, reference, margin=0.05)
    theirs = stats.ttest_rel(new + 0.05, reference, alternative="greater")
    assert (found.statistic, found.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    interval = stats.ttest_rel(new, reference).confidence_interval()
    assert (found.difference.low, found.difference.high) == pytest.approx(tuple(interval))
    lower = noninferior_mean(-new, -reference, margin=0.05, better="lower")
    assert (lower.p, lower.shown) == (pytest.approx(found.p), found.shown)


def test_cases_of_a_patient_are_no_patients(rng):
    new, reference = rng.normal(size=12), rng.normal(size=12)
    alone = noninferior_mean(new, reference, margin=1)
    copied = noninferior_mean(
        np.repeat(new, 3),
        np.repeat(reference, 3),
        margin=1,
        groups=np.repeat(range(12), 3).tolist(),
    )
    assert (copied.p, copied.difference.n) == (pytest.approx(alone.p), 12)


def test_a_method_is_not_inferior_to_itself(rng):
    values = rng.normal(size=10)
    found = noninferior_mean(values, values, margin=0.1)
    assert (found.shown, found.p, found.statistic) == (True, 0, math.inf)


def test_bad_input_is_refused():
    for margin in (0, -0.1, math.nan):
        with pytest.raises(UsageError, match="margin"):
            noninferior_mean([1, 2], [1, 2], margin=margin)
    with pytest.raises(ContentError, match="not finite"):
        noninferior_mean([1, math.nan], [1, 2], margin=1)
    with pytest.raises(ContentError, match="same cases"):
        noninferior_mean([1, 2, 3], [1, 2], margin=1)
    with pytest.raises(ContentError, match="at least two"):
        noninferior_mean([1, 2], [2, 1], margin=1, groups=["a", "a"])
