"""Separable wavelets, undecimated."""

from __future__ import annotations

from dataclasses import dataclass

import pywt

from onkos.core.errors import ContentError, UsageError
from onkos.core.volume import Volume
from onkos.features.filters import grid
from onkos.features.filters.boundary import MIRROR, Boundary
from onkos.features.filters.separable import Taps
from onkos.features.filters.turns import Chain, Pooling, oriented


@dataclass(frozen=True, slots=True, kw_only=True)
class Wavelet:
    """One sub-band of a stationary wavelet transform: detail of one scale and direction.

    The transform is undecimated (a trous): the kernels of level n are dilated with zeros, the
    map keeps the image's grid.

    Parameters
    ----------
    family
        A discrete orthogonal or biorthogonal wavelet of PyWavelets, e.g. ``haar``, ``db2``,
        ``coif1``.
    band
        L (low-pass) or H (high-pass) for each axis, e.g. ``LHL`` along i, j, k; two letters
        filter each slice (or a picture) on its own.
    level
        Level of the decomposition, from 1.
    pooling
        Pool the responses in all right-angled orientations (IBSI uses the mean); None for the
        single orientation given.
    boundary
        Boundary condition, at every level.

    References
    ----------
    Depeursinge A et al. arXiv:2006.05470
    """

    family: str
    band: str
    level: int = 1
    pooling: Pooling | None = None
    boundary: Boundary = MIRROR

    def __post_init__(self) -> None:
        if self.family not in pywt.wavelist(kind="discrete"):
            raise UsageError(
                f"wavelet {self.family!r}: expected a discrete one of PyWavelets, e.g. haar, "
                "db2, coif1"
            )
        if len(self.band) not in (2, 3) or set(self.band) - {"L", "H"}:
            raise UsageError(f"band {self.band!r}: expected two or three letters L or H")
        if self.level < 1:
            raise UsageError(f"level {self.level}: expected 1 or more")

    def respond(self, volume: Volume, *, threads: int = 1) -> Volume:
        """Response map of the sub-band.

        Raises
        ------
        ContentError
            If a band of three letters is requested of a plain picture.
        GeometryError
            If orientations are pooled on voxels of unequal sides.
        """
        if len(self.band) > volume.geometry.ndim:
            raise ContentError(f"band {self.band} for a plain picture; expected two letters")
        along = grid.axes(volume, slicewise=len(self.band) == 2)
        if self.pooling is not None:
            grid.require_isotropic(volume, along, doing="a wavelet in all orientations")
        data = oriented(
            grid.values(volume),
            [self._chain(letter) for letter in self.band],
            axes=along,
            pooling=self.pooling,
            boundary=self.boundary,
            threads=threads,
        )
        return grid.response(volume, data)

    def _chain(self, letter: str) -> Chain:
        """Low-pass kernels of the levels before, then the kernel of this level."""
        wavelet = pywt.Wavelet(self.family)
        low, high = wavelet.dec_lo, wavelet.dec_hi
        last = low if letter == "L" else high
        before = [_spread(low, level) for level in range(1, self.level)]
        return (*before, _spread(last, self.level))


def _spread(values: list[float], level: int) -> Taps:
    """Kernel with 2^(level - 1) - 1 zeros after each coefficient, centred."""
    step = 2 ** (level - 1)
    spread = [0.0] * (len(values) * step)
    spread[::step] = values
    return Taps(tuple(spread), -(len(spread) // 2))
