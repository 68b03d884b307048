"""Laws of ROC curves, their areas and the variances of those."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from onkos.stats.bootstrap import Resampling
from onkos.stats.clustered import clustered_covariance
from onkos.stats.delong import components
from onkos.stats.ranking import Ranking
from onkos.stats.roc import Region, partial_auc, roc_curve, sensitivity_at

FEW = Resampling(resamples=100, interval="percentile", threads=1)


@st.composite
def studies(draw, *, ties: bool = True):
    """Truth with at least two cases of each class, and scores (with many ties)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = rng.permutation(np.repeat([True, False], rng.integers(2, 25, size=2)))
    scores = rng.normal(size=len(truth)) + truth * rng.uniform(-1, 3)
    return truth, np.round(scores, 1) if ties and draw(st.booleans()) else scores


def area(truth, scores, weights=None) -> float:
    ranking = Ranking.of(truth, scores)
    once = np.ones(len(truth), dtype=np.int32) if weights is None else weights
    return float(ranking.auc(once[None, ranking.order])[0])


def outranks(truth, scores):
    """Every pair of the two classes: 1, one half for a tie, or 0."""
    high, low = scores[truth][:, None], scores[~truth][None]
    return (high > low) + 0.5 * (high == low)


@given(studies())
def test_area_is_the_share_of_pairs_in_order(study):
    truth, scores = study
    assert area(truth, scores) == pytest.approx(outranks(truth, scores).mean(), abs=1e-14)
    assert area(truth, scores) == pytest.approx(roc_curve(truth, scores).area, abs=1e-14)


@given(studies())
def test_area_depends_on_the_order_alone_and_turns_round_with_it(study):
    truth, scores = study
    assert area(truth, np.exp(scores) * 3) == area(truth, scores)
    assert area(truth, -scores) == pytest.approx(1 - area(truth, scores), abs=1e-14)
    assert area(~truth, scores) == pytest.approx(1 - area(truth, scores), abs=1e-14)


@given(studies(), st.integers(0, 2**32 - 1))
def test_a_multiplicity_is_a_case_repeated(study, seed):
    truth, scores = study
    weights = np.random.default_rng(seed).integers(0, 4, size=len(truth)).astype(np.int32)
    rows = np.repeat(np.arange(len(truth)), weights)
    ranking = Ranking.of(truth, scores)
    drawn = weights[None, ranking.order]
    if truth[rows].all() or not truth[rows].any():
        assert np.isnan(ranking.auc(drawn)[0])
        return
    again = Ranking.of(truth[rows], scores[rows])
    once = np.ones((1, len(rows)), dtype=np.int32)
    assert ranking.auc(drawn)[0] == pytest.approx(again.auc(once)[0], abs=1e-14)
    readings = (
        ("partial_area", (0.1, 0.4)),
        ("heights", (np.array([0.3]),)),
        ("precisions", (np.array([0.5, 1.0]),)),
    )
    for name, limits in readings:
        found = getattr(ranking, name)(drawn, *limits)[0]
        assert found == pytest.approx(getattr(again, name)(once, *limits)[0], abs=1e-14)
    found = ranking.average_precision(drawn)[0]
    assert found == pytest.approx(again.average_precision(once)[0], abs=1e-14)


@given(studies())
def test_curve_and_average_precision_agree_with_scikit_learn(study):
    truth, scores = study
    curve = roc_curve(truth, scores)
    fpr, tpr, thresholds = metrics.roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, fpr, atol=1e-14)
    np.testing.assert_allclose(curve.true_positive_rate, tpr, atol=1e-14)
    np.testing.assert_array_equal(curve.thresholds, thresholds)
    ranking = Ranking.of(truth, scores)
    once = np.ones((1, len(truth)), dtype=np.int32)
    theirs = metrics.average_precision_score(truth, scores)
    assert ranking.average_precision(once)[0] == pytest.approx(theirs, abs=1e-12)


@given(studies(), st.floats(0.05, 0.95))
def test_parts_of_the_area_add_up_on_either_axis(study, cut):
    truth, scores = study
    whole = area(truth, scores)
    for axis in ("specificity", "sensitivity"):
        parts = [
            partial_auc(
                truth,
                scores,
                region=Region(axis=axis, low=low, high=high),
                rng=np.random.default_rng(0),
                plan=FEW,
            )
            for low, high in ((0.0, cut), (cut, 1.0))
        ]
        assert sum(part.value for part in parts) == pytest.approx(whole, abs=1e-12)


@given(studies(), st.floats(0, 1))
def test_a_reading_lies_on_the_curve(study, specificity):
    truth, scores = study
    curve = roc_curve(truth, scores)
    found = sensitivity_at(
        truth, scores, specificity=specificity, rng=np.random.default_rng(0), plan=FEW
    ).value
    at = 1 - specificity
    left = curve.true_positive_rate[curve.false_positive_rate <= at + 1e-12].max()
    right = curve.true_positive_rate[curve.false_positive_rate >= at - 1e-12].max()
    assert left - 1e-12 <= found <= right + 1e-12


@given(studies(), st.integers(0, 2**32 - 1))
def test_delongs_covariance_is_that_of_the_definition(study, seed):
    truth, first = study
    second = first + np.random.default_rng(seed).normal(size=len(truth))
    ups, downs = [], []
    for scores in (first, second):
        pairs = outranks(truth, scores)
        ups.append(pairs.mean(axis=1))
        downs.append(pairs.mean(axis=0))
    m, n = truth.sum(), (~truth).sum()
    expected = np.cov(ups) / m + np.cov(downs) / n
    found = components(truth, np.stack([first, second])).covariance()
    np.testing.assert_allclose(found, expected, atol=1e-14)


@given(studies(), st.integers(0, 2**32 - 1))
def test_patients_of_one_case_make_obuchowski_delong(study, seed):
    truth, first = study
    second = np.random.default_rng(seed).normal(size=len(truth))
    found = components(truth, np.stack([first, second]))
    clustered = clustered_covariance(found, groups=range(len(truth)))
    np.testing.assert_allclose(clustered, found.covariance(), atol=1e-14)
