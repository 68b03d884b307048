"""Perturbed outlines: grown, shrunk, or redrawn along image edges (supervoxels)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from onkos.core.geometry import AnyArray
from onkos.features.supervoxels import Partition, supervoxels

Bools = NDArray[np.bool_]
Spacing = tuple[float, ...]

_LARGEST_MM = 6.3  # edge of a supervoxel of 250 mm^3
_FEWEST_VOXELS = 20  # of a supervoxel
_ACROSS = 5  # minimum number of supervoxels across a small region
_COMPACTNESS = 0.05  # of the range of intensities
_SURELY_IN, _SURELY_OUT = 0.9, 0.2  # fraction of a supervoxel within the outline


def grown(
    inside: Bools,
    growth: float,
    *,
    spacing_mm: Spacing,
    allowed: Bools,
    rng: np.random.Generator,
) -> Bools | None:
    """Outline with a fraction of its volume added, or removed where ``growth`` is below 0.

    Voxels nearest to the boundary (in mm) come first; ties are resolved by smoothness of the
    boundary, then at random.

    Returns
    -------
    array or None
        None where nothing would be left, or there are too few ``allowed`` voxels to grow into.
    """
    wanted = round(int(inside.sum()) * (1 + growth))
    change = wanted - int(inside.sum())
    if wanted < 1:
        return None
    if change == 0:
        return inside
    taken = inside if change < 0 else allowed & ~inside
    if int(taken.sum()) < abs(change):
        return None
    far = _distance(taken if change < 0 else ~inside, spacing_mm)[taken]
    smooth = ndimage.gaussian_filter(inside.astype(np.float32), _one_voxel(spacing_mm))[taken]
    order = np.lexsort((rng.random(far.size), np.sign(-change) * smooth, np.round(far, 6)))
    out = inside.copy()
    places = np.flatnonzero(taken)[order[: abs(change)]]
    out.reshape(-1)[places] = change > 0
    return out


def redrawn(
    image: AnyArray,
    inside: Bools,
    *,
    spacing_mm: Spacing,
    rng: np.random.Generator,
    threads: int = 1,
) -> Bools:
    """Randomised outline along image edges (contour randomisation by supervoxels).

    Supervoxels with at least 90 % within the outline are included, those with under 20 % are
    excluded, any other is included with a probability equal to its fraction within; then small
    gaps are closed. Supervoxels have 250 mm^3, less in small regions, never under 20 voxels.
    """
    low, high = float(image[inside].min()), float(image[inside].max())
    reach = 0.1 * (high - low)
    scale = 1 / (1.2 * (high - low)) if high > low else 1.0
    known = np.isfinite(image)
    even = np.clip(np.where(known, image, low), low - reach, high + reach) * scale
    even = ndimage.gaussian_filter(even.astype(np.float32), _one_voxel(spacing_mm))
    partition = Partition(edge_mm=_edge_mm(inside, spacing_mm), compactness=_COMPACTNESS)
    k, j, i = spacing_mm[::-1]
    found = supervoxels(
        np.ascontiguousarray(even.T[..., None]),
        np.ascontiguousarray(known.T),
        spacing_mm=(k, j, i),
        partition=partition,
        threads=threads,
    )
    labels = found.labels.T
    sizes = np.bincount(labels.ravel(), minlength=found.count + 1)
    within = np.bincount(labels[inside], minlength=found.count + 1) / np.maximum(sizes, 1)
    within[0] = 0  # not measured
    within[np.argmax(within)] = 1.0
    chance = np.where(within >= _SURELY_IN, 1.0, np.where(within < _SURELY_OUT, 0.0, within))
    taken = rng.random(chance.size) < chance
    closed = ndimage.binary_closing(np.pad(taken[labels], 1))
    out: Bools = closed[1:-1, 1:-1, 1:-1] & known
    return out


def _edge_mm(inside: Bools, spacing_mm: Spacing) -> float:
    voxel = float(np.prod(spacing_mm))
    across = float(np.cbrt(6 / np.pi * inside.sum() * voxel))
    least = float(np.cbrt(_FEWEST_VOXELS * voxel))
    return max(min(across / _ACROSS, _LARGEST_MM), least)


def _distance(part: Bools, spacing_mm: Spacing) -> AnyArray:
    """Distance in mm to the nearest voxel outside; the image's edge is no boundary."""
    if part.all():
        part = np.pad(part, 1)
        return ndimage.distance_transform_edt(part, sampling=spacing_mm)[1:-1, 1:-1, 1:-1]
    return np.asarray(ndimage.distance_transform_edt(part, sampling=spacing_mm))


def _one_voxel(spacing_mm: Spacing) -> list[float]:
    """The smallest voxel side, in voxels along each axis."""
    return [min(spacing_mm) / mm for mm in spacing_mm]
