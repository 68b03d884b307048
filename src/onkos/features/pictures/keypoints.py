"""SIFT descriptors of a picture, at its keypoints or on a grid. OpenCV lives here alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import UsageError
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.pictures.picture import Bools, FloatArray, Region, region

Float32 = NDArray[np.float32]
LENGTH = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Keypoints:
    """Places of a picture and what its gradients look like around each.

    Parameters
    ----------
    places
        (n, 2) float64: column and row in pixels.
    sizes
        (n,) float64: diameter described, in pixels.
    descriptors
        (n, 128) float32, each the square root of shares that sum to 1 (RootSIFT), so Euclidean
        distance is Hellinger's; all zero where there is no gradient.
    """

    places: FloatArray
    sizes: FloatArray
    descriptors: Float32


def keypoints(picture: Volume, mask: Mask | None = None, *, limit: int = 500) -> Keypoints:
    """Strongest SIFT keypoints, inside the mask if there is one; there may be none.

    References
    ----------
    Lowe DG. Distinctive image features from scale-invariant keypoints. Int J Comput Vis
    2004;60:91-110. doi:10.1023/B:VISI.0000029664.99615.94
    Arandjelovic R, Zisserman A. Three things everyone should know to improve object retrieval.
    CVPR 2012. doi:10.1109/CVPR.2012.6248018
    """
    if limit < 1:
        raise UsageError(f"limit {limit}: expected at least one keypoint")
    seen = region(picture, mask)
    sift = cv2.SIFT.create(nfeatures=limit)
    found, raw = sift.detectAndCompute(_bytes(seen), seen.inside.astype(np.uint8))
    return _keypoints(found, raw)


def dense_keypoints(
    picture: Volume,
    mask: Mask | None = None,
    *,
    step: int = 8,
    sizes: Sequence[float] = (8.0, 16.0, 32.0),
) -> Keypoints:
    """SIFT descriptors, upright, on a grid of ``step`` pixels at several diameters.

    In a mask only the grid points inside; at least one, the pixel nearest to its middle.

    References
    ----------
    Bosch A et al. Image classification using random forests and ferns. ICCV 2007.
    doi:10.1109/ICCV.2007.4409066
    """
    if step < 1 or not sizes or min(sizes) < 2:
        raise UsageError(f"step {step}, sizes {tuple(sizes)}: expected >= 1 and >= 2 pixels")
    seen = region(picture, mask)
    places = _grid(seen.inside, step)
    asked = [
        cv2.KeyPoint(float(column), float(row), float(size), 0.0)
        for size in sizes
        for row, column in places
    ]
    found, raw = cv2.SIFT.create().compute(_bytes(seen), asked)
    return _keypoints(found, raw)


def _grid(inside: Bools, step: int) -> NDArray[np.intp]:
    start = step // 2
    coarse = np.argwhere(inside[start::step, start::step]) * step + start
    if len(coarse):
        return coarse
    within = np.argwhere(inside)
    nearest = ((within - within.mean(axis=0)) ** 2).sum(axis=1).argmin()
    return within[nearest : nearest + 1]


def _bytes(seen: Region) -> NDArray[np.uint8]:
    """Greys as OpenCV wants them: whole numbers up to 255 as they are, others stretched."""
    grey = seen.grey
    low, high = grey.min(), grey.max()
    if low >= 0 and high <= 255 and np.array_equal(grey, np.rint(grey)):
        return grey.astype(np.uint8)
    stretched: NDArray[np.uint8] = np.rint((grey - low) / ((high - low) or 1.0) * 255).astype(
        np.uint8
    )
    return stretched


def _keypoints(found: Sequence[cv2.KeyPoint], raw: Float32 | None) -> Keypoints:
    descriptors = np.zeros((0, LENGTH), dtype=np.float32) if raw is None else raw
    total = descriptors.sum(axis=1, keepdims=True)
    return Keypoints(
        places=np.array([point.pt for point in found], dtype=np.float64).reshape(-1, 2),
        sizes=np.array([point.size for point in found], dtype=np.float64),
        descriptors=np.sqrt(descriptors / np.maximum(total, 1e-9)).astype(np.float32),
    )
