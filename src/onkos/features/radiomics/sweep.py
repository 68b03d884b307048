"""One pass over a region that counts pairs, runs, neighbourhood differences and dependences."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from onkos.features.radiomics.matrices import cooccurrences, differences, emphases
from onkos.features.threads import each, slabs

FloatArray = NDArray[np.float64]
Indices = NDArray[np.intp]
Levels = NDArray[Any]
Textures = dict[str, FloatArray]


def textures_3d(
    levels: Levels, count: int, *, dependence: int, averaged: bool, threads: int
) -> Textures:
    """Textures over all 13 directions in three dimensions, by family and aggregation.

    Parameters
    ----------
    levels
        (z, y, x) of levels 1 to ``count``, 0 outside, with a border of zeros all around.
    dependence
        Greatest difference of levels that counts as dependent.
    averaged
        Whether features of each direction are wanted too (``3D_avg``).
    """
    steps = directions(levels.shape, flat=False)
    planes = [(a + 1, b + 1) for a, b in slabs(levels.shape[0] - 2, parts=2 * threads)]

    def part(start: int, stop: int) -> Any:
        tables = empty_tables(levels.shape, count, len(steps), 13 if averaged else 1)
        sweep(levels, (start, stop), steps, dependence, tables)
        return tables

    parts = each(part, planes, threads=threads)
    tables = [sum(table[1:], start=table[0]) for table in zip(*parts, strict=True)]
    return _of_space(tables, len(steps))


def _of_space(tables: Any, steps: int) -> Textures:
    pairs, runs, away, numbers, dependences = tables
    lonely(runs, numbers, steps)
    voxels = float(numbers.sum())
    lengths = np.arange(runs.shape[2], dtype=np.float64)
    found = {
        "cm_3D_comb": cooccurrences(pairs.sum(axis=0)),
        "rlm_3D_comb": emphases(runs.sum(axis=0)[:, 1:], lengths[1:], voxels * steps),
        "ngt_3D": differences(away, numbers),
        "ngl_3D": emphases(dependences[:, 1:], np.arange(1.0, dependences.shape[1]), voxels),
    }
    if len(pairs) == steps:
        found["cm_3D_avg"] = mean_known(np.array([cooccurrences(table) for table in pairs]))
        each_way = [emphases(table[:, 1:], lengths[1:], voxels) for table in runs]
        found["rlm_3D_avg"] = mean_known(np.array(each_way))
    return found


def textures_2d(levels: Levels, count: int, *, dependence: int) -> Textures:
    """Textures within slices over 4 directions, by family and aggregation (2D and 2.5D)."""
    steps = directions(levels.shape, flat=True)
    cm, rlm, ngt, ngl, merged = _by_slice(levels, count, steps, dependence)
    pairs, runs, away, numbers, dependences = merged
    voxels = float(numbers.sum())
    lengths = np.arange(1.0, runs.shape[2])
    both_runs = runs.sum(axis=0)[:, 1:]
    return {
        "cm_2D_avg": mean_known(cm[:, :4].reshape(-1, cm.shape[2])),
        "cm_2D_comb": mean_known(cm[:, 4]),
        "cm_2_5D_avg": mean_known(np.array([cooccurrences(table) for table in pairs])),
        "cm_2_5D_comb": cooccurrences(pairs.sum(axis=0)),
        "rlm_2D_avg": mean_known(rlm[:, :4].reshape(-1, rlm.shape[2])),
        "rlm_2D_comb": mean_known(rlm[:, 4]),
        "rlm_2_5D_avg": mean_known(
            np.array([emphases(table[:, 1:], lengths, voxels) for table in runs])
        ),
        "rlm_2_5D_comb": emphases(both_runs, lengths, voxels * len(steps)),
        "ngt_2D": mean_known(ngt),
        "ngt_2_5D": differences(away, numbers),
        "ngl_2D": mean_known(ngl),
        "ngl_2_5D": emphases(dependences[:, 1:], np.arange(1.0, dependences.shape[1]), voxels),
    }


def mean_known(rows: FloatArray) -> FloatArray:
    """Mean of each column over its defined rows (slices, directions); NaN where there is none."""
    known = np.isfinite(rows)
    count = known.sum(axis=0)
    sums = np.where(known, rows, 0.0).sum(axis=0)
    mean: FloatArray = np.divide(sums, count, out=np.full(rows.shape[1], np.nan), where=count > 0)
    return mean


def directions(shape: tuple[int, ...], *, flat: bool) -> Indices:
    """Steps to half of the neighbours in the raveled array: 13, or 4 within a slice."""
    _, rows, columns = shape
    steps = [
        (dz * rows + dy) * columns + dx
        for dz in (0, 1)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if (dz, dy, dx) > (0, 0, 0)
    ]
    return np.array(steps[:4] if flat else steps, dtype=np.intp)


def empty_tables(shape: tuple[int, ...], count: int, steps: int, kept: int) -> Any:
    """Pairs, runs, summed differences, numbers of neighbours, dependences: all zero."""
    longest = max(shape) - 1
    return (
        np.zeros((kept, count + 1, count + 1), dtype=np.int64),
        np.zeros((kept, count + 1, longest), dtype=np.int64),
        np.zeros((count + 1, 2 * steps + 1), dtype=np.int64),
        np.zeros((count + 1, 2 * steps + 1), dtype=np.int64),
        np.zeros((count + 1, 2 * steps + 2), dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def sweep(
    levels: Any, planes: Any, steps: Any, dependence: int, tables: Any
) -> None:  # pragma: no cover
    """Count in planes (start, stop). Pairs with the outside are counted in row and column 0.

    Runs are counted where they begin, and only those of two voxels or more: the rest of the
    voxels are runs of one (:func:`lonely`), which spares the most frequent branch.
    """
    pairs, runs, away, numbers, dependences = tables
    flat = levels.ravel()
    _, rows, columns = levels.shape
    kept = len(pairs) > 1
    for z in range(planes[0], planes[1]):
        for y in range(1, rows - 1):
            start = (z * rows + y) * columns
            for here in range(start + 1, start + columns - 1):
                mine: Any = np.int64(flat[here])
                if mine == 0:
                    continue
                total, number, alike = np.int64(0), np.int64(0), np.int64(1)
                for d in range(len(steps)):
                    step = steps[d]
                    ahead, behind = np.int64(flat[here + step]), np.int64(flat[here - step])
                    table = d if kept else 0
                    pairs[table, mine, ahead] += 1
                    total += ahead + behind
                    number += (ahead != 0) + (behind != 0)
                    if dependence == 0:
                        alike += (ahead == mine) + (behind == mine)
                    else:
                        alike += ahead != 0 and abs(ahead - mine) <= dependence
                        alike += behind != 0 and abs(behind - mine) <= dependence
                    if ahead == mine and behind != mine:
                        length, place = 2, here + 2 * step
                        while flat[place] == mine:
                            length += 1
                            place += step
                        runs[table, mine, length] += 1
                away[mine, number] += abs(mine * number - total)
                numbers[mine, number] += 1
                dependences[mine, alike] += 1


@njit(cache=True, nogil=True)
def lonely(runs: Any, numbers: Any, steps: int) -> None:  # pragma: no cover
    """Add the runs of one voxel: all that are in no longer run."""
    each_way = steps // len(runs)
    for table in runs:
        for level in range(1, len(numbers)):
            alone = numbers[level].sum() * each_way
            for length in range(2, runs.shape[2]):
                alone -= length * table[level, length]
            table[level, 1] = alone


@njit(cache=True, nogil=True)
def _by_slice(levels: Any, count: int, steps: Any, dependence: int) -> Any:  # pragma: no cover
    """Features of every slice (directions, then merged) and the counts of all slices together."""
    slices, width = levels.shape[0] - 2, len(steps)
    cm = np.full((slices, width + 1, 25), np.nan)
    rlm = np.full((slices, width + 1, 17), np.nan)
    ngt, ngl = np.full((slices, 5), np.nan), np.full((slices, 17), np.nan)
    longest = max(levels.shape[1], levels.shape[2]) - 1
    lengths, alike = np.arange(1.0, longest), np.arange(1.0, 2 * width + 2)
    pairs, all_pairs = _two((width, count + 1, count + 1))
    runs, all_runs = _two((width, count + 1, longest))
    away, all_away = _two((count + 1, 2 * width + 1))
    numbers, all_numbers = _two((count + 1, 2 * width + 1))
    dependences, all_dependences = _two((count + 1, 2 * width + 2))
    for k in range(slices):
        pairs[:], runs[:], away[:], numbers[:], dependences[:] = 0, 0, 0, 0, 0
        tables = (pairs, runs, away, numbers, dependences)
        sweep(levels, (k + 1, k + 2), steps, dependence, tables)
        voxels = float(numbers.sum())
        if voxels == 0:
            continue
        lonely(runs, numbers, width)
        for d in range(width):
            cm[k, d] = cooccurrences(pairs[d])
            rlm[k, d] = emphases(runs[d, :, 1:], lengths, voxels)
        cm[k, width] = cooccurrences(pairs.sum(axis=0))
        rlm[k, width] = emphases(runs.sum(axis=0)[:, 1:], lengths, voxels * width)
        ngt[k] = differences(away, numbers)
        ngl[k] = emphases(dependences[:, 1:], alike, voxels)
        all_pairs += pairs
        all_runs += runs
        all_away += away
        all_numbers += numbers
        all_dependences += dependences
    return cm, rlm, ngt, ngl, (all_pairs, all_runs, all_away, all_numbers, all_dependences)


@njit(cache=True, nogil=True)
def _two(shape: Any) -> Any:  # pragma: no cover
    return np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
