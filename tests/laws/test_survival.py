"""What holds for any follow-up, however tied and censored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from sksurv.metrics import concordance_index_censored

from onkos.core.errors import ContentError
from onkos.stats.survival.concordance import pairs
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.kaplan_meier import kaplan_meier
from onkos.stats.survival.logrank import logrank

FEW = settings(max_examples=80)


@st.composite
def follow_ups(draw: st.DrawFn) -> FollowUp:
    """Few distinct times, so that events and censorings tie in every way."""
    n = draw(st.integers(2, 25))
    time = draw(st.lists(st.integers(0, 7), min_size=n, max_size=n))
    event = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return FollowUp(time=time, event=event)


def risks(n: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 5), min_size=n, max_size=n)


@FEW
@given(st.data())
def test_pairs_are_those_of_scikit_survival_and_of_a_loop(data):
    follow = data.draw(follow_ups())
    risk = np.array(data.draw(risks(follow.n)), dtype=float)
    found = pairs(follow, risk)
    known = [0, 0, 0]
    for i in np.flatnonzero(follow.event):
        for j in range(follow.n):
            later = follow.time[j] > follow.time[i]
            if later or (follow.time[j] == follow.time[i] and not follow.event[j]):
                known[int(np.sign(risk[j] - risk[i])) % 3] += 1
    assert [found.tied_risk, found.discordant, found.concordant] == known
    if found.comparable:
        theirs = concordance_index_censored(follow.event, follow.time, risk)
        ours = (found.concordant, found.discordant, found.tied_risk, found.tied_time)
        assert ours == tuple(int(number) for number in theirs[1:])


@FEW
@given(st.data())
def test_turning_the_risk_round_turns_the_pairs_round(data):
    follow = data.draw(follow_ups())
    risk = np.array(data.draw(risks(follow.n)), dtype=float)
    there, back = pairs(follow, np.exp(risk)), pairs(follow, -3 * risk)
    assert (there.concordant, there.discordant) == (back.discordant, back.concordant)
    assert there.tied_risk == back.tied_risk


@FEW
@given(follow_ups(), st.permutations(range(25)))
def test_a_curve_falls_holds_its_interval_and_does_not_depend_on_order(follow, places):
    curve = kaplan_meier(follow)
    order = [k for k in places if k < follow.n]
    again = kaplan_meier(FollowUp(time=follow.time[order], event=follow.event[order]))
    assert curve.value == pytest.approx(again.value)
    assert (np.diff(curve.value) <= 1e-12).all()
    for time in curve.times:
        found = curve.at(float(time))
        assert 0 <= found.low <= found.value <= found.high <= 1
    assert curve.events.sum() == follow.events
    assert curve.at_risk[0] == follow.n


@FEW
@given(follow_ups())
def test_without_censoring_the_curve_is_the_share_still_free(follow):
    everyone = FollowUp(time=follow.time, event=np.ones(follow.n))
    curve = kaplan_meier(everyone)
    free = [(everyone.time > time).mean() for time in curve.times]
    assert curve.value == pytest.approx(free, abs=1e-12)


@FEW
@given(st.data())
def test_observed_and_expected_events_agree_in_sum(data):
    follow = data.draw(follow_ups())
    groups = data.draw(risks(follow.n))
    try:
        found = logrank(follow, groups=groups)
    except ContentError:  # one group, no event, or none while two groups were at risk
        reject()
    assert found.observed.sum() == pytest.approx(found.expected.sum())
    assert found.covariance.sum(axis=0) == pytest.approx(0, abs=1e-9)
    assert found.statistic >= -1e-9
    assert 1 <= found.df < len(found.groups) + 1
