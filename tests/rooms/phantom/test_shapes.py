"""Depths, waves and tubes against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.phantom.anatomy import MassEffect
from onkos.phantom.shapes import HeadGrid, Waves, displaced, ellipsoid, smooth_min, tubes

GRID = HeadGrid.between((-20.0, -31.0, -14.0), (24.0, 29.0, 17.0), step_mm=1.2)


def test_a_sphere_is_as_deep_as_its_radius_says() -> None:
    x, y, z = GRID.points
    depth = ellipsoid(GRID.points, (1.0, -2.0, 3.0), (9.0, 9.0, 9.0))
    radius = np.sqrt((x - 1) ** 2 + (y + 2) ** 2 + (z - 3) ** 2)
    np.testing.assert_allclose(depth, 9 - radius, atol=0.01)


def test_a_slanted_tube_is_as_deep_as_the_distance_to_its_axis_says() -> None:
    start, end = np.array([-8.0, -10.0, -5.0]), np.array([9.0, 12.0, 8.0])
    depth = tubes(GRID, ([(*start, 4.0), (*end, 2.0)],))
    points = np.stack(np.broadcast_arrays(*GRID.points), axis=-1).astype(np.float64)
    along = end - start
    t = np.clip((points - start) @ along / (along @ along), 0, 1)
    away = np.linalg.norm(points - start - t[..., None] * along, axis=-1)
    expected = np.maximum(4.0 - 2.0 * t - away, -6.0)
    np.testing.assert_allclose(depth, expected, atol=1e-4)


def test_waves_are_the_sum_of_their_cosines_and_know_their_zeros(
    rng: np.random.Generator,
) -> None:
    waves = Waves.draw(rng, length_mm=15.0, count=9)
    points = np.stack(np.broadcast_arrays(*GRID.points), axis=-1).astype(np.float64)
    expected = np.sqrt(2 / 9) * np.cos(points @ waves.vectors.T + waves.phases).sum(axis=-1)
    np.testing.assert_allclose(waves.on(GRID), expected, atol=2e-4)
    near = waves.distance_on(GRID) < 0.3
    slope = np.linalg.norm(np.gradient(expected, GRID.step_mm), axis=0)
    inner = (slice(1, -1),) * 3
    steep = near[inner] & (slope[inner] > 0.1)
    assert np.abs(expected[inner][steep] / slope[inner][steep]).max() < 0.45


def test_a_field_is_displaced_by_what_was_asked() -> None:
    x, y, z = np.broadcast_arrays(*GRID.points)
    field = np.ascontiguousarray(2 * x - y + 3 * z, dtype=np.float32)
    shift = tuple(np.full(GRID.shape, mm, dtype=np.float32) for mm in (1.5, -2.0, 0.7))
    moved = displaced(field, shift, step_mm=GRID.step_mm)
    inner = (slice(3, -3),) * 3
    np.testing.assert_allclose(moved[inner], (field - (3.0 + 2.0 + 2.1))[inner], atol=1e-3)


def test_what_is_pushed_away_keeps_its_volume() -> None:
    mass = MassEffect(centre_mm=(2.0, -3.0, 1.0), radius_mm=4.0)
    x, y, z = GRID.points
    shift = mass.shift(GRID.points)
    place = [np.asarray(p - s) for p, s in zip(GRID.points, shift, strict=True)]
    before = np.sqrt((place[0] - 2) ** 2 + (place[1] + 3) ** 2 + (place[2] - 1) ** 2)
    after = np.sqrt((x - 2) ** 2 + (y + 3) ** 2 + (z - 1) ** 2)
    outside = after > 4.5
    np.testing.assert_allclose((after**3 - before**3)[outside], 64.0, rtol=0.02, atol=0.5)


def test_a_rounded_intersection_is_the_smaller_depth_away_from_the_edge() -> None:
    a = np.array([-9.0, 0.0, 5.0, 1.0], dtype=np.float32)
    b = np.array([4.0, 9.0, 5.0, 2.0], dtype=np.float32)
    np.testing.assert_allclose(smooth_min(a, b, round_mm=4.0), [-9.0, 0.0, 4.0, 0.4375])
    assert smooth_min(a, b, round_mm=4.0).dtype == np.float32
    assert smooth_min(a, b, round_mm=4.0)[0] == pytest.approx(-9.0)
