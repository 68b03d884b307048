"""Fitted curves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from onkos.core.errors import ContentError
from onkos.stats.readers.fitting import BINORMAL_AUC, fit, negative_log_likelihood, standard_error
from onkos.stats.readers.foms import values
from onkos.stats.readers.ratings import roc_study


def expected_counts(cuts, a, b, n=10_000.0):
    """Counts that a binormal reader has on average."""
    false, true = norm.sf(cuts), norm.cdf(a - b * np.array(cuts))
    return tuple(-np.diff([1.0, *above, 0.0]) * n for above in (false, true))


def test_a_binormal_reader_is_found_again():
    cuts = [-0.4, 0.3, 1.0, 1.9]
    low, high = expected_counts(cuts, 1.4, 0.7)
    found = fit(low, high)
    assert found.parameters == pytest.approx((1.4, 0.7), abs=1e-4)
    assert found.thresholds == pytest.approx(cuts, abs=1e-4)
    assert found.auc == pytest.approx(norm.cdf(1.4 / math.hypot(1, 0.7)), abs=1e-5)


@pytest.mark.parametrize("model", ["binormal", "contaminated binormal", "search model"])
def test_no_small_step_is_more_likely(model):
    low, high = np.array([30.0, 12, 9, 6, 3]), np.array([4.0, 5, 8, 12, 21])
    found = fit(low, high, model=model)
    best = negative_log_likelihood(
        low, high, model=model, parameters=found.parameters, thresholds=found.thresholds
    )
    assert best == pytest.approx(found.negative_log_likelihood)
    for k in range(len(found.parameters)):
        for step in (-1e-3, 1e-3):
            moved = list(found.parameters)
            moved[k] *= 1 + step
            worse = negative_log_likelihood(
                low, high, model=model, parameters=moved, thresholds=found.thresholds
            )
            assert worse > best - 1e-7


def test_four_times_the_cases_halve_the_standard_error():
    low, high = np.array([30.0, 12, 9, 6, 3]), np.array([4.0, 5, 8, 12, 21])
    once, four = (standard_error(fit(k * low, k * high), k * low, k * high) for k in (1, 4))
    assert once == pytest.approx(2 * four, rel=1e-3)


def test_a_reader_worse_than_chance_has_a_standard_error_too():
    low, high = np.array([30.0, 12, 9, 6, 3]), np.array([4.0, 5, 8, 12, 21])
    better, worse = fit(low, high), fit(low[::-1], high[::-1])
    assert worse.auc == pytest.approx(1 - better.auc, abs=1e-6)
    there, back = standard_error(better, low, high), standard_error(worse, low[::-1], high[::-1])
    assert back == pytest.approx(there, rel=1e-4)


def test_separated_classes_have_area_one():
    study = roc_study([[[1.0, 1.0, 2.0, 3.0, 3.0, 4.0]]], [0, 0, 0, 1, 1, 1])
    assert values(study, BINORMAL_AUC)[0, 0] == 1.0


def test_a_single_level_cannot_be_fitted():
    with pytest.raises(ContentError, match="on 1 rating levels"):
        fit(np.array([3.0, 0.0]), np.array([4.0, 0.0]))
