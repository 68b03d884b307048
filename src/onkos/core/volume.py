"""Measured values on a grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import AnyArray, FloatArray, Geometry
from onkos.core.sampling import planes, sample_linear
from onkos.core.source import Caveat, Source


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """One image: CT, one MR contrast, PET, a mammogram, an ultrasound picture.

    Parameters
    ----------
    data
        Array of ``geometry.shape``, or that shape and a last axis of colour channels. It is
        kept as a read-only view.
    geometry
        The grid.
    modality
        DICOM modality: ``CT``, ``MR``, ``PT``, ``MG``, ``US``, ...
    unit
        UCUM unit of the values: ``[hnsf'U]`` (Hounsfield), ``g/ml`` (SUVbw), ``mm2/s``, ``1``
        for arbitrary units, ``rgb`` for colour.
    source
        The DICOM series it came from, if any.
    caveats
        What a reader of any result must know about it.

    Raises
    ------
    GeometryError
        If the array does not fit the grid.
    """

    data: AnyArray
    geometry: Geometry
    modality: str
    unit: str
    source: Source | None = None
    caveats: tuple[Caveat, ...] = ()

    def __post_init__(self) -> None:
        data = np.asarray(self.data).view()
        spatial = data.shape[: self.geometry.ndim]
        if spatial != self.geometry.shape or data.ndim > self.geometry.ndim + 1:
            raise GeometryError(
                f"array of shape {data.shape} on a grid of shape {self.geometry.shape}: "
                "expected the grid's shape, with at most one more axis for colour"
            )
        data.setflags(write=False)
        object.__setattr__(self, "data", data)

    @property
    def channels(self) -> int:
        """Number of colour channels; 1 for grey values."""
        return int(self.data.shape[-1]) if self.data.ndim > self.geometry.ndim else 1

    def on(self, geometry: Geometry, *, outside: float = np.nan) -> Volume:
        """Bring the values onto another grid by linear interpolation (float32).

        Points outside this volume become ``outside``, by default NaN so that no invented value
        passes for a measured one.

        Raises
        ------
        GeometryError
            If one grid is a plain picture and the other a volume, or one is uncalibrated.
        ContentError
            If the volume has colour channels.
        """
        if self.geometry.matches(geometry):
            return replace(self, geometry=geometry)
        if self.channels > 1:
            raise ContentError("a colour picture cannot be resampled; take one channel first")
        out: FloatArray = np.empty(geometry.shape, dtype=np.float32, order="F")
        for block, points in planes(self.geometry, geometry):
            out[..., block] = sample_linear(self.data, points, outside=outside)
        return replace(self, data=out, geometry=geometry, source=None)

    def with_caveat(self, *caveats: Caveat) -> Volume:
        """Return a copy that carries further caveats."""
        return replace(self, caveats=self.caveats + caveats)
