"""Intensity statistics, the intensity histogram and the intensity-volume histogram."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from onkos.features.radiomics.settings import Settings

FloatArray = NDArray[np.float64]


def statistics(ordered: NDArray[Any]) -> FloatArray:
    """Intensity statistics of sorted intensities, (18,).

    The coefficients of variation and of dispersion are NaN where their divisor is 0. Kurtosis is
    in excess of 3; both it and skewness are 0 where the intensities do not differ (IBSI).
    """
    found: FloatArray = summarised(ordered, np.empty(0))
    return found


def histogram(counts: NDArray[Any]) -> FloatArray:
    """Features of the histogram of levels, (23,); ``counts[n]`` voxels have level n, n >= 1."""
    levels = np.flatnonzero(counts)
    summary = summarised(levels, counts[levels].astype(np.float64))
    parts = counts[levels] / counts.sum()
    commonest = np.flatnonzero(counts == counts.max())
    mode = commonest[np.argmin(np.abs(commonest - summary[0]))]
    slope = np.zeros(1) if len(counts) < 3 else np.gradient(counts[1:].astype(np.float64))
    steepest = (slope.max(), slope.argmax() + 1, slope.min(), slope.argmin() + 1)
    entropy = max(float(-(parts * np.log2(parts)).sum()), 0.0)
    return np.array(
        [*summary[:9], mode, *summary[9:16], entropy, float((parts**2).sum()), *steepest]
    )


def volume_histogram(ordered: NDArray[Any], settings: Settings) -> FloatArray:
    """Features of the intensity-volume histogram of sorted intensities, (7,).

    The volume fraction of an intensity is the part of the region that has at least it; its
    intensity fraction is where it lies between the ends of the range (the range asked for, else
    what occurs). NaN where these ends coincide.
    """
    grid, fraction = _volume_fractions(ordered, settings)
    if grid[-1] <= grid[0]:
        return np.full(7, math.nan)
    position = (grid - grid[0]) / (grid[-1] - grid[0])
    v10, v90 = (float(fraction[np.argmax(position >= part - 1e-9)]) for part in (0.1, 0.9))
    i10, i90 = (
        float(grid[np.argmax(fraction <= part)]) if (fraction <= part).any() else math.nan
        for part in (0.1, 0.9)
    )
    area = float(np.trapezoid(fraction, position))
    return np.array([v10, v90, i10, i90, v10 - v90, i10 - i90, area])


def _volume_fractions(ordered: NDArray[Any], settings: Settings) -> tuple[FloatArray, FloatArray]:
    """Intensities in increasing order, and the fraction of voxels with at least each."""
    low = float(ordered[0]) if settings.low is None else settings.low
    high = float(ordered[-1]) if settings.high is None else settings.high
    if settings.ivh_discretisation == "none":
        grid = _as_they_are(ordered, low, high)
        below = np.searchsorted(ordered, grid, side="left")
        return grid, 1.0 - below / len(ordered)
    if settings.ivh_discretisation == "number":
        low, high = float(ordered[0]), float(ordered[-1])
        levels = bin_number(ordered, low, high, int(settings.ivh_bins))
        grid = np.arange(1.0, settings.ivh_bins + 1)
    else:
        levels = bin_width(ordered, low, settings.ivh_bins)
        most = int(bin_width(np.array([high]), low, settings.ivh_bins)[0])
        middles = np.arange(0.5, max(most, int(levels[-1])), dtype=np.float64)
        grid = low + middles * settings.ivh_bins
    below = np.searchsorted(levels, np.arange(1, len(grid) + 1), side="left")
    return grid, 1.0 - below / len(ordered)


def _as_they_are(ordered: NDArray[Any], low: float, high: float) -> FloatArray:
    """Integers in steps of 1, other intensities as they occur (with the ends of the range)."""
    if np.issubdtype(ordered.dtype, np.integer) or not np.any(ordered != np.rint(ordered)):
        return np.arange(math.ceil(low), math.floor(high) + 1, dtype=np.float64)
    return np.unique(np.concatenate([[low], ordered.astype(np.float64), [high]]))


def bin_number(values: NDArray[Any], low: float, high: float, bins: int) -> NDArray[np.int64]:
    """Levels 1 to ``bins`` of equal width between two intensities (FBN)."""
    if high <= low:
        return np.ones(values.shape, dtype=np.int64)
    levels = np.floor(bins * ((values.astype(np.float64) - low) / (high - low))) + 1
    whole: NDArray[np.int64] = np.clip(levels, 1, bins).astype(np.int64)
    return whole


def bin_width(values: NDArray[Any], low: float, width: float) -> NDArray[np.int64]:
    """Levels from 1 on, each ``width`` wide, from an intensity on (FBS)."""
    levels = np.floor((values.astype(np.float64) - low) / width) + 1
    whole: NDArray[np.int64] = np.asarray(levels, dtype=np.int64)
    return whole


@njit(cache=True, nogil=True)
def summarised(values: Any, weights: Any) -> Any:  # pragma: no cover
    """Statistics of sorted values, optionally weighted."""
    out = np.full(18, np.nan)
    plain, total, mean, energy = len(weights) == 0, 0.0, 0.0, 0.0
    for n in range(len(values)):
        w, value = 1.0 if plain else weights[n], float(values[n])
        total += w
        mean += w * value
        energy += w * value * value
    mean /= total
    p10, p25, median, p75, p90 = (
        _quantile(values, weights, 0.10 * (total - 1)),
        _quantile(values, weights, 0.25 * (total - 1)),
        _quantile(values, weights, 0.50 * (total - 1)),
        _quantile(values, weights, 0.75 * (total - 1)),
        _quantile(values, weights, 0.90 * (total - 1)),
    )
    variance, third, fourth, away, from_median = _spreads(values, weights, (mean, median, total))
    same = values[0] == values[-1]
    out[0], out[1] = mean, 0.0 if same else variance
    out[2] = 0.0 if same else third / variance**1.5
    out[3] = 0.0 if same else fourth / variance**2 - 3
    out[4], out[5], out[6], out[7] = median, values[0], p10, p90
    out[8], out[9], out[10] = values[-1], p75 - p25, float(values[-1]) - float(values[0])
    out[11], out[12], out[13] = away, _robust(values, weights, p10, p90), from_median
    if mean != 0:
        out[14] = math.sqrt(out[1]) / mean
    if p25 + p75 != 0:
        out[15] = (p75 - p25) / (p75 + p25)
    out[16], out[17] = energy, math.sqrt(energy / total)
    return out


@njit(cache=True, nogil=True)
def _spreads(values: Any, weights: Any, centres: Any) -> Any:  # pragma: no cover
    """Central moments 2 to 4, mean distances from mean and median."""
    mean, median, total = centres
    second, third, fourth, away, from_median = 0.0, 0.0, 0.0, 0.0, 0.0
    for n in range(len(values)):
        w, value = 1.0 if len(weights) == 0 else weights[n], float(values[n])
        d = value - mean
        second += w * d * d
        third += w * d * d * d
        fourth += w * d * d * d * d
        away += w * abs(d)
        from_median += w * abs(value - median)
    return second / total, third / total, fourth / total, away / total, from_median / total


@njit(cache=True, nogil=True)
def _robust(values: Any, weights: Any, low: float, high: float) -> float:  # pragma: no cover
    """Mean absolute deviation of the values between two limits; NaN if there is none."""
    mean, total, spread = 0.0, 0.0, 0.0
    for n in range(len(values)):
        if low <= values[n] <= high:
            w = 1.0 if len(weights) == 0 else weights[n]
            mean += w * float(values[n])
            total += w
    if total == 0:
        return math.nan
    mean /= total
    for n in range(len(values)):
        if low <= values[n] <= high:
            w = 1.0 if len(weights) == 0 else weights[n]
            spread += w * abs(float(values[n]) - mean)
    return spread / total


@njit(cache=True, nogil=True)
def _quantile(values: Any, weights: Any, place: float) -> float:  # pragma: no cover
    """Order statistic, linearly interpolated."""
    below = math.floor(place)
    if len(weights) == 0:
        low = float(values[below])
        high = float(values[min(below + 1, len(values) - 1)])
        return low + (place - below) * (high - low)
    seen, n = weights[0], 0
    while seen <= below:
        n += 1
        seen += weights[n]
    high = n
    if seen <= below + 1 and n + 1 < len(values):
        high = n + 1
    return float(values[n]) + (place - below) * (float(values[high]) - float(values[n]))
