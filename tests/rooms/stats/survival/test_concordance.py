"""Harrell's and Uno's C, their intervals and differences."""

from __future__ import annotations

import time as clock

import numpy as np
import pytest

from onkos.core.errors import ContentError, UsageError
from onkos.stats.intervals import Resampling
from onkos.stats.survival.concordance import (
    Harrell,
    Uno,
    _Comparison,
    concordance,
    concordance_difference,
    pairs,
)
from onkos.stats.survival.followup import FollowUp

FEW = Resampling(resamples=500, threads=1)


def study(rng, n, noise=1.0):
    """Risk with some truth in it; true C by a large sample of the same kind."""
    risk = rng.normal(size=n)
    true, lost = rng.exponential(np.exp(-risk / noise)), rng.exponential(2.0, n)
    return FollowUp(time=np.minimum(true, lost), event=true <= lost), risk


def test_a_pair_with_one_censored_at_the_same_time_counts_two_events_do_not():
    follow = FollowUp(time=[1.0, 1.0, 2.0], event=[1, 0, 0])
    assert pairs(follow, [3.0, 2.0, 1.0]).comparable == 2
    follow = FollowUp(time=[1.0, 1.0, 2.0], event=[1, 1, 0])
    assert pairs(follow, [3.0, 2.0, 1.0]).comparable == 2
    assert pairs(follow, [3.0, 3.0, 3.0]).tied_risk == 2


def test_strata_compare_within_only(rng):
    follow, risk = study(rng, 60)
    site = rng.integers(0, 3, 60)
    whole = pairs(follow, risk, strata=site.tolist())
    parts = [pairs(follow.where(site == k), risk[site == k]) for k in range(3)]
    assert whole.concordant == sum(part.concordant for part in parts)
    assert whole.discordant == sum(part.discordant for part in parts)


def test_resamples_are_those_of_repeated_patients(rng):
    """A patient drawn twice makes pairs with others twice, none with themself."""
    follow, risk = study(rng, 40)
    drawn = rng.integers(0, 40, 40)
    again = pairs(FollowUp(time=follow.time[drawn], event=follow.event[drawn]), risk[drawn])
    weights = np.bincount(drawn, minlength=40)[None].astype(np.int32)
    found = _Comparison.of(follow, Harrell()).pairs(weights, risk)[0]
    assert found.tolist() == [again.concordant, again.discordant, again.tied_risk]


@pytest.mark.parametrize("kind", [Harrell(), Uno(tau=1.5)])
def test_intervals_hold_the_true_concordance(kind):
    rng = np.random.default_rng(8)
    large, risk = study(rng, 30_000)
    # Harrell's C depends on censoring, so its truth is that of a large sample of the same kind
    plan = Resampling(resamples=100, interval="percentile", threads=1)
    truth = concordance(large, risk, kind=kind, rng=rng, plan=plan).value
    held = 0
    for _ in range(300):
        found = concordance(*study(rng, 120), kind=kind, rng=rng, plan=FEW)
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 300 <= 0.98


def test_a_difference_is_found_and_one_that_is_not_there_is_not():
    rng = np.random.default_rng(9)
    follow, risk = study(rng, 300)
    worse, other = risk + rng.normal(0, 3, 300), risk + rng.normal(0, 0.1, 300)
    found = concordance_difference(follow, risk, worse, kind=Harrell(), rng=rng, plan=FEW)
    assert found.p < 0.001
    assert 0 < found.difference.low < found.difference.value
    same = concordance_difference(follow, risk, other, kind=Uno(tau=2.0), rng=rng, plan=FEW)
    assert same.p > 0.01
    none = concordance_difference(follow, risk, 2 * risk, kind=Harrell(), rng=rng, plan=FEW)
    assert (none.difference.value, none.p) == (0.0, 1.0)


def test_ten_thousand_resamples_take_a_second(rng):
    follow, risk = study(rng, 500)
    concordance(follow, risk, kind=Harrell(), rng=rng, plan=FEW)
    start = clock.perf_counter()
    found = concordance(follow, risk, kind=Harrell(), rng=rng)
    assert clock.perf_counter() - start < 5.0  # 0.3 s alone on the machine
    assert "10000 resamples" in str(found.method)
    assert f"{follow.events} events" in str(found.method)
    assert found.n == 500


@pytest.mark.parametrize(
    ("time", "event", "kind", "message"),
    [
        ([1.0, 2.0, 3.0], [0, 0, 0], Harrell(), "0 events"),
        ([1.0, 2.0, 3.0], [0, 0, 1], Harrell(), "no two of 3 patients"),
        ([5.0, 5.0, 5.0], [1, 1, 1], Harrell(), "no two of 3 patients"),
        ([1.0, 2.0, 2.0], [1, 1, 0], Uno(), "nobody is known to be uncensored at time 2"),
        ([1.0, 2.0, 3.0], [0, 1, 0], Uno(tau=1.0), "no two of 3 patients"),
    ],
)
def test_where_c_does_not_exist_it_is_refused(time, event, kind, message, rng):
    with pytest.raises(ContentError, match=message):
        concordance(FollowUp(time=time, event=event), [1.0, 2.0, 3.0], kind=kind, rng=rng)


def test_events_beyond_the_censoring_sample_are_refused(rng):
    short = FollowUp(time=[1.0, 2.0], event=[1, 0])
    follow = FollowUp(time=[1.0, 2.5, 3.0], event=[1, 1, 0])
    with pytest.raises(ContentError, match=r"uncensored at time 2\.5"):
        concordance(follow, [3.0, 2.0, 1.0], kind=Uno(censoring=short), rng=rng)
    with pytest.raises(UsageError, match="positive time"):
        concordance(follow, [3.0, 2.0, 1.0], kind=Uno(tau=-1.0), rng=rng)


def test_few_events_give_a_value_whose_method_says_what_it_rests_on(rng):
    follow = FollowUp(time=[1.0, 2.0, 3.0, 4.0, 5.0], event=[1, 0, 0, 0, 0])
    found = concordance(follow, [5.0, 1.0, 2.0, 3.0, 4.0], kind=Harrell(), rng=rng, plan=FEW)
    assert found.value == 1.0
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert "not defined on" in str(found.method)
