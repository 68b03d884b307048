"""Features of texture matrices, from counts. Level n stands in row n; row 0 is outside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def emphases(counts: Any, sizes: Any, voxels: float) -> Any:  # pragma: no cover
    """Features of a level by size matrix, (17,); NaN where nothing was counted.

    Matrices of runs, zones, distances and dependences share them, in the catalogue's order; the
    last, energy, is asked of dependences alone.

    ``counts`` is (levels + 1, columns), ``sizes`` the size each column stands for, ``voxels``
    how many could have been counted at most.
    """
    out = np.full(17, np.nan)
    by_level, by_size = np.zeros(counts.shape[0]), np.zeros(counts.shape[1])
    sums = np.zeros(12)
    for level in range(1, counts.shape[0]):
        for column in range(counts.shape[1]):
            n = float(counts[level, column])
            if n > 0:
                by_level[level] += n
                by_size[column] += n
                add_emphases(sums, n, float(level), float(sizes[column]))
    total = by_level.sum()
    if total == 0:
        return out
    out[:8] = sums[:8] / total
    out[8], out[10] = (by_level**2).sum() / total, (by_size**2).sum() / total
    out[9], out[11] = out[8] / total, out[10] / total
    out[12] = total / voxels
    out[13] = max(out[3] - (sums[8] / total) ** 2, 0.0)
    out[14] = max(out[1] - (sums[9] / total) ** 2, 0.0)
    out[15] = max(math.log2(total) - sums[10] / total, 0.0)
    out[16] = sums[11] / total**2
    return out


@njit(cache=True, nogil=True)
def add_emphases(sums: Any, n: float, level: float, size: float) -> None:  # pragma: no cover
    """Add ``n`` runs (or zones, or voxels) of one level and size to the sums of emphases."""
    high, long = level * level, size * size
    sums[0] += n / long
    sums[1] += n * long
    sums[2] += n / high
    sums[3] += n * high
    sums[4] += n / (long * high)
    sums[5] += n * high / long
    sums[6] += n * long / high
    sums[7] += n * long * high
    sums[8] += n * level
    sums[9] += n * size
    sums[10] += n * math.log2(n)
    sums[11] += n * n


@njit(cache=True, nogil=True)
def cooccurrences(counts: Any) -> Any:  # pragma: no cover
    """Features of co-occurrence counts, (25,); NaN where no two voxels are neighbours.

    ``counts`` is (levels + 1, levels + 1) and counts each pair once; the matrix is made
    symmetric here. Correlation and the first information correlation of a single level are NaN.
    """
    out = np.full(25, np.nan)
    levels = counts.shape[0] - 1
    total = 0.0
    for i in range(1, levels + 1):
        for j in range(1, levels + 1):
            total += counts[i, j]
    if total == 0:
        return out
    apart, together, single = np.zeros(levels), np.zeros(2 * levels + 1), np.zeros(levels + 1)
    sums = np.zeros(8)  # greatest, mean, entropy, energy, product, inverse variance, -, -
    for i in range(1, levels + 1):
        for j in range(1, i + 1):
            times = 1.0 if i == j else 2.0
            p = (counts[i, j] + counts[j, i]) / (2 * total)
            if p == 0:
                continue
            single[i] += p
            if i != j:
                single[j] += p
                sums[5] += 2 * p / (i - j) ** 2
            apart[i - j] += times * p
            together[i + j] += times * p
            sums[0] = max(sums[0], p)
            sums[2] -= times * p * math.log2(p)
            sums[3] += times * p * p
            sums[4] += times * p * i * j
    _marginal(out, apart, together, single)
    out[0], out[3], out[10], out[17], out[19] = sums[0], sums[2], sums[3], sums[5], sums[4]
    mean, variance, entropy = out[1], out[2], _entropy(single)
    if variance > 1e-12 * mean * mean:
        out[18] = (sums[4] - mean * mean) / variance
        out[23] = (sums[2] - 2 * entropy) / entropy
    out[24] = math.sqrt(max(1 - math.exp(-2 * (2 * entropy - sums[2])), 0.0))
    return out


@njit(cache=True, nogil=True)
def _marginal(out: Any, apart: Any, together: Any, single: Any) -> None:  # pragma: no cover
    """Features that need only the distributions of differences and sums, and the marginals."""
    levels = len(apart)
    mean = 0.0
    for i in range(1, levels + 1):
        mean += i * single[i]
    out[1], out[2] = mean, 0.0
    for i in range(1, levels + 1):
        out[2] += (i - mean) ** 2 * single[i]
    out[4], out[5], out[6] = _moments(apart)
    out[7], out[8], out[9] = _moments(together)
    out[11:17] = 0.0
    for d in range(levels):
        p = apart[d]
        out[11] += d * d * p
        out[12] += d * p
        out[13] += p / (1 + d)
        out[14] += p / (1 + d / levels)
        out[15] += p / (1 + d * d)
        out[16] += p / (1 + (d / levels) ** 2)
    out[20:23] = 0.0
    for s in range(2, 2 * levels + 1):
        away = s - 2 * mean
        out[20] += away**2 * together[s]
        out[21] += away**3 * together[s]
        out[22] += away**4 * together[s]


@njit(cache=True, nogil=True)
def _moments(p: Any) -> Any:  # pragma: no cover
    mean, variance = 0.0, 0.0
    for k in range(len(p)):
        mean += k * p[k]
    for k in range(len(p)):
        variance += (k - mean) ** 2 * p[k]
    return mean, variance, _entropy(p)


@njit(cache=True, nogil=True)
def _entropy(p: Any) -> Any:  # pragma: no cover
    total = 0.0
    for k in range(len(p)):
        if p[k] > 0:
            total -= p[k] * math.log2(p[k])
    return total


@njit(cache=True, nogil=True)
def differences(away: Any, numbers: Any) -> Any:  # pragma: no cover
    """Features of neighbourhood grey tone differences, (5,).

    ``numbers[i, k]`` counts voxels of level i with k neighbours, ``away[i, k]`` sums
    abs(k i - sum of the neighbours) over them. NaN where no voxel has a neighbour; a region of one
    level has IBSI's greatest coarseness, a million.
    """
    out = np.full(5, np.nan)
    levels = away.shape[0] - 1
    p, s = np.zeros(levels + 1), np.zeros(levels + 1)
    for i in range(1, levels + 1):
        for k in range(1, away.shape[1]):
            p[i] += numbers[i, k]
            s[i] += away[i, k] / k
    total = p.sum()
    if total == 0:
        return out
    p /= total
    present = np.flatnonzero(p)
    weighted = (p * s).sum()
    contrast, spread, complexity, strength = 0.0, 0.0, 0.0, 0.0
    for a in range(len(present)):
        for b in range(len(present)):
            i, j = present[a], present[b]
            contrast += p[i] * p[j] * (i - j) ** 2
            spread += abs(i * p[i] - j * p[j])
            complexity += abs(i - j) * (p[i] * s[i] + p[j] * s[j]) / (p[i] + p[j])
            strength += (p[i] + p[j]) * (i - j) ** 2
    count = len(present)
    out[0] = 1 / weighted if weighted > 0 else 1e6
    out[1] = contrast / (count * (count - 1)) * s.sum() / total if count > 1 else 0.0
    out[2] = weighted / spread if count > 1 and spread > 0 else 0.0
    out[3] = complexity / total
    out[4] = strength / s.sum() if s.sum() > 0 else 0.0
    return out
