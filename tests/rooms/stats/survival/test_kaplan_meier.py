"""Survival curves against hand computation, scikit-survival and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sksurv.nonparametric import kaplan_meier_estimator

from onkos.core.errors import UsageError
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.kaplan_meier import kaplan_meier, nelson_aalen

# remission under 6-mercaptopurine (Freireich 1963), the textbook example
REMISSION = FollowUp(
    time=[6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
    event=[1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
)


def test_the_textbook_example():
    curve = kaplan_meier(REMISSION)
    known = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {t: round(curve.at(t).value, 3) for t in known} == known
    assert curve.quantile().value == 23
    assert curve.numbers_at_risk([0, 6, 10.5, 35, 36]).tolist() == [21, 21, 13, 1, 0]


def test_agrees_with_scikit_survival(rng):
    time, event = rng.integers(1, 30, 80).astype(float), rng.random(80) < 0.6
    times, survival, ends = kaplan_meier_estimator(event, time, conf_type="log-log")
    curve = kaplan_meier(FollowUp(time=time, event=event))
    inner = (survival > 0) & (survival < 1)
    assert curve.times == pytest.approx(times)
    assert curve.value == pytest.approx(survival)
    assert curve.low[inner] == pytest.approx(ends[0][inner])
    assert curve.high[inner] == pytest.approx(ends[1][inner])


def test_plain_interval_is_greenwoods():
    found = kaplan_meier(REMISSION, band="plain").at(7)
    variance = found.value**2 * (3 / (21 * 18) + 1 / (17 * 16))
    assert found.high - found.value == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-6)


def test_without_an_event_the_interval_is_the_exact_one_not_a_point():
    curve = kaplan_meier(FollowUp(time=[1.0, 2.0, 3.0, 4.0], event=[0, 0, 0, 0]))
    found = curve.at(3.0)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 2))
    median = curve.quantile()
    assert (median.value, median.high) == (math.inf, math.inf)
    assert median.low == 1.0  # of four at risk: survival of 0.025 ** (1 / 4) = 0.40 is possible


def test_when_all_have_had_the_event_the_upper_end_is_carried_on():
    curve = kaplan_meier(FollowUp(time=[1.0, 2.0, 3.0], event=[1, 1, 1]))
    last = curve.at(3.0)
    assert (last.value, last.low) == (0.0, 0.0)
    assert 0 < last.high == curve.at(2.0).high
    assert curve.at(100.0).value == 0.0


def test_nothing_is_said_beyond_the_follow_up():
    with pytest.raises(UsageError, match="longest follow-up is 35"):
        kaplan_meier(REMISSION).at(36)
    with pytest.raises(UsageError, match="not negative"):
        kaplan_meier(REMISSION).at(-1)
    with pytest.raises(UsageError, match="share between 0 and 1"):
        nelson_aalen(REMISSION).quantile()
    with pytest.raises(UsageError, match="band 'log'"):
        kaplan_meier(REMISSION, band="log")


def test_before_the_first_time_everybody_is_free():
    found = kaplan_meier(REMISSION).at(0)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 1


def test_cumulative_hazard_sums_events_over_patients_at_risk():
    found = nelson_aalen(REMISSION).at(10)
    assert found.value == pytest.approx(3 / 21 + 1 / 17 + 1 / 15)
    assert found.low < found.value < found.high


def test_intervals_hold_the_true_survival_and_median():
    rng, held, held_median = np.random.default_rng(1), 0, 0
    for _ in range(400):
        true, lost = rng.exponential(10, 80), rng.uniform(0, 40, 80)
        curve = kaplan_meier(FollowUp(time=np.minimum(true, lost), event=true <= lost))
        found, median = curve.at(8.0), curve.quantile()
        held += found.low <= math.exp(-0.8) <= found.high
        held_median += median.low <= 10 * math.log(2) <= median.high
    assert 0.92 <= held / 400 <= 0.98
    assert 0.92 <= held_median / 400 <= 0.985
