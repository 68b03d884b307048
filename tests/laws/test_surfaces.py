"""Laws of distances between surfaces, against brute force on small awkward masks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from awkward import geometries
from onkos.core.geometry import Geometry
from onkos.stats.surfaces import SurfaceDistances, diagonal_mm, distances_between

MISS = 1e4
KINDS = st.sampled_from(["voxels", "surfels"])
SEEDS = st.integers(0, 2**32 - 1)


def between(a: np.ndarray, b: np.ndarray, axes: np.ndarray, surface="voxels") -> SurfaceDistances:
    return distances_between(a, b, axes_mm=axes, miss_mm=MISS, surface=surface)


def lumps(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Some random boxes; never empty."""
    mask = np.zeros(shape, dtype=bool)
    for _ in range(3):
        ends = np.sort([rng.integers(0, side, size=2) for side in shape], axis=1)
        mask[tuple(slice(low, high + 1) for low, high in ends)] = True
    return mask ^ (rng.random(shape) < 0.1)


def sheared(rng: np.random.Generator, n: int) -> np.ndarray:
    """Axes at any angles, some of them far from right ones."""
    return np.diag(rng.uniform(0.4, 3.0, n)) + rng.uniform(-0.3, 0.3, (n, n))


def brute_surface(mask: np.ndarray) -> np.ndarray:
    steps = [
        sign * np.eye(mask.ndim, dtype=int)[axis] for axis in range(mask.ndim) for sign in (-1, 1)
    ]

    def outside(place: np.ndarray) -> bool:
        beyond = (place < 0).any() or (place >= mask.shape).any()
        return bool(beyond or not mask[tuple(place)])

    return np.array(
        [place for place in np.argwhere(mask) if any(outside(place + step) for step in steps)]
    )


def brute_distances(a: np.ndarray, b: np.ndarray, axes: np.ndarray) -> np.ndarray:
    apart = (brute_surface(a)[:, None] - brute_surface(b)[None]) @ axes.T
    return np.linalg.norm(apart, axis=-1).min(axis=1)


@given(SEEDS, st.integers(2, 3), st.booleans())
@settings(max_examples=60)
def test_distances_are_those_of_brute_force_on_any_grid(seed, axes_count, in_columns):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 8, size=axes_count))
    axes = sheared(rng, axes_count)
    a, b = lumps(shape, rng), lumps(shape, rng)
    assume(a.any() and b.any())
    there, back = brute_distances(a, b, axes), brute_distances(b, a, axes)
    if in_columns:
        a, b = np.asfortranarray(a), np.asfortranarray(b)
    found = between(a, b, axes)
    assert np.sort(found.to_truth_mm) == pytest.approx(np.sort(there), abs=1e-9)
    assert np.sort(found.to_prediction_mm) == pytest.approx(np.sort(back), abs=1e-9)
    both = np.concatenate([there, back])
    assert found.hd == pytest.approx(both.max(), abs=1e-9)
    assert found.hd95 == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    assert found.hd95_pooled == pytest.approx(np.percentile(both, 95))
    assert found.assd == pytest.approx(both.mean())
    assert found.masd == pytest.approx((there.mean() + back.mean()) / 2)
    assert found.surface_dice(1.1) == pytest.approx(np.mean(both <= 1.1), abs=1e-12)


@given(geometries(largest=9), SEEDS, KINDS)
def test_symmetric_and_nothing_between_equals(geometry, seed, surface):
    rng = np.random.default_rng(seed)
    a, b = lumps(geometry.shape, rng), lumps(geometry.shape, rng)
    assume(a.any() and b.any())
    there, back = (between(*pair, geometry.axes_mm, surface) for pair in ((a, b), (b, a)))
    for name in ("hd", "hd95", "hd95_pooled", "assd", "masd"):
        assert getattr(there, name) == pytest.approx(getattr(back, name), abs=1e-9)
    assert there.surface_dice(1.0) == pytest.approx(back.surface_dice(1.0))
    assert max(there.hd95_pooled, there.hd95) <= there.hd + 1e-9
    assert there.assd <= there.hd + 1e-9 <= diagonal_mm(geometry) + one_cell_more(geometry)
    alone = between(a, a, geometry.axes_mm, surface)
    assert (alone.hd, alone.hd95, alone.assd, alone.surface_dice(0)) == (0, 0, 0, 1)


def one_cell_more(geometry: Geometry) -> float:
    return sum(2 * step for step in geometry.spacing_mm)


@given(geometries(smallest=6, largest=10), SEEDS, st.integers(0, 2), KINDS)
def test_moving_a_convex_mask_by_k_voxels_gives_k_spacings(geometry, seed, axis, surface):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 4))
    a = np.zeros(geometry.shape, dtype=bool)
    a[1:3, 1:3, 1:3] = True
    found = between(np.roll(a, k, axis=axis), a, geometry.axes_mm, surface)
    assert found.hd == pytest.approx(k * geometry.spacing_mm[axis])


@given(SEEDS, st.integers(2, 3))
def test_axes_may_be_permuted_and_flipped(seed, count):
    rng = np.random.default_rng(seed)
    shape, spacing = tuple(rng.integers(3, 9, size=count)), rng.uniform(0.3, 4, size=count)
    a, b = lumps(shape, rng), lumps(shape, rng)
    assume(a.any() and b.any())
    order = rng.permutation(count)
    flips = tuple(np.flatnonzero(rng.random(count) < 0.5))
    turned = [np.flip(np.transpose(mask, order), flips) for mask in (a, b)]
    found = between(a, b, np.diag(spacing))
    again = between(*turned, np.diag(spacing[order]))
    for name in ("hd", "hd95", "hd95_pooled", "assd", "masd"):
        assert getattr(again, name) == pytest.approx(getattr(found, name), abs=1e-9)


@given(geometries(largest=8), SEEDS)
def test_hausdorff_distance_obeys_the_triangle_inequality(geometry, seed):
    rng = np.random.default_rng(seed)
    masks = [lumps(geometry.shape, rng) for _ in range(3)]
    assume(all(mask.any() for mask in masks))
    ab, bc, ac = (
        between(masks[i], masks[j], geometry.axes_mm).hd for i, j in ((0, 1), (1, 2), (0, 2))
    )
    assert ac <= ab + bc + 1e-9


@given(geometries(largest=8), SEEDS, KINDS)
def test_surface_dice_grows_with_the_tolerance_to_one(geometry, seed, surface):
    rng = np.random.default_rng(seed)
    a, b = lumps(geometry.shape, rng), lumps(geometry.shape, rng)
    assume(a.any() and b.any())
    found = between(a, b, geometry.axes_mm, surface)
    dice = [found.surface_dice(tolerance) for tolerance in np.linspace(0, found.hd, 7)]
    assert all(low <= high for low, high in itertools.pairwise(dice))
    assert dice[-1] == pytest.approx(1)


@given(SEEDS, st.integers(2, 3))
def test_surface_area_does_not_depend_on_which_side_is_the_inside(seed, count):
    rng = np.random.default_rng(seed)
    axes = sheared(rng, count)
    inner = lumps((5,) * count, rng)
    hole = np.pad(~inner, 1, constant_values=True)
    shell = np.ones(hole.shape, dtype=bool)
    outer = between(shell, shell, axes, "surfels").truth_areas.sum()
    area = between(inner, inner, axes, "surfels").truth_areas.sum() if inner.any() else 0.0
    assert between(hole, hole, axes, "surfels").truth_areas.sum() == pytest.approx(outer + area)
