"""Gabor filters in the planes of a volume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from onkos.core.errors import ContentError, UsageError
from onkos.core.volume import Volume
from onkos.features.filters import grid
from onkos.features.filters.boundary import MIRROR, Boundary, Float32
from onkos.features.filters.turns import Pool, Pooling

Complex64 = NDArray[np.complex64]

CUTOFF = 5.0  # half the support in sigma: the envelope has fallen to 4e-6
BLOCK = 4_000_000  # pixels transformed together


@dataclass(frozen=True, slots=True, kw_only=True)
class Gabor:
    """Gabor filter: modulus of the response to a complex wave with a Gaussian envelope.

    Parameters
    ----------
    sigma_mm
        Standard deviation of the envelope along the wave.
    wavelength_mm
        Distance between two crests.
    aspect
        Gamma: sigma over the standard deviation across the wave.
    angle
        Direction of the wave in the plane, radians, from the first axis towards the second.
    angle_step
        Rotate by this step through the full circle and pool; None for the one angle. The full
        circle must be a whole number of steps.
    pooling
        How the orientations are pooled; IBSI uses the mean.
    all_planes
        Mean of the responses in the three orthogonal planes; else only in the plane of the
        first two axes.
    boundary
        Boundary condition of a plane.

    References
    ----------
    Depeursinge A et al. arXiv:2006.05470
    """

    sigma_mm: float
    wavelength_mm: float
    aspect: float = 1.0
    angle: float = 0.0
    angle_step: float | None = None
    pooling: Pooling = "mean"
    all_planes: bool = False
    boundary: Boundary = MIRROR

    def __post_init__(self) -> None:
        sizes = (self.sigma_mm, self.wavelength_mm, self.aspect)
        if not all(0 < size < math.inf for size in sizes) or not math.isfinite(self.angle):
            raise UsageError(
                f"sigma {self.sigma_mm} mm, wavelength {self.wavelength_mm} mm, aspect "
                f"{self.aspect}, angle {self.angle}: expected positive numbers and a finite angle"
            )
        if self.angle_step is not None:
            turns = 2 * math.pi / self.angle_step if self.angle_step > 0 else 0.5
            if abs(turns - round(turns)) > 1e-6:
                raise UsageError(
                    f"angle step {self.angle_step}: expected 2 pi divided by a whole number"
                )

    @property
    def angles(self) -> list[float]:
        """Distinct directions: opposite waves have the same modulus."""
        if self.angle_step is None:
            return [self.angle]
        turns = round(2 * math.pi / self.angle_step)
        return [self.angle + turn * self.angle_step for turn in range(turns)][
            : turns // 2 if turns % 2 == 0 else turns
        ]

    def respond(self, volume: Volume, *, threads: int = 1) -> Volume:
        """Response map: the modulus, pooled over orientations, then averaged over planes.

        Raises
        ------
        ContentError
            If all planes are requested of a plain picture.
        """
        if self.all_planes and volume.geometry.ndim == 2:
            raise ContentError(
                "all_planes of a plain picture, which has one plane; set all_planes = false"
            )
        steps = grid.spacing_mm(volume)
        data = grid.values(volume)
        planes = [(0, 1), (0, 2), (1, 2)] if self.all_planes else [(0, 1)]
        total = np.zeros_like(data)
        for first, second in planes:
            view = np.moveaxis(np.atleast_3d(data), (first, second), (1, 2))
            out = np.moveaxis(np.atleast_3d(total), (first, second), (1, 2))
            self._plane(view, out, (steps[first], steps[second]), threads)
        return grid.response(volume, total / np.float32(len(planes)))

    def kernel(self, angle: float, steps_mm: Sequence[float]) -> Complex64:
        """Filter sampled on the plane's grid, its centre in the middle of an odd support."""
        half = [self._reach(steps_mm)[axis] for axis in (0, 1)]
        x = np.arange(-half[0], half[0] + 1)[:, None] * steps_mm[0]
        y = np.arange(-half[1], half[1] + 1)[None, :] * steps_mm[1]
        along = x * math.cos(angle) + y * math.sin(angle)
        across = y * math.cos(angle) - x * math.sin(angle)
        power = -(along**2 + (self.aspect * across) ** 2) / (2 * self.sigma_mm**2)
        wave = np.exp(power + 2j * math.pi * along / self.wavelength_mm)
        return wave.astype(np.complex64)

    def _reach(self, steps_mm: Sequence[float]) -> tuple[int, int]:
        widest = self.sigma_mm * max(1.0, 1 / self.aspect)
        first, second = (math.ceil(CUTOFF * widest / step) for step in steps_mm)
        return first, second

    def _plane(
        self, slices: Float32, out: Float32, steps_mm: Sequence[float], threads: int
    ) -> None:
        """Add the responses of all slices (n, i, j) to ``out``, some slices at a time."""
        reach = self._reach(steps_mm)
        sides = [
            fft.next_fast_len(side + 2 * r) for side, r in zip(slices.shape[1:], reach, strict=True)
        ]
        spectra = [fft.fft2(self.kernel(angle, steps_mm), s=sides) for angle in self.angles]
        width = ((0, 0), *((r, r) for r in reach))
        inside = tuple(
            slice(2 * r, 2 * r + n) for r, n in zip(reach, slices.shape[1:], strict=True)
        )
        together = max(1, BLOCK // math.prod(sides))
        for start in range(0, len(slices), together):
            block = self.boundary.padded(slices[start : start + together], width)
            spectrum = fft.fft2(block, s=sides, workers=threads)
            pool = Pool(self.pooling, len(spectra))
            for filtered in spectra:
                answer = fft.ifft2(spectrum * filtered, overwrite_x=True, workers=threads)
                pool.add(np.abs(answer[(slice(None), *inside)]))
            out[start : start + together] += pool.result
