"""Laws of grids, volumes and masks, over awkward geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from awkward import geometries
from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume


def ellipsoid(geometry: Geometry, *, radii_mm: tuple[float, float, float]) -> np.ndarray:
    """Voxels inside an ellipsoid fixed in the patient around the grid's centre."""
    index = np.indices(geometry.shape).reshape(3, -1).T
    centre = geometry.to_mm((np.array(geometry.shape) - 1) / 2)
    away = (geometry.to_mm(index) - centre) / np.array(radii_mm)
    return (np.sum(away**2, axis=1) <= 1).reshape(geometry.shape)


@given(geometries(), st.lists(st.floats(-50, 50), min_size=3, max_size=3))
def test_index_and_millimetres_are_inverse(geometry, index):
    assert geometry.to_index(geometry.to_mm(index)) == pytest.approx(index, abs=1e-6)


@given(geometries(), st.data())
def test_a_crop_keeps_every_voxel_where_it_was(geometry, data):
    start = [data.draw(st.integers(0, side - 1)) for side in geometry.shape]
    shape = [
        data.draw(st.integers(1, side - s)) for side, s in zip(geometry.shape, start, strict=True)
    ]
    part = geometry.crop(start, shape)
    last = np.array(shape) - 1
    assert part.to_mm(last) == pytest.approx(geometry.to_mm(last + start), abs=1e-6)
    assert part.voxel_ml == pytest.approx(geometry.voxel_ml)


@given(geometries())
def test_directions_spacing_and_origin_make_the_affine(geometry):
    again = Geometry.upright(
        geometry.shape,
        spacing_mm=geometry.spacing_mm,
        origin_mm=geometry.origin_mm,
        directions=geometry.directions,
    )
    assert again.matches(geometry)
    assert not geometry.is_sheared


@given(geometries(), st.floats(0.05, 0.5))
def test_shear_is_seen_and_keeps_the_volume(geometry, slope):
    affine = geometry.affine.copy()
    affine[:3, 2] += slope * affine[:3, 1]
    sheared = Geometry(shape=geometry.shape, affine=affine)
    cosine = sheared.directions[:, 1] @ sheared.directions[:, 2]
    assert sheared.is_sheared == (abs(cosine) > 1e-3)
    assert sheared.voxel_ml == pytest.approx(geometry.voxel_ml)


@given(geometries(), st.integers(0, 2))
def test_flipping_an_axis_flips_its_letter_only(geometry, axis):
    start = np.zeros(3)
    start[axis] = geometry.shape[axis] - 1
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.to_mm(start)
    affine[:3, axis] *= -1
    flipped = Geometry(shape=geometry.shape, affine=affine).orientation
    opposite = dict(zip("LRPASI", "RLAPIS", strict=True))
    expected = [opposite[c] if n == axis else c for n, c in enumerate(geometry.orientation)]
    assert flipped == "".join(expected)


@given(geometries(), st.integers(0, 2**32 - 1))
def test_a_mask_on_its_own_grid_reordered_is_the_same_voxels(geometry, seed):
    """Permuting and flipping the axes of the target grid permutes and flips the labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, size=geometry.shape, dtype=np.uint8)
    mask = Mask(labels=labels, geometry=geometry, names={1: "core", 2: "oedema"})
    order, flips = rng.permutation(3), rng.integers(0, 2, size=3).astype(bool)
    affine = geometry.affine.copy()
    affine[:3, :3] = geometry.affine[:3, :3][:, order]
    expected = labels.transpose(order)
    start = np.where(flips, np.array(geometry.shape)[order] - 1, 0)
    affine[:3, 3] += affine[:3, :3] @ start
    affine[:3, :3] *= np.where(flips, -1, 1)
    expected = np.flip(expected, axis=tuple(np.flatnonzero(flips)))
    target = Geometry(shape=expected.shape, affine=affine)
    assert np.array_equal(mask.on(target).labels, expected)


@given(st.lists(st.floats(-180, 180), min_size=3, max_size=3))
def test_volume_does_not_depend_on_how_the_grid_lies(angles):
    radii = (9.0, 6.0, 7.5)
    turned = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    grid = Geometry.upright(
        (37, 34, 28), spacing_mm=(0.7, 0.8, 0.9), origin_mm=(40, -80, 12), directions=turned
    )
    mask = Mask(labels=ellipsoid(grid, radii_mm=radii), geometry=grid, names={1: "core"})
    assert mask.volumes_ml["core"] == pytest.approx(4 / 3 * np.pi * np.prod(radii) / 1000, rel=0.03)


@given(geometries(), geometries(smallest=2, largest=9), st.integers(0, 2**32 - 1))
def test_a_linear_ramp_survives_resampling(source, target, seed):
    """Linear interpolation gives a linear function of the position back, NaN outside."""
    slope = np.random.default_rng(seed).normal(size=3)
    points = source.to_mm(np.moveaxis(np.indices(source.shape), 0, -1))
    centre = source.to_mm((np.array(source.shape) - 1) / 2)
    ramp = Volume(data=(points - centre) @ slope, geometry=source, modality="CT", unit="1")
    affine = target.affine.copy()
    affine[:3, 3] = centre - target.axes_mm @ ((np.array(target.shape) - 1) / 2)
    target = Geometry(shape=target.shape, affine=affine)
    at = target.to_mm(np.moveaxis(np.indices(target.shape), 0, -1))
    index = source.to_index(at)
    inside = np.all((index >= -1e-6) & (index <= np.array(source.shape) - 1 + 1e-6), axis=-1)
    found = ramp.on(target).data
    scale = np.abs(ramp.data).max() + 1
    assert np.array_equal(np.isnan(found), ~inside)
    assert found[inside] == pytest.approx(((at - centre) @ slope)[inside], abs=1e-4 * scale)


@given(geometries(), st.integers(0, 2**32 - 1))
def test_bounds_hold_every_labelled_voxel_and_no_empty_side(geometry, seed):
    rng = np.random.default_rng(seed)
    labels = (rng.random(geometry.shape) < 0.03).astype(np.uint8)
    mask = Mask(labels=labels, geometry=geometry, names={1: "core"})
    block = mask.bounds()
    if block is None:
        assert not labels.any()
        return
    part = mask.crop(block)
    assert part.counts == mask.counts
    for axis in range(3):
        sides = np.moveaxis(part.labels, axis, 0)
        assert sides[0].any()
        assert sides[-1].any()


def test_unequal_grids_are_refused_by_name():
    one = Geometry.upright((4, 5, 6), spacing_mm=(1, 1, 2))
    two = Geometry.upright((4, 5, 6), spacing_mm=(1, 1, 2.1))
    with pytest.raises(GeometryError, match=r"comparing: the grids differ.*\.on\(geometry\)"):
        one.require_same(two, doing="comparing")


def test_a_picture_of_unknown_pixel_size_refuses_millimetres():
    picture = Geometry.picture((30, 20))
    with pytest.raises(GeometryError, match="pixel size is unknown"):
        _ = picture.spacing_mm
    assert Geometry.picture((30, 20), spacing_mm=(0.1, 0.2)).pixel_mm2 == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("shape", "affine"),
    [
        ((0, 3, 4), np.eye(4)),
        ((3, 3, 3, 3), np.eye(5)),
        ((3, 3, 3), np.diag([1.0, 0.0, 1.0, 1.0])),
        ((3, 3, 3), np.full((4, 4), np.nan)),
        ((3, 3, 3), np.eye(4) + np.eye(4)[[3, 0, 1, 2]]),
    ],
)
def test_impossible_grids_are_refused(shape, affine):
    with pytest.raises(GeometryError):
        Geometry(shape=shape, affine=affine)


def test_labels_without_a_name_are_refused():
    grid = Geometry.upright((3, 4, 5), spacing_mm=(1, 2, 3))
    labels = np.zeros(grid.shape, dtype=np.uint8)
    labels[1, 2, 3] = 7
    with pytest.raises(ContentError, match=r"\[7\] are present but not named"):
        Mask(labels=labels, geometry=grid, names={1: "core"})


def test_arrays_cannot_be_changed_afterwards():
    grid = Geometry.upright((3, 4, 5), spacing_mm=(1, 2, 3))
    volume = Volume(data=np.zeros(grid.shape), geometry=grid, modality="MR", unit="1")
    with pytest.raises(ValueError, match="read-only"):
        volume.data[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 1
