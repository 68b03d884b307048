"""A scan as a table: one row a supervoxel, with all that the forest is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onkos.arms.scan import Scan
from onkos.features import regions as statistics
from onkos.features.supervoxels import Partition, Regions, supervoxels
from onkos.features.symmetry import opposite
from onkos.features.textons import Textons, nearest_textons

Float32 = NDArray[np.float32]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Description:
    """Supervoxels of a scan, the table about them, and how they lie to each other.

    Parameters
    ----------
    regions
        The supervoxels.
    sizes
        Voxels of each.
    table
        (count, features).
    contacts
        Row-normalised contact matrix.
    opposite
        Supervoxel on the other side of the head, -1 where there is none.
    """

    regions: Regions
    sizes: FloatArray
    table: Float32
    contacts: Any
    opposite: NDArray[np.intp]


def describe(
    scan: Scan, *, partition: Partition, textons: Sequence[Textons], threads: int
) -> Description:
    """Cut a scan into supervoxels and describe each.

    From the paper: first-order statistics and texton histograms of every channel. Added: the
    neighbourhood at two distances, the difference to the other side of the head, the place in
    the head and the depth below its surface; each is what a reader looks at as well.
    """
    regions = supervoxels(
        scan.image, scan.head, spacing_mm=scan.spacing_mm, partition=partition, threads=threads
    )
    sizes = statistics.sizes(regions)
    centroids = statistics.centroids(regions)
    contacts = statistics.neighbours(regions)
    first = statistics.first_order(scan.image, regions)
    means = first[..., 0]
    near = statistics.diffused(contacts, means, steps=2)
    across = opposite(regions, centroids, near, spacing_mm=scan.spacing_mm)
    columns = [
        first.reshape(regions.count, -1),
        *_texture(scan, regions, textons, threads),
        *_context(contacts, first, near),
        _difference(near, near, across),
        _difference(means, near, across),
        _place(scan, centroids),
        np.log(sizes)[:, None],
    ]
    return Description(
        regions=regions,
        sizes=sizes,
        table=np.concatenate(columns, axis=1).astype(np.float32),
        contacts=contacts,
        opposite=across,
    )


def _texture(
    scan: Scan, regions: Regions, textons: Sequence[Textons], threads: int
) -> list[FloatArray]:
    """Histogram of textons of each channel."""
    channels = [np.ascontiguousarray(channel) for channel in np.moveaxis(scan.image, -1, 0)]
    nearest = nearest_textons(
        channels, scan.head, dictionaries=textons, spacing_mm=scan.spacing_mm, threads=threads
    )
    return [
        statistics.histograms(found, regions, count=len(dictionary.centres))
        for found, dictionary in zip(nearest, textons, strict=True)
    ]


def _context(contacts: Any, first: FloatArray, near: FloatArray) -> list[FloatArray]:
    """Neighbourhood means at two distances, against the region's own, and the spread there."""
    means, spreads = first[..., 0], first[..., 1]
    far = statistics.diffused(contacts, near, steps=12)
    beside = np.abs(means - contacts @ means)
    return [
        near,
        far,
        means - near,
        near - far,
        statistics.diffused(contacts, beside, steps=2),
        statistics.diffused(contacts, spreads, steps=2),
    ]


def _difference(own: FloatArray, other: FloatArray, across: NDArray[np.intp]) -> FloatArray:
    """Own value less that of the other side; 0 where there is no other side."""
    return np.where(across[:, None] < 0, 0.0, own - other[across])


def _place(scan: Scan, centroids: FloatArray) -> FloatArray:
    """Place in the head's box from -1 to 1, distance from its midline, depth in mm."""
    half = (np.asarray(scan.head.shape) - 1) / 2
    place = (centroids - half) / np.maximum(half, 0.5)
    index = np.rint(centroids).astype(np.intp)
    depth = scan.depth_mm[tuple(index.T)]
    return np.column_stack([place[:, :2], np.abs(place[:, 2]), depth, depth / scan.depth_mm.max()])
