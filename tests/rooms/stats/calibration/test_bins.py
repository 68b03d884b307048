"""Reliability curves and the expected calibration error."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.core.errors import UsageError
from onkos.stats.calibration import (
    Bins,
    Forecast,
    expected_calibration_error,
    reliability_curve,
)
from onkos.stats.intervals import Resampling

FEW = Resampling(resamples=400, threads=1)


def study(rng, n, *, off=0.0):
    p = rng.uniform(0.1, 0.8, n)
    return Forecast(truth=rng.random(n) < p + off, probability=p)


def test_bins_of_equal_count_hold_the_same_number_and_part_no_ties(rng):
    assert np.bincount(Bins(number=4).of(rng.random(400))[1]).tolist() == [100] * 4
    tied = np.array([0.1] * 90 + [0.5] * 10)
    assert len(np.unique(Bins().of(tied)[1])) == 2


def test_bins_of_equal_width_are_closed_above():
    edges, of = Bins(number=2, by="width").of(np.array([0.0, 0.5, 0.51, 1.0]))
    assert (edges.tolist(), of.tolist()) == ([0.5], [0, 0, 1, 1])


def test_the_plain_value_by_hand(rng):
    forecast = Forecast(truth=[0, 1, 1, 1], probability=[0.1, 0.3, 0.7, 0.9])
    found = expected_calibration_error(
        forecast, rng=rng, bins=Bins(number=2, by="width"), debiased=False, plan=FEW
    )
    assert found.value == pytest.approx((abs(0.2 - 0.5) + abs(0.8 - 1.0)) / 2)
    assert "2 bins of equal width" in str(found.method)


def test_the_bias_of_the_plain_value_is_lessened():
    rng = np.random.default_rng(5)
    plan = Resampling(resamples=100, threads=1)
    plain, fair = np.mean(
        [
            [
                expected_calibration_error(f, rng=rng, debiased=d, plan=plan).value
                for d in (False, True)
            ]
            for f in (study(rng, 100, off=0.1) for _ in range(200))
        ],
        axis=0,
    )
    assert plain > 0.114
    assert abs(fair - 0.1) < plain - 0.1


@pytest.mark.parametrize("off", [0.0, 0.03, 0.12])
def test_intervals_hold_the_true_error(off):
    rng, held, fair = np.random.default_rng(6), 0, 0.0
    for _ in range(200):
        forecast = study(rng, 300, off=off)
        found = expected_calibration_error(forecast, rng=rng, bins=Bins(number=5), plan=FEW)
        held += found.low <= off <= found.high
        fair += found.value / 200
    assert held / 200 >= 0.93
    assert abs(fair - off) < 0.025  # the plain one is 0.046 off for a perfect model


def test_a_model_that_is_off_has_zero_outside(rng):
    found = expected_calibration_error(study(rng, 600, off=0.15), rng=rng, plan=FEW)
    assert 0.05 < found.low < 0.15 < found.high < 0.25


def test_an_error_in_one_bin_is_held_too():
    """The true distances are unequal: a quarter in the highest of five bins, none elsewhere."""
    rng, held = np.random.default_rng(9), 0
    for _ in range(200):
        p = rng.uniform(0.1, 0.8, 400)
        truth = rng.random(400) < np.where(p > 0.66, p - 0.25, p)
        found = expected_calibration_error(
            Forecast(truth=truth, probability=p), rng=rng, bins=Bins(number=5), plan=FEW
        )
        held += found.low <= 0.05 <= found.high
    assert held / 200 >= 0.93


def test_a_reliability_curve_has_an_interval_a_bin(rng):
    forecast = study(rng, 2000)
    curve = reliability_curve(forecast)
    assert [one.cases for one in curve] == [200] * 10
    assert sum(one.events for one in curve) == forecast.events
    held = [one.observed.low <= one.predicted <= one.observed.high for one in curve]
    assert sum(held) >= 8
    assert all(one.lowest <= one.predicted <= one.highest for one in curve)


def test_intervals_of_a_curve_widen_where_patients_have_several_lesions(rng):
    forecast = study(rng, 200)
    copied = Forecast(
        truth=np.repeat(forecast.truth, 4),
        probability=np.repeat(forecast.probability, 4),
        groups=np.repeat(np.arange(200), 4).tolist(),
    )
    bins = Bins(number=4)
    alone = reliability_curve(forecast, bins=bins)[1].observed
    of_patients = reliability_curve(copied, bins=bins)[1].observed
    assert of_patients.n == alone.n == 50
    width, known = of_patients.high - of_patients.low, alone.high - alone.low
    assert width == pytest.approx(known, rel=0.15)


def test_one_patient_leaves_everything_possible(rng):
    one = Forecast(truth=[0, 1], probability=[0.2, 0.6], groups=["a", "a"])
    found = expected_calibration_error(one, rng=rng, plan=FEW)
    assert (found.low, found.high, found.n) == (0.0, 1.0, 1)
    assert not math.isnan(found.value)


def test_no_bins_are_refused():
    with pytest.raises(UsageError, match="at least one bin"):
        Bins(number=0)
    with pytest.raises(UsageError, match="by one of"):
        Bins(by="depth")
