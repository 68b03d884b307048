"""Morphological features of a region."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from onkos.features.radiomics.cells import mesh_size
from onkos.features.radiomics.hull import Hull, hull

FloatArray = NDArray[np.float64]

_LEGENDRE = 20  # terms of the series for an ellipsoid's area, as IBSI takes


def morphology(
    outline: NDArray[np.uint8], spacing_mm: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Shape features without intensities, and the region's centroid.

    Parameters
    ----------
    outline
        (z, y, x) mask of 0 and 1 with a border of zeros.
    spacing_mm
        Steps along z, y, x.

    Returns
    -------
    tuple
        26 features in the catalogue's order (the 10th, the shift of the centre of mass, is left
        NaN; so are ratios of axes of no length); the centroid in mm, (3,).
    """
    volume, area = mesh_size(outline, spacing_mm)
    count, centroid, covariance = _moments(outline, spacing_mm)
    variances, axes = np.linalg.eigh(covariance)
    variances = np.maximum(variances[::-1], 0.0)
    variances[variances < 1e-12 * max(variances[0], 1e-300)] = 0.0
    around = hull(outline, spacing_mm)
    lengths = 4 * np.sqrt(variances)
    ratios = lengths[1:] / lengths[0] if lengths[0] > 0 else np.full(2, math.nan)
    form = 36 * math.pi * volume**2
    return np.array(
        [
            volume,
            count * math.prod(spacing_mm),
            area,
            area / volume,
            volume / math.sqrt(math.pi * area**3),
            form / area**3,
            area / form ** (1 / 3),
            form ** (1 / 3) / area,
            (area**3 / form) ** (1 / 3) - 1,
            math.nan,
            around.diameter,
            *lengths,
            *ratios,
            *_densities(volume, area, (around, lengths / 2, axes.T)),
        ]
    ), centroid


def _densities(
    volume: float, area: float, around: tuple[Hull, FloatArray, FloatArray]
) -> list[float]:
    """Volume and area densities: ratios to boxes, ellipsoids and the convex hull."""
    hulled, semi_axes, axes = around
    upright = np.ptp(hulled.corners, axis=0)
    turned = hulled.smallest_box(np.stack([np.eye(3), axes]))
    sizes = [
        _box(upright),
        _box(turned),
        _ellipsoid(semi_axes),
        _ellipsoid(hulled.smallest_ellipsoid()),
        (hulled.volume, hulled.area),
    ]
    return [
        part / whole if whole > 0 else math.nan
        for size in sizes
        for part, whole in zip((volume, area), size, strict=True)
    ]


def _box(sides: FloatArray) -> tuple[float, float]:
    a, b, c = (float(side) for side in sides)
    return a * b * c, 2 * (a * b + b * c + c * a)


def _ellipsoid(semi_axes: FloatArray) -> tuple[float, float]:
    """Volume and area, the latter by IBSI's series of Legendre polynomials; 0 where it is flat.

    The series is the manual's, which the reference values need. It is exact for a sphere and
    smaller than the true area elsewhere (12 % for axes of 3, 2, 2), because its eccentricities
    are taken from the longest axis instead of the shortest.
    """
    a, b, c = (float(axis) for axis in semi_axes)
    if c <= 0:
        return 0.0, 0.0
    alpha, beta = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    half, product = (alpha + beta) / 2, alpha * beta
    before, term, total = 0.0, 1.0, 0.0  # (alpha beta)^(n/2) P_n, which is finite for a sphere
    for n in range(_LEGENDRE + 1):
        total += term / (1 - 4 * n**2)
        before, term = term, ((2 * n + 1) * half * term - n * product * before) / (n + 1)
    return 4 / 3 * math.pi * a * b * c, 4 * math.pi * a * b * total


def centre_shift(
    image: NDArray[Any],
    inside: NDArray[np.bool_],
    centroid: FloatArray,
    spacing_mm: tuple[float, ...],
) -> float:
    """Distance (mm) between the centroid and the centre weighted by intensity; NaN if none.

    ``centroid`` is that of the mask with its border, ``image`` and ``inside`` lie within it.
    """
    total, *sums = _weighted_sums(image, inside)
    if total == 0:
        return math.nan
    centre = (np.array(sums) / total + 1) * np.asarray(spacing_mm)
    return float(np.linalg.norm(centre - centroid))


def _moments(
    outline: NDArray[np.uint8], spacing_mm: tuple[float, ...]
) -> tuple[float, FloatArray, FloatArray]:
    sums = _place_sums(outline)
    count = float(sums[0])
    steps = np.asarray(spacing_mm)
    mean = sums[1:4] / count
    upper = np.zeros((3, 3))
    upper[np.triu_indices(3)] = sums[4:] / count
    second = upper + np.triu(upper, 1).T
    unbiased = count / max(count - 1, 1)
    covariance = (second - np.outer(mean, mean)) * np.outer(steps, steps) * unbiased
    return count, mean * steps, covariance


@njit(cache=True, nogil=True)
def _place_sums(outline: Any) -> Any:  # pragma: no cover
    """Count, sums of z, y, x, and of their products zz zy zx yy yx xx."""
    out = np.zeros(10)
    for z in range(outline.shape[0]):
        for y in range(outline.shape[1]):
            n, first, second = 0, 0, 0
            for x in range(outline.shape[2]):
                if outline[z, y, x]:
                    n += 1
                    first += x
                    second += x * x
            out[0] += n
            out[1] += n * z
            out[2] += n * y
            out[3] += first
            out[4] += n * z * z
            out[5] += n * z * y
            out[6] += z * first
            out[7] += n * y * y
            out[8] += y * first
            out[9] += second
    return out


@njit(cache=True, nogil=True)
def _weighted_sums(image: Any, inside: Any) -> Any:  # pragma: no cover
    total, by_z, by_y, by_x = 0.0, 0.0, 0.0, 0.0
    for z in range(image.shape[0]):
        for y in range(image.shape[1]):
            row, along = 0.0, 0.0
            for x in range(image.shape[2]):
                if inside[z, y, x]:
                    row += image[z, y, x]
                    along += np.float64(image[z, y, x]) * x
            total += row
            by_z += row * z
            by_y += row * y
            by_x += along
    return total, by_z, by_y, by_x
