"""Tests by permutation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.stats.permutation import label_test, sign_flip_p, swap_test


def test_swapping_means_is_flipping_signs(rng):
    a, b = rng.normal(0.4, 1, size=25), rng.normal(size=25)
    found = swap_test(np.mean, a, b, rng=np.random.default_rng(0), permutations=4000)
    assert found.statistic == pytest.approx((a - b).mean())
    assert found.p == pytest.approx(sign_flip_p(a - b, rng=rng), abs=0.02)


def test_a_patient_is_swapped_whole(rng):
    """Copies of cases change nothing when they belong to their patient."""
    a, b = rng.normal(0.5, 1, size=12), rng.normal(size=12)
    alone = swap_test(np.mean, a, b, rng=np.random.default_rng(0), permutations=999)
    copied = swap_test(
        np.mean,
        np.repeat(a, 5),
        np.repeat(b, 5),
        groups=np.repeat(np.arange(12), 5).tolist(),
        rng=np.random.default_rng(0),
        permutations=999,
    )
    assert (copied.p, copied.n) == (alone.p, 12)


def test_labels_agree_with_scipys_permutation_test(rng):
    values = np.concatenate([rng.normal(0.6, 1, size=20), rng.normal(size=25)])
    labels = ["a"] * 20 + ["b"] * 25

    def gap(number):
        return abs(values[number == 0].mean() - values[number == 1].mean())

    found = label_test(gap, labels, rng=np.random.default_rng(0), permutations=4999)
    theirs = stats.permutation_test(
        (values[:20], values[20:]),
        lambda x, y: abs(x.mean() - y.mean()),
        n_resamples=4999,
        alternative="greater",
        rng=np.random.default_rng(1),
    ).pvalue
    assert found.p == pytest.approx(theirs, abs=0.02)


def test_labels_stay_within_strata():
    """A label tied to its stratum cannot be told from the stratum: p is 1."""
    values = np.array([1.0, 1.1, 1.2, 5.0, 5.1, 5.2])
    labels, strata = list("aaabbb"), [0, 0, 0, 1, 1, 1]

    def gap(number):
        return abs(values[number == 0].mean() - values[number == 1].mean())

    rng = np.random.default_rng(0)
    assert label_test(gap, labels, strata=strata, rng=rng, permutations=99).p == 1.0
    assert label_test(gap, labels, rng=rng, permutations=999).p < 0.2


def test_what_cannot_be_permuted_is_refused(rng):
    with pytest.raises(ContentError, match="two labels"):
        label_test(np.mean, ["a", "b"], groups=["p", "p"], rng=rng)
    with pytest.raises(ContentError, match="same cases"):
        swap_test(np.mean, np.zeros(3), np.zeros(4), rng=rng)
    with pytest.raises(ContentError, match="not defined on"):
        label_test(lambda _number: np.nan, ["a", "b"], rng=rng, permutations=19)
    with pytest.raises(UsageError, match=r"cannot give p < 0\.05"):
        label_test(np.mean, ["a", "b"], rng=rng, permutations=10)
    with pytest.raises(ContentError, match="no patients"):
        sign_flip_p(np.zeros(0), rng=rng)
