"""Interpolation: grids laid over each other, values against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from onkos.features.radiomics.grid import Axis, axes_to, interpolated

OLD = (3.0, 1.0, 0.8)


def new_values(data, spacing, method, order):
    axes = axes_to(data.shape, OLD, spacing)
    blocks = [(0, axis.count) for axis in axes]
    places = np.meshgrid(
        *[np.clip(a.places(0, a.count), 0, a.old_count - 1) for a in axes], indexing="ij"
    )
    expected = ndimage.map_coordinates(data, places, order=order, mode="mirror")
    return interpolated(data, axes, blocks, method=method), expected


def test_a_new_grid_covers_the_old_one_about_the_same_centre():
    axis = Axis.covering_all(5, 3.0, 2.0, "centre")
    assert axis.count == 8
    assert axis.places(0, 8).mean() == pytest.approx(2.0)
    assert np.diff(axis.places(0, 8)) == pytest.approx(2 / 3)


@pytest.mark.parametrize("spacing", [(1.1, 1.7, 2.0), (0.5, 0.6)], ids=["space", "slices"])
@pytest.mark.parametrize(("method", "order"), [("linear", 1), ("cubic", 3)])
def test_values_are_those_of_splines(spacing, method, order, rng):
    data = rng.normal(size=(7, 12, 15))
    found, expected = new_values(data, spacing, method, order)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_nearest_takes_values_that_are_there(rng):
    data = rng.integers(0, 9, size=(4, 6, 5)).astype(np.int16)
    axes = axes_to(data.shape, OLD, (0.9, 0.9, 0.9))
    found = interpolated(data, axes, [(0, axis.count) for axis in axes], method="nearest")
    assert set(np.unique(found)) <= set(np.unique(data))


@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_a_block_is_cut_from_the_whole(method, rng):
    data = rng.normal(size=(60, 70, 65))
    axes = axes_to(data.shape, OLD, (1.0, 1.5, 2.0))
    whole = interpolated(data, axes, [(0, axis.count) for axis in axes], method=method)
    block = [(30, 44), (20, 33), (10, 30)]
    part = interpolated(data, axes, block, method=method)
    np.testing.assert_allclose(part, whole[tuple(slice(*ends) for ends in block)], atol=1e-7)


def test_old_voxels_are_covered_by_all_new_ones_they_weigh_in():
    axis = Axis.covering_all(20, 3.0, 2.0, "centre")
    start, stop = axis.covering(7, 9)
    places = axis.places(0, axis.count)
    near = np.flatnonzero((places > 6) & (places < 9))
    assert start <= near[0]
    assert stop > near[-1]
    assert stop - start <= len(near) + 3


def test_grids_may_share_a_corner_instead():
    axis = Axis.covering_all(5, 3.0, 2.0, "corner")
    places = axis.places(0, 8)
    assert (places[0] + 0.5) * 3.0 == pytest.approx(1.0)
    assert np.diff(places) == pytest.approx(2 / 3)
    start, stop = axis.covering(2, 4)
    near = np.flatnonzero((places > 1) & (places < 4))
    assert start <= near[0]
    assert stop > near[-1]
