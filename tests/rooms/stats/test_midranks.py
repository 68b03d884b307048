"""Mid-ranks against all pairs, counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onkos.stats.midranks import Ranked, SortedGroups, last_of_equals, weight_below

LEVELS = st.sampled_from([2, 4, 1000])


def wins(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Scores of all pairs, shape (low, high)."""
    return (low[:, None] < high) + 0.5 * (low[:, None] == high)


def rated(rng: np.random.Generator, shape: tuple[int, ...], levels: int) -> np.ndarray:
    """Ratings with ties, some of them minus infinity (nothing marked)."""
    found = rng.integers(0, levels, size=shape).astype(float)
    return np.where(rng.random(shape) < 0.2, -np.inf, found)


@given(st.integers(0, 2**32), LEVELS)
def test_weight_below_is_that_of_all_pairs(seed, levels):
    rng = np.random.default_rng(seed)
    ratings, others = rated(rng, (3, 4), levels), rated(rng, (9,), levels)
    weights = rng.random(9)
    expected = [[weights @ wins(others, np.array([x]))[:, 0] for x in row] for row in ratings]
    assert weight_below(ratings, others, weights) == pytest.approx(np.array(expected))
    plain = [[wins(others, np.array([x])).sum() for x in row] for row in ratings]
    np.testing.assert_array_equal(weight_below(ratings, others), plain)


@given(st.integers(0, 2**32), LEVELS)
def test_weighted_wins_are_those_of_all_pairs(seed, levels):
    rng = np.random.default_rng(seed)
    low, high = rated(rng, (7,), levels), rated(rng, (6,), levels)
    one, other = rng.random(7), rng.random(6)
    low_case, high_case = rng.integers(0, 5, 7), rng.integers(0, 5, 6)
    weights = rng.integers(0, 3, (4, 5)).astype(np.int32)
    found = SortedGroups.of((low, one, low_case), (high, other, high_case)).wins(weights)
    for row, (total, below, above) in zip(weights, found, strict=True):
        left, right = row[low_case] * one, row[high_case] * other
        assert total == pytest.approx(left @ wins(low, high) @ right)
        assert (below, above) == pytest.approx((left.sum(), right.sum()))


@given(st.integers(0, 2**32), LEVELS)
def test_products_of_two_readers_are_those_of_all_pairs(seed, levels):
    """Each with ratings, gaps (weight 0) and up to three weighted lesions a case of their own."""
    rng = np.random.default_rng(seed)
    ranked, tables = [], []
    for _ in range(2):
        low, weight = rated(rng, (8,), levels), rng.integers(0, 3, 8).astype(float)
        high, shares = rated(rng, (5, 3), levels), rng.integers(0, 3, (5, 3)) / 4
        ranked.append(Ranked.of(low, weight, high, shares))
        scores = wins(low, high.ravel()) * shares.ravel()
        tables.append(weight[:, None] * scores.reshape(8, 5, 3).sum(axis=2))
    for a, one in enumerate(ranked):
        for b, other in enumerate(ranked):
            assert one.product(other) == pytest.approx((tables[a] * tables[b]).sum())


def test_last_of_equals():
    assert last_of_equals(np.array([3.0, 3.0, 1.0])).tolist() == [False, True, True]
    assert last_of_equals(np.empty(0)).size == 0
