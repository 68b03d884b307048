"""Several statistics on the same resamples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.stats.bootstrap import bootstrap_weighted
from onkos.stats.intervals import Resampling
from onkos.stats.resampled import resampled, resampled_differences
from onkos.stats.resampling import Clusters

FEW = Resampling(resamples=500, threads=1)


def means(columns):
    def statistic(weights):
        return weights @ columns / weights.sum(axis=1, keepdims=True)

    return statistic


def test_each_column_has_the_interval_it_would_have_alone(rng):
    columns, clusters = rng.normal(size=(30, 2)), Clusters.of(30)
    both = resampled(
        means(columns), names=["a", "b"], clusters=clusters, rng=np.random.default_rng(0), plan=FEW
    )
    alone = bootstrap_weighted(
        lambda w: means(columns)(w)[:, 1],
        clusters=clusters,
        rng=np.random.default_rng(0),
        plan=FEW,
        what="b",
    )
    assert both[1] == alone


def test_a_column_that_is_not_defined_says_so(rng):
    def statistic(weights):
        seldom = np.where(weights[:, 0] > 0, 1.0, math.nan)
        return np.column_stack([np.full(len(weights), math.nan), seldom])

    never, seldom = resampled(
        statistic, names=["never", "seldom"], clusters=Clusters.of(20), rng=rng, plan=FEW
    )
    assert math.isnan(never.value)
    assert "not defined on these cases" in str(never.method)
    assert (seldom.value, seldom.low, seldom.high) == (1.0, -math.inf, math.inf)
    assert "of 500 resamples" in str(seldom.method)


def test_a_paired_difference_is_narrower_than_its_parts_and_tested(rng):
    case = rng.normal(0, 5, size=(60, 1))
    a, b = case + rng.normal(1.0, 0.5, (60, 1)), case + rng.normal(0, 0.5, (60, 1))
    (found,) = resampled_differences(
        (means(a), means(b)), names=["mean"], clusters=Clusters.of(60), rng=rng, plan=FEW
    )
    (part,) = resampled(means(a), names=["mean"], clusters=Clusters.of(60), rng=rng, plan=FEW)
    difference = found.difference
    assert difference.high - difference.low < 0.3 * (part.high - part.low)
    assert difference.low > 0
    assert found.p < 1e-6
    assert found.statistic == pytest.approx(difference.value / found.error)
