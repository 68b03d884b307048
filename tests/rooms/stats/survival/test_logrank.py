"""Log-rank tests of two and more groups, stratified and weighted."""

from __future__ import annotations

import numpy as np
import pytest
from sksurv.compare import compare_survival
from sksurv.util import Surv

from onkos.core.errors import ContentError, UsageError
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.logrank import logrank


def sample(rng, n=90):
    return rng.integers(1, 20, n).astype(float), rng.random(n) < 0.7, rng.integers(0, 3, n)


def test_three_groups_agree_with_scikit_survival(rng):
    time, event, group = sample(rng)
    chisq, p = compare_survival(Surv.from_arrays(event, time), group)
    found = logrank(FollowUp(time=time, event=event), groups=group.tolist())
    assert (found.statistic, found.p, found.df) == pytest.approx((chisq, p, 2))
    assert sum(found.n) == 90


def test_a_stratified_test_sums_over_strata(rng):
    time, event, group = sample(rng)
    stratum = rng.integers(0, 2, 90)
    follow = FollowUp(time=time, event=event)
    whole = logrank(follow, groups=group.tolist(), strata=stratum.tolist())
    parts = [
        logrank(follow.where(stratum == k), groups=group[stratum == k].tolist()) for k in (0, 1)
    ]
    assert whole.observed == pytest.approx(parts[0].observed + parts[1].observed)
    assert whole.expected == pytest.approx(parts[0].expected + parts[1].expected)
    assert "2 strata" in str(whole.method)


def test_a_stratum_that_confounds_is_taken_out():
    """Within each site the arms are alike; the sites and the mix of arms differ."""
    rng = np.random.default_rng(4)
    site = np.repeat([0, 1], 300)
    arm = rng.random(600) < np.where(site == 0, 0.2, 0.8)
    follow = FollowUp(time=rng.exponential(np.where(site == 0, 10, 3)), event=np.ones(600))
    assert logrank(follow, groups=arm.tolist()).p < 1e-6
    assert logrank(follow, groups=arm.tolist(), strata=site.tolist()).p > 0.05


def test_p_values_are_uniform_without_a_difference():
    rng = np.random.default_rng(5)
    p = [
        logrank(
            FollowUp(time=rng.exponential(1, 60), event=rng.random(60) < 0.7),
            groups=[0, 1, 2] * 20,
        ).p
        for _ in range(400)
    ]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.085


@pytest.mark.parametrize(
    ("groups", "event", "message"),
    [
        (["a", "a", "a"], [1, 1, 0], "one group, 'a'"),
        (["a", "b", "a"], [0, 0, 0], "without a single event"),
        (["a", "b", None], [1, 1, 0], r"group of patients \[2\] is missing"),
        (["a", "b"], [1, 1, 0], "2 group labels for 3 patients"),
    ],
)
def test_what_cannot_be_compared_is_refused(groups, event, message):
    with pytest.raises(ContentError, match=message):
        logrank(FollowUp(time=[1.0, 2.0, 3.0], event=event), groups=groups)


def test_groups_that_were_never_at_risk_together_are_refused():
    follow = FollowUp(time=[1.0, 2.0, 3.0, 4.0], event=[0, 0, 1, 1])
    with pytest.raises(ContentError, match="two groups were at risk"):
        logrank(follow, groups=["a", "a", "b", "b"])


def test_an_unknown_weighting_is_refused():
    with pytest.raises(UsageError, match="weighting 'fleming'"):
        logrank(FollowUp(time=[1.0, 2.0], event=[1, 1]), groups=[0, 1], weighting="fleming")
