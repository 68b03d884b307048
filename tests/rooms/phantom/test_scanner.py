"""The scanner against a subject that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.geometry import Geometry
from onkos.phantom.scanner import (
    Layer,
    Pose,
    Scan,
    Subject,
    coil,
    protocol,
    receive,
    rotation,
    scan,
)
from onkos.phantom.shapes import HeadGrid, ellipsoid
from onkos.phantom.signal import signal
from onkos.phantom.tissue import tissues

CENTRE, SEMI = (6.0, -4.0, 3.0), (22.0, 30.0, 26.0)
GRID = HeadGrid.between((-40.0, -45.0, -38.0), (44.0, 40.0, 41.0), step_mm=1.5)
POSE = Pose(
    rotation=rotation(np.radians([12.0, -7.0, 20.0])), shift_mm=np.array([31.0, -52.0, 9.0])
)
GRIDS = {
    "oblique": rotation(np.radians([5.0, 15.0, -9.0])),
    "turned": rotation(np.radians([-11.0, 4.0, 6.0])) * np.array([-1.0, -1.0, 1.0]),
}


def scanned(directions: np.ndarray, *, opacity: float = 1.0) -> tuple[Geometry, Scan]:
    shape, spacing = (63, 52, 41), np.array([1.3, 1.6, 2.1])
    middle = POSE.rotation @ np.array(CENTRE) + POSE.shift_mm
    geometry = Geometry.upright(
        shape,
        spacing_mm=spacing,
        origin_mm=middle - directions @ (spacing * (np.array(shape) - 1) / 2),
        directions=directions,
    )
    subject = Subject(
        grid=GRID,
        depths={
            "skin": ellipsoid(GRID.points, CENTRE, SEMI),
            "texture": np.zeros(GRID.shape, dtype=np.float32),
        },
        layers=(Layer("skin", "white", opacity=opacity),),
        tissues=tissues(3.0),
        texture=0.0,
    )
    return geometry, scan(subject, geometry, pose=POSE, acquisitions=protocol(3.0))


@pytest.mark.parametrize("name", GRIDS)
def test_a_voxel_of_one_tissue_has_the_signal_of_the_equation(name: str) -> None:
    _, seen = scanned(GRIDS[name])
    for image, made in zip(seen.signals, protocol(3.0).values(), strict=True):
        expected = abs(signal(tissues(3.0)["white"], made))
        assert image[20, 26, 31] == pytest.approx(expected, rel=1e-5)
        assert image[0, 0, 0] == 0.0


@pytest.mark.parametrize("name", GRIDS)
def test_a_shape_lies_where_it_is_and_keeps_its_volume(name: str) -> None:
    geometry, seen = scanned(GRIDS[name])
    inside = np.argwhere(seen.owner.T > 0)
    middle = (geometry.to_mm(inside.mean(axis=0)) - POSE.shift_mm) @ POSE.rotation
    np.testing.assert_allclose(middle, CENTRE, atol=0.1)
    truly_ml = 4 / 3 * np.pi * np.prod(SEMI) / 1000
    assert len(inside) * geometry.voxel_ml == pytest.approx(truly_ml, rel=0.01)
    furthest = ((geometry.to_mm(inside) - POSE.shift_mm) @ POSE.rotation - CENTRE) / SEMI
    assert np.linalg.norm(furthest, axis=1).max() == pytest.approx(1.0, abs=0.01)


def test_partial_volume_keeps_the_sum_of_the_signal() -> None:
    geometry, seen = scanned(GRIDS["oblique"])
    full = abs(signal(tissues(3.0)["white"], protocol(3.0)["t1"]))
    filled_ml = float(seen.signals[0].sum(dtype=np.float64)) / full * geometry.voxel_ml
    assert filled_ml == pytest.approx(4 / 3 * np.pi * np.prod(SEMI) / 1000, rel=0.01)
    mixed = (seen.signals[0] > 0.05 * full) & (seen.signals[0] < 0.95 * full)
    assert mixed.mean() > 0.02


def test_opacity_is_a_share_of_the_signal() -> None:
    _, whole = scanned(GRIDS["oblique"])
    _, half = scanned(GRIDS["oblique"], opacity=0.5)
    np.testing.assert_allclose(half.signals, 0.5 * whole.signals, atol=1e-6)


def test_a_coil_is_smooth_and_as_uneven_as_asked(rng: np.random.Generator) -> None:
    field = coil((30, 44, 52), strength=0.12, rng=rng)
    assert field.mean() == pytest.approx(1.0, rel=1e-5)
    assert 0.03 < field.std() < 0.4
    assert max(np.abs(np.diff(field, axis=axis)).max() for axis in range(3)) < 0.06
    np.testing.assert_array_equal(coil((5, 6, 7), strength=0.0, rng=rng), np.ones((5, 6, 7)))


def test_a_received_image_is_whole_numbers_of_twelve_bits(rng: np.random.Generator) -> None:
    image = np.full((9, 12, 15), 0.5, dtype=np.float32)
    image[0] = 50.0
    seen = receive(image, sigma=0.02, bias=0.1, white=0.5, rng=rng)
    np.testing.assert_array_equal(seen, np.rint(seen))
    assert seen.max() == 4095
    assert 350 < np.median(seen) < 1100
