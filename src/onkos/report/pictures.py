"""Still pictures: an image plane with outlines, diameters, letters and a scale bar."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from skimage.measure import find_contours

from onkos.core.errors import ContentError
from onkos.core.findings import Box, Lesion, Point, Segment
from onkos.core.geometry import AnyArray, FloatArray, Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.report.display import Window, brightness
from onkos.report.planes import PLANES, Plane, bounds_mm

PIXELS = 360
_LEAST_SIDE_MM = 160.0
_LESION_SHARE = 3.0  # the picture is this many times as wide as the lesion
_IN_PLANE_MM = 1.0
_BARS_MM = (100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
_LONGEST_FLAT = 1400  # pixels of a plain picture on the page: one large screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Border of one tissue as an SVG path."""

    tissue: str
    colour: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A diameter in picture coordinates; ``projected`` where it leaves the plane."""

    x1: float
    y1: float
    x2: float
    y2: float
    projected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Scale bar: its length in the patient, in words, and in the picture."""

    label: str
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything the template draws; lengths in picture units, ``letters`` empty if unknown.

    ``reduced`` says that the image has more pixels than the picture.
    """

    name: str
    width: float
    height: float
    image: str
    outlines: tuple[Outline, ...]
    lines: tuple[Line, ...] = ()
    letters: tuple[str, ...] = ()
    mark: tuple[float, float] | None = None
    bar: Bar | None = None
    reduced: bool = False

    @property
    def has_projected_line(self) -> bool:
        """True when a diameter is drawn that does not lie in this plane."""
        return any(line.projected for line in self.lines)


def lesion_pictures(
    lesion: Lesion,
    volume: Volume,
    mask: Mask | None,
    *,
    window: Window,
    colours: Mapping[str, str],
) -> tuple[Picture, ...]:
    """Draw the axial, coronal and sagittal plane through a lesion.

    The planes pass through the middle of the longest diameter where one was drawn, else through
    the lesion's centre; each diameter is drawn in the plane it lies nearest to.
    """
    centre, extent = place(lesion)
    low, high = bounds_mm(volume.geometry)
    side = min(max(_LEAST_SIDE_MM, _LESION_SHARE * extent), float((high - low).max()))
    lines = [m.line for m in lesion.measurements if m.line is not None and not m.tissue]
    outlined = mask if mask is not None else _own_mask(lesion)
    pictures = []
    for plane in PLANES:
        middle = _kept_inside(centre, low, high, side, plane)
        grid = plane.grid(centre_mm=middle, side_mm=side, pixels=PIXELS)
        mine = [line for line in lines if _nearest_plane(line, centre) is plane]
        x, y, _ = grid.to_index(centre) + 0.5
        pictures.append(
            Picture(
                name=plane.name,
                width=PIXELS,
                height=PIXELS,
                image=png(brightness(volume.on(grid).data[:, :, 0], window)),
                outlines=_outlines(outlined, grid, colours) if outlined else (),
                lines=tuple(_drawn(line, grid) for line in mine),
                letters=plane.letters,
                mark=None if isinstance(lesion.where, Mask) else (float(x), float(y)),
                bar=_bar(side, PIXELS / side),
            )
        )
    return tuple(pictures)


def overview(
    volume: Volume, mask: Mask | None, *, window: Window, colours: Mapping[str, str]
) -> tuple[Picture, ...]:
    """Draw the three middle planes of an image in which no lesion is listed."""
    low, high = bounds_mm(volume.geometry)
    middle = Lesion(id="", where=Point(mm=tuple(((low + high) / 2).tolist())), kind="", site="")
    whole = float((high - low).max()) / _LESION_SHARE
    box = replace(middle, where=_cube(middle, whole))
    drawn = lesion_pictures(box, volume, mask, window=window, colours=colours)
    return tuple(replace(picture, mark=None) for picture in drawn)


def flat_picture(
    volume: Volume, mask: Mask | None, *, window: Window, colours: Mapping[str, str]
) -> Picture:
    """Draw a plain picture (radiograph, ultrasound, slide) as it is, with its outlines.

    One with more pixels than a large screen is reduced; its outlines are drawn on all of them.
    """
    geometry = volume.geometry
    steps = geometry.spacing_mm if geometry.calibrated else (1.0, 1.0)
    sides = [side * step for side, step in zip(geometry.shape, steps, strict=True)]
    units_per_mm = PIXELS / max(sides)
    width, height = (side * units_per_mm for side in sides)
    colour = volume.channels > 1 and volume.data.dtype == np.uint8
    shown = volume.data[..., :3] if colour else brightness(grey(volume).data, window)
    scaled = [step * units_per_mm for step in steps]
    return Picture(
        name="picture",
        width=width,
        height=height,
        image=png(_thinned(shown)),
        outlines=_flat_outlines(mask, scaled, colours) if mask is not None else (),
        bar=_bar(sides[0], units_per_mm) if geometry.calibrated else None,
        reduced=max(geometry.shape) > _LONGEST_FLAT,
    )


def grey(volume: Volume) -> Volume:
    """Mean of the colour channels of a colour image; a grey image as it is."""
    if volume.channels == 1:
        return volume
    return replace(volume, data=volume.data.mean(axis=-1, dtype=np.float32), unit="1")


def png(shown: AnyArray) -> str:
    """Picture of (i right, j down[, colour]) as a data address."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(shown.swapaxes(0, 1))).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def place(lesion: Lesion) -> tuple[FloatArray, float]:
    """Where a lesion's pictures are cut (LPS mm), and its largest extent in mm.

    Raises
    ------
    ContentError
        If the lesion has no place: it was named in a report only.
    """
    where = lesion.where
    if where is None:
        raise ContentError(f"{lesion.id} has no place in the images; draw those that have one")
    if isinstance(where, Point):
        return np.asarray(where.mm), 0.0
    if isinstance(where, Box):
        low, high = np.asarray(where.low_mm), np.asarray(where.high_mm)
        return (low + high) / 2, float((high - low).max())
    low, high = bounds_mm(where.geometry)
    extent = float((high - low).max())
    lines = [m.line for m in lesion.measurements if m.line is not None and not m.tissue]
    if lines:
        return (np.asarray(lines[0].start_mm) + np.asarray(lines[0].end_mm)) / 2, extent
    return where.geometry.to_mm(np.argwhere(where.labels).mean(axis=0)), extent


def _thinned(shown: AnyArray) -> AnyArray:
    """Picture of (i, j[, colour]) with blocks of pixels averaged until it fits a screen."""
    block = -(-max(shown.shape[:2]) // _LONGEST_FLAT)
    if block == 1:
        return shown
    image = Image.fromarray(np.ascontiguousarray(shown.swapaxes(0, 1))).reduce(block)
    return np.asarray(image).swapaxes(0, 1)


def _own_mask(lesion: Lesion) -> Mask | None:
    return lesion.where if isinstance(lesion.where, Mask) else None


def _cube(lesion: Lesion, side_mm: float) -> Box:
    centre, _ = place(lesion)
    half = side_mm / 2
    return Box(low_mm=tuple((centre - half).tolist()), high_mm=tuple((centre + half).tolist()))


def _kept_inside(
    centre: FloatArray, low: FloatArray, high: FloatArray, side: float, plane: Plane
) -> FloatArray:
    """Middle of the picture: the lesion, moved along the plane so that no edge is wasted."""
    in_plane = np.abs(plane.normal) < 0.5
    roomy = high - low > side
    clipped = np.clip(
        centre, np.where(roomy, low + side / 2, centre), np.where(roomy, high - side / 2, centre)
    )
    kept: FloatArray = np.where(roomy, clipped, (low + high) / 2)
    return np.where(in_plane, kept, centre)


def _nearest_plane(line: Segment, centre: FloatArray) -> Plane:
    """The plane through the centre that the line leaves least."""
    ends = np.array([line.start_mm, line.end_mm]) - centre
    return min(PLANES, key=lambda plane: float(np.abs(ends @ plane.normal).max()))


def _drawn(line: Segment, grid: Geometry) -> Line:
    ends = grid.to_index([line.start_mm, line.end_mm])
    (x1, y1, z1), (x2, y2, z2) = ends.tolist()
    return Line(
        x1=x1 + 0.5,
        y1=y1 + 0.5,
        x2=x2 + 0.5,
        y2=y2 + 0.5,
        projected=max(abs(z1), abs(z2)) > _IN_PLANE_MM,
    )


def _outlines(mask: Mask, grid: Geometry, colours: Mapping[str, str]) -> tuple[Outline, ...]:
    """Border of each tissue where it fills half of the space between voxel centres."""
    block = mask.bounds()
    if block is None:
        return ()
    cut = mask.crop(block)
    beyond = [side + 2 for side in cut.geometry.shape]
    geometry = cut.geometry.crop([-1, -1, -1], beyond)
    found = []
    for label, name in _largest_first(mask):
        inside = np.pad(cut.labels == label, 1).astype(np.float32)
        shares = Volume(data=inside, geometry=geometry, modality="SEG", unit="1")
        path = _path(shares.on(grid, outside=0.0).data[:, :, 0], (1.0, 1.0))
        if path:
            found.append(Outline(tissue=name, colour=colours[name], path=path))
    return tuple(found)


def _largest_first(mask: Mask) -> list[tuple[int, str]]:
    """Labels and names so that a small tissue is drawn over the larger one that it borders."""
    counts = mask.counts
    return sorted(mask.names.items(), key=lambda item: -counts[item[1]])


def _flat_outlines(
    mask: Mask, steps: Sequence[float], colours: Mapping[str, str]
) -> tuple[Outline, ...]:
    paths = {name: _path(mask.where(name), steps) for _, name in _largest_first(mask)}
    return tuple(
        Outline(tissue=name, colour=colours[name], path=path)
        for name, path in paths.items()
        if path
    )


def _path(shares: AnyArray, steps: Sequence[float]) -> str:
    """SVG path of the 0.5 border of shares[i right, j down], to a tenth of a picture unit."""
    borders = find_contours(np.pad(shares.astype(np.float64), 1), 0.5)
    drawn = []
    for border in borders:
        points = ((border - 0.5) * np.asarray(steps)).round(1)
        moved = np.append(True, (np.diff(points, axis=0) != 0).any(axis=1))
        drawn.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points[moved]) + "Z")
    return "".join(drawn)


def _bar(width_mm: float, units_per_mm: float) -> Bar | None:
    """Longest round scale bar below a third of the picture."""
    for mm in _BARS_MM:
        if mm <= width_mm / 3:
            label = f"{mm} mm" if mm >= 1 else f"{1000 * mm:.0f} µm"
            return Bar(label=label, length=mm * units_per_mm)
    return None
