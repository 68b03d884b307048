"""Left-right symmetry of the head: the contralateral region of each region."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from onkos.features.supervoxels import Regions

FloatArray = NDArray[np.float64]
Indices = NDArray[np.intp]

_SAMPLED = 1500  # regions used to find the plane
_UNLIKE = 3.0  # differences are clipped here; regions without a counterpart count this much
_OFFSETS_MM = np.arange(-9.0, 9.1, 3.0)
_ANGLES = np.deg2rad(np.arange(-12.0, 12.1, 4.0))


def opposite(
    regions: Regions,
    centroids: FloatArray,
    values: FloatArray,
    *,
    spacing_mm: tuple[float, float, float],
) -> Indices:
    """Region at the mirror image of each region's centroid, -1 where that is outside.

    The mid-sagittal plane starts through the centre of the head, at right angles to the last
    axis (left in an upright image), and is shifted and tilted to maximise the symmetry of
    both halves: tumours are on one side, nearly everything else is on both.

    Parameters
    ----------
    regions, centroids
        The regions and their mean voxel index (k, j, i).
    values
        (count, channels) values to be compared, standardised.
    spacing_mm
        Along k, j, i.
    """
    spacing = np.asarray(spacing_mm)
    middle = (centroids.min(axis=0) + centroids.max(axis=0)) / 2
    away = (centroids - middle) * spacing
    step = max(1, len(away) // _SAMPLED)
    few, their = away[::step], values[::step]

    def found(points: FloatArray, plane: tuple[float, float, float]) -> Indices:
        index = np.rint(_mirrored(points, plane) / spacing + middle).astype(np.intp)
        shape = np.asarray(regions.labels.shape)
        within = np.all((index >= 0) & (index < shape), axis=1)
        place = np.where(within[:, None], index, 0)
        return np.where(within, regions.labels[tuple(place.T)] - 1, -1).astype(np.intp)

    def unlikeness(plane: tuple[float, float, float]) -> float:
        other = found(few, plane)
        difference = np.abs(their - values[other]).mean(axis=1)
        return float(np.where(other < 0, _UNLIKE, np.minimum(difference, _UNLIKE)).mean())

    rolls = _ANGLES if regions.labels.shape[0] > 1 else np.zeros(1)
    coarse = min(itertools.product(_OFFSETS_MM, _ANGLES, rolls), key=unlikeness)
    near = [
        [centre + part * width for part in (-2 / 3, -1 / 3, 0, 1 / 3, 2 / 3)]
        for centre, width in zip(coarse[:2], (3.0, np.deg2rad(4.0)), strict=True)
    ]
    fine = min(itertools.product(*near, [coarse[2]]), key=unlikeness)
    return found(away, fine)


def _mirrored(points: FloatArray, plane: tuple[float, float, float]) -> FloatArray:
    """Reflect points (k, j, i, mm) in a plane of given offset (mm), yaw and roll (radians)."""
    offset, yaw, roll = plane
    normal = np.array([np.sin(roll), np.sin(yaw) * np.cos(roll), np.cos(yaw) * np.cos(roll)])
    mirrored: FloatArray = points - 2 * ((points @ normal) - offset)[:, None] * normal
    return mirrored
