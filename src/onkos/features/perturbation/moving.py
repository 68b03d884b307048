"""Rotation and translation of the voxel grid of a region."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from onkos.core.geometry import FloatArray, Geometry
from onkos.core.mask import Mask
from onkos.core.sampling import planes, sample_linear
from onkos.core.volume import Volume
from onkos.features.perturbation.plan import Perturbation

MARGIN_MM = 15.0  # a local peak needs 6.2 mm around the region, which may have grown before
_LEAST_MARGIN = 3  # voxels, where they are large


def cropped(volume: Volume, mask: Mask, *, margin_mm: float) -> tuple[Volume, Mask]:
    """Crop to the block that holds all labels, with the margin that perturbation needs."""
    box = mask.bounds()
    if box is None:
        return volume, mask
    block = []
    for side, steps, mm in zip(box, volume.geometry.shape, volume.geometry.spacing_mm, strict=True):
        margin = max(math.ceil(min(margin_mm / mm, steps)), _LEAST_MARGIN)
        block.append(slice(max(side.start - margin, 0), min(side.stop + margin, steps)))
    small = mask.crop(block)
    data = volume.data[tuple(block)]
    return replace(volume, data=data, geometry=small.geometry, source=None), small


def moved(volume: Volume, mask: Mask, perturbation: Perturbation) -> tuple[Volume, Mask]:
    """Image and outline resampled to a grid rotated in-plane and translated.

    Nearest neighbour for the outline, so the volume is preserved on average. Linear
    interpolation for intensities; in the half voxel beyond the outermost centres the outermost
    value is used.
    """
    grid = _moved_grid(mask, perturbation)
    sides = np.array(volume.geometry.shape).reshape(3, 1, 1, 1) - 1
    data = np.empty(grid.shape, dtype=np.float32, order="F")
    for block, points in planes(volume.geometry, grid):
        held = np.clip(points, 0, sides)
        data[..., block] = sample_linear(volume.data, held, outside=np.nan)
    return replace(volume, data=data, geometry=grid, source=None), mask.on(grid)


def _moved_grid(mask: Mask, perturbation: Perturbation) -> Geometry:
    """The grid after rotation and translation, large enough to hold the whole region."""
    geometry = mask.geometry
    places = np.argwhere(mask.labels)
    centre = geometry.to_mm(places.mean(axis=0))
    angle = math.radians(perturbation.rotation_deg)
    turn: FloatArray = Rotation.from_rotvec(angle * geometry.directions[:, 2]).as_matrix()
    affine = geometry.affine.copy()
    affine[:3, :3] = turn @ geometry.axes_mm
    affine[:3, 3] = centre + turn @ (geometry.origin_mm - centre)
    affine[:3, 3] += affine[:3, :3] @ np.array(perturbation.shift)
    grid = Geometry(shape=geometry.shape, affine=affine)
    ends = np.stack([places.min(axis=0) - 0.5, places.max(axis=0) + 0.5])
    corners = np.stack(np.meshgrid(*ends.T, indexing="ij"), axis=-1).reshape(-1, 3)
    there = grid.to_index(geometry.to_mm(corners))
    start = np.minimum(np.floor(there.min(axis=0)).astype(int), 0)
    stop = np.maximum(np.ceil(there.max(axis=0)).astype(int) + 1, geometry.shape)
    return grid.crop(start.tolist(), (stop - start).tolist())
