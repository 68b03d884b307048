"""Requirements of the filters on the grid, and the response map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onkos.core.errors import ContentError, GeometryError
from onkos.core.volume import Volume
from onkos.features.filters.boundary import Float32

_ISOTROPIC = 0.01  # relative difference of spacings that counts as isotropic


def values(volume: Volume) -> Float32:
    """Grey values as float32 in C order.

    Raises
    ------
    ContentError
        If there are colour channels, or values that are not finite: a filter would spread them.
    """
    if volume.channels > 1:
        raise ContentError("a colour picture cannot be filtered; take one channel first")
    data = np.ascontiguousarray(volume.data, dtype=np.float32)
    if not np.isfinite(data).all():
        raise ContentError(
            f"{int((~np.isfinite(data)).sum())} of {data.size} values are not finite and a filter "
            "would spread them; crop the volume or fill them first"
        )
    return data


def axes(volume: Volume, *, slicewise: bool) -> tuple[int, ...]:
    """Axes to filter along: all, or the first two (the plane of acquisition) of each slice."""
    return (0, 1) if slicewise or volume.geometry.ndim == 2 else (0, 1, 2)


def spacing_mm(volume: Volume) -> tuple[float, ...]:
    """Spacing of a grid whose axes are at right angles.

    Raises
    ------
    GeometryError
        If it is sheared, or a picture of unknown pixel size.
    """
    if volume.geometry.is_sheared:
        raise GeometryError(
            "the axes of the volume are not at right angles and a filter would be sheared too; "
            "resample it onto an upright grid first, with .on(geometry)"
        )
    return volume.geometry.spacing_mm


def require_isotropic(volume: Volume, along: tuple[int, ...], *, doing: str) -> None:
    """Refuse anisotropic voxels.

    A picture of unknown pixel size is assumed to have square pixels.
    """
    if not volume.geometry.calibrated:
        return
    steps = [spacing_mm(volume)[axis] for axis in along]
    if max(steps) > min(steps) * (1 + _ISOTROPIC):
        sides = " x ".join(f"{step:.4g}" for step in steps)
        raise GeometryError(
            f"{doing}: voxels of {sides} mm; expected equal sides, as all directions have equal "
            "weight; resample first, with .on(geometry), or filter slice by slice"
        )


def response(volume: Volume, data: Float32, *, unit: str = "1") -> Volume:
    """Response map on the same grid."""
    return replace(volume, data=data, unit=unit, source=None)
