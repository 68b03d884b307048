"""Boundary voxels and surfels of small regions."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.stats.elements import boundary_voxels, bounds, surfels


def test_bounds_hold_every_voxel_and_nothing_more():
    region = np.zeros((5, 6, 7), dtype=bool)
    region[1, 4, 2] = region[3, 2, 2] = True
    assert bounds(region) == (slice(1, 4), slice(2, 5), slice(2, 3))
    assert bounds(region & False) is None


def test_a_block_is_hollowed_and_closed_at_the_edge_of_the_grid():
    region = np.ones((3, 4, 5), dtype=bool)
    found = {tuple(voxel) for voxel in boundary_voxels(region).tolist()}
    inner = {(1, j, k) for j in (1, 2) for k in (1, 2, 3)}
    assert found == set(np.ndindex(region.shape)) - inner


def test_one_voxel_is_an_octahedron():
    region = np.zeros((3, 3, 3), dtype=bool)
    region[1, 1, 1] = True
    step = np.array([0.5, 2.0, 3.0])
    cells, areas = surfels(region, np.diag(step))
    assert sorted(map(tuple, cells.tolist())) == list(np.ndindex(2, 2, 2))
    triangle = np.linalg.norm(np.cross([-0.25, 1.0, 0], [-0.25, 0, 1.5])) / 2
    assert areas == pytest.approx(np.full(8, triangle))


def test_a_region_in_the_first_corner_has_cells_before_the_grid():
    region = np.zeros((2, 2), dtype=bool)
    region[0, 0] = True
    cells, lengths = surfels(region, np.diag([1.0, 2.0]))
    assert sorted(map(tuple, cells.tolist())) == [(-1, -1), (-1, 0), (0, -1), (0, 0)]
    assert lengths == pytest.approx(np.full(4, np.hypot(0.5, 1.0)))


def test_memory_order_changes_nothing_but_the_order(rng):
    region = rng.random((6, 5, 4)) < 0.6
    axes = np.diag([0.5, 2.0, 3.0]) + rng.uniform(-0.2, 0.2, (3, 3))
    pair = []
    for mask in (region, np.asfortranarray(region)):
        cells, areas = surfels(mask, axes)
        order = np.lexsort(cells.T)
        pair.append((cells[order], areas[order], sorted(boundary_voxels(mask).tolist())))
    assert np.array_equal(pair[0][0], pair[1][0])
    assert np.array_equal(pair[0][1], pair[1][1])
    assert pair[0][2] == pair[1][2]


def test_nothing_has_no_surface():
    for shape in ((4, 5), (4, 5, 6)):
        empty = np.zeros(shape, dtype=bool)
        assert boundary_voxels(empty).shape == (0, len(shape))
        cells, areas = surfels(empty, np.eye(len(shape)))
        assert (cells.shape, areas.shape) == ((0, len(shape)), (0,))
