"""A scan as a table: one row a supervoxel, with all that the forest is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onkos.features import regions as statistics
from onkos.features.supervoxels import Partition, Regions, supervoxels
from onkos.features.symmetry import opposite
from onkos.features.textons import Textons, nearest_textons
from onkos.prep.scan import Scan

Float32 = NDArray[np.float32]
FloatArray = NDArray[np.float64]

CONTRAST_JITTER = 0.2  # standard deviation of the logarithm
BRIGHTNESS_JITTER = 0.15  # standard deviations of the patient's tissue

_GAIN = (1, 1, 0, 0, *(1 for _ in statistics.QUANTILES))  # mean, sd, skewness, kurtosis, ...
_LEVEL = (1, 0, 0, 0, *(1 for _ in statistics.QUANTILES))


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
    gain, level
        (features, channels): 1 where a column grows with a channel's contrast, and where it
        rises with its brightness.
    contacts
        Row-normalised contact matrix.
    opposite
        Supervoxel on the other side of the head, -1 where there is none.
    """

    regions: Regions
    sizes: FloatArray
    table: Float32
    gain: FloatArray
    level: FloatArray
    contacts: Any
    opposite: NDArray[np.intp]

    def jittered(self, rng: np.random.Generator) -> Float32:
        """Table as if each channel had been scaled a little otherwise.

        No standardisation makes two scanners, or a small and a large tumour, quite alike; the
        forest is told so by seeing each scan under several contrasts and brightnesses.
        """
        channels = self.gain.shape[1]
        contrast = np.exp(rng.normal(0.0, CONTRAST_JITTER, channels))
        brightness = rng.normal(0.0, BRIGHTNESS_JITTER, channels)
        factor = 1 + self.gain @ (contrast - 1)
        jittered: FloatArray = self.table * factor + self.level @ brightness
        return jittered.astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Block:
    """Columns of the table: (count, columns), and what each does when a channel is rescaled."""

    values: FloatArray
    gain: FloatArray
    level: FloatArray

    @classmethod
    def of_channels(
        cls, values: FloatArray, *, gain: Sequence[int], level: Sequence[int]
    ) -> _Block:
        """Columns (count, channels x kinds), the kinds of a channel side by side."""
        every = np.eye(values.shape[1] // len(gain))
        return cls(
            values=values,
            gain=np.kron(every, np.array(gain)[:, None]).astype(np.float64),
            level=np.kron(every, np.array(level)[:, None]).astype(np.float64),
        )

    @classmethod
    def fixed(cls, values: FloatArray, channels: int) -> _Block:
        """Columns that do not change with any channel's scale."""
        none = np.zeros((values.shape[1], channels))
        return cls(values=values, gain=none, level=none)


def describe(
    scan: Scan, *, partition: Partition, textons: Sequence[Textons], threads: int
) -> Description:
    """Cut a scan into supervoxels and describe each.

    From the paper: first-order statistics and texton histograms of every channel. Added: the
    neighbourhood at two distances, the difference to the other side of the head and the depth
    below its surface. The place in the head is left out: with few patients a forest learns
    where their tumours were.
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
    far = statistics.diffused(contacts, near, steps=12)
    across = opposite(regions, centroids, near, spacing_mm=scan.spacing_mm)
    beside = np.abs(means - contacts @ means)
    contrasts = [
        means - near,
        near - far,
        _difference(means, near, across),
        _difference(near, near, across),
        statistics.diffused(contacts, beside, steps=2),
        statistics.diffused(contacts, first[..., 1], steps=2),
    ]
    channels = means.shape[1]
    blocks = [
        _Block.of_channels(first.reshape(regions.count, -1), gain=_GAIN, level=_LEVEL),
        *(_Block.of_channels(values, gain=(1,), level=(1,)) for values in (near, far)),
        *(_Block.of_channels(values, gain=(1,), level=(0,)) for values in contrasts),
        _Block.fixed(_texture(scan, regions, textons, threads), channels),
        _Block.fixed(_depth(scan, centroids), channels),
    ]
    return Description(
        regions=regions,
        sizes=sizes,
        table=np.concatenate([block.values for block in blocks], axis=1).astype(np.float32),
        gain=np.concatenate([block.gain for block in blocks]),
        level=np.concatenate([block.level for block in blocks]),
        contacts=contacts,
        opposite=across,
    )


def _texture(scan: Scan, regions: Regions, textons: Sequence[Textons], threads: int) -> FloatArray:
    """Histogram of textons of each channel, side by side; no columns without dictionaries."""
    if not textons:
        return np.empty((regions.count, 0))
    channels = [np.ascontiguousarray(channel) for channel in np.moveaxis(scan.image, -1, 0)]
    nearest = nearest_textons(
        channels, scan.head, dictionaries=textons, spacing_mm=scan.spacing_mm, threads=threads
    )
    return np.concatenate(
        [
            statistics.histograms(found, regions, count=len(dictionary.centres))
            for found, dictionary in zip(nearest, textons, strict=True)
        ],
        axis=1,
    )


def _difference(own: FloatArray, other: FloatArray, across: NDArray[np.intp]) -> FloatArray:
    """Own value less that of the other side; 0 where there is no other side."""
    return np.where(across[:, None] < 0, 0.0, own - other[across])


def _depth(scan: Scan, centroids: FloatArray) -> FloatArray:
    """Depth of each centroid below the head's surface, as a part of the greatest depth."""
    index = np.rint(centroids).astype(np.intp)
    depth: FloatArray = scan.depth_mm[tuple(index.T)][:, None] / scan.depth_mm.max()
    return depth
