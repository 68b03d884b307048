"""Decision curves with and without follow-up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit

from onkos.core.errors import ContentError, UsageError
from onkos.stats.calibration import Forecast
from onkos.stats.decision import SurvivalForecast, decision_curve, net_benefit_difference
from onkos.stats.intervals import Resampling
from onkos.stats.survival.followup import FollowUp

FEW = Resampling(resamples=400, threads=1)


def study(rng, n):
    known = rng.normal(-0.5, 1.5, n)
    return Forecast(truth=rng.random(n) < expit(known), probability=expit(known))


def test_net_benefit_by_hand(rng):
    forecast = Forecast(truth=[1, 1, 0, 0, 0], probability=[0.9, 0.2, 0.6, 0.1, 0.3])
    (point,) = decision_curve(forecast, [0.25], rng=rng, plan=FEW)
    assert point.model.value == pytest.approx(1 / 5 - 2 / 5 / 3)
    assert point.treat_all.value == pytest.approx(2 / 5 - 3 / 5 / 3)
    assert point.standardised.value == pytest.approx(point.model.value / 0.4)
    assert point.avoided_per_100.value == pytest.approx(100 * (1 / 5 - 3 * 1 / 5))
    assert point.treat_none == 0.0
    assert "2 events in 5 cases" in str(point.model.method)


def test_who_is_predicted_exactly_the_threshold_is_acted_on(rng):
    forecast = Forecast(truth=[1, 0, 0, 0], probability=[0.25, 0.1, 0.1, 0.1])
    assert decision_curve(forecast, [0.25], rng=rng, plan=FEW)[0].model.value == 0.25


def test_at_threshold_zero_no_interventions_can_be_counted(rng):
    (point,) = decision_curve(study(rng, 60), [0.0], rng=rng, plan=FEW)
    assert point.model.value == pytest.approx(point.treat_all.value)
    assert math.isnan(point.avoided_per_100.value)
    assert "not defined" in str(point.avoided_per_100.method)


def test_intervals_hold_the_true_net_benefit():
    rng, held = np.random.default_rng(3), 0
    known = expit(rng.normal(-0.5, 1.5, 2_000_000))
    truth = np.mean((known >= 0.3) * (known - (1 - known) * 3 / 7))
    for _ in range(300):
        found = decision_curve(study(rng, 200), [0.3], rng=rng, plan=FEW)[0].model
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 300 <= 0.98


def test_without_censoring_survival_and_binary_net_benefit_agree(rng):
    forecast = study(rng, 150)
    time = np.where(forecast.truth, rng.uniform(0.1, 1.0, 150), rng.uniform(1.5, 2.0, 150))
    follow = FollowUp(time=time, event=forecast.truth)
    known = SurvivalForecast(follow=follow, risk=forecast.probability, horizon=1.2)
    at = [0.0, 0.1, 0.4, 0.7]
    plan = Resampling(resamples=400, interval="percentile", threads=1)
    ours = decision_curve(known, at, rng=np.random.default_rng(0), plan=plan)
    binary = decision_curve(forecast, at, rng=np.random.default_rng(0), plan=plan)
    for a, b in zip(ours, binary, strict=True):
        assert a.model.value == pytest.approx(b.model.value)
        assert a.model.low == pytest.approx(b.model.low, abs=1e-9)
        assert a.treat_all.value == pytest.approx(b.treat_all.value)


def test_nobody_above_a_threshold_is_worth_nothing(rng):
    follow = FollowUp(time=[1.0, 2.0, 3.0, 4.0], event=[1, 0, 1, 0])
    known = SurvivalForecast(follow=follow, risk=[0.3, 0.2, 0.1, 0.4], horizon=2.5)
    (point,) = decision_curve(known, [0.9], rng=rng, plan=FEW)
    assert (point.model.value, point.model.low, point.model.high) == (0.0, 0.0, 0.0)


def test_nobody_above_a_threshold_followed_to_the_horizon_is_said(rng):
    follow = FollowUp(time=[1.0, 2.0, 3.0, 4.0], event=[0, 0, 1, 0])
    known = SurvivalForecast(follow=follow, risk=[0.8, 0.9, 0.1, 0.2], horizon=2.5)
    (point,) = decision_curve(known, [0.5], rng=rng, plan=FEW)
    assert math.isnan(point.model.value)
    assert "not defined on these cases" in str(point.model.method)


def test_a_better_model_is_worth_more_on_the_same_patients(rng):
    forecast = study(rng, 500)
    noisy = Forecast(truth=forecast.truth, probability=rng.permutation(forecast.probability))
    at_02, at_04 = net_benefit_difference(forecast, noisy, [0.2, 0.4], rng=rng, plan=FEW)
    assert at_04.difference.low > 0
    assert at_04.p < 0.001
    assert at_02.difference.value > 0
    (none,) = net_benefit_difference(forecast, forecast, [0.3], rng=rng, plan=FEW)
    assert (none.difference.value, none.p) == (0.0, 1.0)


def test_lesions_of_one_patient_widen_the_interval(rng):
    forecast = study(rng, 60)
    many = Forecast(
        truth=np.repeat(forecast.truth, 5),
        probability=np.repeat(forecast.probability, 5),
        groups=np.repeat(np.arange(60), 5).tolist(),
    )
    alone = decision_curve(forecast, [0.3], rng=np.random.default_rng(0), plan=FEW)[0].model
    found = decision_curve(many, [0.3], rng=np.random.default_rng(0), plan=FEW)[0].model
    assert found.n == alone.n == 60
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high))


def test_no_events_leave_the_standardised_value_undefined(rng):
    (point,) = decision_curve(
        Forecast(truth=[0, 0, 0], probability=[0.2, 0.3, 0.6]), [0.25], rng=rng, plan=FEW
    )
    assert point.model.value == pytest.approx(-2 / 3 / 3)
    assert math.isnan(point.standardised.value)


@pytest.mark.parametrize("thresholds", [[1.0], [-0.1], [np.nan], [], [0.2, 1.3]])
def test_thresholds_that_are_none_are_refused(thresholds, rng):
    with pytest.raises(UsageError, match="from 0 to below 1"):
        decision_curve(study(rng, 20), thresholds, rng=rng)


def test_different_patients_and_horizons_are_refused(rng):
    with pytest.raises(ContentError, match="the same cases"):
        net_benefit_difference(study(rng, 50), study(rng, 50), [0.3], rng=rng)
    follow = FollowUp(time=[1.0, 2.0, 3.0], event=[1, 0, 1])
    a, b = (SurvivalForecast(follow=follow, risk=[0.1, 0.2, 0.3], horizon=h) for h in (1.5, 2.5))
    with pytest.raises(UsageError, match="same horizon"):
        net_benefit_difference(a, b, [0.3], rng=rng)
    with pytest.raises(UsageError, match="longest follow-up"):
        SurvivalForecast(follow=follow, risk=[0.1, 0.2, 0.3], horizon=30.0)
