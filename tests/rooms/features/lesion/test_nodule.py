"""The classic numbers of lung nodules, on balls and boxes whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.lesion import nodule
from onkos.features.lesion.runs import (
    DIRECTIONS,
    cooccurrence_counts,
    run_features,
    run_lengths,
)
from onkos.features.pictures import Description

LUNG = -850.0


def oblique(shape: tuple[int, ...], spacing: tuple[float, float, float]) -> Geometry:
    turned = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()
    flipped = turned @ np.diag([1.0, -1.0, 1.0])
    return Geometry.upright(
        shape, spacing_mm=spacing, origin_mm=(-80.0, 40.0, 300.0), directions=flipped
    )


def scene(
    axes_mm: tuple[float, float, float],
    *,
    hu: float = 40.0,
    spacing: tuple[float, float, float] = (0.7, 0.7, 1.25),
    noise: float = 0.0,
    blur_mm: float = 0.0,
) -> tuple[Volume, Mask]:
    """An ellipsoid with axes along the grid's, in lung."""
    shape = tuple(int(2 * (r + 10) / s) for r, s in zip(axes_mm, spacing, strict=True))
    geometry = oblique(shape, spacing)
    places = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)]
    scaled = [p / r for p, r in zip(np.ix_(*places), axes_mm, strict=True)]
    radius = np.sqrt(sum(one**2 for one in scaled))
    inside = radius <= 1
    if blur_mm:
        part = 1 / (1 + np.exp((radius - 1) * min(axes_mm) / blur_mm))
    else:
        part = inside.astype(float)
    data = LUNG + (hu - LUNG) * part
    data = data + np.random.default_rng(1).normal(0, 1, shape) * noise
    ct = Volume(data=data, geometry=geometry, modality="CT", unit="[hnsf'U]")
    return ct, Mask(labels=inside, geometry=geometry, names={1: "nodule"})


def test_a_ball_is_told_as_one():
    found = nodule(*scene((8.0, 8.0, 8.0)))
    assert found["shape-volume-ml"] == pytest.approx(4 / 3 * math.pi * 0.512, rel=0.02)
    assert found["shape-diameter-mm"] == pytest.approx(16, rel=0.01)
    assert 16 <= found["shape-longest-mm"] <= 16 + 1.25  # corner to corner, under a slice more
    assert found["shape-sphericity"] > 0.9
    assert found["shape-compactness"] == pytest.approx(found["shape-sphericity"] ** 3)
    assert found["shape-elongation"] == pytest.approx(1, abs=0.02)
    assert found["shape-flatness"] == pytest.approx(1, abs=0.02)
    assert found["shape-solidity"] > 0.93  # voxels of 0.7 x 0.7 x 1.25 mm have steps
    assert found["shape-roughness"] < 0.04
    assert found["density-mean-hu"] == pytest.approx(40)
    assert found["density-mass-g"] == pytest.approx(found["shape-volume-ml"] * 1.04)
    assert found["margin-radial"] > 0.9


def test_an_ellipsoid_has_its_axes_whatever_the_grid():
    for spacing in ((0.7, 0.7, 1.25), (0.9, 0.6, 2.0), (1.0, 1.0, 1.0)):
        found = nodule(*scene((12.0, 9.0, 6.0), spacing=spacing))
        assert found["shape-elongation"] == pytest.approx(9 / 12, abs=0.03)
        assert found["shape-flatness"] == pytest.approx(6 / 12, abs=0.03)
        assert found["shape-longest-mm"] == pytest.approx(24, abs=1.2)


def test_densities_are_sorted_by_what_they_are():
    kinds = {
        "ground-glass": -500.0,
        "fat": -80.0,
        "solid": 40.0,
        "calcified": 600.0,
    }
    for name, hu in kinds.items():
        found = nodule(*scene((6.0, 6.0, 6.0), hu=hu))
        assert found[f"density-{name}"] == 1.0
        assert found["density-ground-glass"] == float(name == "ground-glass")
        assert found["density-calcified"] == float(name == "calcified")
    ct, mask = scene((6.0, 6.0, 6.0))
    data = ct.data.copy()
    half = mask.where().copy()
    half[: half.shape[0] // 2] = False
    data[half] = 500.0
    mixed = nodule(Volume(data=data, geometry=ct.geometry, modality="CT", unit=ct.unit), mask)
    assert mixed["density-calcified"] == pytest.approx(half.sum() / mask.where().sum())
    assert mixed["density-entropy"] == pytest.approx(1, abs=0.01)


def test_noise_is_texture():
    smooth, rough = (nodule(*scene((8.0, 8.0, 8.0), noise=noise)) for noise in (0.0, 60.0))
    assert smooth["density-sd-hu"] == pytest.approx(0, abs=1e-9)
    assert math.isnan(smooth["density-skewness"])
    assert rough["density-sd-hu"] == pytest.approx(60, rel=0.1)
    assert rough["glcm-entropy"] > smooth["glcm-entropy"] + 1
    assert rough["runs-short"] > smooth["runs-short"]
    assert rough["runs-long"] < smooth["runs-long"]


def test_a_blurred_margin_is_less_steep():
    sharp, soft = (nodule(*scene((8.0,) * 3, blur_mm=blur)) for blur in (0.3, 2.0))
    assert soft["margin-slope-hu-per-mm"] < sharp["margin-slope-hu-per-mm"]
    assert soft["margin-step-hu"] < sharp["margin-step-hu"]
    assert soft["margin-radial"] == pytest.approx(1, abs=0.06)


def test_slope_of_a_ramp_is_that_of_the_ramp():
    """HU falling by 50 a mm outwards everywhere."""
    ct, mask = scene((8.0, 8.0, 8.0), spacing=(0.8, 0.8, 0.8))
    places = ct.geometry.to_mm(np.moveaxis(np.indices(ct.data.shape), 0, -1))
    middle = ct.geometry.to_mm((np.array(ct.data.shape) - 1) / 2)
    data = 400 - 50 * np.linalg.norm(places - middle, axis=-1)
    found = nodule(Volume(data=data, geometry=ct.geometry, modality="CT", unit=ct.unit), mask)
    assert found["margin-slope-hu-per-mm"] == pytest.approx(50, rel=0.03)
    assert found["margin-radial"] == pytest.approx(1, abs=0.02)


def test_the_same_nodule_on_other_slices_is_told_alike():
    one, other = (
        nodule(*scene((9.0, 7.0, 8.0), blur_mm=1.0, spacing=spacing))
        for spacing in ((0.6, 0.6, 0.6), (0.8, 0.8, 1.5))
    )
    for name in ("shape-volume-ml", "density-mean-hu", "margin-slope-hu-per-mm", "margin-step-hu"):
        assert other[name] == pytest.approx(one[name], rel=0.08, abs=8), name


def test_runs_and_neighbours_by_counting():
    binned = np.full((3, 1, 1), 2)
    runs = run_lengths(binned, 4)
    assert runs[2].tolist() == [12 * 3, 0, 1]  # alone in 12 directions, one run of 3 along i
    assert runs.sum() == 37
    assert cooccurrence_counts(binned, 4)[2, 2] == 4
    assert run_features(runs, 3)["short"] == pytest.approx((36 + 1 / 9) / 37)
    assert run_features(runs, 3)["share"] == pytest.approx(37 / 39)
    assert len(DIRECTIONS) == 13
    assert len({tuple(d) for d in np.vstack([DIRECTIONS, -DIRECTIONS])}) == 26


def test_neighbours_in_space_by_looking_at_each():
    rng = np.random.default_rng(5)
    binned = rng.integers(-1, 4, (4, 5, 3))
    expected = np.zeros((4, 4))
    for place in np.argwhere(binned >= 0):
        for step in np.vstack([DIRECTIONS, -DIRECTIONS]):
            other = place + step
            if (other >= 0).all() and (other < binned.shape).all() and binned[tuple(other)] >= 0:
                expected[binned[tuple(place)], binned[tuple(other)]] += 1
    np.testing.assert_array_equal(cooccurrence_counts(binned, 4), expected)
    runs = run_lengths(binned, 4)
    lengths = np.arange(1, runs.shape[1] + 1)
    per_level = np.array([(binned == level).sum() for level in range(4)])
    np.testing.assert_array_equal((runs * lengths).sum(axis=1), 13 * per_level)


def test_a_few_voxels_have_size_and_density_and_no_shape():
    ct, mask = scene((6.0, 6.0, 6.0))
    labels = np.zeros(mask.labels.shape, dtype=np.uint8)
    middle = tuple(n // 2 for n in labels.shape)
    labels[middle] = 1
    found = nodule(ct, Mask(labels=labels, geometry=ct.geometry, names={1: "nodule"}))
    assert found["shape-volume-ml"] == pytest.approx(ct.geometry.voxel_ml)
    assert math.isnan(found["shape-sphericity"])
    assert found["density-mean-hu"] == pytest.approx(40)
    assert found.names == nodule(ct, mask).names


def test_a_nodule_at_the_edge_of_the_volume_is_described_without_what_is_cut_off():
    ct, mask = scene((8.0, 8.0, 8.0), blur_mm=1.0)
    cut = ct.data.shape[0] // 2
    cropped = Volume(
        data=ct.data[cut:],
        geometry=ct.geometry.crop((cut, 0, 0), (ct.data.shape[0] - cut, *ct.data.shape[1:])),
        modality="CT",
        unit=ct.unit,
    )
    half = Mask(labels=mask.labels[cut:], geometry=cropped.geometry, names=mask.names)
    found = nodule(cropped, half)
    assert isinstance(found, Description)
    assert np.isfinite([found[name] for name in found.names if name.startswith("margin")]).all()


def test_what_is_no_nodule_on_ct_is_refused():
    ct, mask = scene((5.0, 5.0, 5.0))
    with pytest.raises(ContentError, match="expected Hounsfield units"):
        nodule(Volume(data=ct.data, geometry=ct.geometry, modality="MR", unit="1"), mask)
    empty = Mask(
        labels=np.zeros_like(mask.labels), geometry=ct.geometry, names={1: "nodule", 2: "other"}
    )
    with pytest.raises(ContentError, match="outline of the nodule is empty"):
        nodule(ct, empty)
    with pytest.raises(ContentError, match="no tissue 'vessel'"):
        nodule(ct, mask, name="vessel")
    data = ct.data.copy()
    data[tuple(n // 2 for n in data.shape)] = np.nan
    with pytest.raises(ContentError, match=r"1 of \d+ voxels of the nodule"):
        nodule(Volume(data=data, geometry=ct.geometry, modality="CT", unit=ct.unit), mask)
    moved = Mask(
        labels=mask.labels,
        geometry=Geometry.upright(mask.labels.shape, spacing_mm=(1, 1, 1)),
        names=mask.names,
    )
    with pytest.raises(GeometryError, match="grids differ"):
        nodule(ct, moved)
    picture = Geometry.picture((8, 8))
    with pytest.raises(GeometryError, match="expected a CT volume"):
        nodule(
            Volume(data=np.ones((8, 8)), geometry=picture, modality="CT", unit=ct.unit),
            Mask(labels=np.ones((8, 8), dtype=int), geometry=picture, names={1: "n"}),
        )
