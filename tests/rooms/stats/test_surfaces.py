"""Distances between surfaces: worked examples, misses, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.stats.surfaces import diagonal_mm, distances_between, surface_distances

GRID = Geometry.upright((9, 8, 7), spacing_mm=(0.5, 2.0, 3.0), origin_mm=(-40, 12, 99))


def block(*sides: tuple[int, int], grid: Geometry = GRID) -> Mask:
    labels = np.zeros(grid.shape, dtype=np.uint8)
    if sides:
        labels[tuple(slice(*side) for side in sides)] = 1
    return Mask(labels=labels, geometry=grid, names={1: "lesion"})


SMALL = block((2, 5), (2, 5), (2, 5))
WIDE = block((2, 6), (2, 5), (2, 5))


def test_a_worked_example():
    """One more layer of 9 voxels along i: they lie 0.5 mm away, the other voxels on the truth."""
    found = surface_distances(WIDE, SMALL, miss_mm=100.0)
    assert np.count_nonzero(found.to_truth_mm) == 9
    assert found.hd == 0.5
    assert found.to_prediction_mm.max() == pytest.approx(0.5)  # the old face's middle is inside
    assert found.assd == pytest.approx((9 * 0.5 + 1 * 0.5) / (34 + 26))
    assert found.surface_dice(0.4) == pytest.approx((34 - 9 + 26 - 1) / (34 + 26))
    assert found.surface_dice(0.5) == 1.0
    assert not found.missed


def test_surfels_of_a_block_have_the_area_of_its_bevelled_box():
    found = distances_between(
        SMALL.where(), SMALL.where(), axes_mm=GRID.axes_mm, miss_mm=1.0, surface="surfels"
    )
    step = np.array(GRID.spacing_mm)
    side = 2 * step
    faces = 2 * (side[0] * side[1] + side[1] * side[2] + side[0] * side[2])
    edges = 2 * sum(side[axis] * math.hypot(*np.delete(step, axis)) for axis in range(3))
    products = np.prod([np.delete(step, axis) for axis in range(3)], axis=1)
    corners = np.linalg.norm(products)  # eight triangles of an eighth each
    assert found.truth_areas.sum() == pytest.approx(faces + edges + corners)


def test_contour_of_a_rectangle_has_its_length_with_cut_corners():
    grid = Geometry.picture((9, 7), spacing_mm=(0.5, 2.0))
    square = block((2, 5), (2, 6), grid=grid)
    found = surface_distances(square, square, miss_mm=1.0, surface="surfels")
    expected = 2 * (2 * 0.5 + 3 * 2.0) + 4 * math.hypot(0.25, 1.0)
    assert found.truth_areas.sum() == pytest.approx(expected)


@pytest.mark.parametrize("surface", ["voxels", "surfels"])
def test_one_empty_region_costs_what_the_caller_says(surface):
    missed = surface_distances(block(), SMALL, miss_mm=77.0, surface=surface)
    assert (missed.hd, missed.hd95, missed.hd95_pooled) == (77.0, 77.0, 77.0)
    assert (missed.assd, missed.masd, missed.surface_dice(5.0)) == (77.0, 77.0, 0.0)
    assert (missed.missed, missed.empty) == (True, "prediction")
    invented = surface_distances(SMALL, block(), miss_mm=77.0, surface=surface)
    assert (invented.hd95, invented.surface_dice(5.0)) == (77.0, 0.0)
    assert (invented.missed, invented.empty) == (False, "truth")


@pytest.mark.parametrize("surface", ["voxels", "surfels"])
def test_two_empty_regions_agree(surface):
    found = surface_distances(block(), block(), miss_mm=77.0, surface=surface)
    assert (found.hd, found.hd95, found.assd, found.masd) == (0.0, 0.0, 0.0, 0.0)
    assert (found.surface_dice(0.0), found.missed, found.empty) == (1.0, False, "both")


def test_an_outline_elsewhere_is_a_miss_and_keeps_its_distance():
    found = surface_distances(block((8, 9), (7, 8), (6, 7)), SMALL, miss_mm=77.0)
    assert (found.missed, found.empty) == (True, "neither")
    assert found.hd == pytest.approx(math.hypot(6 * 0.5, 5 * 2.0, 4 * 3.0))


def test_hausdorff_distance_agrees_with_simpleitk():
    """Its filter takes whole regions, so that only the larger directed distance of surfaces fits.

    Disjoint blocks: the farthest voxel from the other block lies on the surface of each.
    """
    first, second = block((0, 2), (0, 3), (0, 2)), block((6, 9), (4, 8), (4, 7))
    images = []
    for mask in (first, second):
        image = SimpleITK.GetImageFromArray(mask.labels.T)
        image.SetSpacing(GRID.spacing_mm)
        images.append(image)
    judge = SimpleITK.HausdorffDistanceImageFilter()
    judge.Execute(*images)
    found = surface_distances(first, second, miss_mm=1.0)
    assert found.hd == pytest.approx(judge.GetHausdorffDistance())


def test_diagonal_is_the_longest_distance_on_a_sheared_grid():
    axes = np.array([[1.0, 0.5, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]])
    affine = np.eye(4)
    affine[:3, :3] = axes
    grid = Geometry(shape=(4, 3, 2), affine=affine)
    assert diagonal_mm(grid) == pytest.approx(np.linalg.norm(axes @ [3, 2, 1]))


def test_what_is_refused():
    other = Geometry.upright(GRID.shape, spacing_mm=(0.5, 2.0, 3.1))
    with pytest.raises(GeometryError, match="comparing surfaces"):
        surface_distances(SMALL, block(grid=other), miss_mm=1.0)
    picture = Geometry.picture((5, 5))
    with pytest.raises(GeometryError, match="pixel size is unknown"):
        surface_distances(block(grid=picture), block(grid=picture), miss_mm=1.0)
    with pytest.raises(GeometryError, match="axes of shape"):
        distances_between(SMALL.where(), SMALL.where(), axes_mm=np.eye(2), miss_mm=1.0)
    for cost in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ContentError, match="a miss costs"):
            surface_distances(SMALL, SMALL, miss_mm=cost)
    found = surface_distances(SMALL, WIDE, miss_mm=1.0)
    with pytest.raises(ContentError, match="tolerance"):
        found.surface_dice(-0.1)
    with pytest.raises(ContentError, match="percentile"):
        found.hd_percentile(0.0)
