"""Spatial autocorrelation of a region: Moran's I and Geary's C over all pairs of voxels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft

FloatArray = NDArray[np.float64]
Indices = NDArray[np.intp]
Sides = tuple[int, ...]
Spectrum = NDArray[np.float32]

_PAIRS_AT_MOST = 400  # voxels: up to here by all pairs, above by Fourier transform
_PARTS = 8  # of the spectrum, one held at a time: it is 48 times as large as the region
_WIDTH = 16  # columns at least: whole vector registers
_CACHED = 1 << 17  # numbers in the working set


def moran_geary(
    values: NDArray[Any], inside: NDArray[Any], spacing_mm: tuple[float, ...]
) -> tuple[float, float]:
    """Moran's I and Geary's C with weights of one over the distance.

    All pairs count, none is sampled. In a region of more than a few hundred voxels the sums
    over pairs are quadratic forms with a kernel that depends on the distance alone, and are
    taken in Fourier space (float32: equal to the sums over pairs to 1e-5 or better).

    Parameters
    ----------
    values, inside
        (z, y, x) intensities and where they belong to the region.
    spacing_mm
        Steps along z, y, x.

    Returns
    -------
    tuple
        NaN both where there is one voxel only or the intensities do not differ.
    """
    count, mean, square = _spread(values, inside)
    if count < 2 or square == 0:
        return math.nan, math.nan
    if count <= _PAIRS_AT_MOST:
        places = np.argwhere(inside) * np.array(spacing_mm)
        weights, moran, geary = _over_pairs(values[inside].astype(np.float64) - mean, places)
    else:
        scale = math.sqrt(square / count)
        weights, moran, geary = _in_fourier_space(values, inside, (mean, scale), spacing_mm)
        moran, geary = moran * scale**2, geary * scale**2
    return (
        float(count / weights * moran / square),
        float((count - 1) / (2 * weights) * geary / square),
    )


@njit(cache=True, nogil=True)
def _spread(values: Any, inside: Any) -> Any:  # pragma: no cover
    """Count, mean and sum of squared distances from the mean."""
    count, total, square = 0, 0.0, 0.0
    for z in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                if inside[z, y, x]:
                    count += 1
                    total += values[z, y, x]
    mean = total / max(count, 1)
    for z in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                if inside[z, y, x]:
                    square += (values[z, y, x] - mean) ** 2
    return count, mean, square


@njit(cache=True, nogil=True)
def _over_pairs(centred: Any, places: Any) -> Any:  # pragma: no cover
    weights, moran, geary = 0.0, 0.0, 0.0
    for a in range(len(centred)):
        for b in range(a):
            w = 2 / math.sqrt(
                (places[a, 0] - places[b, 0]) ** 2
                + (places[a, 1] - places[b, 1]) ** 2
                + (places[a, 2] - places[b, 2]) ** 2
            )
            weights += w
            moran += w * centred[a] * centred[b]
            geary += w * (centred[a] - centred[b]) ** 2
    return weights, moran, geary


def _in_fourier_space(
    values: NDArray[Any],
    inside: NDArray[Any],
    scale: tuple[float, float],
    spacing_mm: tuple[float, ...],
) -> tuple[float, float, float]:
    """Sums of w, w z z' and w (z - z')^2 over all pairs, z the intensities less mean over scale.

    The sides are doubled with zeros so that no pair wraps around. The spectrum is made and used
    some columns at a time, so that memory stays below that of the region.
    """
    half = tuple(fft.next_fast_len(side, real=True) for side in inside.shape)
    columns = half[2] + 1
    width = max(1, columns // _PARTS // _WIDTH) * _WIDTH
    sums = np.zeros(3)
    for start in range(0, columns, width):
        some = np.arange(start, min(start + width, columns))
        twice = np.where((some == 0) | (some == half[2]), 1.0, 2.0)  # a column and its conjugate
        waves = _waves(inside.shape[2], some, half[2])
        rows = np.zeros((3, len(inside), 2 * half[1], len(some)), dtype=np.complex64)
        _along_rows(values, inside, scale, waves.view(np.float32), rows.view(np.float32))
        rows = fft.fft(rows, axis=2, overwrite_x=True)
        sums += _products(rows, _kernel(half, spacing_mm, some), half, twice)
    moran, weights, crossed = sums / (8.0 * math.prod(half))
    return float(weights), float(moran), float(2 * (crossed - moran))


def _kernel(half: Sides, spacing_mm: tuple[float, ...], columns: Indices) -> Spectrum:
    """Cosine transform of one over the distance over an eighth of the grid, some columns.

    The kernel is even along each axis, so an eighth of it holds all.
    """
    cosines = _waves(half[2] + 1, columns, half[2]).real.copy()
    cosines[1:-1] *= 2
    out = np.empty((half[0] + 1, half[1] + 1, len(columns)), dtype=np.float32)
    _distances_along_rows(np.asarray(spacing_mm), cosines, out)
    kernel: Spectrum = fft.dctn(out, type=1, axes=(0, 1), overwrite_x=True)
    return kernel


@njit(cache=True, nogil=True, error_model="numpy")
def _distances_along_rows(steps: Any, cosines: Any, out: Any) -> None:  # pragma: no cover
    row = np.empty(len(cosines), dtype=np.float32)
    squares = ((np.arange(len(row)) * steps[2]) ** 2).astype(np.float32)
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            away = np.float32((z * steps[0]) ** 2 + (y * steps[1]) ** 2)
            for x in range(1, len(row)):
                row[x] = np.float32(1) / np.sqrt(away + squares[x])
            row[0] = 1 / math.sqrt(away) if away > 0 else 0.0
            _transformed(row, (0, len(row)), cosines, out[z, y])


@njit(cache=True, nogil=True)
def _along_rows(
    values: Any, inside: Any, scale: Any, waves: Any, out: Any
) -> None:  # pragma: no cover
    """Transforms along x of z, of the mask and of z squared."""
    mean, factor = scale[0], 1 / scale[1]
    ones = np.zeros(values.shape[2], dtype=np.float32)
    row = np.zeros(values.shape[2], dtype=np.float32)
    for k in range(values.shape[0]):
        for y in range(values.shape[1]):
            first, stop = len(row), 0
            for x in range(len(row)):
                if inside[k, y, x]:
                    first, stop = min(first, x), x + 1
            for x in range(first, stop):
                ones[x] = inside[k, y, x]
                row[x] = (values[k, y, x] - mean) * factor if inside[k, y, x] else 0.0
            _transformed(row, (first, stop), waves, out[0, k, y])
            _transformed(ones, (first, stop), waves, out[1, k, y])
            row *= row
            _transformed(row, (first, stop), waves, out[2, k, y])


@njit(cache=True, nogil=True, fastmath={"contract"})
def _transformed(row: Any, ends: Any, factors: Any, out: Any) -> None:  # pragma: no cover
    """Sum of values times their factors, four at a time to save memory traffic."""
    x, stop = ends
    out[:] = 0.0
    while x + 4 <= stop:
        a, b, c, d = row[x], row[x + 1], row[x + 2], row[x + 3]
        for n in range(len(out)):
            out[n] += (a * factors[x, n] + b * factors[x + 1, n]) + (
                c * factors[x + 2, n] + d * factors[x + 3, n]
            )
        x += 4
    for rest in range(x, stop):
        for n in range(len(out)):
            out[n] += row[rest] * factors[rest, n]


def _waves(side: int, columns: Indices, half: int) -> NDArray[np.complex64]:
    """Factors of a Fourier transform of length 2 ``half``, (places, columns)."""
    steps = np.outer(np.arange(side), columns) % (2 * half)
    waves: NDArray[np.complex64] = np.exp(-1j * np.pi / half * steps).astype(np.complex64)
    return waves


def _products(
    rows: NDArray[np.complex64], kernel: Spectrum, half: Sides, twice: FloatArray
) -> FloatArray:
    """Sums of kernel times a a', b b' and b c' over some columns of the three fields."""
    sums = np.zeros(3)
    step = max(1, _CACHED // (2 * half[0] * rows.shape[3]))
    for start in range(0, 2 * half[1], step):
        block = fft.fft(rows[:, :, start : start + step], 2 * half[0], axis=1)
        sums += _weighted(block, kernel, start, twice)
    return sums


@njit(cache=True, nogil=True)
def _weighted(block: Any, kernel: Any, first: int, twice: Any) -> Any:  # pragma: no cover
    out = np.zeros(3)
    _, depth, rows, columns = block.shape
    turn, last = depth // 2, 2 * (kernel.shape[1] - 1)
    for k in range(depth):
        z = k if k <= turn else depth - k
        for n in range(rows):
            y = first + n
            y = y if y < kernel.shape[1] else last - y
            for x in range(columns):
                w = twice[x] * kernel[z, y, x]
                a, b, c = block[0, k, n, x], block[1, k, n, x], block[2, k, n, x]
                out[0] += w * (a.real * a.real + a.imag * a.imag)
                out[1] += w * (b.real * b.real + b.imag * b.imag)
                out[2] += w * (b.real * c.real + b.imag * c.imag)
    return out
