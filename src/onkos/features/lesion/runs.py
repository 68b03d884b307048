"""Grey level run lengths and co-occurrence in three dimensions, 13 directions merged."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Ints = NDArray[np.int64]

# of each pair of opposite directions the one whose first non-zero step is positive
DIRECTIONS = np.array([step for step in product((-1, 0, 1), repeat=3) if step > (0, 0, 0)])


def cooccurrence_counts(binned: Ints, levels: int) -> FloatArray:
    """Symmetric counts (levels, levels) of neighbours in 26 directions; level -1 is outside."""
    counts = _neighbours(binned, DIRECTIONS, levels)
    both: FloatArray = (counts + counts.T).astype(np.float64)
    return both


def run_lengths(binned: Ints, levels: int) -> FloatArray:
    """Counts (levels, longest) of runs of one level, in 13 directions; level -1 is outside."""
    counts: FloatArray = _runs(binned, DIRECTIONS, levels, max(binned.shape)).astype(np.float64)
    return counts


def run_features(counts: FloatArray, voxels: int) -> dict[str, float]:
    """Galloway's run length features of merged directions; NaN if there is no run.

    References
    ----------
    Galloway MM. Texture analysis using gray level run lengths. Comput Graph Image Process
    1975;4:172-179. doi:10.1016/S0146-664X(75)80008-6
    """
    total = counts.sum()
    level = np.arange(1, counts.shape[0] + 1)[:, None]
    length = np.arange(1, counts.shape[1] + 1)[None, :]
    if total == 0:
        names = ("short", "long", "level-uneven", "length-uneven", "share", "low", "high")
        return dict.fromkeys(names, math.nan)
    return {
        "short": float((counts / length**2).sum() / total),
        "long": float((counts * length**2).sum() / total),
        "level-uneven": float((counts.sum(axis=1) ** 2).sum() / total**2),
        "length-uneven": float((counts.sum(axis=0) ** 2).sum() / total**2),
        "share": float(total / (voxels * len(DIRECTIONS))),
        "low": float((counts / level**2).sum() / total),
        "high": float((counts * level**2).sum() / total),
    }


@njit(cache=True)
def _neighbours(binned: Any, directions: Any, levels: int) -> Any:  # pragma: no cover
    counts = np.zeros((levels, levels), dtype=np.int64)
    ni, nj, nk = binned.shape
    for d in range(directions.shape[0]):
        di, dj, dk = directions[d]
        for i in range(max(0, -di), min(ni, ni - di)):
            for j in range(max(0, -dj), min(nj, nj - dj)):
                for k in range(max(0, -dk), min(nk, nk - dk)):
                    one, other = binned[i, j, k], binned[i + di, j + dj, k + dk]
                    if one >= 0 and other >= 0:
                        counts[one, other] += 1
    return counts


@njit(cache=True)
def _runs(binned: Any, directions: Any, levels: int, longest: int) -> Any:  # pragma: no cover
    """A run is counted where it begins: where the voxel before has another level."""
    counts = np.zeros((levels, longest), dtype=np.int64)
    ni, nj, nk = binned.shape
    for d in range(directions.shape[0]):
        di, dj, dk = directions[d]
        for i in range(ni):
            for j in range(nj):
                for k in range(nk):
                    level = binned[i, j, k]
                    if level < 0:
                        continue
                    a, b, c = i - di, j - dj, k - dk
                    if 0 <= a < ni and 0 <= b < nj and 0 <= c < nk and binned[a, b, c] == level:
                        continue
                    length = 1
                    a, b, c = i + di, j + dj, k + dk
                    while 0 <= a < ni and 0 <= b < nj and 0 <= c < nk and binned[a, b, c] == level:
                        length += 1
                        a, b, c = a + di, b + dj, c + dk
                    counts[level, length - 1] += 1
    return counts
