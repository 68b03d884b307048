"""The mean filter."""

from __future__ import annotations

from dataclasses import dataclass

from onkos.core.errors import UsageError
from onkos.core.volume import Volume
from onkos.features.filters import grid
from onkos.features.filters.boundary import MIRROR, Boundary
from onkos.features.filters.separable import Taps, convolve_axes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """Mean of a cube (slice by slice: a square) of voxels: the image smoothed.

    Parameters
    ----------
    support
        Side of the cube in voxels, odd.
    slicewise
        Filter each slice on its own.
    boundary
        Boundary condition.

    References
    ----------
    Depeursinge A et al. arXiv:2006.05470
    """

    support: int
    slicewise: bool = False
    boundary: Boundary = MIRROR

    def __post_init__(self) -> None:
        if self.support < 1 or self.support % 2 == 0:
            raise UsageError(f"mean filter of {self.support} voxels: expected an odd number")

    def respond(self, volume: Volume, *, threads: int = 1) -> Volume:
        """Response map, in the unit of the image."""
        along = grid.axes(volume, slicewise=self.slicewise)
        taps = Taps.centred([1 / self.support] * self.support)
        data = convolve_axes(
            grid.values(volume),
            [taps] * len(along),
            axes=along,
            boundary=self.boundary,
            threads=threads,
        )
        return grid.response(volume, data, unit=volume.unit)
