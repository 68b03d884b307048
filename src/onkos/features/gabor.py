"""A bank of two-dimensional Gabor filters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_SHOWN = 1e-5  # of the envelope: below, the pixel grid does not resolve the wave


@dataclass(frozen=True, slots=True, kw_only=True)
class GaborBank:
    """Filters of several wavelengths, widths and orientations, each with even and odd phase.

    The default has 96: 4 wavelengths x 2 widths x 6 orientations x 2 phases. Sizes are in
    millimetres, so responses do not depend on the voxel size; the filters lie in the plane of
    the last two axes, the axial plane of an upright image.

    Parameters
    ----------
    wavelengths_mm
        Distance between two crests of the carrier.
    widths
        Standard deviation of the envelope, in wavelengths.
    orientations
        Number of directions over 180 degrees.
    radius_mm
        Half the side of the filters' support.

    References
    ----------
    Soltaninejad M et al. Supervised learning based multimodal MRI brain tumour segmentation
    using texture features from supervoxels. Comput Methods Programs Biomed 2018;157:69-84.
    doi:10.1016/j.cmpb.2018.01.003
    """

    wavelengths_mm: tuple[float, ...] = (2.5, 4.0, 6.0, 9.0)
    widths: tuple[float, ...] = (0.35, 0.55)
    orientations: int = 6
    radius_mm: float = 5.0

    @property
    def size(self) -> int:
        """Number of filters."""
        return len(self.wavelengths_mm) * len(self.widths) * self.orientations * 2

    def kernels(self, spacing_mm: tuple[float, float]) -> FloatArray:
        """Sample the filters at a pixel spacing (j, i).

        Returns
        -------
        array
            (filters, 2 a + 1, 2 b + 1). Each sums to zero and its absolute values to one, so
            that the response to a constant is zero and all sizes have equal weight. To be
            correlated, not convolved.
        """
        half = [max(1, round(self.radius_mm / step)) for step in spacing_mm]
        y = np.arange(-half[0], half[0] + 1)[:, None] * spacing_mm[0]
        x = np.arange(-half[1], half[1] + 1)[None, :] * spacing_mm[1]
        made: list[FloatArray] = []
        for wavelength in self.wavelengths_mm:
            for width in self.widths:
                envelope = np.exp(-(x**2 + y**2) / (2 * (width * wavelength) ** 2))
                for turn in range(self.orientations):
                    angle = math.pi * turn / self.orientations
                    along = 2 * math.pi * (x * math.cos(angle) + y * math.sin(angle)) / wavelength
                    made.extend(
                        _balanced(envelope, wave) for wave in (np.cos(along), np.sin(along))
                    )
        return np.array(made)


def _balanced(envelope: FloatArray, wave: FloatArray) -> FloatArray:
    """Envelope times wave, with zero mean and absolute sum one.

    All zero where the pixel grid does not resolve the wave: only rounding would be left.
    """
    kernel = envelope * (wave - (envelope * wave).sum() / envelope.sum())
    total = np.abs(kernel).sum()
    balanced: FloatArray = kernel / total if total > _SHOWN * envelope.sum() else kernel * 0
    return balanced
