"""Grey level size zones and distance zones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from onkos.features.radiomics.matrices import emphases

Levels = NDArray[Any]
Textures = dict[str, NDArray[np.float64]]


def textures(levels: Levels, outline: NDArray[np.uint8], count: int, *, flat: bool) -> Textures:
    """Size zone (szm) and distance zone (dzm) features, by slice or in three dimensions.

    Parameters
    ----------
    levels
        (z, y, x) of levels 1 to ``count``, 0 outside, with a border of zeros all around.
    outline
        The morphological mask on the same grid: distances are to its edge, 1 beside it.
    flat
        Zones of 8 neighbours and distances over 4 within each slice, else 26 and 6.
    """
    far = distances(outline, flat)
    parents = joined(levels, flat)
    nearest(parents, far)
    planes = range(1, levels.shape[0] - 1)
    whole = _of_planes(levels, parents, far, count, (1, levels.shape[0] - 1))
    if not flat:
        return {"szm_3D": whole[0], "dzm_3D": whole[1]}
    each = np.array([_of_planes(levels, parents, far, count, (k, k + 1)) for k in planes])
    with_voxels = np.isfinite(each[:, 0, 0])
    mean = each[with_voxels].mean(axis=0)
    return {"szm_2D": mean[0], "szm_2_5D": whole[0], "dzm_2D": mean[1], "dzm_2_5D": whole[1]}


@njit(cache=True, nogil=True)
def distances(outline: Any, flat: bool) -> Any:  # pragma: no cover
    """City-block distance to the outside, 1 beside it."""
    slices, rows, columns = outline.shape
    far = np.zeros(outline.shape, dtype=np.uint16)
    most = np.uint16(65535)
    for z in range(1, slices - 1):
        for y in range(1, rows - 1):
            for x in range(1, columns - 1):
                if outline[z, y, x]:
                    near = min(far[z, y - 1, x], far[z, y, x - 1])
                    near = near if flat else min(near, far[z - 1, y, x])
                    far[z, y, x] = min(near, most - 1) + 1
    for z in range(slices - 2, 0, -1):
        for y in range(rows - 2, 0, -1):
            for x in range(columns - 2, 0, -1):
                if outline[z, y, x]:
                    near = min(far[z, y + 1, x], far[z, y, x + 1])
                    near = near if flat else min(near, far[z + 1, y, x])
                    far[z, y, x] = min(far[z, y, x], min(near, most - 1) + 1)
    return far


@njit(cache=True, nogil=True)
def _root(parents: Any, place: Any) -> Any:  # pragma: no cover
    while parents[place] >= 0:
        above = parents[place]
        if parents[above] >= 0:
            parents[place] = parents[above]
        place = above
    return place


@njit(cache=True, nogil=True)
def _join(parents: Any, a: Any, b: Any) -> None:  # pragma: no cover
    a, b = _root(parents, a), _root(parents, b)
    if a == b:
        return
    if parents[a] > parents[b]:
        a, b = b, a
    parents[a] += parents[b]
    parents[b] = a


@njit(cache=True, nogil=True)
def joined(levels: Any, flat: bool) -> Any:  # pragma: no cover
    """Union of equal neighbours: a root holds minus its zone's size, others their parent.

    Neighbours that touch each other are equal to each other and joined already, so one of them
    is enough: the one below touches all others.
    """
    slices, rows, columns = levels.shape
    level = levels.ravel()
    parents = np.full(level.size, -1, dtype=np.int32)
    row, plane = columns, rows * columns
    beside = np.array([1 - row, 1 - plane, 1 - plane - row, 1 - plane + row])
    above = np.array([row - plane, row - plane - 1, row - plane + 1])
    others = np.array(
        [
            -row - 1,
            1 - row,
            -plane - row - 1,
            -plane - row,
            1 - plane - row,
            -plane - 1,
            1 - plane,
            row - plane - 1,
            row - plane,
            row - plane + 1,
        ]
    )
    if flat:
        beside, above, others = beside[:1], above[:0], others[:2]
    for z in range(1, slices - 1):
        for y in range(1, rows - 1):
            for here in range((z * rows + y) * columns + 1, (z * rows + y + 1) * columns - 1):
                mine = level[here]
                if mine == 0:
                    continue
                if not flat and level[here - plane] == mine:
                    _join(parents, here, here - plane)
                elif level[here - row] == mine:
                    _join(parents, here, here - row)
                    _join_all(level, parents, here, above)
                elif level[here - 1] == mine:
                    _join(parents, here, here - 1)
                    _join_all(level, parents, here, beside)
                else:
                    _join_all(level, parents, here, others)
    return parents


@njit(cache=True, nogil=True)
def _join_all(level: Any, parents: Any, here: Any, steps: Any) -> None:  # pragma: no cover
    for n in range(len(steps)):
        if level[here + steps[n]] == level[here]:
            _join(parents, here, here + steps[n])


@njit(cache=True, nogil=True)
def nearest(parents: Any, far: Any) -> None:  # pragma: no cover
    """Assign to each root the smallest distance in its zone."""
    flat = far.ravel()
    for place in range(len(parents)):
        if parents[place] >= 0:
            root = _root(parents, place)
            flat[root] = min(flat[root], flat[place])


@njit(cache=True, nogil=True)
def _of_planes(
    levels: Any, parents: Any, far: Any, count: int, planes: Any
) -> Any:  # pragma: no cover
    """Features of the zones whose root lies in some planes, (2, 17): sizes, distances."""
    area = levels.shape[1] * levels.shape[2]
    level, distance = levels.ravel(), far.ravel()
    start, stop = planes[0] * area, planes[1] * area
    ends: Any = np.zeros(2, dtype=np.int64)  # farthest zone, largest of the small ones
    voxels, large = 0, 0
    for place in range(start, stop):
        if level[place] != 0 and parents[place] < 0:
            size = -parents[place]
            voxels += size
            ends[0] = max(ends[0], distance[place])
            if size > 255:
                large += 1
            else:
                ends[1] = max(ends[1], size)
    farthest, largest_small = ends[0], ends[1]
    bigger, n = np.empty(large, dtype=np.int64), 0
    for place in range(start, stop):
        if level[place] != 0 and parents[place] < -255:
            bigger[n] = -parents[place]
            n += 1
    bigger = np.unique(bigger)
    sizes = np.concatenate((np.arange(1, largest_small + 1), bigger))
    by_size = np.zeros((count + 1, len(sizes)), dtype=np.int64)
    by_distance = np.zeros((count + 1, farthest), dtype=np.int64)
    for place in range(start, stop):
        if level[place] != 0 and parents[place] < 0:
            size = -parents[place]
            column = size - 1 if size <= 255 else largest_small + np.searchsorted(bigger, size)
            by_size[level[place], column] += 1
            by_distance[level[place], distance[place] - 1] += 1
    sized = emphases(by_size, sizes, float(voxels))
    return np.stack((sized, emphases(by_distance, np.arange(1, farthest + 1), float(voxels))))
