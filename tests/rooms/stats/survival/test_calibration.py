"""Calibration of predicted risks at a horizon."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError, UsageError
from onkos.stats.intervals import Resampling
from onkos.stats.survival.calibration import calibration_at
from onkos.stats.survival.followup import FollowUp

FEW = Resampling(resamples=300, threads=1)


def study(rng, n):
    rate = 0.3 * np.exp(rng.normal(size=n))
    true, lost = rng.exponential(1 / rate), rng.uniform(1.0, 6.0, n)
    return FollowUp(time=np.minimum(true, lost), event=true <= lost), 1 - np.exp(-2.0 * rate)


def test_true_risks_are_found_calibrated(rng):
    follow, risk = study(rng, 1500)
    found = calibration_at(follow, risk, horizon=2.0, rng=rng, plan=FEW)
    ratio, slope = found.observed_to_expected, found.slope
    assert ratio.low <= 1 <= ratio.high
    assert slope.low <= 1 <= slope.high
    assert len(found.groups) == 10
    held = [g.observed.low <= g.predicted <= g.observed.high for g in found.groups]
    assert sum(held) >= 8
    assert [g.observed.n for g in found.groups] == [150] * 10


def test_too_extreme_risks_have_a_slope_below_one_and_low_ones_a_ratio_above(rng):
    follow, risk = study(rng, 1500)
    log = np.log(-np.log1p(-risk))
    extreme = np.clip(-np.expm1(-np.exp(2 * (log - log.mean()) + log.mean())), 0, 1 - 1e-9)
    found = calibration_at(follow, extreme, horizon=2.0, rng=rng, plan=FEW)
    assert found.slope.value == pytest.approx(0.5, abs=0.08)
    assert found.slope.high < 1
    low = calibration_at(follow, risk / 2, horizon=2.0, rng=rng, plan=FEW)
    assert low.observed_to_expected.value == pytest.approx(2.0, abs=0.3)
    assert low.observed_to_expected.low > 1


def test_intervals_hold_one_for_true_risks():
    rng, held, held_slope = np.random.default_rng(2), 0, 0
    for _ in range(200):
        found = calibration_at(*study(rng, 150), horizon=2.0, groups=2, rng=rng, plan=FEW)
        held += found.observed_to_expected.low <= 1 <= found.observed_to_expected.high
        held_slope += found.slope.low <= 1 <= found.slope.high
    assert 0.91 <= held / 200 <= 0.985
    assert 0.91 <= held_slope / 200 <= 0.985


def test_equal_predictions_are_not_parted(rng):
    follow, risk = study(rng, 400)
    coarse = np.where(risk > np.median(risk), 0.6, 0.3)
    found = calibration_at(follow, coarse, horizon=1.0, rng=rng, plan=FEW)
    assert [g.predicted for g in found.groups] == pytest.approx([0.3, 0.6])


def test_what_cannot_be_judged_is_refused(rng):
    follow, risk = study(rng, 100)
    with pytest.raises(UsageError, match="longest follow-up"):
        calibration_at(follow, risk, horizon=60.0, rng=rng)
    with pytest.raises(UsageError, match="0 groups"):
        calibration_at(follow, risk, horizon=1.0, groups=0, rng=rng)
    with pytest.raises(ContentError, match="exactly 0 or 1"):
        calibration_at(follow, np.where(risk > 0.5, 1.0, risk), horizon=1.0, rng=rng)
    with pytest.raises(ContentError, match="one probability between 0 and 1"):
        calibration_at(follow, risk * 3, horizon=1.0, rng=rng)
    with pytest.raises(ContentError, match="no event before horizon"):
        calibration_at(follow, risk, horizon=1e-6, rng=rng)
    with pytest.raises(ContentError, match="do not vary"):
        calibration_at(follow, np.full(100, 0.3), horizon=1.0, rng=rng)


def test_a_group_that_was_not_followed_to_the_horizon_is_named(rng):
    follow = FollowUp(time=[1, 2, 2, 1, 9, 9, 8, 7], event=[1, 0, 0, 0, 1, 0, 1, 1])
    with pytest.raises(ContentError, match="fewer groups"):
        calibration_at(
            follow, [0.1, 0.1, 0.12, 0.11, 0.6, 0.7, 0.8, 0.9], horizon=5.0, groups=2, rng=rng
        )
