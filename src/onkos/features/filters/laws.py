"""Laws' kernels and texture energy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.errors import ContentError, UsageError
from onkos.core.volume import Volume
from onkos.features.filters import grid
from onkos.features.filters.boundary import MIRROR, Boundary
from onkos.features.filters.separable import Taps, convolve_axes
from onkos.features.filters.turns import Pooling, oriented

_KERNELS: dict[str, tuple[int, ...]] = {
    "L3": (1, 2, 1),
    "L5": (1, 4, 6, 4, 1),
    "E3": (-1, 0, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S3": (-1, 2, -1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Laws:
    """Laws' texture filters: level (L), edge (E), spot (S), wave (W) and ripple (R) kernels.

    Parameters
    ----------
    kernels
        One of L3, L5, E3, E5, S3, S5, W5, R5 per axis; three for a volume, two to filter each
        slice (or a picture) on its own.
    pooling
        Pool the responses in all right-angled orientations (IBSI uses the maximum); None for
        the single orientation given.
    energy_radius
        Texture energy: mean absolute response within this many voxels (Chebyshev); None for the
        response itself.
    boundary
        Boundary condition.

    References
    ----------
    Laws KI. Rapid texture identification. Proc SPIE 1980;238:376-381. doi:10.1117/12.959169
    Depeursinge A et al. arXiv:2006.05470
    """

    kernels: tuple[str, ...]
    pooling: Pooling | None = None
    energy_radius: int | None = None
    boundary: Boundary = MIRROR

    def __post_init__(self) -> None:
        unknown = [name for name in self.kernels if name not in _KERNELS]
        if unknown or len(self.kernels) not in (2, 3):
            raise UsageError(f"kernels {self.kernels}: expected two or three of {list(_KERNELS)}")
        if self.energy_radius is not None and self.energy_radius < 0:
            raise UsageError(f"energy radius {self.energy_radius}: expected 0 voxels or more")

    def respond(self, volume: Volume, *, threads: int = 1) -> Volume:
        """Response map, or energy map.

        Raises
        ------
        ContentError
            If three kernels are requested of a plain picture.
        GeometryError
            If orientations are pooled on voxels of unequal sides.
        """
        if len(self.kernels) > volume.geometry.ndim:
            raise ContentError(f"{len(self.kernels)} kernels for a plain picture; expected two")
        along = grid.axes(volume, slicewise=len(self.kernels) == 2)
        if self.pooling is not None:
            grid.require_isotropic(volume, along, doing="Laws' kernels in all orientations")
        data = oriented(
            grid.values(volume),
            [(kernel(name),) for name in self.kernels],
            axes=along,
            pooling=self.pooling,
            boundary=self.boundary,
            threads=threads,
        )
        if self.energy_radius is not None:
            side = 2 * self.energy_radius + 1
            beyond = replace(self.boundary, value=self._energy_beyond())
            data = convolve_axes(
                np.abs(data),
                [Taps.centred([1 / side] * side)] * len(along),
                axes=along,
                boundary=beyond,
                threads=threads,
            )
        return grid.response(volume, data)

    def _energy_beyond(self) -> float:
        """Energy of the constant beyond the edge; 0 unless all kernels are level kernels."""
        sums = [sum(kernel(name).values) for name in self.kernels]
        return abs(self.boundary.value * math.prod(sums))


def kernel(name: str) -> Taps:
    """Laws' kernel of unit Euclidean length."""
    values = np.array(_KERNELS[name], dtype=np.float64)
    return Taps.centred((values / np.linalg.norm(values)).tolist())
