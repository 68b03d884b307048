"""MR signal equations and Rician noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import UsageError
from onkos.io.export.series import MRAcquisition
from onkos.phantom.tissue import Tissue

FloatImage = NDArray[np.float32]


def null_time_ms(t1_ms: float, *, repetition_ms: float) -> float:
    """Inversion time at which a tissue gives no signal in spin-echo inversion recovery."""
    return t1_ms * (math.log(2.0) - math.log1p(math.exp(-repetition_ms / t1_ms)))


def signal(tissue: Tissue, acquisition: MRAcquisition) -> float:
    """Signal of a tissue relative to fully relaxed water, signed for inversion recovery.

    Spin echo: ``density (1 - exp(-TR/T1)) exp(-TE/T2)``. Inversion recovery:
    ``density (1 - 2 exp(-TI/T1) + exp(-TR/T1)) exp(-TE/T2)``. With contrast agent both
    relaxation times are those of the enhanced tissue.

    Raises
    ------
    UsageError
        For a scanning sequence other than spin echo (SE) or inversion recovery (IR).
    """
    if acquisition.contrast_agent:
        tissue = tissue.enhanced(acquisition.field_t)
    echo = math.exp(-acquisition.echo_ms / tissue.t2_ms)
    recovered = math.exp(-acquisition.repetition_ms / tissue.t1_ms)
    if acquisition.sequence == "SE":
        return tissue.density * (1.0 - recovered) * echo
    if acquisition.sequence == "IR" and acquisition.inversion_ms is not None:
        inverted = math.exp(-acquisition.inversion_ms / tissue.t1_ms)
        return tissue.density * (1.0 - 2.0 * inverted + recovered) * echo
    raise UsageError(
        f"sequence {acquisition.sequence!r} with inversion time {acquisition.inversion_ms}: "
        "expected SE, or IR with an inversion time"
    )


def rician(image: FloatImage, *, sigma: float, rng: np.random.Generator) -> FloatImage:
    """Magnitude image after Gaussian noise of standard deviation ``sigma`` in both channels.

    Where there is no signal the result follows Rayleigh's distribution, whose mean is 1.913
    times its standard deviation (Gudbjartsson and Patz 1995, doi:10.1002/mrm.1910340618).
    """
    real = rng.standard_normal(image.shape, dtype=np.float32)
    real *= np.float32(sigma)
    real += image
    imaginary = rng.standard_normal(image.shape, dtype=np.float32)
    imaginary *= np.float32(sigma)
    return np.hypot(real, imaginary, out=real)
