"""Nearest distances between sets of grid points: near ones, far ones, any grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onkos.stats.nearest import nearest_mm


def points(rng: np.random.Generator, count: int, spread: tuple[int, ...]) -> np.ndarray:
    return np.unique(rng.integers(-5, spread, size=(count, len(spread))), axis=0)


def brute(these: np.ndarray, those: np.ndarray, axes: np.ndarray) -> np.ndarray:
    return np.linalg.norm((these[:, None] - those[None]) @ axes.T, axis=-1).min(axis=1)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(9, 8), (200, 3), (6, 7, 5), (90, 80, 70), (3, 300, 4)]),
    st.sampled_from([0, 40, 900]),
    st.booleans(),
)
def test_distances_are_exact_however_far(seed, spread, apart, sheared):
    rng = np.random.default_rng(seed)
    axes = np.diag(rng.uniform(0.4, 3, len(spread)))
    if sheared:
        axes += rng.uniform(-0.2, 0.2, axes.shape)
    these, those = points(rng, 60, spread), points(rng, 50, spread)
    these[:, rng.integers(len(spread))] += apart
    expected = brute(these, those, axes)
    assert nearest_mm(these, those, axes) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_an_oblique_grid_is_as_an_upright_one(rng):
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    axes = np.diag([0.7, 0.9, 2.5])
    these, those = points(rng, 200, (30, 30, 12)), points(rng, 200, (30, 30, 12))
    upright = nearest_mm(these, those, axes)
    assert nearest_mm(these, those, turn @ axes) == pytest.approx(upright, rel=1e-12)


def test_full_columns_are_searched_for_the_nearest(rng):
    """Walls along each axis: many points in one column, above and below."""
    for axis in range(3):
        shape = [4, 4, 4]
        shape[axis] = 60
        those = np.array(list(np.ndindex(*shape)))
        these = points(rng, 80, (70, 70, 70))
        axes = np.diag([1.0, 1.3, 0.9])
        assert nearest_mm(these, those, axes) == pytest.approx(brute(these, those, axes))


def test_nothing_to_be_near_to():
    some, none = np.array([[1, 2, 3]]), np.empty((0, 3), dtype=int)
    assert nearest_mm(some, none, np.eye(3)).size == 0
    assert nearest_mm(none, some, np.eye(3)).size == 0
