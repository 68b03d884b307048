"""Siemens mosaics: all slices of a volume as tiles of one picture, taken apart."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.io.dicom.csa import csa_values
from onkos.io.dicom.header import PARSING, Header

_COUNT = (0x0019, 0x100A)
_CSA = (0x0029, 0x1010)
_ALONG = 0.99  # cosine between the stated slice normal and that of the plane


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """How a mosaic is laid out.

    Parameters
    ----------
    count
        Slices in it.
    across
        Tiles in a row of tiles.
    step_mm
        From one slice to the next, LPS.
    """

    count: int
    across: int
    step_mm: tuple[float, float, float]

    def taken_apart(self, mosaic: AnyArray) -> AnyArray:
        """(slices, rows, columns) of (rows, columns) of tiles."""
        rows, columns = mosaic.shape[0] // self.across, mosaic.shape[1] // self.across
        tiles = mosaic.reshape(self.across, rows, self.across, columns).swapaxes(1, 2)
        found: AnyArray = tiles.reshape(-1, rows, columns)[: self.count]
        return found


def is_mosaic(header: Header) -> bool:
    """Whether the picture is a Siemens mosaic."""
    return "MOSAIC" in header.text("ImageType").upper().split("\\")


def unfolded(header: Header) -> tuple[Header, Tiles]:
    """Header of one slice of a mosaic, at the place of the first, and the layout.

    The stated position is that of the corner a single slice as large as the mosaic would have;
    the true corner lies half the difference of the fields further in.

    Raises
    ------
    GeometryError
        If the number of slices, or the direction they follow each other in, is not known.
    """
    count, normal = _told(header)
    rows, columns = (int(header.number(name) or 0) for name in ("Rows", "Columns"))
    across = math.isqrt(count - 1) + 1 if count else 0
    where = f"{header.shown}: a Siemens MOSAIC"
    again = "Export it as an enhanced or classic series, or convert it with the vendor's headers"
    if count < 1 or rows % max(across, 1) or columns % max(across, 1):
        raise GeometryError(
            f"{where} of {rows} x {columns} whose number of slices is {count or 'not certain'}; "
            f"expected tiles of one size. {again}"
        )
    place = header.numbers("ImagePositionPatient", 3)
    cosines = header.numbers("ImageOrientationPatient", 6)
    spacing = header.numbers("PixelSpacing", 2)
    between = header.number("SpacingBetweenSlices") or header.number("SliceThickness")
    if place is None or cosines is None or spacing is None or not between or between <= 0:
        raise GeometryError(
            f"{where} without position, orientation, pixel spacing or slice distance. {again}"
        )
    row, column = np.array(cosines[:3]), np.array(cosines[3:])
    across_plane = np.cross(row, column)
    if normal is None or abs(float(normal @ across_plane)) < _ALONG:
        raise GeometryError(
            f"{where} without its slice normal (private CSA header), so which way its {count} "
            f"slices follow is not known. {again}"
        )
    step = np.copysign(between, float(normal @ across_plane)) * across_plane
    shift = (columns - columns // across) / 2 * spacing[1] * row
    shift = shift + (rows - rows // across) / 2 * spacing[0] * column
    own = copy.copy(header.attributes)
    own.Rows, own.Columns = rows // across, columns // across
    own.NumberOfFrames = count
    own.ImagePositionPatient = [float(part) for part in np.array(place) + shift]
    x, y, z = (float(part) for part in step)
    tiles = Tiles(count=count, across=across, step_mm=(x, y, z))
    plain = replace(header, attributes=own, pixels_at=None, pixels_length=None, tiles=tiles)
    return replace(plain, _known={}), tiles


def _told(header: Header) -> tuple[int, FloatArray | None]:
    """Number of slices and slice normal, as the private headers say; 0 and None if they do not.

    Slices that are numbered against the normal (ProtocolSliceNumber above 0) have none.
    """
    count, normal = 0, None
    try:
        if _COUNT in header.attributes:
            value = header.attributes[_COUNT].value
            count = int.from_bytes(value[:2], "little") if isinstance(value, bytes) else int(value)
        if _CSA in header.attributes:
            csa = csa_values(header.attributes[_CSA].value)
            stated = [float(part) for part in csa.get("SliceNormalVector", ()) if part]
            again = int(next(iter(csa.get("NumberOfImagesInMosaic", ())), "") or 0)
            count = 0 if count and again and count != again else count or again
            first = next(iter(csa.get("ProtocolSliceNumber", ())), "") or "0"
            if len(stated) == 3 and not int(first):
                normal = np.array(stated)
    except (*PARSING, ContentError):
        return count, None
    return count, normal
