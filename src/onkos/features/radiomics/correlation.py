"""Spatial autocorrelation of a region: Moran's I and Geary's C over all pairs of voxels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft

FloatArray = NDArray[np.float64]

_PAIRS_AT_MOST = 400  # voxels: below, all pairs are visited
_PARTS = 6  # of the spectrum along x, so that memory stays near that of the region
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
    where = np.flatnonzero(inside)
    count = len(where)
    known = values.ravel()[where].astype(np.float64)
    centred = known - known.mean()
    square = float(centred @ centred)
    if count < 2 or square == 0:
        return math.nan, math.nan
    if count <= _PAIRS_AT_MOST:
        places = np.stack(np.unravel_index(where, inside.shape), axis=1) * np.array(spacing_mm)
        weights, moran, geary = _over_pairs(centred, places)
    else:
        scale = math.sqrt(square / count)
        field = np.zeros(inside.shape, dtype=np.float32)
        field.ravel()[where] = centred / scale
        weights, moran, geary = _in_fourier_space(field, inside, spacing_mm)
        moran, geary = moran * scale**2, geary * scale**2
    return (
        count / weights * moran / square,
        (count - 1) / (2 * weights) * geary / square,
    )


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
    count = half[2] + 1
    sums = np.zeros(3)
    parts = 1 if 4 * half[0] * half[1] * count < _SMALL else _PARTS
    for part in range(parts):
        columns = slice(count * part // parts, count * (part + 1) // parts)
        rows = _along_rows(field, inside, half, columns)
        twice = np.full(columns.stop - columns.start, 2.0)  # a column and its conjugate
        if part == 0:
            twice[0] = 1.0
        if columns.stop == count:
            twice[-1] = 1.0
        sums += _products(rows, kernel[:, :, columns], half, twice)
    weights, moran, crossed = sums / (8.0 * half[0] * half[1] * half[2])
    return weights, moran, 2 * (crossed - moran)


def _kernel(half: list[int], spacing_mm: tuple[float, ...]) -> NDArray[np.float32]:
    z, y, x = (
        (np.arange(side + 1, dtype=np.float32) * np.float32(step)) ** 2
        for side, step in zip(half, spacing_mm, strict=True)
    )
    away = z[:, None, None] + y[None, :, None] + x[None, None, :]
    away[0, 0, 0] = np.inf
    np.sqrt(away, out=away)
    np.reciprocal(away, out=away)
    kernel: NDArray[np.float32] = fft.dctn(away, type=1, overwrite_x=True)
    return kernel


def _along_rows(
    field: NDArray[np.float32], inside: NDArray[Any], half: list[int], columns: slice
) -> NDArray[np.complex64]:
    """Transforms along x and y of z, the mask and z^2, some columns of the spectrum, plane-wise."""
    slices, rows, _ = field.shape
    width = columns.stop - columns.start
    out = np.empty((3, slices, 2 * half[1], width), dtype=np.complex64)
    step = max(1, _SMALL // (6 * rows * half[2]))
    for k in range(0, slices, step):
        some = slice(k, k + step)
        planes = np.stack([field[some], inside[some].astype(np.float32), field[some] ** 2])
        spectrum = fft.rfft(planes, 2 * half[2], axis=3)[..., columns]
        out[:, some] = fft.fft(spectrum, 2 * half[1], axis=2)
    return out


def _products(
    rows: NDArray[np.complex64], kernel: NDArray[np.float32], half: list[int], twice: FloatArray
) -> FloatArray:
    """Sum of kernel times mask mask', z z' and mask z^2' over one part of the spectrum."""
    sums = np.zeros(3)
    chunk = max(1, (1 << 18) // (2 * half[0] * rows.shape[3]))
    for start in range(0, 2 * half[1], chunk):
        block = fft.fft(rows[:, :, start : start + chunk], 2 * half[0], axis=1)
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
                a, m, s = block[0, k, n, x], block[1, k, n, x], block[2, k, n, x]
                out[0] += w * (m.real * m.real + m.imag * m.imag)
                out[1] += w * (a.real * a.real + a.imag * a.imag)
                out[2] += w * (m.real * s.real + m.imag * s.imag)
    return out
