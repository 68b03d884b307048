"""DeLong's intervals and tests: edges and refusals; values are in tests/golden."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import logit

from onkos.core.errors import ContentError, UsageError
from onkos.stats.delong import (
    auc,
    auc_covariance,
    components,
    newcombe_interval,
    paired_test,
    unpaired_test,
)

TRUTH = np.arange(60) % 3 == 0


@pytest.fixture
def scores(rng):
    return rng.normal(size=60) + TRUTH


def test_logit_interval_is_symmetric_on_its_scale_and_plain_on_its_own(scores):
    by_logit, plain = auc(TRUTH, scores), auc(TRUTH, scores, scale="plain")
    low, value, high = (logit(x) for x in (by_logit.low, by_logit.value, by_logit.high))
    assert value - low == pytest.approx(high - value)
    assert plain.value - plain.low == pytest.approx(plain.high - plain.value)
    error = math.sqrt(auc_covariance(TRUTH, scores)[0, 0])
    assert plain.high - plain.value == pytest.approx(1.959964 * error, rel=1e-6)
    assert (plain.n, plain.level) == (60, 0.95)


def test_complete_separation_and_single_cases_keep_their_uncertainty():
    perfect = auc([0, 0, 0, 1, 1], [1, 2, 3, 4, 5])
    assert (perfect.value, perfect.high) == (1, 1)
    assert 0.3 < perfect.low < 0.8
    reversed_ = auc([1, 1, 1, 0, 0], [1, 2, 3, 4, 5])
    assert (reversed_.value, reversed_.low) == (0, 0)
    single = auc([1, 0, 0, 0], [2, 1, 3, 0])
    assert single.low < 0.2
    assert single.high > 0.95
    for found in (perfect, reversed_, single):
        assert "Newcombe" in str(found.method)


def test_newcombes_interval_agrees_with_hanley_and_mcneil_for_many_cases():
    low, high = newcombe_interval(0.8, positives=20_000, negatives=20_000)
    q1, q2 = 0.8 / 1.2, 2 * 0.64 / 1.8
    error = math.sqrt((0.16 + 19_999 * (q1 - 0.64) + 19_999 * (q2 - 0.64)) / 4e8)
    assert (low, high) == pytest.approx((0.8 - 1.96 * error, 0.8 + 1.96 * error), abs=2e-4)


def test_components_average_to_the_area(scores):
    found = components(TRUTH, np.stack([scores, -scores]))
    np.testing.assert_allclose(found.negative.mean(axis=1), found.auc)
    assert found.auc.sum() == pytest.approx(1)
    assert sorted([*found.positive_cases, *found.negative_cases]) == list(range(60))


def test_identical_scores_do_not_differ(scores):
    found = paired_test(TRUTH, scores, scores)
    assert (found.difference.value, found.statistic, found.p) == (0, 0, 1)


def test_direction_of_the_alternative(scores, rng):
    worse = rng.normal(size=60)
    p = {
        side: paired_test(TRUTH, scores, worse, alternative=side).p
        for side in ("two-sided", "greater", "less")
    }
    assert p["greater"] < p["less"]
    assert p["greater"] + p["less"] == pytest.approx(1)
    assert p["two-sided"] == pytest.approx(2 * min(p["greater"], p["less"]))


def test_what_has_no_variance_is_refused(scores):
    with pytest.raises(ContentError, match="standard error of zero"):
        paired_test([0, 0, 1, 1], [1, 2, 3, 4], [4, 3, 2, 1])
    with pytest.raises(ContentError, match="at least two of each"):
        unpaired_test(([1, 0, 0], [1, 2, 3]), (TRUTH, scores))


def test_wrong_words_are_refused(scores):
    with pytest.raises(UsageError, match="scale 'log'"):
        auc(TRUTH, scores, scale="log")
    with pytest.raises(UsageError, match="alternative 'more'"):
        paired_test(TRUTH, scores, -scores, alternative="more")
    with pytest.raises(ContentError, match="level 95"):
        auc(TRUTH, scores, level=95)
