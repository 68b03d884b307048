"""Reading times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.stats.readers.reading_time import against_software, compare
from reader_toys import simulated


def timed(rng, *, shape=(5, 2, 40), ratio=0.8):
    """Times with reader and case effects; the second modality takes 1/ratio as long."""
    study = simulated(rng, shape=shape)
    log = (
        4
        + 0.3 * rng.normal(size=(shape[0], 1, 1))
        + 0.4 * rng.normal(size=shape[2])
        + 0.2 * rng.normal(size=shape)
    )
    log[:, 1:] -= np.log(ratio)
    return replace(study, seconds=np.exp(log))


def test_the_ratio_is_that_of_geometric_means(rng):
    study = timed(rng)
    found = compare(study)
    means = stats.gmean(study.seconds, axis=(0, 2))
    assert found.ratios[0].ratio.value == pytest.approx(means[0] / means[1])
    assert [e.value for e in found.seconds.values()] == pytest.approx(means)
    assert (found.cases, found.left_out) == (40, 0)


def test_intervals_hold_the_truth():
    rng, held = np.random.default_rng(2), 0
    for _ in range(300):
        ratio = compare(timed(rng)).ratios[0].ratio
        held += ratio.low <= 0.8 <= ratio.high
    assert 0.92 <= held / 300 <= 0.99


def test_one_reader_with_fixed_readers_is_a_paired_t_test(rng):
    study = timed(rng, shape=(1, 2, 30))
    found = compare(study, factors="FRRC").ratios[0]
    log = np.log(study.seconds[0])
    assert found.p == pytest.approx(stats.ttest_rel(log[0], log[1]).pvalue)


def test_cases_not_timed_throughout_are_left_out_and_counted(rng):
    study = timed(rng)
    seconds = study.seconds.copy()
    seconds[1, 1, 3] = np.nan
    found = compare(replace(study, seconds=seconds))
    assert (found.cases, found.left_out) == (39, 1)
    assert found.ratios[0].ratio.n == 39


def test_times_scale_away(rng):
    study = timed(rng)
    minutes = replace(study, seconds=study.seconds / 60)
    assert compare(minutes).ratios[0].ratio.high == pytest.approx(
        compare(study).ratios[0].ratio.high
    )


def test_software_that_is_ten_times_faster(rng):
    study = timed(rng, shape=(5, 1, 40))
    seconds = study.seconds.copy()
    seconds[4] = np.exp(np.log(seconds[:4]).mean(axis=0)) / 10
    found = against_software(replace(study, seconds=seconds), software="5")
    assert found.ratio.value == pytest.approx(10)
    assert found.ratio.low < 10 < found.ratio.high
    assert found.p < 0.01


def test_what_has_no_times_is_refused(rng):
    study = simulated(rng)
    with pytest.raises(ContentError, match="give a column time_s"):
        compare(study)
    few = np.full(study.highest.shape, np.nan)
    few[..., 0] = 1.0
    with pytest.raises(ContentError, match="1 of 40 cases were timed"):
        compare(replace(study, seconds=few))
    with pytest.raises(UsageError, match="expected one modality"):
        against_software(timed(rng), software="1")
