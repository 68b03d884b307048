"""Descriptors of outlined breast lesions, on drawings whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.pictures import mammographic_mass, ultrasound_lesion

SHAPE = (160, 200)


def drawn(
    inside: np.ndarray, grey: np.ndarray, *, spacing: tuple[float, float] | None = None
) -> tuple[Volume, Mask]:
    grid = Geometry.picture(inside.T.shape, spacing_mm=spacing)
    return (
        Volume(data=grey.T, geometry=grid, modality="US", unit="1"),
        Mask(labels=inside.T, geometry=grid, names={1: "lesion"}),
    )


def polar(middle: tuple[float, float] = (70.0, 100.0)) -> tuple[np.ndarray, np.ndarray]:
    row, column = np.indices(SHAPE)
    down, right = row - middle[0], column - middle[1]
    return np.hypot(down, right), np.arctan2(down, right)


def ellipse(across: float, down: float, turn_deg: float = 0.0) -> np.ndarray:
    row, column = np.indices(SHAPE)
    y, x, turn = row - 70.0, column - 100.0, math.radians(turn_deg)
    along, beside = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    return (along / across) ** 2 + (beside / down) ** 2 <= 1


def ultrasound(inside: np.ndarray, *, noise: float = 2.0) -> np.ndarray:
    grey = np.where(inside, 40.0, 120.0)
    return grey + np.random.default_rng(0).normal(0, noise, SHAPE)


def test_a_disc_is_round_smooth_and_whole():
    inside = polar()[0] <= 30
    found = ultrasound_lesion(*drawn(inside, ultrasound(inside)))
    assert found["shape-area-px2"] == pytest.approx(math.pi * 900, rel=0.01)
    assert found["shape-circularity"] == pytest.approx(1, abs=0.01)
    assert found["shape-solidity"] == pytest.approx(1, abs=0.01)
    assert found["shape-convexity"] == pytest.approx(1, abs=0.01)
    assert found["shape-ellipse-ratio"] == pytest.approx(1, abs=0.01)
    assert found["shape-depth-to-width"] == pytest.approx(1, abs=0.01)
    assert found["shape-extent"] == pytest.approx(math.pi / 4, abs=0.01)
    assert found["shape-lobulations"] == found["shape-corners"] == 0
    assert found["shape-radial-sd"] < 0.01
    assert found["margin-radial-gradient"] > 0.9
    assert found["margin-tangential"] < 0.2
    assert found["margin-spread-deg"] <= 40
    assert found["echo-contrast"] < -10
    assert found["echo-anechoic"] == 1
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize(("turn", "angle"), [(0, 0), (30, 30), (-30, 30), (90, 90), (120, 60)])
def test_orientation_is_the_angle_of_the_long_axis_to_the_skin(turn, angle):
    inside = ellipse(45, 20, turn)
    found = ultrasound_lesion(*drawn(inside, ultrasound(inside)))
    assert found["orientation-angle-deg"] == pytest.approx(angle, abs=1)
    assert found["orientation-parallel"] == float(angle < 45)
    assert found["shape-long-to-short"] == pytest.approx(45 / 20, rel=0.01)
    assert found["shape-ellipse-ratio"] == pytest.approx(1, abs=0.01)


def test_lobes_are_counted_by_the_dents_between_them():
    for lobes in (3, 4, 6):
        distance, angle = polar()
        inside = distance <= 35 * (1 + 0.25 * np.cos(lobes * angle))
        found = ultrasound_lesion(*drawn(inside, ultrasound(inside)))
        assert found["shape-lobulations"] == lobes
        assert found["shape-solidity"] < 0.95
        assert found["shape-radial-crossings"] == 2 * lobes


def test_a_star_is_angular_and_spiculated():
    distance, angle = polar()
    saw = np.abs(((angle * 8 / (2 * math.pi)) % 1) * 2 - 1)
    star, disc = distance <= 25 + 18 * saw, distance <= 34
    one, other = (ultrasound_lesion(*drawn(s, ultrasound(s))) for s in (star, disc))
    assert one["shape-corners"] == 8
    assert one["margin-tangential"] > 2 * other["margin-tangential"]
    assert one["margin-radial-gradient"] < other["margin-radial-gradient"] - 0.2
    assert one["margin-spread-deg"] > other["margin-spread-deg"]
    assert one["shape-circularity"] < 0.6
    assert one["shape-radial-fine"] > 5 * other["shape-radial-fine"]


def test_a_box_has_four_corners():
    inside = np.zeros(SHAPE, dtype=bool)
    inside[40:90, 60:140] = True
    found = ultrasound_lesion(*drawn(inside, ultrasound(inside)))
    assert found["shape-corners"] == 4
    assert found["shape-depth-to-width"] == pytest.approx(50 / 80, abs=0.01)


def test_sizes_are_told_in_the_unit_that_is_known():
    inside = ellipse(40, 20)
    found = ultrasound_lesion(*drawn(inside, ultrasound(inside), spacing=(0.2, 0.1)))
    assert found["shape-area-mm2"] == pytest.approx(math.pi * 8 * 2, rel=0.01)
    assert found["shape-width-mm"] == pytest.approx(16, rel=0.02)
    assert found["shape-depth-mm"] == pytest.approx(4, rel=0.02)
    assert found["shape-depth-to-width"] == pytest.approx(0.25, rel=0.03)
    with pytest.raises(ContentError, match="no number"):
        found["shape-area-px2"]


def test_beneath_it_is_brighter_darker_or_not_there():
    inside = polar()[0] <= 25
    grey = ultrasound(inside)
    shadow, bright = grey.copy(), grey.copy()
    shadow[96:, 75:126] -= 50
    bright[96:, 75:126] += 50
    assert abs(ultrasound_lesion(*drawn(inside, grey))["posterior-contrast"]) < 0.3
    assert ultrasound_lesion(*drawn(inside, shadow))["posterior-contrast"] < -10
    assert ultrasound_lesion(*drawn(inside, bright))["posterior-least"] > 10
    found = ultrasound_lesion(*drawn(inside[:97], grey[:97]))
    assert math.isnan(found["posterior-contrast"])
    assert math.isnan(found["posterior-least"])


def test_least_difference_is_that_to_the_more_similar_side():
    inside = polar()[0] <= 25
    grey = ultrasound(inside)
    grey[96:, :75] -= 50
    assert abs(ultrasound_lesion(*drawn(inside, grey))["posterior-least"]) < 0.3
    assert ultrasound_lesion(*drawn(inside, grey))["posterior-contrast"] > 0.5


def test_halo_and_blurred_margin():
    distance, _ = polar()
    inside = distance <= 30
    grey = ultrasound(inside)
    halo = grey + 60 * ((distance > 30) & (distance <= 36))
    blurred = 80 + 40 * np.tanh((distance - 30) / 10) + (grey - np.where(inside, 40.0, 120.0))
    sharp, ringed, soft = (ultrasound_lesion(*drawn(inside, g)) for g in (grey, halo, blurred))
    assert abs(sharp["margin-halo"]) < 0.5
    assert ringed["margin-halo"] > 4
    assert soft["margin-abrupt"] < sharp["margin-abrupt"] / 3
    assert soft["margin-acutance"] < sharp["margin-acutance"]


def test_a_mass_is_denser_than_the_breast_around_it():
    inside = ellipse(30, 22)
    picture, mask = drawn(inside, 255 - ultrasound(inside))
    found = mammographic_mass(picture, mask)
    assert found["density-contrast"] > 10
    assert found["margin-radial-gradient"] < -0.9
    assert not any(name.startswith(("orientation", "echo", "posterior")) for name in found.names)


def test_turned_by_a_quarter_a_mass_is_the_same():
    distance, angle = polar((78.0, 96.0))
    inside = distance <= 30 + 8 * np.cos(3 * angle + 0.4)
    grey = 255 - ultrasound(inside)
    one = mammographic_mass(*drawn(inside, grey))
    other = mammographic_mass(*drawn(np.rot90(inside), np.rot90(grey)))
    for name in one.names:
        if name not in ("shape-width-px", "shape-depth-px"):
            assert other[name] == pytest.approx(one[name], rel=0.02, abs=0.02), name


def test_pieces_beside_the_largest_and_holes_do_not_count():
    inside = polar()[0] <= 30
    ragged = inside.copy()
    ragged[70, 100] = False
    ragged[5:9, 5:9] = True
    one = ultrasound_lesion(*drawn(inside, ultrasound(inside)))
    other = ultrasound_lesion(*drawn(ragged, ultrasound(inside)))
    np.testing.assert_allclose(other.values, one.values)


def test_too_small_or_empty_outlines_are_refused_and_flat_ones_described():
    speck = np.zeros(SHAPE, dtype=bool)
    with pytest.raises(ContentError, match="empty"):
        ultrasound_lesion(*drawn(speck, ultrasound(speck)))
    speck[50, 50:55] = True
    with pytest.raises(ContentError, match="has 5 pixels; expected at least 12"):
        ultrasound_lesion(*drawn(speck, ultrasound(speck)))
    inside = polar()[0] <= 20
    flat = ultrasound_lesion(*drawn(inside, np.full(SHAPE, 9.0)))
    assert math.isnan(flat["margin-radial-gradient"])
    assert flat["echo-contrast"] == flat["posterior-contrast"] == 0
    assert math.isnan(flat["echo-skewness"])


def test_a_lesion_that_fills_the_picture_has_no_surroundings():
    inside = np.ones((30, 40), dtype=bool)
    grey = np.random.default_rng(0).normal(50, 5, (30, 40))
    found = ultrasound_lesion(*drawn(inside, grey))
    for name in ("margin-abrupt", "margin-halo", "echo-contrast", "posterior-contrast"):
        assert math.isnan(found[name])
