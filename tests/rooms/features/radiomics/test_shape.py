"""Meshes, hulls, spatial correlation and local peaks against slower ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform
from skimage.measure import marching_cubes, mesh_surface_area

from onkos.features.radiomics import correlation
from onkos.features.radiomics.cells import _triangles, mesh_size
from onkos.features.radiomics.hull import hull
from onkos.features.radiomics.morphology import _ellipsoid, centre_shift, morphology
from onkos.features.radiomics.peaks import RADIUS_MM, peaks, reach

STEPS = (2.5, 0.7, 1.3)


@pytest.fixture
def outline(rng) -> np.ndarray:
    return np.pad((rng.random((6, 9, 7)) < 0.6).astype(np.uint8), 1)


def mesh(outline):
    return marching_cubes(outline.astype(np.float32), 0.5, spacing=STEPS, method="lorensen")[:2]


def test_volume_and_area_are_those_of_the_mesh(outline):
    points, faces = mesh(outline)
    a, b, c = np.moveaxis(points[faces].astype(float), 1, 0)
    volume, area = mesh_size(outline, STEPS)
    assert area == pytest.approx(mesh_surface_area(points, faces), rel=1e-5)
    assert volume == pytest.approx(
        abs(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6, rel=1e-5
    )


def test_the_mesh_has_no_hole(outline):
    triangles, looks = _triangles()
    bits = np.lib.stride_tricks.sliding_window_view(outline, (2, 2, 2)).reshape(-1, 8)
    counts = np.bincount(bits @ (1 << np.arange(8)), minlength=256)
    a, b, c = np.moveaxis(triangles, 1, 0)
    assert np.cross(b - a, c - a).T @ counts[looks] == pytest.approx(0, abs=1e-9)


def test_one_voxel_is_an_octahedron():
    outline = np.pad(np.ones((1, 1, 1), dtype=np.uint8), 1)
    volume, _ = mesh_size(outline, STEPS)
    assert volume == pytest.approx(math.prod(STEPS) / 6)
    values, centroid = morphology(outline, STEPS)
    assert centroid == pytest.approx(STEPS)
    assert values[11:14].tolist() == [0, 0, 0]
    assert np.isnan(values[14:16]).all()


def test_the_hull_is_that_of_all_points_of_the_mesh(outline):
    points = mesh(outline)[0].astype(float)
    whole, found = ConvexHull(points), hull(outline, STEPS)
    assert found.volume == pytest.approx(whole.volume, rel=1e-6)
    assert found.area == pytest.approx(whole.area, rel=1e-6)
    assert found.diameter == pytest.approx(pdist(points).max(), rel=1e-6)


def test_a_turned_box_is_found():
    corners = np.array(np.meshgrid([0, 3.0], [0, 5.0], [0, 11.0])).reshape(3, -1).T
    angle = 0.4
    turn = np.array(
        [[1, 0, 0], [0, math.cos(angle), -math.sin(angle)], [0, math.sin(angle), math.cos(angle)]]
    )
    found = hull(np.pad(np.ones((2, 2, 2), dtype=np.uint8), 1), STEPS)
    turned = type(found)(corners=corners @ turn.T, volume=165.0, area=206.0)
    sides = turned.smallest_box(np.eye(3)[None])
    assert np.sort(sides) == pytest.approx([3, 5, 11], rel=1e-9)
    # the least ellipsoid around a box touches its corners: semi-axes sqrt(3) times half sides
    axes = turned.smallest_ellipsoid()
    assert axes == pytest.approx(np.array([11, 5, 3]) * math.sqrt(3) / 2, rel=1e-3)


def test_an_ellipsoid_s_area_is_the_standard_s_series_exact_for_a_sphere():
    assert _ellipsoid(np.array([3.0, 3.0, 3.0]))[1] == pytest.approx(36 * math.pi)
    e = math.sqrt(1 - (2 / 3) ** 2)  # b = c: the series has a closed form, not the true area
    series = 0.5 + (1 - e**2) / (4 * e) * math.log((1 + e) / (1 - e))
    assert _ellipsoid(np.array([3.0, 2.0, 2.0]))[1] == pytest.approx(24 * math.pi * series)


def test_the_centre_moves_towards_the_bright_side():
    inside = np.ones((1, 1, 3), dtype=bool)
    centroid = np.array([1, 1, 2]) * STEPS
    image = np.array([[[0.0, 1.0, 3.0]]])
    shift = centre_shift(image, inside, centroid, STEPS)
    assert shift == pytest.approx(STEPS[2] * 0.75)
    assert math.isnan(centre_shift(image * 0, inside, centroid, STEPS))


@pytest.mark.parametrize("shape", [(3, 4, 5), (11, 9, 13)], ids=["pairs", "fourier"])
def test_spatial_correlation_is_the_sum_over_all_pairs(shape, rng):
    inside = rng.random(shape) < 0.7
    values = rng.normal(1000, 30, size=shape) + 40 * np.arange(shape[2])
    assert (inside.sum() > correlation._PAIRS_AT_MOST) == (shape[0] == 11)
    x = values[inside] - values[inside].mean()
    with np.errstate(divide="ignore"):
        w = 1 / squareform(pdist(np.argwhere(inside) * STEPS))
    np.fill_diagonal(w, 0)
    moran = len(x) / w.sum() * (x @ w @ x) / (x @ x)
    geary = (len(x) - 1) / (2 * w.sum()) * (w * (x[:, None] - x) ** 2).sum() / (x @ x)
    found = correlation.moran_geary(values, inside, STEPS)
    assert found == pytest.approx((moran, geary), rel=1e-5)


def test_a_spectrum_in_parts_gives_the_same_sum(rng, monkeypatch):
    inside = rng.random((12, 10, 37)) < 0.8
    values = np.where(inside, rng.normal(size=inside.shape), np.nan)
    parts = correlation.moran_geary(values, inside, STEPS)
    monkeypatch.setattr(correlation, "_WIDTH", 64)
    assert correlation.moran_geary(values, inside, STEPS) == pytest.approx(parts, rel=1e-5)


@pytest.mark.parametrize("corner", [(1, 2, 3), (3, 10, 6)], ids=["at-the-edge", "inside"])
def test_local_peaks_are_means_over_spheres(corner, rng):
    image = rng.normal(size=(9, 34, 22)).astype(np.float32)
    inside = rng.random((3, 12, 9)) < 0.5
    inside[0, 0, 0] = True
    block = tuple(slice(a, a + n) for a, n in zip(corner, inside.shape, strict=True))
    image[block][0, 0, 0] = 9
    places = np.moveaxis(np.indices(image.shape), 0, -1) * STEPS
    means = [
        image[np.linalg.norm(places - place * STEPS, axis=-1) <= RADIUS_MM + 1e-9].mean()
        for place in np.argwhere(inside) + corner
    ]
    local, highest = peaks(image, inside, corner, STEPS, threads=2)
    assert local == pytest.approx(means[0], rel=1e-5)
    assert highest == pytest.approx(max(means), rel=1e-5)
    assert reach(STEPS) == (2, 8, 4)
