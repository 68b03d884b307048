"""Preparation of feature tables: only training rows are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.feature_selection import f_classif

from onkos.classic.preparation import Preparation, pruned
from onkos.classic.selection import by_relevance_and_redundancy, relevance
from onkos.core.errors import ContentError


def informative(rng):
    """Columns 0 and 1 tell the class, 2 copies 0, 3 is constant, 4 to 9 are noise."""
    y = np.arange(120) % 2
    x = rng.normal(size=(120, 10))
    x[:, 0] += 2.0 * y
    x[:, 1] += 1.5 * y
    x[:, 2] = 5 * x[:, 0] - 3
    x[:, 3] = 7
    return x, y


@pytest.mark.parametrize("scaling", ["robust", "rank-normal"])
@pytest.mark.parametrize("selection", ["anova", "mrmr", "l1"])
def test_what_tells_the_class_is_kept_once(rng, scaling, selection):
    x, y = informative(rng)
    chosen = Preparation(scaling=scaling, selection=selection, keep=2).fit(x, y).kept.tolist()
    assert chosen in ([0, 1], [1, 2])


@pytest.mark.parametrize("scaling", ["robust", "rank-normal"])
def test_constant_and_copied_columns_go_and_the_rest_is_scaled(rng, scaling):
    x, y = informative(rng)
    fitted = Preparation(scaling=scaling).fit(x, y)
    assert len(fitted.kept) == 8
    z = fitted.transform(x)
    np.testing.assert_allclose(np.median(z, axis=0), 0, atol=0.02)
    np.testing.assert_allclose(z.std(axis=0), 1, atol=0.3)


def test_missing_values_become_the_training_median(rng):
    x, y = informative(rng)
    x[:5, 1] = np.nan
    fitted = Preparation(scaling="robust").fit(x, y)
    column = fitted.kept.tolist().index(1)
    row = np.full((1, 10), np.nan)
    assert fitted.transform(row)[0].tolist() == [0.0] * 8
    row[0, 1] = np.nanmedian(x[:, 1])
    assert fitted.transform(row)[0, column] == pytest.approx(0)


def test_rows_to_be_judged_change_nothing(rng):
    x, y = informative(rng)
    fitted = Preparation().fit(x, y)
    one = fitted.transform(x[:1])
    both = fitted.transform(np.concatenate([x[:1], 1e9 * np.ones((50, 10))]))
    np.testing.assert_array_equal(one[0], both[0])


def test_rank_normal_is_the_normal_quantile_of_the_rank(rng):
    x = np.exp(3 * rng.normal(size=(1000, 1)))
    z = Preparation().fit(x, np.arange(1000) % 2).transform(x)
    assert z.std() == pytest.approx(1, abs=0.03)
    np.testing.assert_array_equal(
        np.argsort(z[:, 0], kind="stable")[5:-5], np.argsort(x[:, 0])[5:-5]
    )
    assert np.abs(z).max() < 3  # what lies beyond the training rows counts as the furthest


def test_relevance_is_scikit_learns_f(rng):
    x, _ = informative(rng)
    x = np.delete(x, 3, axis=1)
    y = np.arange(120) % 3
    np.testing.assert_allclose(relevance(x, y), f_classif(x, y)[0], rtol=1e-9)


def test_of_two_correlated_columns_the_more_relevant_stays(rng):
    x, y = informative(rng)
    x = x[:, [0, 4]]
    x = np.column_stack([x, x[:, 0] + 0.1 * rng.normal(size=120)])
    kept = pruned(x, relevance(x, y), 0.9)
    assert sorted(kept.tolist()) == [0, 1] or sorted(kept.tolist()) == [1, 2]
    assert len(pruned(x, relevance(x, y), 1.0)) == 3


def test_redundant_features_are_chosen_late(rng):
    x, y = informative(rng)
    x[:, 2] = x[:, 0] + 0.2 * rng.normal(size=120)
    order = by_relevance_and_redundancy(x[:, :3], y, 3).tolist()
    assert order[2] in (0, 2)
    assert order.index(1) < 2


def test_a_table_without_a_column_that_varies_is_refused():
    with pytest.raises(ContentError, match="two different values"):
        Preparation().fit(np.ones((9, 2)), np.arange(9) % 2)


def test_common_scaling_keeps_distances_between_rows(rng):
    shares = np.sqrt(rng.dirichlet(np.full(12, 0.7), size=40))
    y = np.arange(40) % 2
    ready = Preparation(scaling="common", correlation=1.0).fit(shares, y).transform(shares)
    assert ready.var(axis=0).mean() == pytest.approx(1)
    before, after = pdist(shares), pdist(ready)
    np.testing.assert_allclose(after / before, (after / before)[0])
    missing = np.where(rng.random(shares.shape) < 0.1, np.nan, shares)
    fitted = Preparation(scaling="common", correlation=1.0).fit(missing, y)
    assert (fitted.transform(missing)[np.isnan(missing)] == 0).all()
