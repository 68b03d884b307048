"""Alpha of numbers from their variances is alpha of all pairs of values, in any size."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.stats.agreement.krippendorff import krippendorff_alpha
from onkos.stats.agreement.ratings import Ratings


@pytest.mark.parametrize("clustered", [False, True])
def test_both_ways_give_the_same_digits(rng, clustered):
    values = (rng.normal(40, 9, (30, 1)) + rng.normal(0, 3, (30, 4))).round(1).astype(object)
    values[rng.random(values.shape) < 0.2] = None
    patients = [n // 3 for n in range(30)] if clustered else None
    ratings = Ratings.of(values, patients=patients)
    by_variance = krippendorff_alpha(ratings, metric="interval")
    by_pairs = krippendorff_alpha(ratings, weights="quadratic")
    for name in ("value", "low", "high"):
        expected = getattr(by_pairs.estimate, name)
        assert getattr(by_variance.estimate, name) == pytest.approx(expected, abs=1e-12)
    for name in ("observed", "chance", "se"):
        assert getattr(by_variance, name) == pytest.approx(getattr(by_pairs, name), abs=1e-12)


def test_thousands_of_different_values_of_large_numbers_keep_their_digits(rng):
    values = rng.normal(0, 9, (600, 1)) + rng.normal(0, 3, (600, 3))
    alpha = krippendorff_alpha(Ratings.of(values), metric="interval").estimate.value
    far = krippendorff_alpha(Ratings.of(values + 1e6), metric="interval").estimate.value
    assert far == pytest.approx(alpha, abs=1e-8)
    within = np.var(values, axis=1, ddof=1).mean()
    assert alpha == pytest.approx(1 - within / np.var(values, ddof=1), abs=1e-9)
