"""Laws of areas within folds: what they count, whose variance they have, how often they err."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from onkos.stats.clustered import clustered_covariance
from onkos.stats.delong import components
from onkos.stats.folded.held_out import HeldOut
from onkos.stats.folded.pairs import Blocks, areas
from onkos.stats.folded.ranked import inflation, ranked
from onkos.stats.folded.within import area_difference_within, area_within


@st.composite
def cohorts(draw):
    """Truth, scores (with ties), folds and patients, who may have several cases."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    people = int(rng.integers(8, 30))
    patients = np.concatenate([np.arange(people), rng.integers(0, people, size=10)])
    truth = np.concatenate([np.arange(people) % 2, rng.integers(0, 2, size=10)])
    repeats = draw(st.integers(1, 3))
    folds = rng.integers(0, draw(st.integers(1, 5)), size=(repeats, people))[:, patients]
    scores = np.round(rng.normal(size=(repeats, len(truth))) + truth * rng.uniform(-1, 3), 1)
    return HeldOut(truth=truth, scores=scores, folds=folds, patients=patients.tolist())


def in_order(held, repeat):
    """Every pair of the same fold: 1, one half for a tie, or 0; NaN for other pairs."""
    up = held.truth == 1
    scores, folds = held.scores[repeat], held.folds[repeat]
    gap = scores[up][:, None] - scores[~up][None]
    together = folds[up][:, None] == folds[~up][None]
    return np.where(together, (np.sign(gap) + 1) / 2, np.nan)


@given(cohorts())
def test_area_is_the_share_of_pairs_of_the_same_fold_in_order(held):
    shares = [in_order(held, repeat) for repeat in range(len(held.scores))]
    known = [np.nanmean(one) for one in shares if not np.isnan(one).all()]
    found = area_within(held)
    if not known:
        assert math.isnan(found.value)
        return
    assert found.value == pytest.approx(np.mean(known), abs=1e-12)
    assert found.low <= found.value <= found.high


@given(cohorts())
def test_influence_of_a_patient_is_that_of_their_pairs(held):
    pairs = [in_order(held, repeat) for repeat in range(len(held.scores))]
    pairs = [one for one in pairs if not np.isnan(one).all()]
    found = ranked(held, average="hand-till")
    expected = np.zeros_like(found.influence)
    for one in pairs:
        off = np.nan_to_num(one - np.nanmean(one)) / (~np.isnan(one)).sum() / len(pairs)
        np.add.at(expected[1], held.patients[held.truth == 1], off.sum(axis=1))
        np.add.at(expected[0], held.patients[held.truth == 0], off.sum(axis=0))
    np.testing.assert_allclose(found.influence, expected, atol=1e-12)


@given(cohorts())
def test_scores_of_different_folds_are_never_compared(held):
    """Whatever is added to all scores of a fold, or does not change their order, is nothing."""
    moved = HeldOut(
        truth=held.truth,
        scores=np.exp(held.scores) * 3 + 1000 * held.folds,
        folds=held.folds,
        patients=held.patients.tolist(),
    )
    ours, theirs = area_within(held), area_within(moved)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), nan_ok=True)


@given(cohorts())
def test_in_one_fold_the_variance_is_obuchowskis(held):
    one = HeldOut(
        truth=held.truth,
        scores=held.scores[:1],
        folds=np.zeros_like(held.folds[:1]),
        patients=held.patients.tolist(),
    )
    parts = components(held.truth, held.scores[0])
    expected = clustered_covariance(parts, held.patients.tolist())[0, 0]
    found = ranked(one, average="hand-till").spread.variance
    assert found == pytest.approx(max(expected, 0), abs=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_in_one_fold_with_a_case_a_patient_the_variance_is_delongs(seed):
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat([True, False], rng.integers(2, 25, size=2)))
    scores = np.round(rng.normal(size=(2, len(truth))) + truth, 1)
    arms = [
        HeldOut(
            truth=truth,
            scores=row[None],
            folds=np.zeros((1, len(truth)), dtype=int),
            patients=range(len(truth)),
        )
        for row in scores
    ]
    expected = components(truth, scores).covariance()
    for arm, variance in zip(arms, np.diag(expected), strict=True):
        assert ranked(arm, average="hand-till").spread.variance == pytest.approx(
            variance, abs=1e-14
        )
    found = area_difference_within(*arms)
    if expected[0, 0] > 0 and expected[1, 1] > 0:
        contrast = np.array([1.0, -1.0])
        assert found.error == pytest.approx(math.sqrt(contrast @ expected @ contrast), abs=1e-9)


def test_chance_has_the_variance_of_shuffled_scores():
    """Known variance, with ties and unequal folds, against 3,000 shuffles within folds."""
    rng = np.random.default_rng(5)
    truth, folds = np.arange(50) % 3 == 0, np.sort(rng.integers(0, 4, size=50))
    scores = np.round(rng.normal(size=50))
    drawn = np.concatenate(
        [rng.permuted(np.tile(scores[folds == f], (3000, 1)), axis=1) for f in range(4)], axis=1
    )
    member = np.ones(50, dtype=bool)
    found = areas(truth, member, drawn, Blocks.of(np.tile(folds, (3000, 1))))
    assert found.chance == pytest.approx(found.chance[0])
    assert found.value.var() == pytest.approx(found.chance[0], rel=0.1)
    assert found.value.mean() == pytest.approx(0.5, abs=0.01)


def learnt_sign(columns, truth, folds):
    """Held-out scores of a model that learns which sign one column has; shape (1, cases)."""
    scores = np.empty(len(truth))
    for fold in np.unique(folds):
        train = folds != fold
        up, down = columns[train & truth].mean(), columns[train & ~truth].mean()
        scores[~train] = np.sign(up - down) * columns[~train]
    return scores[None]


def false_findings(cohort, *, area, constant, studies):
    """Share of studies in which two arms of equal worth are found to differ at 5 %."""
    positives, cases, folds = cohort
    truth, shift = np.arange(cases) < positives, math.sqrt(2) * float(norm.ppf(area))
    found = 0
    for number in range(studies):
        rng = np.random.default_rng([*cohort, number])
        order = [rng.permutation(positives), positives + rng.permutation(cases - positives)]
        fold = np.empty(cases, dtype=int)
        fold[np.concatenate(order)] = np.arange(cases) % folds
        columns = rng.normal(size=(2, cases)) + shift * truth
        first, second = (
            HeldOut(
                truth=truth,
                scores=learnt_sign(column, truth, fold),
                folds=fold[None],
                patients=range(cases),
            )
            for column in (columns[0], columns[1] * (not constant))
        )
        found += area_difference_within(first, second).p < 0.05
    return found / studies


@pytest.mark.parametrize(
    ("cohort", "area", "constant"),
    [
        ((3, 60, 5), 0.5, True),
        ((33, 200, 10), 0.5, True),
        ((10, 60, 5), 0.5, False),
        ((33, 200, 5), 0.6, False),
        ((33, 200, 5), 0.8, False),
    ],
)
def test_arms_of_equal_worth_are_found_to_differ_no_more_often_than_said(cohort, area, constant):
    """Folds taken for independent would find noise in 15 to 25 % of these simulated studies."""
    studies = 200
    share = false_findings(cohort, area=area, constant=constant, studies=studies)
    assert share <= 0.05 + 3.1 * math.sqrt(0.05 * 0.95 / studies)


def test_inflation_is_that_of_models_that_learnt_nothing():
    """Sign of one column, and a sum of likenesses in many columns: variances of simulated sums."""
    rng = np.random.default_rng(0)
    for folds in (2, 5, 10):
        for columns in (1, 100):
            parts = rng.normal(size=(3000, folds, columns))
            rest = parts.sum(axis=1, keepdims=True) - parts
            sums = (parts * rest).sum(axis=2) / np.linalg.norm(rest, axis=2)
            ratio = sums.sum(axis=1).var() / folds
            assert ratio < 1.1 * inflation(folds)
        assert ratio == pytest.approx(2, rel=0.1)
    assert inflation(1) == 1
