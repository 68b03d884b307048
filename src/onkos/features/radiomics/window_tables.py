"""Features of the few levels within a window, from small tables that are reset after use.

A window holds far fewer levels than its region, so tables are kept by rank, 1 to k, in the order
in which the levels were met; ``level_of`` tells the level of each rank. Every function writes
what the function of the same family in ``matrices``, ``intensity`` would give of the full table.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from onkos.features.radiomics.intensity import summarised
from onkos.features.radiomics.matrices import add_emphases


@njit(cache=True, nogil=True)
def histogram(level_of: Any, numbers: Any, k: int, out: Any) -> None:  # pragma: no cover
    """Features of the histogram of levels; ``numbers`` counts voxels by level, not by rank."""
    levels = np.sort(level_of[1 : k + 1])
    counts = np.empty(k)
    for n in range(k):
        counts[n] = numbers[levels[n]]
    summary = summarised(levels, counts)
    total, most = counts.sum(), counts.max()
    mode, away, entropy, uniformity = 0, np.inf, 0.0, 0.0
    for n in range(k):
        part = counts[n] / total
        entropy -= part * math.log2(part)
        uniformity += part * part
        if counts[n] == most and abs(levels[n] - summary[0]) < away:
            mode, away = levels[n], abs(levels[n] - summary[0])
    out[:9], out[9], out[10:17] = summary[:9], mode, summary[9:16]
    out[17], out[18] = max(entropy, 0.0), uniformity
    _gradients(numbers, levels[-1], out)


@njit(cache=True, nogil=True)
def _gradients(numbers: Any, top: int, out: Any) -> None:  # pragma: no cover
    """Maximum and minimum gradient of the histogram of levels 1 to ``top``, and their levels."""
    out[19], out[20], out[21], out[22] = 0.0, 1.0, 0.0, 1.0
    if top < 2:
        return
    for level in range(1, top + 1):
        if level == 1:
            slope = float(numbers[2] - numbers[1])
        elif level == top:
            slope = float(numbers[top] - numbers[top - 1])
        else:
            slope = (numbers[level + 1] - numbers[level - 1]) / 2
        if level == 1 or slope > out[19]:
            out[19], out[20] = slope, level
        if level == 1 or slope < out[21]:
            out[21], out[22] = slope, level


@njit(cache=True, nogil=True)
def cooccurrences(
    ranks: Any, pairs: Any, level_of: Any, tables: Any, out: Any
) -> None:  # pragma: no cover
    """Features of the pairs of neighbours in a window, each counted once.

    Only the cells that a pair fell into are looked at; everything but the joint table follows
    from the differences, sums and single levels, whose sums of squares are exact whole numbers.
    """
    joint, cells = tables[0], tables[1]
    first, second = pairs
    touched = 0
    for n in range(len(first)):
        a, b = ranks[first[n]], ranks[second[n]]
        if a == 0 or b == 0:
            continue
        if a < b:
            a, b = b, a
        if joint[a, b] == 0:
            cells[touched, 0], cells[touched, 1] = a, b
            touched += 1
        joint[a, b] += 1
    if touched == 0:
        out[:] = np.nan
        return
    _spread(level_of, touched, tables, out)


@njit(cache=True, nogil=True)
def _spread(level_of: Any, touched: int, tables: Any, out: Any) -> None:  # pragma: no cover
    """Features of a joint table whose non-zero cells are listed; resets all tables."""
    joint, cells, apart, together, single, logs, weights = tables
    total, low, high, ranks = np.int64(0), np.int64(1 << 30), np.int64(0), np.int64(0)
    for n in range(touched):
        a, b = cells[n, 0], cells[n, 1]
        count, i, j = np.int64(joint[a, b]), level_of[a], level_of[b]
        apart[abs(i - j)] += count
        together[i + j] += count
        single[a] += count
        single[b] += count
        total += count
        low, high, ranks = min(low, i, j), max(high, i, j), max(ranks, a)
    _of_cells(joint, cells[:touched], level_of, logs, total, out)
    entropy = _of_single(level_of, ranks, single, logs, total, out)
    _of_differences(high - low, apart, logs, weights, total, out)
    _of_sums(low, high, together, logs, total, out)
    mean, variance = out[1], out[2]
    out[18], out[23] = np.nan, np.nan
    if variance > 1e-12 * mean * mean:
        out[18] = (out[19] - mean * mean) / variance
        out[23] = (out[3] - 2 * entropy) / entropy
    out[24] = math.sqrt(max(1 - math.exp(-2 * (2 * entropy - out[3])), 0.0))


@njit(cache=True, nogil=True)
def _of_cells(
    joint: Any, cells: Any, level_of: Any, logs: Any, total: int, out: Any
) -> None:  # pragma: no cover
    """Features that need the joint table itself: maximum, entropy, energy, autocorrelation."""
    greatest, product, squares, information = np.int64(0), np.int64(0), np.int64(0), 0.0
    for n in range(len(cells)):
        a, b = cells[n, 0], cells[n, 1]
        count = np.int64(joint[a, b])
        joint[a, b] = 0
        product += count * level_of[a] * level_of[b]
        if a == b:  # the symmetric matrix has this cell once, with every pair both ways
            count *= 2
            squares += count * count
            information += logs[count]
        else:
            squares += 2 * count * count
            information += 2 * logs[count]
        greatest = max(greatest, count)
    both = 2.0 * total
    out[0], out[10], out[19] = greatest / both, squares / both / both, product / total
    out[3] = max(math.log2(both) - information / both, 0.0)


@njit(cache=True, nogil=True)
def _of_single(
    level_of: Any, ranks: int, single: Any, logs: Any, total: int, out: Any
) -> float:  # pragma: no cover
    """Mean and variance of the marginal distribution; returns its entropy."""
    both, information = 2 * total, 0.0
    linear, square = np.int64(0), np.int64(0)
    for a in range(1, ranks + 1):
        count, level = np.int64(single[a]), np.int64(level_of[a])
        single[a] = 0
        linear += count * level
        square += count * level * level
        information += logs[count]
    out[1] = linear / both
    out[2] = (both * square - linear * linear) / both / both
    return math.log2(both) - information / both


@njit(cache=True, nogil=True)
def _of_differences(
    widest: int, apart: Any, logs: Any, weights: Any, total: int, out: Any
) -> None:  # pragma: no cover
    linear, square, information = np.int64(0), np.int64(0), 0.0
    out[11:18] = 0.0
    for d in range(widest + 1):
        count = np.int64(apart[d])
        if count == 0:
            continue
        apart[d] = 0
        linear += count * d
        square += count * d * d
        information += logs[count]
        out[13] += count * weights[d, 0]
        out[14] += count * weights[d, 1]
        out[15] += count * weights[d, 2]
        out[16] += count * weights[d, 3]
        out[17] += count * weights[d, 4]
    out[13:18] /= total
    out[4], out[12], out[11] = linear / total, linear / total, square / total
    out[5] = (total * square - linear * linear) / total / total
    out[6] = max(math.log2(total) - information / total, 0.0)


@njit(cache=True, nogil=True)
def _of_sums(
    low: int, high: int, together: Any, logs: Any, total: int, out: Any
) -> None:  # pragma: no cover
    linear, square, information = np.int64(0), np.int64(0), 0.0
    third, fourth, middle = 0.0, 0.0, 2 * out[1]
    for s in range(2 * low, 2 * high + 1):
        count = np.int64(together[s])
        if count == 0:
            continue
        together[s] = 0
        linear += count * s
        square += count * s * s
        information += logs[count]
        away = s - middle
        third += count * away * away * away
        fourth += count * away * away * away * away
    out[7], out[8] = linear / total, (total * square - linear * linear) / total / total
    out[9] = max(math.log2(total) - information / total, 0.0)
    out[20], out[21], out[22] = out[8], third / total, fourth / total


@njit(cache=True, nogil=True)
def emphases(
    counts: Any, level_of: Any, k: int, largest: int, voxels: float, out: Any
) -> None:  # pragma: no cover
    """Features of runs, zones or dependences; ``counts[rank, size]``, sizes 1 to ``largest``."""
    sums, by_size = np.zeros(12), np.zeros(largest + 1)
    total, of_levels = 0.0, 0.0
    for a in range(1, k + 1):
        of_level = 0.0
        for size in range(1, largest + 1):
            n = float(counts[a, size])
            if n > 0:
                counts[a, size] = 0
                of_level += n
                by_size[size] += n
                add_emphases(sums, n, float(level_of[a]), float(size))
        total += of_level
        of_levels += of_level * of_level
    if total == 0:
        out[:] = np.nan
        return
    out[:8] = sums[:8] / total
    out[8], out[10] = of_levels / total, (by_size * by_size).sum() / total
    out[9], out[11] = out[8] / total, out[10] / total
    out[12] = total / voxels
    out[13] = max(out[3] - (sums[8] / total) ** 2, 0.0)
    out[14] = max(out[1] - (sums[9] / total) ** 2, 0.0)
    out[15] = max(math.log2(total) - sums[10] / total, 0.0)
    out[16] = sums[11] / total**2


@njit(cache=True, nogil=True)
def differences(p: Any, s: Any, level_of: Any, k: int, out: Any) -> None:  # pragma: no cover
    """Features of grey tone differences.

    ``p`` counts voxels with a neighbour, ``s`` sums how far each is from the mean of its own.
    """
    total, present, away, weighted = 0.0, 0, 0.0, 0.0
    for a in range(1, k + 1):
        total += p[a]
        away += s[a]
        present += p[a] > 0
        weighted += p[a] * s[a]
    if total == 0:
        out[:] = np.nan
        return
    weighted /= total
    contrast, spread, complexity, strength = 0.0, 0.0, 0.0, 0.0
    for a in range(2, k + 1):
        i, of_a = float(level_of[a]), p[a] / total
        for b in range(1, a):
            of_b = p[b] / total
            if of_a == 0 or of_b == 0:
                continue
            j = float(level_of[b])
            far = i - j
            contrast += of_a * of_b * far * far
            spread += abs(i * of_a - j * of_b)
            complexity += abs(far) * (of_a * s[a] + of_b * s[b]) / (of_a + of_b)
            strength += (of_a + of_b) * far * far
    out[0] = 1 / weighted if weighted > 0 else 1e6
    out[1] = 2 * contrast / (present * (present - 1)) * away / total if present > 1 else 0.0
    out[2] = weighted / (2 * spread) if present > 1 and spread > 0 else 0.0
    out[3] = 2 * complexity / total
    out[4] = 2 * strength / away if away > 0 else 0.0
