"""Brier's score, its parts and paired differences."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from onkos.core.errors import ContentError
from onkos.stats.calibration import Bins, Forecast, brier, brier_difference
from onkos.stats.intervals import Resampling

FEW = Resampling(resamples=400, threads=1)


def study(rng, n):
    p = rng.beta(2, 3, n)
    return Forecast(truth=rng.random(n) < p, probability=p)


@pytest.mark.parametrize("bins", [None, Bins(), Bins(number=7, by="width")])
def test_parts_add_up(bins, rng):
    forecast = study(rng, 250)
    parts = brier(forecast, rng=rng, bins=bins, plan=FEW)
    assert parts.brier.value == pytest.approx(
        brier_score_loss(forecast.truth, forecast.probability)
    )
    whole = parts.reliability.value - parts.resolution.value + parts.uncertainty.value
    assert whole + parts.within.value == pytest.approx(parts.brier.value)
    assert parts.brier.low < parts.brier.value < parts.brier.high


def test_within_is_what_stephenson_says(rng):
    """Variance of predictions within bins less twice their covariance with the outcome."""
    forecast, bins = study(rng, 250), Bins(number=5)
    p, y = forecast.probability, forecast.truth.astype(float)
    of = bins.of(p)[1]
    gaps = [(p - p[of == k].mean(), y - y[of == k].mean(), of == k) for k in np.unique(of)]
    within = sum(np.sum((dp[k] - 2 * dy[k]) * dp[k]) for dp, dy, k in gaps) / 250
    found = brier(forecast, rng=rng, bins=bins, plan=FEW)
    assert found.within.value == pytest.approx(within)


def test_murphys_exact_parts_with_repeated_predictions(rng):
    p = np.repeat([0.2, 0.7], [100, 50])
    y = np.concatenate([np.arange(100) < 30, np.arange(50) < 30])
    parts = brier(Forecast(truth=y, probability=p), rng=rng, plan=FEW)
    assert parts.reliability.value == pytest.approx((100 * 0.1**2 + 50 * 0.1**2) / 150)
    assert parts.uncertainty.value == pytest.approx(0.4 * 0.6)
    assert parts.resolution.value == pytest.approx((100 * 0.1**2 + 50 * 0.2**2) / 150)
    assert parts.within.value == pytest.approx(0.0, abs=1e-12)


def test_intervals_hold_the_expected_score():
    rng, held = np.random.default_rng(4), 0
    truth = (2 / 5) * (3 / 5) - (2 * 3) / (25 * 6)  # E p(1 - p) of Beta(2, 3)
    for _ in range(300):
        found = brier(study(rng, 80), rng=rng, bins=Bins(number=2), plan=FEW).brier
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 300 <= 0.985


def test_a_difference_is_paired_and_needs_the_same_cases(rng):
    forecast = study(rng, 200)
    flat = Forecast(truth=forecast.truth, probability=np.full(200, 0.4))
    found = brier_difference(forecast, flat, rng=rng, plan=FEW)
    assert found.difference.high < 0
    assert found.p < 0.001
    with pytest.raises(ContentError, match="the same cases"):
        brier_difference(forecast, study(rng, 200), rng=rng)
