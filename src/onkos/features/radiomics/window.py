"""One pass over the voxels of a region, computing features of the window around each.

The levels of a window are copied into a small cube with a border of zeros, which fits the first
cache.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numba import njit

from onkos.features.radiomics import window_tables
from onkos.features.radiomics.catalogue import FAMILIES
from onkos.features.radiomics.intensity import summarised

#: Families that a window can have, in the order of their values.
KNOWN = ("stat", "ih", "cm", "rlm", "szm", "ngt", "ngl")
_WIDTHS = (18, 23, 25, 17, 17, 5, 17)  # runs and zones have an energy that is not in the catalogue
_STARTS = tuple(sum(_WIDTHS[:n]) for n in range(len(_WIDTHS)))
_STAT, _IH, _CM, _RLM, _SZM, _NGT, _NGL = _STARTS
_END = sum(_WIDTHS)


def column(family: str, feature: str) -> int:
    """Index of a feature among all of a window."""
    return _STARTS[KNOWN.index(family)] + tuple(FAMILIES[family]).index(feature)


def layout(radius: int) -> Any:
    """Indices of the window's voxels in its cube, steps to 13 neighbours, and all pairs."""
    side = 2 * radius + 3
    inner = range(1, side - 1)
    half = [step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]
    places, first, second = [], [], []
    for z, y, x in itertools.product(inner, repeat=3):
        here = (z * side + y) * side + x
        places.append(here)
        for dz, dy, dx in half:
            if z + dz in inner and y + dy in inner and x + dx in inner:
                first.append(here)
                second.append(here + (dz * side + dy) * side + dx)
    steps = [(dz * side + dy) * side + dx for dz, dy, dx in half]
    kinds = (places, steps, first, second)
    return tuple(np.array(values, dtype=np.intp) for values in kinds)


@njit(cache=True, nogil=True)
def windows(
    levels: Any, image: Any, centres: Any, planes: Any, plan: Any, out: Any
) -> None:  # pragma: no cover
    """Fill ``out`` (features, voxels) for the centres in planes (start, stop).

    Parameters
    ----------
    levels
        (z, y, x) of levels 1 to ``count``, 0 for voxels not used.
    image
        Intensities on the same grid.
    centres
        Voxels that get values, in the order of ``out``.
    plan
        Radius, count, dependence, which families, which columns, and the layout.
    """
    radius, asked, columns = plan[0], plan[3], plan[4]
    scratch, values = _scratch(plan), np.full(_END, np.nan)
    cube, grey = scratch[0][0], scratch[-1]
    place = 0
    for z in range(planes[0], planes[1]):
        for y in range(levels.shape[1]):
            for x in range(levels.shape[2]):
                if centres[z, y, x]:
                    _cut(levels, (z, y, x), radius, cube)
                    inside = 0
                    if asked[0]:
                        inside = _intensities(image, levels, (z, y, x), radius, grey)
                    _features(grey[:inside], plan, scratch, values)
                    for n in range(len(columns)):
                        out[n, place] = values[columns[n]]
                    place += 1


@njit(cache=True, nogil=True)
def _features(grey: Any, plan: Any, scratch: Any, values: Any) -> None:  # pragma: no cover
    """Values of a window that was copied; leaves the tables empty.

    A separate function, so that it is compiled once for all types of images and levels.
    """
    radius, _, dependence, asked, _, (places, steps, first, second) = plan
    (cube, ranks), (numbers, rank_of, level_of), counts, (p, s), marks, tables, _ = scratch
    if asked[0]:
        grey.sort()
        values[_STAT:_IH] = summarised(grey, grey[:0])
    if not asked[1:].any():
        return
    k = _ranked(cube, ranks, places, numbers, rank_of, level_of)
    if asked[1]:
        window_tables.histogram(level_of, numbers, k, values[_IH:_CM])
    if asked[2]:
        pairs = (first, second)
        window_tables.cooccurrences(ranks, pairs, level_of, tables, values[_CM:_RLM])
    if asked[3]:
        n = _runs(ranks, places, steps, counts)
        window_tables.emphases(counts, level_of, k, 2 * radius + 1, n, values[_RLM:_SZM])
    if asked[4]:
        n, largest = _zones(ranks, places, steps, marks, counts)
        window_tables.emphases(counts, level_of, k, largest, n, values[_SZM:_NGT])
    if asked[5] or asked[6]:
        n = _neighbours(cube, ranks, (places, steps, dependence), (counts, p, s))
        window_tables.differences(p, s, level_of, k, values[_NGT:_NGL])
        window_tables.emphases(counts, level_of, k, 27, n, values[_NGL:])
        p[: k + 1] = 0
        s[: k + 1] = 0
    for n in range(1, k + 1):
        numbers[level_of[n]] = 0


@njit(cache=True, nogil=True)
def _scratch(plan: Any) -> Any:  # pragma: no cover
    """Cube of levels and of ranks, tables by level and by rank, all empty."""
    radius, count, _, asked, _, (places, _, first, _) = plan
    voxels, size = len(places), (2 * radius + 3) ** 3
    most = min(count, voxels)
    return (
        (np.zeros(size, dtype=np.int32), np.zeros(size, dtype=np.int32)),
        (
            np.zeros(count + 2, dtype=np.int32),
            np.zeros(count + 1, dtype=np.int32),
            np.zeros(most + 1, dtype=np.int32),
        ),
        np.zeros((most + 1, voxels + 1), dtype=np.int32),
        (np.zeros(most + 1), np.zeros(most + 1)),
        (np.zeros(size, dtype=np.bool_), np.zeros(voxels, dtype=np.intp)),
        _pair_tables(count, most, len(first) if asked[2] else 0),
        np.empty(voxels),
    )


@njit(cache=True, nogil=True)
def _pair_tables(count: int, most: int, pairs: int) -> Any:  # pragma: no cover
    """Empty tables of pairs, n log2 n of every number there can be, weights of differences."""
    kept = most if pairs else 0
    logs, weights = np.zeros(2 * pairs + 1), np.zeros((count + 1, 5))
    for n in range(1, len(logs)):
        logs[n] = n * np.log2(n)
    for d in range(count + 1):
        weights[d, 0], weights[d, 1] = 1 / (1 + d), 1 / (1 + d / count)
        weights[d, 2], weights[d, 3] = 1 / (1 + d * d), 1 / (1 + (d / count) ** 2)
        weights[d, 4] = 1 / (d * d) if d else 0.0
    return (
        np.zeros((kept + 1, kept + 1), dtype=np.int32),
        np.zeros((pairs, 2), dtype=np.int32),
        np.zeros(count + 1, dtype=np.int32),
        np.zeros(2 * count + 1, dtype=np.int32),
        np.zeros(kept + 1, dtype=np.int32),
        logs,
        weights,
    )


@njit(cache=True, nogil=True)
def _cut(levels: Any, at: Any, radius: int, cube: Any) -> None:  # pragma: no cover
    """Copy the levels around a voxel; what lies beyond the array is 0."""
    side = 2 * radius + 3
    for dz in range(-radius, radius + 1):
        z = at[0] + dz
        for dy in range(-radius, radius + 1):
            y = at[1] + dy
            here = ((dz + radius + 1) * side + dy + radius + 1) * side + 1
            within = 0 <= z < levels.shape[0] and 0 <= y < levels.shape[1]
            for n in range(2 * radius + 1):
                x = at[2] + n - radius
                inside = within and 0 <= x < levels.shape[2]
                cube[here + n] = levels[z, y, x] if inside else 0


@njit(cache=True, nogil=True)
def _intensities(
    image: Any, levels: Any, at: Any, radius: int, out: Any
) -> int:  # pragma: no cover
    """Intensities around a voxel that take part; gives how many."""
    n = 0
    for z in range(max(at[0] - radius, 0), min(at[0] + radius + 1, levels.shape[0])):
        for y in range(max(at[1] - radius, 0), min(at[1] + radius + 1, levels.shape[1])):
            for x in range(max(at[2] - radius, 0), min(at[2] + radius + 1, levels.shape[2])):
                if levels[z, y, x]:
                    out[n] = image[z, y, x]
                    n += 1
    return n


@njit(cache=True, nogil=True)
def _ranked(
    cube: Any, ranks: Any, places: Any, numbers: Any, rank_of: Any, level_of: Any
) -> int:  # pragma: no cover
    """Number the levels as they are met, and count the voxels of each; gives how many there are."""
    k = 0
    for n in range(len(places)):
        level = cube[places[n]]
        if level == 0:
            ranks[places[n]] = 0
            continue
        if numbers[level] == 0:
            k += 1
            level_of[k], rank_of[level] = level, k
        numbers[level] += 1
        ranks[places[n]] = rank_of[level]
    return k


@njit(cache=True, nogil=True)
def _runs(ranks: Any, places: Any, steps: Any, counts: Any) -> float:  # pragma: no cover
    """Count runs where they begin; gives the voxels times the directions."""
    voxels = 0
    for n in range(len(places)):
        here = places[n]
        mine = ranks[here]
        if mine == 0:
            continue
        voxels += 1
        for d in range(len(steps)):
            step = steps[d]
            if ranks[here - step] == mine:
                continue
            length, ahead = 1, here + step
            while ranks[ahead] == mine:
                length += 1
                ahead += step
            counts[mine, length] += 1
    return float(voxels * len(steps))


@njit(cache=True, nogil=True)
def _zones(ranks: Any, places: Any, steps: Any, marks: Any, counts: Any) -> Any:  # pragma: no cover
    """Count zones of 26 neighbours; gives the voxels and the largest zone."""
    seen, queue = marks
    voxels, largest = 0, 0
    for n in range(len(places)):
        seen[places[n]] = False
    for n in range(len(places)):
        start = places[n]
        mine = ranks[start]
        if mine == 0 or seen[start]:
            continue
        seen[start], queue[0] = True, start
        size, done = 1, 0
        while done < size:
            here = queue[done]
            done += 1
            for d in range(len(steps)):
                for other in (here + steps[d], here - steps[d]):
                    if ranks[other] == mine and not seen[other]:
                        seen[other], queue[size] = True, other
                        size += 1
        counts[mine, size] += 1
        voxels, largest = voxels + size, max(largest, size)
    return float(voxels), largest


@njit(cache=True, nogil=True)
def _neighbours(cube: Any, ranks: Any, where: Any, tables: Any) -> float:  # pragma: no cover
    """Count dependences and sum grey tone differences; gives the voxels."""
    places, steps, dependence = where
    counts, p, s = tables
    voxels = 0
    for n in range(len(places)):
        here = places[n]
        mine = np.int64(cube[here])
        if mine == 0:
            continue
        total, number, alike = np.int64(0), 0, 1
        for d in range(len(steps)):
            ahead, behind = np.int64(cube[here + steps[d]]), np.int64(cube[here - steps[d]])
            total += ahead + behind
            number += (ahead != 0) + (behind != 0)
            alike += ahead != 0 and abs(ahead - mine) <= dependence
            alike += behind != 0 and abs(behind - mine) <= dependence
        counts[ranks[here], alike] += 1
        voxels += 1
        if number > 0:
            p[ranks[here]] += 1
            s[ranks[here]] += abs(mine * number - total) / number
    return float(voxels)
