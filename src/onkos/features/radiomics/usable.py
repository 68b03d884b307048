"""Requirements on image and mask: grey values on three orthogonal axes, one grid."""

from __future__ import annotations

from onkos.core.errors import ContentError, GeometryError
from onkos.core.mask import Mask
from onkos.core.volume import Volume


def require_usable(volume: Volume, mask: Mask, *, doing: str) -> None:
    """Refuse pictures, sheared grids, colours, and a mask on another grid.

    Raises
    ------
    GeometryError
        If the grids differ, are sheared (gantry tilt), or are plain pictures; the message begins
        with what was being done.
    ContentError
        If the image has colours.
    """
    if volume.geometry.ndim != 3:
        raise GeometryError(f"{doing} of a plain picture: expected a volume of three axes")
    if volume.geometry.is_sheared:
        raise GeometryError(
            f"{doing} on {volume.geometry}: its axes are not at right angles (gantry tilt); "
            "bring volume and mask onto an upright grid first, with .on(geometry)"
        )
    if volume.channels > 1:
        raise ContentError(f"{doing} of a colour image: take one channel first")
    mask.geometry.require_same(volume.geometry, doing=doing)
