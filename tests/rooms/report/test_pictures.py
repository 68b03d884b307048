"""Still pictures: what is drawn lies where it lies in the patient, at its size."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from awkward import geometries
from builders import ball
from onkos.clinic.lesions import describe
from onkos.core.errors import ContentError
from onkos.core.findings import Box, Lesion, Point
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.report.display import Window
from onkos.report.pictures import PIXELS, flat_picture, lesion_pictures, overview, place
from onkos.report.planes import AXIAL, CORONAL, SAGITTAL, bounds_mm

WINDOW = Window("all", 0.0, 1.0)
COLOURS = {"core": "#E69F00", "oedema": "#56B4E9"}


def pixels(address: str) -> np.ndarray:
    """Picture of (right, down[, colour]) from its data address."""
    raw = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(raw))).swapaxes(0, 1)


def points(path: str) -> list[np.ndarray]:
    """Closed polygons of an SVG path."""
    return [
        np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", part), dtype=float)
        for part in path.split("M")[1:]
    ]


def area(path: str) -> float:
    """Signed areas of all polygons together; holes run the other way round."""
    total = 0.0
    for x, y in (polygon.T for polygon in points(path)):
        total += float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2
    return abs(total)


def bright_at(geometry: Geometry, mm: np.ndarray) -> Volume:
    index = np.moveaxis(np.indices(geometry.shape), 0, -1)
    away = np.linalg.norm(geometry.to_mm(index) - mm, axis=-1)
    data = np.exp(-0.5 * (away / max(geometry.spacing_mm)) ** 2).astype(np.float32)
    return Volume(data=data, geometry=geometry, modality="MR", unit="1")


@given(geometry=geometries(smallest=6, largest=12), part=st.tuples(*[st.floats(0.3, 0.7)] * 3))
@settings(max_examples=15)
def test_a_pointed_lesion_is_marked_where_the_image_is_bright(geometry, part):
    mm = geometry.to_mm((np.array(geometry.shape) - 1) * part)
    lesion = Lesion(id="lesion-1", where=Point(mm=tuple(mm)), kind="tumour", site="")
    drawn = lesion_pictures(lesion, bright_at(geometry, mm), None, window=WINDOW, colours={})
    assert [picture.name for picture in drawn] == ["axial", "coronal", "sagittal"]
    low, high = bounds_mm(geometry)
    side = min(160.0, float((high - low).max()))
    for picture in drawn:
        shown = pixels(picture.image).astype(float)
        assert shown.shape == (PIXELS, PIXELS)
        middle = np.argwhere(shown >= shown.max() - 3).mean(axis=0) + 0.5
        away_mm = np.linalg.norm(middle - picture.mark) * side / PIXELS
        assert away_mm <= max(geometry.spacing_mm)


@pytest.mark.parametrize(
    ("plane", "towards", "where"),
    [
        (AXIAL, (1, 0, 0), "right"),
        (AXIAL, (0, -1, 0), "up"),
        (CORONAL, (1, 0, 0), "right"),
        (CORONAL, (0, 0, 1), "up"),
        (SAGITTAL, (0, 1, 0), "right"),
        (SAGITTAL, (0, 0, 1), "up"),
    ],
)
def test_pictures_hang_as_radiologists_hang_them(plane, towards, where):
    """Patient's left on the right, anterior and head up, face to the left in a sagittal."""
    turned = np.array([[0, 0.6, -0.8], [-1, 0, 0], [0, 0.8, 0.6]])
    grid = Geometry.upright(
        (41, 37, 33), spacing_mm=(4.1, 4.5, 5.0), origin_mm=(90, 70, -120), directions=turned
    )
    low, high = bounds_mm(grid)
    centre = (low + high) / 2
    spot = bright_at(grid, centre + 30.0 * np.array(towards))
    lesion = Lesion(id="lesion-1", where=Point(mm=tuple(centre)), kind="tumour", site="")
    drawn = lesion_pictures(lesion, spot, None, window=WINDOW, colours={})
    picture = next(picture for picture in drawn if picture.name == plane.name)
    assert picture.letters == plane.letters
    x, y = np.unravel_index(int(pixels(picture.image).argmax()), (PIXELS, PIXELS))
    dx, dy = x + 0.5 - picture.mark[0], y + 0.5 - picture.mark[1]
    expected = 30.0 * PIXELS / 160.0
    assert (dx, -dy)[where == "up"] == pytest.approx(expected, abs=8)
    assert (dx, -dy)[where != "up"] == pytest.approx(0, abs=8)


def test_an_outline_encloses_the_area_of_the_cut_and_an_axis_has_its_length():
    grid = Geometry.upright((61, 55, 40), spacing_mm=(1.0, 1.1, 1.5), origin_mm=(-20, 33, 7))
    labels = ball(grid, (0.5, 0.5, 0.5), 20.0).astype(np.uint8)
    mask = Mask(labels=labels, geometry=grid, names={1: "core"})
    lesion = describe(mask, number=1, uid="2.25.1", site="brain", errors={})
    volume = Volume(data=labels.astype(np.float32), geometry=grid, modality="MR", unit="1")
    drawn = lesion_pictures(lesion, volume, mask, window=WINDOW, colours=COLOURS)
    low, high = bounds_mm(grid)
    scale = PIXELS / min(160.0, float((high - low).max()))
    for picture in drawn:
        (outline,) = picture.outlines
        assert outline.colour == COLOURS["core"]
        assert area(outline.path) / scale**2 == pytest.approx(np.pi * 20.0**2, rel=0.06)
        assert picture.bar.length / scale == pytest.approx(int(picture.bar.label.split()[0]))
        assert picture.mark is None
    axial = drawn[0]
    lengths = [np.hypot(line.x2 - line.x1, line.y2 - line.y1) / scale for line in axial.lines]
    measured = [m.value for m in lesion.measurements if m.line is not None]
    assert lengths == pytest.approx(measured, rel=1e-6)
    assert not axial.has_projected_line


def test_a_hole_is_outlined_and_the_smaller_tissue_lies_on_top():
    grid = Geometry.upright((50, 50, 20), spacing_mm=(1, 1, 2))
    far, near = ball(grid, (0.5, 0.5, 0.5), 18.0), ball(grid, (0.5, 0.5, 0.5), 8.0)
    labels = np.where(near, 1, np.where(far, 2, 0)).astype(np.uint8)
    mask = Mask(labels=labels, geometry=grid, names={1: "core", 2: "oedema"})
    volume = Volume(data=labels.astype(np.float32), geometry=grid, modality="MR", unit="1")
    axial = overview(volume, mask, window=WINDOW, colours=COLOURS)[0]
    assert [outline.tissue for outline in axial.outlines] == ["oedema", "core"]
    rim, core = (area(outline.path) for outline in axial.outlines)
    whole = (18.0 / 8.0) ** 2
    assert (rim + core) / core == pytest.approx(whole, rel=0.1)


@pytest.mark.parametrize(("wide", "projected"), [(6, True), (1, False)])
def test_a_diameter_that_leaves_the_plane_is_drawn_as_projected(wide, projected):
    tilt = np.radians(20)
    turned = np.array(
        [[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]
    )
    grid = Geometry.upright((40, 60, 20), spacing_mm=(1, 1, 3), directions=turned)
    labels = np.zeros(grid.shape, dtype=np.uint8)
    labels[18 : 18 + wide, 5:55, 10] = 1
    mask = Mask(labels=labels, geometry=grid, names={1: "core"})
    lesion = describe(mask, number=1, uid="2.25.1", site="", errors={})
    volume = Volume(data=labels.astype(np.float32), geometry=grid, modality="MR", unit="1")
    drawn = lesion_pictures(lesion, volume, mask, window=WINDOW, colours=COLOURS)
    low, high = bounds_mm(grid)
    scale = PIXELS / float((high - low).max())
    long = next(m for m in lesion.measurements if m.concept.meaning == "Long Axis")
    _, y, z = np.subtract(long.line.end_mm, long.line.start_mm)
    assert abs(z) > 10
    line = drawn[2].lines[0]
    length = np.hypot(line.x2 - line.x1, line.y2 - line.y1) / scale
    assert length == pytest.approx(np.hypot(y, z))
    assert line.projected is projected
    assert drawn[2].has_projected_line is projected
    assert sum(len(picture.lines) for picture in drawn) == 2


@pytest.mark.parametrize("spacing", [(0.0005, 0.0005), (0.14, 0.2), None])
def test_a_plain_picture_is_outlined_at_any_pixel_size(spacing):
    labels = np.zeros((60, 40), dtype=np.uint8)
    labels[10:30, 12:28] = 1
    grid = Geometry.picture(labels.shape, spacing_mm=spacing)
    mask = Mask(labels=labels, geometry=grid, names={1: "core"})
    volume = Volume(data=labels * 200, geometry=grid, modality="US", unit="1")
    drawn = flat_picture(volume, mask, window=Window("all", 0, 255), colours=COLOURS)
    step = spacing or (1.0, 1.0)
    assert max(drawn.width, drawn.height) == pytest.approx(PIXELS)
    ratio = 60 * step[0] / (40 * step[1])
    assert drawn.width / drawn.height == pytest.approx(ratio)
    share = area(drawn.outlines[0].path) / (drawn.width * drawn.height)
    assert share == pytest.approx(20 * 16 / (60 * 40), rel=0.02)
    assert (drawn.bar is None) == (spacing is None)
    if spacing == (0.0005, 0.0005):
        assert drawn.bar.label == "10 µm"
        assert drawn.bar.length == pytest.approx(0.01 / 0.03 * drawn.width)
    assert not drawn.reduced
    assert pixels(drawn.image).shape == (60, 40)


def test_a_large_colour_picture_is_reduced_and_says_so():
    data = np.zeros((3000, 2000, 3), dtype=np.uint8)
    data[:1500, :, 0] = 250
    grid = Geometry.picture((3000, 2000))
    volume = Volume(data=data, geometry=grid, modality="SM", unit="rgb")
    drawn = flat_picture(volume, None, window=WINDOW, colours={})
    shown = pixels(drawn.image)
    assert drawn.reduced
    assert shown.shape == (1000, 667, 3)
    assert shown[100, 300].tolist() == [250, 0, 0]
    assert shown[900, 300].tolist() == [0, 0, 0]


def test_a_box_is_pictured_at_its_middle_and_no_place_is_refused():
    box = Box(low_mm=(0, 0, 0), high_mm=(10, 20, 40))
    centre, extent = place(Lesion(id="lesion-1", where=box, kind="", site=""))
    assert centre.tolist() == [5, 10, 20]
    assert extent == 40
    with pytest.raises(ContentError, match="lesion-1 has no place"):
        place(Lesion(id="lesion-1", where=None, kind="", site=""))


@given(geometry=geometries())
def test_bounds_hold_every_voxel(geometry):
    low, high = bounds_mm(geometry)
    index = np.moveaxis(np.indices(geometry.shape), 0, -1).reshape(-1, 3)
    placed = geometry.to_mm(index)
    assert (placed >= low).all()
    assert (placed <= high).all()
