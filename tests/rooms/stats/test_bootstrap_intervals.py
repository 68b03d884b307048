"""BCa and percentile intervals, weighted and looped, against scipy and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.stats.bootstrap import (
    Resampling,
    bootstrap_indexed,
    bootstrap_table,
    bootstrap_weighted,
    jackknife_influence,
)
from onkos.stats.resampling import Clusters, leave_one_out


def mean_of(values):
    return lambda weights: (weights @ values) / weights.sum(axis=1)


def widened_level(n: int) -> float:
    """The plain level whose percentiles are as wide as Student's t asks for."""
    tail = stats.norm.cdf(math.sqrt(n / (n - 1)) * stats.t.ppf(0.025, n - 1))
    return 1 - 2 * tail


@pytest.mark.parametrize(("interval", "theirs"), [("bca", "BCa"), ("percentile", "percentile")])
def test_interval_agrees_with_scipys_at_the_widened_level(rng, interval, theirs):
    values = rng.exponential(size=25)
    ours = bootstrap_weighted(
        mean_of(values),
        clusters=Clusters.of(25),
        rng=np.random.default_rng(1),
        plan=Resampling(interval=interval, resamples=40_000),
        what="mean",
    )
    expected = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=40_000,
        method=theirs,
        confidence_level=widened_level(25),
        rng=np.random.default_rng(2),
    ).confidence_interval
    width = expected.high - expected.low
    assert ours.low == pytest.approx(expected.low, abs=0.03 * width)
    assert ours.high == pytest.approx(expected.high, abs=0.03 * width)
    assert (ours.value, ours.n) == (pytest.approx(values.mean()), 25)
    assert "widened by t" in str(ours.method)


def test_skewed_values_move_the_bca_interval(rng):
    values = rng.exponential(size=30)
    ends = [
        bootstrap_weighted(
            mean_of(values),
            clusters=Clusters.of(30),
            rng=np.random.default_rng(3),
            plan=Resampling(interval=interval),
        )
        for interval in ("bca", "percentile")
    ]
    assert ends[0].low > ends[1].low
    assert ends[0].high > ends[1].high


def test_known_influence_gives_the_interval_of_the_jackknife(rng):
    values = rng.exponential(size=30)
    clusters = Clusters.of(30)
    found = [
        bootstrap_weighted(
            mean_of(values), clusters=clusters, rng=np.random.default_rng(0), influence=influence
        )
        for influence in (None, values - values.mean())
    ]
    assert (found[0].low, found[0].high) == pytest.approx((found[1].low, found[1].high))


def test_influence_of_a_mean_is_the_distance_from_it_within_strata():
    values = np.array([1.0, 2.0, 6.0, 10.0, 20.0])
    clusters = Clusters.of(5, strata=[0, 0, 0, 1, 1])

    def difference(weights):
        first, second = weights[:, :3], weights[:, 3:]
        return first @ values[:3] / first.sum(axis=1) - second @ values[3:] / second.sum(axis=1)

    found = jackknife_influence(leave_one_out(difference, clusters=clusters), clusters)
    np.testing.assert_allclose(found, [-2, -1, 3, 5, -5])


def test_the_loop_gives_what_the_weights_give(rng):
    values = rng.normal(size=12)
    clusters = Clusters.of(12, groups=[0, 0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 8])
    plan = Resampling(resamples=300)
    fast = bootstrap_weighted(
        mean_of(values), clusters=clusters, rng=np.random.default_rng(4), plan=plan
    )
    loop = bootstrap_indexed(
        lambda rows: float(values[rows].mean()),
        clusters=clusters,
        rng=np.random.default_rng(4),
        plan=plan,
    )
    assert (loop.low, loop.high) == pytest.approx((fast.low, fast.high))
    assert loop.n == 9


def test_a_table_names_what_is_not_defined(rng):
    values = rng.normal(size=10)

    def both(weights):
        return np.stack([mean_of(values)(weights), np.full(len(weights), np.nan)], axis=1)

    found = bootstrap_table(
        both, names=("mean", "nothing"), clusters=Clusters.of(10), rng=rng, plan=Resampling()
    )
    assert found["mean"].low < found["mean"].value < found["mean"].high
    assert math.isnan(found["nothing"].value)
    assert "not defined" in str(found["nothing"].method)


def test_lost_resamples_are_counted_and_too_many_refused(rng):
    def sometimes(share):
        return lambda weights: np.where(weights[:, 0] <= share, weights.mean(axis=1), np.nan)

    clusters = Clusters.of(8)
    found = bootstrap_weighted(sometimes(1), clusters=clusters, rng=rng)
    assert "resamples on which it is not defined left out" in str(found.method)
    with pytest.raises(ContentError, match="not defined on these 8 cases"):
        bootstrap_weighted(sometimes(0), clusters=clusters, rng=rng)

    def seldom(weights):
        twice = (weights == 1).all(axis=1)
        return np.where(twice, 1.0, np.nan)

    with pytest.raises(ContentError, match="too few cases for an interval"):
        bootstrap_weighted(seldom, clusters=clusters, rng=rng)


def test_one_patient_says_nothing_about_others(rng):
    found = bootstrap_weighted(
        mean_of(np.array([1.0, 2.0])), clusters=Clusters.of(2, groups=["a", "a"]), rng=rng
    )
    assert (found.low, found.high, found.n) == (-math.inf, math.inf, 1)


def test_agreement_of_all_resamples_is_said(rng):
    found = bootstrap_weighted(mean_of(np.ones(9)), clusters=Clusters.of(9), rng=rng)
    assert "understates the uncertainty" in str(found.method)


@pytest.mark.parametrize("wrong", [{"resamples": 10}, {"level": 1.0}, {"interval": "normal"}])
def test_plans_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError):
        Resampling(**wrong)
