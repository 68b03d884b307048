"""Software alone against readers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from onkos.core.errors import UsageError
from onkos.stats.readers.foms import WILCOXON, values
from onkos.stats.readers.standalone import against_readers
from reader_toys import simulated


@pytest.fixture
def study(rng):
    return simulated(rng, shape=(6, 1, 60))


def test_fixed_cases_are_a_t_test_against_a_constant(study):
    found = against_readers(study, WILCOXON, software="3", design="1T-RRFC")
    areas = values(study, WILCOXON)[:, 0]
    theirs = stats.ttest_1samp(np.delete(areas, 2), areas[2])
    assert found.test.p == pytest.approx(theirs.pvalue)
    assert (found.test.low, found.test.high) == pytest.approx(
        np.array(theirs.confidence_interval()) - areas[2]
    )


def test_the_two_random_case_analyses_are_one_test(study):
    one = against_readers(study, WILCOXON, software="1", design="1T-RRRC")
    two = against_readers(study, WILCOXON, software="1", design="2T-RRRC")
    assert one.test.p == pytest.approx(two.test.p)
    assert one.test.df2 == pytest.approx(two.test.df2)
    assert (one.test.low, one.test.high) == pytest.approx((two.test.low, two.test.high))
    assert two.software_mean.df == np.inf


def test_random_cases_widen_the_interval(study):
    fixed = against_readers(study, WILCOXON, software="1", design="1T-RRFC").test
    random = against_readers(study, WILCOXON, software="1", design="1T-RRRC").test
    assert random.stderr > fixed.stderr


def test_contradictory_requests_are_refused(study, rng):
    with pytest.raises(UsageError, match="software 'CAD'"):
        against_readers(study, WILCOXON, software="CAD")
    with pytest.raises(UsageError, match="choose one"):
        against_readers(simulated(rng), WILCOXON, software="1")
    with pytest.raises(UsageError, match="bootstrapped covariance"):
        against_readers(study, WILCOXON, software="1", covariance="bootstrap")
