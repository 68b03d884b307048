"""SIFT descriptors of a picture, at keypoints or on a grid. The only module with OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import UsageError
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.pictures.picture import Bools, FloatArray, PictureRegion, picture_region

Float32 = NDArray[np.float32]
LENGTH = 128
_WINDOW = 6.0  # side of OpenCV's descriptor window over the size of its keypoint


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Keypoints:
    """Keypoints of a picture with their SIFT descriptors.

    Parameters
    ----------
    places
        (n, 2) float64: column and row in pixels.
    sizes
        (n,) float64: side of the descriptor window, in pixels.
    descriptors
        (n, 128) float32, each the square root of shares that sum to 1 (RootSIFT), so Euclidean
        distance is Hellinger's; all zero where there is no gradient.
    """

    places: FloatArray
    sizes: FloatArray
    descriptors: Float32


def keypoints(picture: Volume, mask: Mask | None = None, *, limit: int = 500) -> Keypoints:
    """Strongest SIFT keypoints, inside the mask if there is one; possibly none.

    References
    ----------
    Lowe DG. Distinctive image features from scale-invariant keypoints. Int J Comput Vis
    2004;60:91-110. doi:10.1023/B:VISI.0000029664.99615.94
    Arandjelovic R, Zisserman A. Three things everyone should know to improve object retrieval.
    CVPR 2012. doi:10.1109/CVPR.2012.6248018
    """
    if limit < 1:
        raise UsageError(f"limit {limit}: expected at least one keypoint")
    seen = picture_region(picture, mask)
    sift = cv2.SIFT.create(nfeatures=limit)
    found, raw = sift.detectAndCompute(_bytes(seen), seen.inside.astype(np.uint8))
    return _keypoints(found, raw, np.ones(2))


def dense_keypoints(
    picture: Volume,
    mask: Mask | None = None,
    *,
    step: int = 8,
    sizes: Sequence[float] = (16.0, 32.0, 64.0),
    side: int | None = None,
) -> Keypoints:
    """Dense SIFT: upright descriptors on a grid of ``step`` pixels, of several window sizes.

    With a mask only the grid points inside; at least one, the pixel nearest to its centroid. With
    ``side`` the picture is first scaled to so many pixels along its shorter side, and step and
    sizes are those of the scaled picture (the places found are those of the picture given).

    References
    ----------
    Bosch A et al. Image classification using random forests and ferns. ICCV 2007.
    doi:10.1109/ICCV.2007.4409066
    """
    if step < 1 or not sizes or min(sizes) < 8 or (side is not None and side < 8):
        raise UsageError(
            f"step {step}, sizes {tuple(sizes)}, side {side}: expected >= 1, >= 8 and >= 8 pixels"
        )
    seen = picture_region(picture, mask)
    grey, inside, scale = _scaled(_bytes(seen), seen.inside, side)
    places = _grid(inside, step)
    asked = [
        cv2.KeyPoint(float(column), float(row), float(size) / _WINDOW, 0.0)
        for size in sizes
        for row, column in places
    ]
    found, raw = cv2.SIFT.create().compute(grey, asked)
    return _keypoints(found, raw, scale)


def _scaled(
    grey: NDArray[np.uint8], inside: Bools, side: int | None
) -> tuple[NDArray[np.uint8], Bools, FloatArray]:
    """Resized picture and mask, and the scale factor of each axis: columns, rows."""
    rows, columns = grey.shape
    if side is None or min(rows, columns) == side:
        return grey, inside, np.ones(2)
    factor = side / min(rows, columns)
    wanted = (round(columns * factor), round(rows * factor))
    by = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(grey, wanted, interpolation=by), dtype=np.uint8)
    part = cv2.resize(inside.astype(np.float32), wanted, interpolation=by)
    within = part >= min(0.5, float(part.max()))  # of a tiny region at least its best covered pixel
    return small, within, np.array([columns / wanted[0], rows / wanted[1]])


def _grid(inside: Bools, step: int) -> NDArray[np.intp]:
    start = step // 2
    coarse = np.argwhere(inside[start::step, start::step]) * step + start
    if len(coarse):
        return coarse
    within = np.argwhere(inside)
    nearest = ((within - within.mean(axis=0)) ** 2).sum(axis=1).argmin()
    return within[nearest : nearest + 1]


def _bytes(seen: PictureRegion) -> NDArray[np.uint8]:
    """Grey values as 8 bits: integers from 0 to 255 unchanged, others rescaled."""
    grey = seen.grey
    low, high = grey.min(), grey.max()
    if low >= 0 and high <= 255 and np.array_equal(grey, np.rint(grey)):
        return grey.astype(np.uint8)
    stretched: NDArray[np.uint8] = np.rint((grey - low) / ((high - low) or 1.0) * 255).astype(
        np.uint8
    )
    return stretched


def _keypoints(found: Sequence[cv2.KeyPoint], raw: Float32 | None, scale: FloatArray) -> Keypoints:
    descriptors = np.zeros((0, LENGTH), dtype=np.float32) if raw is None else raw
    total = descriptors.sum(axis=1, keepdims=True)
    places = np.array([point.pt for point in found], dtype=np.float64).reshape(-1, 2)
    return Keypoints(
        places=(places + 0.5) * scale - 0.5,
        sizes=np.array([point.size * _WINDOW for point in found]) * scale.mean(),
        descriptors=np.sqrt(descriptors / np.maximum(total, 1e-9)).astype(np.float32),
    )
