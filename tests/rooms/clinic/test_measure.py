"""Diameters, volumes and their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from onkos.clinic.lesions import describe, quantities, separate
from onkos.clinic.measure import diameters, error_model, interval
from onkos.core.card import ErrorModel
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask


def ellipse_cylinder(angle: float, turned: np.ndarray) -> Mask:
    """Cylinder of half axes 20 and 9 mm in the slice, its long axis at an angle to the rows."""
    grid = Geometry.upright(
        (131, 97, 5), spacing_mm=(0.4, 0.55, 3.0), origin_mm=(-60, 33, 7), directions=turned
    )
    i, j, _ = np.indices(grid.shape)
    x, y = (i - 65) * 0.4, (j - 48) * 0.55
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    return Mask(labels=(u / 20) ** 2 + (v / 9) ** 2 <= 1, geometry=grid, names={1: "core"})


@given(st.floats(0, math.pi), st.lists(st.floats(-180, 180), min_size=3, max_size=3))
def test_axes_of_an_ellipse_at_any_angle(angle, pose):
    found = diameters(
        ellipse_cylinder(angle, Rotation.from_euler("xyz", pose, degrees=True).as_matrix())
    )
    assert found is not None
    assert found.long_mm == pytest.approx(40, abs=0.8)
    assert found.short_mm == pytest.approx(18, abs=0.8)
    long = np.subtract(found.long.end_mm, found.long.start_mm)
    short = np.subtract(found.short.end_mm, found.short.start_mm)
    assert np.linalg.norm(long) == pytest.approx(found.long_mm)
    assert np.linalg.norm(short) == pytest.approx(found.short_mm)
    assert abs(long @ short) < 1e-6 * found.long_mm * found.short_mm


def test_a_row_of_pixels_is_as_long_as_its_pixels():
    grid = Geometry.upright((9, 7, 3), spacing_mm=(2.0, 1.0, 4.0))
    labels = np.zeros(grid.shape, dtype=np.uint8)
    labels[2:7, 3, 1] = 1
    found = diameters(Mask(labels=labels, geometry=grid, names={1: "core"}))
    assert found is not None
    assert (found.long_mm, found.slice_index) == (pytest.approx(10.0), 1)
    assert found.short_mm == pytest.approx(1.0)


def test_an_empty_mask_has_no_diameter():
    grid = Geometry.upright((4, 4, 4), spacing_mm=(1, 1, 1))
    empty = Mask(labels=np.zeros(grid.shape, np.uint8), geometry=grid, names={1: "core"})
    assert diameters(empty) is None
    assert quantities(empty) == {
        "volume_ml:tumour": 0.0,
        "long_axis_mm:tumour": 0.0,
        "short_axis_mm:tumour": 0.0,
    }


@given(st.integers(0, 2**32 - 1))
def test_the_short_axis_is_the_longest_chord_across_found_by_brute_force(seed):
    grid = Geometry.upright((16, 13, 1), spacing_mm=(1.0, 1.4, 1.0))
    labels = np.random.default_rng(seed).random(grid.shape) < 0.05
    labels[7:9, 6, 0] = True
    found = diameters(Mask(labels=labels, geometry=grid, names={1: "core"}))
    assert found is not None
    index = np.argwhere(labels[:, :, 0]).astype(float)
    steps = np.array([[0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
    border = ((index[:, None] + steps).reshape(-1, 2)) * (1.0, 1.4)
    hull = border[ConvexHull(border).vertices]
    part = np.linspace(0, 1, 400)[:, None, None]
    dense = (hull * (1 - part) + np.roll(hull, -1, axis=0) * part).reshape(-1, 2)
    long = np.subtract(found.long.end_mm, found.long.start_mm)[:2]
    along = long / np.linalg.norm(long)
    place = np.round((dense @ along) / 0.02).astype(int)
    across = dense @ np.array([-along[1], along[0]])
    widths = [np.ptp(across[place == at]) for at in np.unique(place)]
    assert found.long_mm == pytest.approx(pdist(border).max())
    assert found.short_mm == pytest.approx(max(widths), abs=0.15)


def two_lesions() -> Mask:
    grid = Geometry.upright((30, 20, 12), spacing_mm=(1.5, 2.0, 2.5), origin_mm=(9, -4, 60))
    labels = np.zeros(grid.shape, dtype=np.uint8)
    labels[2:6, 2:6, 2:5] = 1
    labels[12:20, 4:12, 3:9] = 2
    labels[14:18, 6:10, 4:8] = 1
    labels[28, 18, 10] = 2
    return Mask(labels=labels, geometry=grid, names={1: "core", 2: "oedema"})


def test_lesions_are_separate_largest_first_and_specks_are_told():
    mask = two_lesions()
    parts, specks = separate(mask)
    sizes = [sum(part.counts.values()) for part in parts]
    assert sizes == [8 * 8 * 6, 4 * 4 * 3]
    assert specks is not None
    assert specks.text.startswith("1 outlined pieces")
    corner = parts[0].geometry.origin_mm
    assert corner == pytest.approx(mask.geometry.to_mm((12, 4, 3)))


def test_volumes_of_tissues_add_up_to_the_lesion():
    parts, _ = separate(two_lesions())
    lesion = describe(parts[0], number=1, uid="2.25.1", site="Brain", errors={})
    volume = {m.tissue: m.value for m in lesion.measurements if m.ucum == "ml"}
    assert volume[""] == pytest.approx(8 * 8 * 6 * 7.5e-3)
    assert volume["core"] + volume["oedema"] == pytest.approx(volume[""])
    assert all(m.interval is None and "no interval" in m.method for m in lesion.measurements)


def test_the_interval_holds_a_new_patient_as_often_as_it_says():
    """Prediction interval from 12 patients: holds the truth of a 13th in about 95 of 100."""
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(2000):
        true = np.exp(rng.normal(3, 0.5, size=13))
        measured = true / np.exp(rng.normal(0.05, 0.2, size=13))
        error = error_model(true[:12], measured[:12])
        assert error is not None
        low, high = interval(float(measured[12]), error)
        held += low <= true[12] <= high
    assert 0.935 <= held / 2000 <= 0.97


def test_the_interval_always_holds_the_measured_value():
    low, high = interval(10.0, ErrorModel(mean_log_ratio=1.0, sd_log_ratio=0.01, n=50))
    assert low == 10.0
    assert high > 27


def test_errors_need_three_patients_in_whom_something_was_found():
    assert error_model(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 2.0])) is None


@pytest.mark.parametrize(
    ("spacing", "value", "unit"), [((0.2, 0.5), 1.2, "mm2"), (None, 12, "{pixels}")]
)
def test_in_a_picture_areas_are_measured_and_never_millimetres_of_unknown_pixels(
    spacing, value, unit
):
    grid = Geometry.picture((20, 15), spacing_mm=spacing)
    labels = np.zeros(grid.shape, dtype=np.uint8)
    labels[3:6, 4:8] = 1
    parts, specks = separate(Mask(labels=labels, geometry=grid, names={1: "tumour"}))
    lesion = describe(parts[0], number=1, uid="2.25.1", site="Breast", errors={})
    assert specks is None
    assert [(m.value, m.ucum) for m in lesion.measurements] == [(pytest.approx(value), unit)]
