"""How like an image is to the one it stands for: PSNR, structural similarity, error.

All are computed inside a mask (the body): background agrees with background in any image and
would flatter each of them.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu
from skimage.metrics import structural_similarity

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray

Bools = NDArray[np.bool_]
Window = Literal["slices", "volume"]

WINDOW = 11  # voxels of the Gaussian window, sigma 1.5, cut at 3.5 sigma (Wang 2004)
AIR_HU = -500.0


def psnr_db(image: AnyArray, truth: AnyArray, *, data_range: float, mask: Bools) -> float:
    """Peak signal-to-noise ratio in decibels; infinite where the two are equal.

    Parameters
    ----------
    image, truth
        Values on one grid.
    data_range
        The largest difference two values can have; the number means nothing without it.
    mask
        Where they are compared.

    Raises
    ------
    ContentError
        If shapes differ, the mask is empty, a value in it is not finite, or the range is not
        positive.
    """
    ours, theirs = _inside(image, truth, mask, data_range)
    error = float(np.mean((ours - theirs) ** 2))
    return math.inf if error == 0 else 10 * math.log10(data_range**2 / error)


def nrmse(image: AnyArray, truth: AnyArray, *, data_range: float, mask: Bools) -> float:
    """Root mean squared error as a share of the data range; 0 is perfect.

    Raises
    ------
    ContentError
        As :func:`psnr_db`.
    """
    ours, theirs = _inside(image, truth, mask, data_range)
    return float(np.sqrt(np.mean((ours - theirs) ** 2))) / data_range


def ssim(
    image: AnyArray,
    truth: AnyArray,
    *,
    data_range: float,
    mask: Bools,
    window: Window = "slices",
) -> float:
    """Mean structural similarity over the mask, with Wang's Gaussian window; 1 is perfect.

    Only windows that lie wholly in the image count, as in the original.

    Parameters
    ----------
    image, truth, data_range, mask
        As :func:`psnr_db`.
    window
        Of a volume: ``"slices"`` compares slice by slice along the last axis, ``"volume"`` with
        a window of three axes. A picture has one slice.

    Raises
    ------
    ContentError
        As :func:`psnr_db`, or if the image is smaller than the window, or the mask lies where
        no window fits.

    References
    ----------
    Wang Z, Bovik AC, Sheikh HR, Simoncelli EP. Image quality assessment: from error visibility
    to structural similarity. IEEE Trans Image Process 2004;13:600-612.
    doi:10.1109/TIP.2003.819861
    """
    _inside(image, truth, mask, data_range)
    flat = truth.ndim == 3 and window == "slices"
    sides = truth.shape[:2] if flat else truth.shape
    if min(sides) < WINDOW:
        raise ContentError(
            f"structural similarity of {' x '.join(str(side) for side in sides)} voxels: the "
            f"window is {WINDOW} wide; expected no side below it"
        )
    outside = ~mask
    ours, theirs = (
        np.where(outside & ~np.isfinite(one), 0.0, one).astype(np.float64) for one in (image, truth)
    )
    if flat:
        kept = np.flatnonzero(mask.any(axis=(0, 1)))
        maps = [_map(ours[..., k], theirs[..., k], data_range) for k in kept]
        similar, chosen = np.stack(maps, axis=-1), mask[..., kept]
    else:
        similar, chosen = _map(ours, theirs, data_range), mask
    edge = (slice(WINDOW // 2, -(WINDOW // 2)),) * len(sides)
    values = similar[edge][chosen[edge]]
    if not values.size:
        raise ContentError("structural similarity: the mask lies where no whole window fits")
    return float(values.mean())


def body(truth: AnyArray, *, unit: str) -> Bools:
    """Where there is a patient: in Hounsfield units above air, else above Otsu's threshold.

    Raises
    ------
    ContentError
        If nothing is above it.

    References
    ----------
    Otsu N. A threshold selection method from gray-level histograms. IEEE Trans Syst Man Cybern
    1979;9:62-66. doi:10.1109/TSMC.1979.4310076
    """
    finite = np.isfinite(truth)
    known = truth[finite]
    hounsfield = unit in ("[hnsf'U]", "HU")
    if not known.size or (not hounsfield and known.min() == known.max()):
        raise ContentError("the reference image is flat; expected a patient on a background")
    limit = AIR_HU if hounsfield else float(threshold_otsu(known))
    found: Bools = finite & (np.where(finite, truth, limit) > limit)
    if not found.any():
        raise ContentError(f"nothing in the reference image lies above {limit:g}; is it a patient?")
    return found


def _map(image: FloatArray, truth: FloatArray, data_range: float) -> FloatArray:
    """Structural similarity of each voxel."""
    found: FloatArray = structural_similarity(
        image,
        truth,
        data_range=data_range,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )[1]
    return found


def _inside(
    image: AnyArray, truth: AnyArray, mask: Bools, data_range: float
) -> tuple[FloatArray, FloatArray]:
    """Values of both in the mask."""
    if not image.shape == truth.shape == mask.shape:
        raise ContentError(
            f"image of shape {image.shape}, reference {truth.shape}, mask {mask.shape}; expected "
            "one grid"
        )
    if not (math.isfinite(data_range) and data_range > 0):
        raise ContentError(f"data range {data_range}: expected a positive number")
    ours, theirs = (np.asarray(one[mask], dtype=np.float64) for one in (image, truth))
    if not ours.size:
        raise ContentError("the mask is empty; expected voxels to compare")
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise ContentError("a value inside the mask is not finite; fill it or leave it out by mask")
    return ours, theirs
