"""Precision, recall and average precision."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from onkos.stats.precision_recall import (
    average_precision,
    average_precision_difference,
    precision_recall_curve,
)


def test_curve_agrees_with_scikit_learn(rng):
    truth = rng.random(50) < 0.3
    scores = np.round(rng.normal(size=50) + truth, 1)
    ours = precision_recall_curve(truth, scores)
    precision, recall, thresholds = metrics.precision_recall_curve(truth, scores)
    np.testing.assert_allclose(ours.precision[::-1], precision[:-1])
    np.testing.assert_allclose(ours.recall[::-1], recall[:-1])
    np.testing.assert_array_equal(ours.thresholds[::-1], thresholds)
    assert ours.prevalence == truth.mean()


def test_average_precision_has_its_interval_and_says_the_prevalence(rng):
    truth = np.arange(80) % 4 == 0
    scores = rng.normal(size=80) + truth
    found = average_precision(truth, scores, rng=rng)
    assert found.value == pytest.approx(metrics.average_precision_score(truth, scores))
    assert 0 < found.low < found.value < found.high <= 1
    assert "prevalence of 0.25" in str(found.method)
    same = average_precision_difference(truth, scores, scores, rng=rng)
    assert (same.low, same.value, same.high) == (0, 0, 0)
    other = average_precision_difference(truth, scores, -scores, rng=rng)
    assert other.low > 0
