"""The Laplacian of Gaussian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onkos.core.errors import UsageError
from onkos.core.volume import Volume
from onkos.features.filters import grid
from onkos.features.filters.boundary import MIRROR, Boundary, Float32
from onkos.features.filters.separable import Taps, convolve


@dataclass(frozen=True, slots=True, kw_only=True)
class LaplacianOfGaussian:
    """Laplacian of Gaussian: minimum in a bright blob of radius sigma * sqrt(dimensions).

    The kernel is a sum of separable ones and computed as such. IBSI defines it for isotropic
    voxels; on others the second derivatives are those in millimetres, scaled by the square of
    the geometric mean of the sides, which is the same where they are equal.

    Parameters
    ----------
    sigma_mm
        Width of the Gaussian.
    cutoff
        Truncation of the kernel in sigma; IBSI uses 4.
    slicewise
        Filter each slice on its own.
    boundary
        Boundary condition.

    References
    ----------
    Depeursinge A et al. arXiv:2006.05470
    """

    sigma_mm: float
    cutoff: float = 4.0
    slicewise: bool = False
    boundary: Boundary = MIRROR

    def __post_init__(self) -> None:
        if not (0 < self.sigma_mm < np.inf and 0 < self.cutoff < np.inf):
            raise UsageError(
                f"sigma {self.sigma_mm} mm, cutoff {self.cutoff}: expected positive numbers"
            )

    def respond(self, volume: Volume, *, threads: int = 1) -> Volume:
        """Response map, in the unit of the image per voxel squared."""
        along = grid.axes(volume, slicewise=self.slicewise)
        steps = np.array([grid.spacing_mm(volume)[axis] for axis in along])
        scale = np.exp(2 * np.log(steps).mean()) / steps**2
        data = grid.values(volume)
        if self.boundary.value:
            data = data - np.float32(self.boundary.value)
        smooth, sharp = data, np.zeros((), dtype=np.float32)
        for axis, step, weight in zip(along, steps, scale, strict=True):
            even, curved = self._taps(step, weight)

            def by(taps: Taps, of: Float32, axis: int = axis) -> Float32:
                return convolve(of, taps, axis=axis, boundary=self.boundary, threads=threads)

            sharp = by(curved, smooth) + (by(even, sharp) if sharp.ndim else np.float32(0))
            smooth = by(even, smooth) if axis != along[-1] else smooth
        if self.boundary.value:
            sharp = sharp + np.float32(self.boundary.value * self._sum(steps, scale))
        return grid.response(volume, sharp)

    def _taps(self, step_mm: float, weight: float) -> tuple[Taps, Taps]:
        """Gaussian along an axis and its weighted second derivative."""
        sigma = self.sigma_mm / step_mm
        half = int(np.floor(self.cutoff * sigma + 0.5))
        k = np.arange(-half, half + 1)
        even = np.exp(-(k**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
        curved = weight * even * (k**2 / sigma**2 - 1) / sigma**2
        return Taps.centred(even.tolist()), Taps.centred(curved.tolist())

    def _sum(self, steps: np.ndarray, scale: np.ndarray) -> float:
        """Sum of the whole kernel: nearly 0, not exactly, as it is truncated and sampled."""
        pairs = [self._taps(step, weight) for step, weight in zip(steps, scale, strict=True)]
        even = np.array([sum(taps.values) for taps, _ in pairs])
        curved = np.array([sum(taps.values) for _, taps in pairs])
        return float((curved / even).sum() * even.prod())
