"""Dynamic AUC and Brier score against scikit-survival, their intervals and differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sksurv.metrics import brier_score, cumulative_dynamic_auc, integrated_brier_score
from sksurv.util import Surv

from onkos.core.errors import ContentError, UsageError
from onkos.stats.intervals import Resampling
from onkos.stats.survival.dynamic import (
    brier,
    brier_difference,
    dynamic_auc,
    dynamic_auc_difference,
)
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.horizons import Horizons

FEW = Resampling(resamples=400, threads=1)
TIMES = (0.3, 0.7, 1.2)


def study(rng, n):
    rate = np.exp(rng.normal(size=n))
    true, lost = rng.exponential(1 / rate), rng.uniform(0.5, 3.0, n)
    time = np.round(np.minimum(true, lost), 2)
    return FollowUp(time=time, event=true <= lost), rate


def surv(follow):
    return Surv.from_arrays(follow.event, follow.time)


@pytest.mark.parametrize("own", [True, False])
def test_both_agree_with_scikit_survival(own, rng):
    follow, rate = study(rng, 150)
    train = follow if own else study(rng, 200)[0]
    horizons = Horizons(follow=follow, times=TIMES, censoring=None if own else train)
    rate = np.round(rate, 1)
    auc, mean = cumulative_dynamic_auc(surv(train), surv(follow), rate, list(TIMES))
    found = dynamic_auc(horizons, rate, rng=rng, plan=FEW)
    assert [one.value for one in found.at] == pytest.approx(auc)
    assert found.overall.value == pytest.approx(mean)
    survival = np.exp(-np.outer(rate, TIMES))
    _, scores = brier_score(surv(train), surv(follow), survival, list(TIMES))
    whole = integrated_brier_score(surv(train), surv(follow), survival, list(TIMES))
    score = brier(horizons, survival, rng=rng, plan=FEW)
    assert [one.value for one in score.at] == pytest.approx(scores)
    assert score.overall.value == pytest.approx(whole)
    assert all(one.low < one.value < one.high and one.n == 150 for one in (*score.at, *found.at))


def test_a_risk_that_changes_with_time_is_judged_at_its_time(rng):
    follow, rate = study(rng, 80)
    both = np.column_stack([rate, -rate])
    found = dynamic_auc(Horizons(follow=follow, times=TIMES[:2]), both, rng=rng, plan=FEW)
    alone = dynamic_auc(Horizons(follow=follow, times=TIMES[:2]), rate, rng=rng, plan=FEW)
    assert found.at[0].value == pytest.approx(alone.at[0].value)
    assert found.at[1].value == pytest.approx(1 - alone.at[1].value)


def test_without_censoring_the_brier_score_is_the_mean_square(rng):
    time = rng.exponential(1.0, 60)
    predicted = rng.random((60, 1))
    follow = FollowUp(time=time, event=np.ones(60))
    found = brier(Horizons(follow=follow, times=(0.8,)), predicted, rng=rng, plan=FEW)
    assert found.overall.value == pytest.approx(np.mean(((time > 0.8) - predicted[:, 0]) ** 2))
    assert found.overall == found.at[0] or found.overall.value == found.at[0].value


def test_intervals_hold_the_truth():
    rng = np.random.default_rng(3)
    large, rate = study(rng, 30_000)
    plan = Resampling(resamples=100, interval="percentile", threads=1)
    horizons = Horizons(follow=large, times=(0.7,))
    survival = np.exp(-rate * 0.7)[:, None]
    truth = dynamic_auc(horizons, rate, rng=rng, plan=plan).overall.value
    score = brier(horizons, survival, rng=rng, plan=plan).overall.value
    held, held_score = 0, 0
    for _ in range(250):
        follow, rate = study(rng, 150)
        horizons = Horizons(follow=follow, times=(0.7,))
        found = dynamic_auc(horizons, rate, rng=rng, plan=FEW).at[0]
        held += found.low <= truth <= found.high
        found = brier(horizons, np.exp(-rate * 0.7)[:, None], rng=rng, plan=FEW).at[0]
        held_score += found.low <= score <= found.high
    assert 0.915 <= held / 250 <= 0.985
    assert 0.915 <= held_score / 250 <= 0.985


def test_differences_are_paired(rng):
    follow, rate = study(rng, 300)
    horizons = Horizons(follow=follow, times=TIMES)
    noisy = rate * np.exp(rng.normal(0, 2, 300))
    found = dynamic_auc_difference(horizons, rate, noisy, rng=rng, plan=FEW)
    assert found.overall.difference.value > 0
    assert found.overall.p < 0.01
    good, bad = np.exp(-np.outer(rate, TIMES)), np.exp(-np.outer(noisy, TIMES))
    scores = brier_difference(horizons, good, bad, rng=rng, plan=FEW)
    assert scores.overall.difference.high < 0
    assert len(scores.at) == len(TIMES)
    assert all(math.isfinite(one.p) for one in scores.at)


def test_a_time_before_the_first_event_gives_no_auc_and_says_so(rng):
    follow = FollowUp(time=[2.0, 3.0, 4.0, 5.0, 6.0], event=[1, 0, 1, 1, 0])
    found = dynamic_auc(Horizons(follow=follow, times=(1.0,)), [5, 4, 3, 2, 1], rng=rng, plan=FEW)
    assert math.isnan(found.at[0].value)
    assert found.at[0].method.notes == ("0 events",)
    assert "not defined on these cases" in str(found.at[0].method)


@pytest.mark.parametrize("times", [(), (2.0, 1.0), (1.0, 1.0), (0.0,), (6.0,), (math.nan,)])
def test_times_that_cannot_be_judged_are_refused(times):
    follow = FollowUp(time=[2.0, 3.0, 6.0], event=[1, 0, 1])
    with pytest.raises(UsageError, match=r"ascending|longest follow-up"):
        Horizons(follow=follow, times=times)


def test_a_censoring_sample_that_ends_before_the_horizon_is_refused():
    follow = FollowUp(time=[2.0, 3.0, 6.0], event=[1, 0, 1])
    short = FollowUp(time=[1.0, 2.0], event=[0, 1])
    with pytest.raises(ContentError, match="uncensored at time 4"):
        Horizons(follow=follow, times=(4.0,), censoring=short)


def test_predictions_that_are_no_probabilities_are_refused(rng):
    follow = FollowUp(time=[2.0, 3.0, 6.0], event=[1, 0, 1])
    horizons = Horizons(follow=follow, times=(4.0,))
    with pytest.raises(ContentError, match="between 0 and 1"):
        brier(horizons, [[0.2], [1.2], [0.4]], rng=rng)
    with pytest.raises(ContentError, match="is not finite"):
        brier(horizons, [[0.2], [np.nan], [0.4]], rng=rng)
    with pytest.raises(ContentError, match=r"expected \(patients, times\)"):
        brier(horizons, [[0.2, 0.1], [0.2, 0.1], [0.4, 0.3]], rng=rng)
