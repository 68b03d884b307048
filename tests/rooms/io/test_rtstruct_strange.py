"""Structure sets as exporters and people really leave them: doubled, crossing, with holes."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.io.intake import open_path
from onkos.io.rtstruct.contours import filled, wound
from onkos.io.rtstruct.overlaps import on_slice
from slices import slices, structures, write

GRID = Geometry.upright((40, 44, 8), spacing_mm=(2.0, 1.5, 3.0), origin_mm=(-31, 12, 140))
C = "CLOSED_PLANAR"


def square(low: float, high: float, shift: float = 0.0) -> list[tuple[float, float]]:
    low, high = low - 0.5, high - 0.5
    return [(low + shift, low), (high + shift, low), (high + shift, high), (low + shift, high)]


BIG = square(10, 20)


def opened(folder: Path, rng: np.random.Generator, regions, *, change=None, **how):
    """Masks of a structure set beside its images; nothing may be refused."""
    images = slices(GRID, rng)
    made = structures(images, regions)
    if change:
        change(made)
    write(folder, images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is too long for explicit VR
        write(folder, [made], prefix="rt", **how)
    found = open_path(folder)
    assert [refused.reason for refused in found.refused] == []
    return found.studies[0].masks


def told(mask: Mask, region: str = "GTV") -> dict[str, str]:
    return {c.code: c.text for c in mask.caveats_of(region) if c.code != "phantom"}


def again(points):
    """The same outline from another corner, the other way round, slightly rounded."""
    turned = [points[2], points[1], points[0], points[3]]
    return [(x + 0.01, y - 0.01) for x, y in turned]


@pytest.mark.parametrize("second", [BIG, again(BIG), [*BIG, BIG[0]]])
def test_the_same_contour_twice_counts_once(second, tmp_path, rng) -> None:
    drawn = [(3, C, BIG), (3, C, second), (4, C, BIG)]
    (mask,) = opened(tmp_path, rng, [(1, "GTV", drawn)])
    assert mask.counts == {"GTV": 200}
    assert list(told(mask)) == ["doubled-contours"]


def test_a_contour_that_runs_round_twice_counts_once(tmp_path, rng) -> None:
    (mask,) = opened(tmp_path, rng, [(1, "GTV", [(3, C, BIG + BIG)])])
    assert mask.counts == {"GTV": 100}
    assert list(told(mask)) == ["doubled-contours"]


def test_two_contours_that_cross_are_both_filled(tmp_path, rng) -> None:
    drawn = [(3, C, BIG), (3, C, square(10, 20, shift=6))]
    (mask,) = opened(tmp_path, rng, [(1, "GTV", drawn)])
    assert mask.counts == {"GTV": 160}
    assert list(told(mask)) == ["crossing-contours"]


def test_exclusive_or_as_dicom_defines_it(tmp_path, rng) -> None:
    drawn = [(3, "CLOSEDPLANAR_XOR", one) for one in (BIG, square(10, 20, shift=6))]
    (mask,) = opened(tmp_path, rng, [(1, "GTV", drawn)])
    assert mask.counts == {"GTV": 120}
    assert told(mask) == {}


def test_a_hole_stays_a_hole(tmp_path, rng) -> None:
    (mask,) = opened(tmp_path, rng, [(1, "GTV", [(3, C, BIG), (3, C, square(12, 18))])])
    assert mask.counts == {"GTV": 64}
    assert told(mask) == {}
    drawn = [(3, C, square(2, 38)), (3, C, square(2, 37))]
    (mask,) = opened(tmp_path / "c", rng, [(1, "GTV", drawn)])
    assert mask.counts == {"GTV": 36**2 - 35**2}
    assert told(mask) == {}  # it takes 94.5 %


def test_a_hole_that_takes_nearly_all_is_told(tmp_path, rng) -> None:
    drawn = [(3, C, square(0, 40)), (3, C, square(0, 39.4))]
    (mask,) = opened(tmp_path, rng, [(1, "GTV", drawn)])
    assert mask.counts == {"GTV": 40**2 - 39**2}
    assert list(told(mask)) == ["thin-wall"]


def test_empty_slices_between_contours_are_told(tmp_path, rng) -> None:
    regions = [(1, "GTV", [(k, C, BIG) for k in (1, 3, 5)]), (2, "LUNG", [(2, C, square(2, 8))])]
    (mask,) = opened(tmp_path, rng, regions)
    assert mask.counts["GTV"] == 300
    assert "2 of the 5 slices" in told(mask)["outline-gaps"]
    assert told(mask, "LUNG") == {}


def test_a_lone_point_leaves_its_region_standing(tmp_path, rng) -> None:
    gtv = [(2, C, BIG), (3, C, BIG), (4, "POINT", [(15, 15)])]
    (mask,) = opened(tmp_path, rng, [(1, "GTV", gtv), (2, "LUNG", [(2, C, square(2, 8))])])
    assert mask.counts == {"GTV": 200, "LUNG": 36}
    assert "of 3 contours 1 enclose nothing (1 POINT)" in told(mask)["open-contours"]
    assert told(mask, "LUNG") == {}


@pytest.mark.parametrize("points", [[(15, 15)], [(15, 15), (16, 15)]])
def test_closed_contours_of_one_or_two_points(points, tmp_path, rng) -> None:
    (mask,) = opened(tmp_path, rng, [(1, "GTV", [(2, C, BIG), (3, C, points)])])
    assert mask.counts == {"GTV": 100}
    assert list(told(mask)) == ["open-contours"]


def test_contours_smaller_than_a_pixel_are_told(tmp_path, rng) -> None:
    tiny = [(15.1, 15.1), (15.3, 15.1), (15.3, 15.3)]
    (mask,) = opened(tmp_path, rng, [(1, "GTV", [(2, C, tiny)]), (2, "LUNG", [(2, C, BIG)])])
    assert mask.counts == {"GTV": 0, "LUNG": 100}
    assert "On 1 of 1 slices" in told(mask)["outline-too-small"]


def test_contours_beyond_the_picture_are_told(tmp_path, rng) -> None:
    (mask,) = opened(tmp_path, rng, [(1, "GTV", [(2, C, square(30, 50))])])
    assert mask.counts == {"GTV": 10 * 14}
    assert list(told(mask)) == ["outline-beyond-edge"]


@pytest.mark.parametrize("number", [0, -3, 65536, 100000, 2**31 - 1])
def test_any_integer_is_a_roi_number(number, tmp_path, rng) -> None:
    regions = [(7, "LUNG", [(2, C, square(2, 8))]), (number, "GTV", [(2, C, BIG)])]
    (mask,) = opened(tmp_path, rng, regions)
    assert mask.counts == {"LUNG": 36, "GTV": 100}
    assert dict(mask.names) == {1: "LUNG", 2: "GTV"}


def test_a_contour_too_long_for_explicit_vr(tmp_path, rng) -> None:
    circle = [
        (20 + 8 * math.cos(t), 20 + 8 * math.sin(t)) for t in np.arange(3600) * 2 * np.pi / 3600
    ]
    (mask,) = opened(tmp_path, rng, [(1, "GTV", [(3, C, circle)])])
    assert mask.counts["GTV"] == pytest.approx(math.pi * 64, rel=0.04)
    assert told(mask) == {}


def test_contours_told_in_two_items_of_one_region(tmp_path, rng) -> None:
    def split(made):
        second = pydicom.Dataset()
        second.ReferencedROINumber = 1
        second.ContourSequence = [made.ROIContourSequence[0].ContourSequence.pop()]
        made.ROIContourSequence.append(second)

    (mask,) = opened(tmp_path, rng, [(1, "GTV", [(2, C, BIG), (3, C, BIG)])], change=split)
    assert mask.counts == {"GTV": 200}


def test_contours_of_no_region_are_told(tmp_path, rng) -> None:
    def undescribed(made):
        made.StructureSetROISequence.pop()

    regions = [(1, "GTV", [(2, C, BIG)]), (9, "LUNG", [(2, C, square(2, 8))])]
    (mask,) = opened(tmp_path, rng, regions, change=undescribed)
    assert mask.counts == {"GTV": 100}
    assert "ROI 9" in told(mask)["contours-without-region"]


def test_names_with_control_characters_are_cleaned(tmp_path, rng) -> None:
    (mask,) = opened(tmp_path, rng, [(1, "GTV\x1b[31m\tleft\n", [(2, C, BIG)])])
    assert list(mask.names.values()) == ["GTV [31m left"]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=8))
def test_an_outline_twice_is_the_outline_once(corners) -> None:
    polygon, shape = np.array(corners, dtype=float) + 0.25, (12, 12)
    once = on_slice([polygon], shape).hit
    assert not (filled([polygon], shape) & ~once).any()
    assert np.array_equal(on_slice([polygon, polygon[::-1]], shape).hit, once)
    whole = wound(polygon, shape)
    assert not (once & ~whole).any()
    assert np.array_equal(on_slice([np.concatenate([polygon, polygon])], shape).hit | whole, whole)


def test_a_caveat_says_which_region_it_is_about() -> None:
    assert Caveat(code="a", text="b").region == ""


def refused(folder: Path, rng: np.random.Generator, change) -> str:
    images = slices(GRID, rng)
    made = structures(images, [(1, "GTV", [(2, C, BIG)])])
    change(made, images)
    write(folder, images)
    write(folder, [made], prefix="rt")
    found = open_path(folder)
    assert len(found.studies[0].volumes) == 1
    return found.refused[0].reason


def test_another_frame_of_reference_is_called_so(tmp_path, rng) -> None:
    def change(made, images):
        for image in images:
            image.FrameOfReferenceUID = "1.2.3.4"

    assert "in another frame of reference" in refused(tmp_path, rng, change)


def test_contours_that_are_moved_are_refused(tmp_path, rng) -> None:
    def change(made, _images):
        made.ROIContourSequence[0].ContourSequence[0].ContourOffsetVector = ["0", "0", "4"]

    assert "Contour Offset Vector" in refused(tmp_path, rng, change)


def test_damage_is_told_in_a_line(tmp_path, rng) -> None:
    def change(made, _images):
        contour = made.ROIContourSequence[0].ContourSequence[0]
        contour.add_new(0x30060050, "UN", b"1.0\\x\\" * 20_000)

    reason = refused(tmp_path, rng, change)
    assert "damaged structure set" in reason
    assert len(reason) <= 300
