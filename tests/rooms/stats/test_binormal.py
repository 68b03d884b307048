"""The binormal fit: recovers what it was drawn from, refuses what has no maximum."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from onkos.core.errors import ContentError, UsageError
from onkos.stats.binormal import binormal
from onkos.stats.delong import auc


def drawn(rng, n, a=1.2, b=0.7):
    truth = np.arange(n) % 2 == 1
    return truth, np.where(truth, (rng.normal(size=n) + a) / b, rng.normal(size=n))


def test_parameters_of_the_model_are_found_again(rng):
    truth, scores = drawn(rng, 20_000)
    found = binormal(truth, scores)
    assert (found.a, found.b) == pytest.approx((1.2, 0.7), abs=0.05)
    assert found.auc.value == pytest.approx(norm.cdf(1.2 / math.sqrt(1.49)), abs=0.01)
    assert found.auc.low < found.auc.value < found.auc.high
    assert found.sensitivity([0.5, 0.9])[0] == pytest.approx(norm.cdf(found.a))


def test_any_rising_scale_gives_the_same_fit(rng):
    truth, scores = drawn(rng, 200)
    first, second = binormal(truth, scores), binormal(truth, np.exp(scores))
    assert (first.a, first.b) == pytest.approx((second.a, second.b))


def test_its_interval_is_about_delongs(rng):
    truth, scores = drawn(rng, 400)
    ours, theirs = binormal(truth, scores).auc, auc(truth, scores)
    assert ours.high - ours.low == pytest.approx(theirs.high - theirs.low, rel=0.25)


def test_ordinal_ratings_use_their_categories_and_leave_out_empty_ones(rng):
    truth, scores = drawn(rng, 300)
    ratings = np.digitize(scores, [-0.5, 0.5, 1.5, 2.5])
    first, second = binormal(truth, ratings), binormal(truth, 10 * ratings + 3)
    assert first.auc == second.auc
    assert len(first.thresholds) == 4


def test_points_on_the_axes_are_fitted_perfectly():
    found = binormal([0, 0, 0, 1, 1, 1], [1, 1, 2, 2.5, 3, 3])
    assert (found.a, found.auc.value, found.auc.high) == (math.inf, 1, 1)
    assert found.auc.low < 0.9
    assert binormal([1, 1, 0, 0], [1, 2, 3, 4]).auc.value == 0


def test_what_has_no_maximum_is_refused():
    with pytest.raises(ContentError, match="no maximum"):
        binormal([0, 0, 0, 1, 1, 1], [1, 1, 2, 1, 2, 2])
    with pytest.raises(UsageError, match="2 categories"):
        binormal([0, 1], [1, 2], categories=2)
    with pytest.raises(ContentError, match="NaN"):
        binormal([0, 1], [1, np.nan])
