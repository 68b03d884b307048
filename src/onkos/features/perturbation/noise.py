"""Noise estimation and noise addition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.volume import Volume
from onkos.features.filters.wavelets import Wavelet

_FINEST = Wavelet(family="coif1", band="HH")
_MAD_OF_NORMAL = 0.6745  # median absolute value of a standard normal


def noise_level(volume: Volume, *, threads: int = 1) -> float:
    """Estimate the standard deviation of an image's noise, in its own unit.

    From the median absolute deviation of the finest diagonal wavelet coefficients (coiflet 1),
    which is robust to edges. Slice by slice, as thick slices are not correlated. Voxels in
    constant surroundings (padding) are left out.

    Raises
    ------
    ContentError
        If no voxel is finite.

    References
    ----------
    Chang SG, Yu B, Vetterli M. Adaptive wavelet thresholding for image denoising and
    compression. IEEE Trans Image Process 2000;9:1532-1546. doi:10.1109/83.862633
    """
    measured = np.isfinite(volume.data)
    if not measured.any():
        raise ContentError(
            "noise of an image without any numbers, all voxels are NaN; expected intensities"
        )
    filled = np.where(measured, volume.data, np.median(volume.data[measured]))
    detail = np.abs(_FINEST.respond(replace(volume, data=filled), threads=threads).data)
    least, most = float(filled.min()), float(filled.max())
    floor = max(1e-6 * (most - least), 1e-9 * max(-least, most))  # rounding of what is constant
    detail = detail[measured & (detail > floor)]
    return float(np.median(detail)) / _MAD_OF_NORMAL if detail.size else 0.0


def noisy(volume: Volume, *, sd: float, rng: np.random.Generator) -> Volume:
    """Add white Gaussian noise of standard deviation ``sd``, in the image's unit."""
    data = volume.data + sd * rng.standard_normal(volume.data.shape, dtype=np.float32)
    return replace(volume, data=data.astype(np.float32))
