"""Statistics of supervoxels: intensity, class histograms, size, and adjacency."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from onkos.features.supervoxels import Regions

FloatArray = NDArray[np.float64]
Float32 = NDArray[np.float32]
Bytes = NDArray[np.uint8]

QUANTILES = (0.1, 0.5, 0.9)
FIRST_ORDER = ("mean", "sd", "skewness", "kurtosis", *(f"p{int(100 * q)}" for q in QUANTILES))
_BINS, _LOW, _HIGH = 64, -6.0, 10.0


def sizes(regions: Regions) -> FloatArray:
    """Voxels of each region, (count,)."""
    counts = np.bincount(regions.labels.ravel(), minlength=regions.count + 1)[1:]
    return counts.astype(np.float64)


def centroids(regions: Regions) -> FloatArray:
    """Mean voxel index (k, j, i) of each region, (count, 3)."""
    sums: FloatArray = _centroids(regions.labels, regions.count)
    return sums[:, 1:] / sums[:, :1]


def first_order(image: Float32, regions: Regions) -> FloatArray:
    """First-order statistics of each channel in each region, (count, channels, 7).

    Mean, standard deviation, skewness, excess kurtosis (both 0 in a constant region) and the
    10th, 50th and 90th percentile, read from a histogram of 64 bins over the robust
    standardised range -6 to 10; values beyond it are clipped.
    """
    moments, histogram = _moments(image, regions.labels, regions.count, (_BINS, _LOW, _HIGH))
    n = moments[:, :1, 0]
    mean = moments[..., 1] / n
    m2 = np.maximum(moments[..., 2] / n - mean**2, 0)
    m3 = moments[..., 3] / n - 3 * mean * moments[..., 2] / n + 2 * mean**3
    m4 = (
        moments[..., 4] / n
        - 4 * mean * moments[..., 3] / n
        + 6 * mean**2 * moments[..., 2] / n
        - 3 * mean**4
    )
    even = m2 < 1e-6
    safe = np.where(even, 1.0, m2)
    skewness = np.where(even, 0.0, m3 / safe**1.5)
    kurtosis = np.where(even, 0.0, m4 / safe**2 - 3)
    quantiles = _quantiles(histogram, np.array(QUANTILES), (_LOW, (_HIGH - _LOW) / _BINS))
    moment = np.stack([mean, np.sqrt(m2), skewness, kurtosis], axis=2)
    return np.concatenate([moment, quantiles], axis=2)


def histograms(classes: Bytes, regions: Regions, *, count: int) -> FloatArray:
    """Fraction of each region's voxels in each of ``count`` classes, (regions, count)."""
    found = _histograms(classes, regions.labels, regions.count, count)
    parts: FloatArray = found / found.sum(axis=1, keepdims=True)
    return parts


def neighbours(regions: Regions) -> Any:
    """Adjacency matrix, sparse (count, count): shared faces of two regions, rows summing to 1.

    A region without neighbours is its own neighbour.
    """
    pairs = _contacts(regions.labels)
    keys, faces = np.unique(pairs, return_counts=True)
    stride = np.int64(1) << 32
    a, b = keys // stride - 1, keys % stride - 1
    both = sparse.coo_array(
        (np.r_[faces, faces].astype(np.float64), (np.r_[a, b], np.r_[b, a])),
        shape=(regions.count, regions.count),
    ).tocsr()
    total = np.asarray(both.sum(axis=1)).ravel()
    alone = sparse.diags_array((total == 0).astype(np.float64))
    return (sparse.diags_array(1 / np.maximum(total, 1)) @ both + alone).tocsr()


def diffused(matrix: Any, values: FloatArray, *, steps: int) -> FloatArray:
    """Values averaged with those of the neighbours ``steps`` times, half the weight its own."""
    spread = values
    for _ in range(steps):
        spread = 0.5 * spread + 0.5 * (matrix @ spread)
    return spread


def votes(labels: Bytes, regions: Regions, *, count: int) -> FloatArray:
    """Voxels of each label 0..count-1 in each region, (regions, count)."""
    found: FloatArray = _histograms(labels, regions.labels, regions.count, count)
    return found


@njit(cache=True, nogil=True)
def _centroids(labels: Any, count: int) -> Any:  # pragma: no cover
    sums = np.zeros((count, 4))
    for k in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            for i in range(labels.shape[2]):
                n = labels[k, j, i] - 1
                if n >= 0:
                    sums[n, 0] += 1
                    sums[n, 1] += k
                    sums[n, 2] += j
                    sums[n, 3] += i
    return sums


@njit(cache=True, nogil=True)
def _moments(image: Any, labels: Any, count: int, span: Any) -> Any:  # pragma: no cover
    bins, low, high = span
    channels = image.shape[3]
    moments = np.zeros((count, channels, 5))
    histogram = np.zeros((count, channels, bins), dtype=np.int32)
    scale = bins / (high - low)
    for k in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            for i in range(labels.shape[2]):
                n = labels[k, j, i] - 1
                if n < 0:
                    continue
                for channel in range(channels):
                    value = np.float64(image[k, j, i, channel])
                    row = moments[n, channel]
                    row[0] += 1
                    row[1] += value
                    row[2] += value**2
                    row[3] += value**3
                    row[4] += value**4
                    place = int((value - low) * scale)
                    histogram[n, channel, min(max(place, 0), bins - 1)] += 1
    return moments, histogram


@njit(cache=True, nogil=True)
def _quantiles(histogram: Any, wanted: Any, scale: Any) -> Any:  # pragma: no cover
    """Quantiles (increasing) of histograms, linear within a bin."""
    low, width = scale
    out = np.empty((*histogram.shape[:2], len(wanted)))
    for n in range(histogram.shape[0]):
        for channel in range(histogram.shape[1]):
            bins = histogram[n, channel]
            total, below, place = bins.sum(), 0, 0
            for q in range(len(wanted)):
                while below + bins[place] < wanted[q] * total:
                    below += bins[place]
                    place += 1
                part = (wanted[q] * total - below) / max(bins[place], 1)
                out[n, channel, q] = low + width * (place + part)
    return out


@njit(cache=True, nogil=True)
def _histograms(classes: Any, labels: Any, regions: int, count: int) -> Any:  # pragma: no cover
    out = np.zeros((regions, count))
    for k in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            for i in range(labels.shape[2]):
                n = labels[k, j, i] - 1
                if n >= 0:
                    out[n, classes[k, j, i]] += 1
    return out


@njit(cache=True, nogil=True)
def _contacts(labels: Any) -> Any:  # pragma: no cover
    """List every face between two regions as (smaller << 32) + larger."""
    found = np.empty(3 * labels.size, dtype=np.int64)
    n = 0
    for k in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            for i in range(labels.shape[2]):
                mine = np.int64(labels[k, j, i])
                if mine == 0:
                    continue
                for axis in range(3):
                    kk, jj, ii = k + (axis == 0), j + (axis == 1), i + (axis == 2)
                    if kk >= labels.shape[0] or jj >= labels.shape[1] or ii >= labels.shape[2]:
                        continue
                    other = np.int64(labels[kk, jj, ii])
                    if other not in (0, mine):
                        found[n] = (min(mine, other) << 32) + max(mine, other)
                        n += 1
    return found[:n]
