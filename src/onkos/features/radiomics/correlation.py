"""Spatial autocorrelation of a region: Moran's I and Geary's C over all pairs of voxels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft

FloatArray = NDArray[np.float64]
Spectrum = NDArray[np.float32]
Planes = Callable[[slice], list[NDArray[Any]]]

_PAIRS_AT_MOST = 400  # voxels: below, all pairs are visited
_PARTS = 3  # of the spectrum along x, so that memory stays near that of the region
_SMALL = 1 << 20  # numbers of a spectrum that is not cut into parts


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
        field = np.zeros(inside.shape, dtype=np.float32)
        _standardise(values, inside, (mean, scale), field)
        weights, moran, geary = _in_fourier_space(field, inside, spacing_mm)
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
def _standardise(values: Any, inside: Any, scale: Any, out: Any) -> None:  # pragma: no cover
    mean, deviation = scale
    for z in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                if inside[z, y, x]:
                    out[z, y, x] = (values[z, y, x] - mean) / deviation


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
    field: NDArray[np.float32], inside: NDArray[Any], spacing_mm: tuple[float, ...]
) -> tuple[float, float, float]:
    """Sums of w, w z z' and w (z - z')^2 over all pairs.

    The sides are doubled with zeros so that no pair wraps around. The kernel is even along each
    axis, so its transform is a cosine transform of an eighth of it.
    """
    half = [fft.next_fast_len(side, real=True) for side in field.shape]
    kernel = _kernel(half, spacing_mm)
    mask = inside.view(np.uint8)
    _, moran = _forms(lambda some: [field[some]], kernel, field.shape)
    weights, crossed = _forms(lambda some: [mask[some], field[some] ** 2], kernel, field.shape)
    return weights, moran, 2 * (crossed - moran)


def _forms(planes: Planes, kernel: Spectrum, shape: tuple[int, ...]) -> tuple[float, float]:
    """Sums over all pairs of w a a' and of w a b', a and b the first and last field.

    Parameters
    ----------
    planes
        Gives some planes (a slice along z) of each field.
    kernel
        Cosine transform of w over an eighth of the grid.
    """
    half = [side - 1 for side in kernel.shape]
    count = kernel.shape[2]
    parts = 1 if 4 * half[0] * half[1] * count < _SMALL else _PARTS
    sums = np.zeros(2)
    for part in range(parts):
        columns = slice(count * part // parts, count * (part + 1) // parts)
        rows = _along_rows(planes, shape, half, columns)
        twice = np.full(columns.stop - columns.start, 2.0)  # a column and its conjugate
        if part == 0:
            twice[0] = 1.0
        if columns.stop == count:
            twice[-1] = 1.0
        sums += _products(rows, kernel[:, :, columns], half, twice)
    first, crossed = sums / (8.0 * math.prod(half))
    return float(first), float(crossed)


def _kernel(half: list[int], spacing_mm: tuple[float, ...]) -> Spectrum:
    z, y, x = (
        (np.arange(side + 1, dtype=np.float32) * np.float32(step)) ** 2
        for side, step in zip(half, spacing_mm, strict=True)
    )
    away = z[:, None, None] + y[None, :, None] + x[None, None, :]
    away[0, 0, 0] = np.inf
    np.sqrt(away, out=away)
    np.reciprocal(away, out=away)
    kernel: Spectrum = fft.dctn(away, type=1, overwrite_x=True)
    return kernel


def _along_rows(
    planes: Planes, shape: tuple[int, ...], half: list[int], columns: slice
) -> NDArray[np.complex64]:
    """Transforms of the fields along x and y, some columns of the spectrum, plane-wise."""
    slices, rows, _ = shape
    width = columns.stop - columns.start
    fields = len(planes(slice(0, 1)))
    out = np.empty((fields, slices, 2 * half[1], width), dtype=np.complex64)
    step = max(1, _SMALL // (6 * rows * half[2]))
    for k in range(0, slices, step):
        some = slice(k, k + step)
        for n, plane in enumerate(planes(some)):
            spectrum = fft.rfft(plane.astype(np.float32, copy=False), 2 * half[2], axis=2)
            out[n, some] = fft.fft(spectrum[..., columns], 2 * half[1], axis=1)
    return out


def _products(
    rows: NDArray[np.complex64], kernel: Spectrum, half: list[int], twice: FloatArray
) -> FloatArray:
    """Sums of kernel times a a' and a b' over one part of the spectrum."""
    sums = np.zeros(2)
    chunk = max(1, (1 << 18) // (2 * half[0] * rows.shape[3]))
    for start in range(0, 2 * half[1], chunk):
        block = fft.fft(rows[:, :, start : start + chunk], 2 * half[0], axis=1)
        sums += _weighted(block, kernel, start, twice)
    return sums


@njit(cache=True, nogil=True)
def _weighted(block: Any, kernel: Any, first: int, twice: Any) -> Any:  # pragma: no cover
    out = np.zeros(2)
    _, depth, rows, columns = block.shape
    turn, last = depth // 2, 2 * (kernel.shape[1] - 1)
    for k in range(depth):
        z = k if k <= turn else depth - k
        for n in range(rows):
            y = first + n
            y = y if y < kernel.shape[1] else last - y
            for x in range(columns):
                w = twice[x] * kernel[z, y, x]
                a, b = block[0, k, n, x], block[-1, k, n, x]
                out[0] += w * (a.real * a.real + a.imag * a.imag)
                out[1] += w * (a.real * b.real + a.imag * b.imag)
    return out
