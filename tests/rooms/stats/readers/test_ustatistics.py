"""U-statistics: against brute force, on designs of every kind."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from onkos.core.errors import ContentError, UsageError
from onkos.stats.readers import ustatistics as us
from onkos.stats.readers.comparisons import better
from onkos.stats.readers.covariance import unbiased
from onkos.stats.readers.foms import WILCOXON, sensitivity, specificity, values
from onkos.stats.readers.localisation import pcl
from onkos.stats.readers.ratings import roc_study
from reader_toys import simulated


def patchy(rng, shape=(3, 2, 10)):
    """A study with readings missing at random."""
    whole = simulated(rng, shape=shape, levels=3)
    ratings = np.where(rng.random(shape) < 0.25, np.nan, whole.highest)
    ratings[:, :, :4] = whole.highest[:, :, :4]
    return roc_study(ratings, whole.truth)


@pytest.mark.parametrize("biased", [False, True])
def test_moments_are_those_of_all_pairs_of_pairs(rng, biased):
    study = patchy(rng)
    found = us.moments_of(study, WILCOXON, biased=biased)
    pairs = us.pairs_of(study, WILCOXON)
    there = pairs.row_mass[..., :, None] * pairs.column_mass[..., None, :]
    low, high = study.highest[..., ~study.truth], study.highest[..., study.truth]
    wins = better(low[..., :, None], high[..., None, :])
    for (a, b), moments in found.items():
        one, other = ([(r, i, j) for r, i, j in np.argwhere(there[:, m] > 0)] for m in (a, b))
        sums, counts = np.zeros(8), np.zeros(8)
        shares = np.zeros(8)
        for (r, i, j), (s, k, m) in itertools.product(one, other):
            product = wins[r, a, i, j] * wins[s, b, k, m]
            exact = 4 * (r != s) + 2 * (j != m) * 1 + (i != k) * 1
            kind = {0: 0, 1: 1, 2: 2, 3: 3}[exact % 4] + 4 * (r != s)
            shares[kind] += 1
            kinds = [
                k8
                for k8 in range(8)
                if biased and (k8 >= 4 or r == s) and (k8 % 4 in (1, 3) or i == k)
                and (k8 % 4 in (2, 3) or j == m)
            ] or [kind]  # fmt: skip
            for k8 in kinds:
                sums[k8] += product
                counts[k8] += 1
        assert moments.values == pytest.approx(sums / counts)
        shares /= shares.sum()
        shares[7] -= 1
        assert moments.coefficients == pytest.approx(shares)


def test_one_reader_alone_is_the_unbiased_estimate(rng):
    study = simulated(rng, levels=5)
    value, variance = us.each_reader(study, WILCOXON)
    assert value == pytest.approx(values(study, WILCOXON))
    expected = np.einsum("rmrm->rm", unbiased(study, WILCOXON).matrix)
    assert variance == pytest.approx(expected, abs=1e-14)


def test_a_negative_variance_is_refused_and_not_taken_for_nothing(rng):
    study = patchy(rng)
    found = us.moments_of(study, WILCOXON)
    assert min(found[0, 0].covariance, found[1, 1].covariance) < 0
    with pytest.raises(ContentError, match="negative; too few cases or readers"):
        us.analyse(study, WILCOXON)


def test_components_add_up_to_the_variance(rng):
    moments = us.moments_of(patchy(rng), WILCOXON)[0, 0]
    total = moments.components @ moments.component_coefficients
    assert total == pytest.approx(moments.covariance)


def test_sensitivity_weighs_readers_by_their_pairs(rng):
    study = patchy(rng)
    pairs = us.pairs_of(study, sensitivity(1.0))
    n0 = study.read[..., ~study.truth].sum(axis=-1)
    hits = ((study.highest >= 1.0) & study.truth).sum(axis=-1)
    n1 = study.read[..., study.truth].sum(axis=-1)
    expected = (hits * n0).sum(axis=0) / (n1 * n0).sum(axis=0)
    read = (pairs.row_mass.sum(axis=-1) * pairs.column_mass.sum(axis=-1)).sum(axis=0)
    assert pairs.scores.row_sums().sum(axis=(0, 2)) / read == pytest.approx(expected)


def test_sensitivity_and_specificity_mirror_each_other(rng):
    study = simulated(rng)
    mirrored = roc_study(-study.highest, ~study.truth)
    one = us.analyse(study, sensitivity(1.0)).pairs[0]
    other = us.analyse(mirrored, specificity(-1.0 + 1e-12)).pairs[0]
    assert (one.difference, one.stderr) == pytest.approx((other.difference, other.stderr))


def test_readers_nested_in_modalities_are_compared(rng):
    ratings = simulated(rng, shape=(6, 2, 30)).highest.copy()
    ratings[:3, 1], ratings[3:, 0] = np.nan, np.nan
    study = roc_study(ratings, np.arange(30) % 2)
    found = us.analyse(study, WILCOXON)
    assert np.isnan(found.moments[0, 1].values[:4]).all()
    test = found.pairs[0]
    assert test.low < test.difference < test.high


def test_memory_does_not_grow_with_the_pairs_of_cases(rng):
    study = simulated(rng, shape=(3, 2, 4000))
    us.analyse(study, WILCOXON)
    tracemalloc.start()
    try:
        us.analyse(study, WILCOXON)
        us.each_reader(study, sensitivity(1.0))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16e6  # one table of pairs has 32 MB


def test_one_reader_cannot_speak_for_others(rng):
    with pytest.raises(UsageError, match="one reader"):
        us.analyse(simulated(rng, shape=(1, 2, 20)), WILCOXON)


def test_a_design_that_leaves_the_variance_open_is_refused():
    study = roc_study([[[1.0, 2.0]], [[2.0, 1.0]]], [0, 1])
    with pytest.raises(ContentError, match="leaves the variance open"):
        us.analyse(study, WILCOXON)


def test_other_figures_of_merit_are_refused(rng):
    with pytest.raises(ContentError, match="needs LROC data"):
        us.analyse(simulated(rng), pcl(0.2))
