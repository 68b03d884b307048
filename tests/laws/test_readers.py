"""Laws of reader studies: what must not change, and what two methods must agree on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onkos.stats.readers import dbm, ustatistics
from onkos.stats.readers import obuchowski_rockette as orm
from onkos.stats.readers.covariance import delong, jackknife, unbiased
from onkos.stats.readers.foms import WILCOXON, sensitivity, specificity, values
from onkos.stats.readers.ratings import ReaderStudy, roc_study
from reader_toys import simulated


@st.composite
def studies(draw, *, readers=(2, 5), modalities=(2, 3)) -> ReaderStudy:
    """Studies of unequal sizes, with ties and without."""
    shape = (
        draw(st.integers(*readers)),
        draw(st.integers(*modalities)),
        draw(st.integers(8, 30)),
    )
    levels = draw(st.sampled_from([None, 3, 6]))
    return simulated(np.random.default_rng(draw(st.integers(0, 2**32))), shape=shape, levels=levels)


def moved(study: ReaderStudy, readers, modalities, cases) -> ReaderStudy:
    return roc_study(study.highest[np.ix_(readers, modalities, cases)], study.truth[cases])


@settings(max_examples=30)
@given(studies())
def test_or_with_the_jackknife_is_dbm(study):
    """Same differences, F, df and p for random readers; same components of variance."""
    covariance, pseudo = jackknife(study, WILCOXON), dbm.pseudovalues(study, WILCOXON)
    cases = len(study.cases)
    left, right = orm.variance_components(covariance), dbm.variance_components(pseudo)
    assert left.reader == pytest.approx(right.reader, abs=1e-12)
    assert left.interaction == pytest.approx(right.modality_reader, abs=1e-12)
    assert left.error.cov3 == pytest.approx(right.case / cases, abs=1e-12)
    if left.interaction + left.error.var < 1e-9:
        return
    for factors in ("RRRC", "RRFC"):
        mean = orm.anova(covariance.foms)
        if mean.interaction < 1e-9:
            continue
        one = orm.analyse(study, covariance, factors=factors)
        other = dbm.analyse(study, WILCOXON, factors=factors)
        for a, b in zip(one.pairs, other.pairs, strict=True):
            assert (a.difference, a.low, a.high, a.p) == pytest.approx(
                (b.difference, b.low, b.high, b.p), abs=1e-8
            )
            assert a.df2 == pytest.approx(b.df2, rel=1e-6)
        for a, b in zip(one.means, other.means, strict=True):
            assert (a.value, a.stderr) == pytest.approx((b.value, b.stderr), abs=1e-10)


@settings(max_examples=30)
@given(studies(), st.integers(0, 2**32))
def test_the_order_of_readers_modalities_and_cases_does_not_matter(study, seed):
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(size) for size in study.highest.shape]
    other = moved(study, *orders)
    block = np.ix_(orders[0], orders[1])
    assert values(other, WILCOXON) == pytest.approx(values(study, WILCOXON)[block])
    for method in (jackknife, delong, unbiased):
        one = method(study, WILCOXON).matrix[block][:, :, orders[0]][..., orders[1]]
        assert method(other, WILCOXON).matrix == pytest.approx(one, abs=1e-13)


@settings(max_examples=30)
@given(studies(), st.sampled_from([np.exp, np.cbrt, lambda x: 5 * x - 2]))
def test_a_rising_scale_of_ratings_changes_nothing(study, scale):
    other = roc_study(scale(study.highest), study.truth)
    assert values(other, WILCOXON) == pytest.approx(values(study, WILCOXON), abs=1e-12)
    assert delong(other, WILCOXON).matrix == pytest.approx(
        delong(study, WILCOXON).matrix, abs=1e-12
    )


@settings(max_examples=30)
@given(studies())
def test_turning_ratings_and_truth_around_changes_nothing(study):
    other = roc_study(-study.highest, ~study.truth)
    assert values(other, WILCOXON) == pytest.approx(values(study, WILCOXON), abs=1e-12)
    swapped = roc_study(-study.highest, study.truth)
    assert values(swapped, WILCOXON) == pytest.approx(1 - values(study, WILCOXON), abs=1e-12)


@settings(max_examples=30)
@given(studies(), st.floats(-1, 3))
def test_sensitivity_and_specificity_are_a_point_of_the_curve(study, threshold):
    se, sp = values(study, sensitivity(threshold)), values(study, specificity(threshold))
    two_points = ((1 - sp) * se + sp * (1 + se)) / 2
    assert (two_points <= 1 + 1e-12).all()
    decided = roc_study(study.highest >= threshold, study.truth)
    assert values(decided, WILCOXON) == pytest.approx((se + sp) / 2)


@settings(max_examples=20)
@given(studies(readers=(3, 5)))
def test_u_statistics_of_a_crossed_study_have_its_means(study):
    found = ustatistics.analyse(study, WILCOXON, biased=True)
    means = values(study, WILCOXON).mean(axis=0)
    assert [mean.value for mean in found.means] == pytest.approx(means)
    for mean in found.means:
        assert mean.stderr >= 0


@settings(max_examples=20)
@given(studies(modalities=(2, 2)))
def test_swapping_modalities_turns_the_difference_around(study):
    readers, cases = range(study.highest.shape[0]), range(study.highest.shape[2])
    one = ustatistics.analyse(study, WILCOXON, biased=True).pairs[0]
    other = ustatistics.analyse(moved(study, readers, [1, 0], cases), WILCOXON, biased=True)
    back = other.pairs[0]
    assert (one.difference, one.low, one.high, one.p) == pytest.approx(
        (-back.difference, -back.high, -back.low, back.p), abs=1e-9
    )


def test_nominal_intervals_of_a_difference_hold_the_truth():
    """Random readers and cases, no true difference: 95 % intervals of 600 studies."""
    rng = np.random.default_rng(7)
    held = {"OR": 0, "U": 0}
    for _ in range(600):
        study = simulated(rng, shape=(5, 2, 60))
        covariance = delong(study, WILCOXON)
        for method, test in (
            ("OR", orm.analyse(study, covariance, factors="RRRC").pairs[0]),
            ("U", ustatistics.analyse(study, WILCOXON).pairs[0]),
        ):
            held[method] += test.low <= 0 <= test.high
    assert 0.93 <= held["OR"] / 600 <= 0.97
    assert 0.93 <= held["U"] / 600 <= 0.98
