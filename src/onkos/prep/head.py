"""Where the head, or the brain if the skull was removed, lies in an image."""

from __future__ import annotations

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from onkos.core.errors import ModelError

Float32 = NDArray[np.float32]
Bools = NDArray[np.bool_]

_TISSUE = 0.10  # of the bright end: above the noise of air, below the fluid that FLAIR nulls
_FEWEST = 64  # voxels
_CONSTANT = 0.5  # of the border: a value that so much of it has was put there, not measured
_NOISE = 4.0  # times how far the noise of air falls below its commonest value: all of it


def find_head(image: Float32, *, where: str) -> Bools:
    """Voxels of the head: the largest connected piece that is not background, holes filled.

    The background is the commonest value of the image's border. Where that was put there (the
    skull or the air removed) and values lie below it as well, the image was standardised
    inside the brain and all that differs from the background is head; else what exceeds it by
    a tenth of the bright end, and the noise of air, in any channel.

    Parameters
    ----------
    image
        (k, j, i, channels) as measured; NaN where nothing was measured.
    where
        What the error message names.

    Raises
    ------
    ModelError
        If the image holds nothing but background.
    """
    candidate = np.zeros(image.shape[:3], dtype=bool)
    for channel in np.moveaxis(image, -1, 0):
        candidate |= _not_background(channel)
    if np.count_nonzero(candidate) < _FEWEST:
        raise ModelError(
            f"{where}: no head in the image, {np.count_nonzero(candidate)} voxels differ from the "
            "background; expected a scan of the head; check that the right series was chosen"
        )
    pieces = cc3d.connected_components(candidate, connectivity=6)
    largest = int(np.argmax(np.bincount(pieces.ravel())[1:])) + 1
    head: Bools = pieces == largest
    for plane in head:  # a hole is closed in its slice: sinuses open to the next one
        plane[...] = ndimage.binary_fill_holes(plane)
    return head


def depth_mm(head: Bools, spacing_mm: tuple[float, float, float], *, threads: int = 1) -> Float32:
    """Distance in mm of each head voxel from the nearest voxel outside; 0 outside.

    What lies beyond the image counts as outside, except along an axis of one voxel.
    """
    around = [(1, 1) if side > 1 else (0, 0) for side in head.shape]
    padded = np.pad(head, around)
    distance = edt.edt(padded, anisotropy=spacing_mm, parallel=threads)
    own = tuple(slice(n, -n or None) for n, _ in around)
    return np.ascontiguousarray(distance[own], dtype=np.float32)


def _not_background(channel: Float32) -> Bools:
    border = np.concatenate([channel[:, [0, -1]].ravel(), channel[:, :, [0, -1]].ravel()])
    border = border[np.isfinite(border)]
    if border.size == 0:
        return np.isfinite(channel)
    values, counts = np.unique(border, return_counts=True)
    background = values[np.argmax(counts)]
    measured = channel[np.isfinite(channel)]
    differs = measured[measured != background]
    if differs.size == 0:
        return np.zeros(channel.shape, dtype=bool)
    constant = counts.max() >= _CONSTANT * border.size
    if constant and np.mean(differs < background) > 0.01:
        other: Bools = np.isfinite(channel) & (channel != background)
        return other
    bright = np.percentile(differs[:: max(1, differs.size // 200_000)], 98)
    noise = _NOISE * (background - np.percentile(border, 1))
    above: Bools = channel > background + max(_TISSUE * (bright - background), noise)
    return above
