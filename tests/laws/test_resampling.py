"""Laws of drawing patients with replacement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from onkos.core.errors import CohortError, ContentError
from onkos.stats.resampling import Clusters, leave_one_out, replicates, weighted_sums


def counts(clusters: Clusters, *, resamples: int = 200, seed: int = 0, threads: int = 1):
    return replicates(
        lambda weights: weights.astype(float),
        clusters=clusters,
        resamples=resamples,
        rng=np.random.default_rng(seed),
        threads=threads,
    )


@given(st.integers(0, 2**32 - 1))
def test_patients_are_drawn_whole_and_strata_keep_their_size(seed):
    rng = np.random.default_rng(seed)
    patients = int(rng.integers(1, 12))
    groups = rng.integers(0, patients, size=30)
    layer = rng.integers(0, 3, size=patients)[groups]
    clusters = Clusters.of(30, groups=groups.tolist(), strata=layer.tolist())
    drawn = counts(clusters, resamples=20)
    for patient in set(groups):
        of_patient = drawn[:, groups == patient]
        assert (of_patient == of_patient[:, :1]).all()
    for stratum in set(layer):
        members = [np.flatnonzero(groups == p)[0] for p in set(groups[layer == stratum])]
        assert (drawn[:, members].sum(axis=1) == len(members)).all()


def test_every_patient_is_as_likely_and_draws_are_multinomial():
    drawn = counts(Clusters.of(40), resamples=20_000)
    assert stats.chisquare(drawn.sum(axis=0)).pvalue > 1e-3
    variance = drawn.var(axis=0)
    assert variance.mean() == pytest.approx(1 - 1 / 40, abs=0.01)
    covariance = np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]
    assert covariance == pytest.approx(-1 / 39, abs=0.03)


def test_the_answer_does_not_depend_on_threads_or_blocks(monkeypatch):
    clusters = Clusters.of(50, strata=[k % 2 for k in range(50)])
    alone = counts(clusters)
    np.testing.assert_array_equal(alone, counts(clusters, threads=3))
    monkeypatch.setattr("onkos.stats.resampling.BLOCK_BYTES", 700)
    np.testing.assert_array_equal(alone, counts(clusters, threads=2))
    assert not np.array_equal(alone, counts(clusters, seed=1))


def test_another_order_of_cases_gives_the_same_draws():
    clusters = Clusters.of(6, strata=[0, 1, 0, 1, 1, 0])
    order = np.array([3, 0, 5, 2, 1, 4])
    np.testing.assert_array_equal(counts(clusters)[:, order], counts(clusters.take(order)))


def test_leaving_out_leaves_out_each_patient_once():
    clusters = Clusters.of(5, groups=["a", "b", "a", "c", "b"])
    kept = leave_one_out(lambda weights: weights.astype(float), clusters=clusters)
    np.testing.assert_array_equal(kept, [[0, 1, 0, 1, 1], [1, 0, 1, 1, 0], [1, 1, 1, 0, 1]])


def test_a_patient_in_two_strata_is_refused():
    with pytest.raises(CohortError, match="patient 'a' lies in two strata"):
        Clusters.of(3, groups=["a", "b", "a"], strata=[0, 0, 1])


def test_no_cases_and_wrong_lengths_are_refused():
    with pytest.raises(ContentError, match="no cases"):
        Clusters.of(0)
    with pytest.raises(ContentError, match="2 groups for 3 cases"):
        Clusters.of(3, groups=["a", "b"])


def test_weighted_sums_are_the_matrix_product(rng):
    weights = rng.integers(0, 5, size=(7, 13)).astype(np.int32)
    values = rng.normal(size=13)
    np.testing.assert_allclose(weighted_sums(weights, values), weights @ values)
