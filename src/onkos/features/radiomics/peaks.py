"""Local and global intensity peak: maximum of the mean within a sphere of 1 cm^3."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from onkos.features.threads import each, slabs

RADIUS_MM = 10.0 * (3 / (4 * math.pi)) ** (1 / 3)


def reach(spacing_mm: tuple[float, ...]) -> tuple[int, ...]:
    """How many voxels beyond a region the sphere needs along each axis."""
    return tuple(int(RADIUS_MM / step + 1e-9) for step in spacing_mm)


def peaks(
    image: NDArray[Any],
    inside: NDArray[np.bool_],
    corner: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    *,
    threads: int,
) -> tuple[float, float]:
    """Local and global intensity peak.

    The local peak is the mean around the brightest voxel (the highest of them, if several are
    equally bright), the global peak the greatest mean around any voxel of the region. The
    sphere takes in voxels outside the region, never outside the image.

    Parameters
    ----------
    image
        (z, y, x) intensities, the region and as much around it as :func:`reach` says.
    inside
        (z, y, x) mask of the region, whose first voxel is ``corner`` of the image.
    """
    block = tuple(slice(a, a + n) for a, n in zip(corner, inside.shape, strict=True))
    brightest = np.max(image[block], where=inside, initial=-np.inf)
    ball = _rows(spacing_mm)

    def part(start: int, stop: int) -> Any:
        return _peaks(image, inside, (*corner, start, stop), ball, brightest)

    parts = slabs(inside.shape[0], parts=threads if inside.size > 1 << 18 else 1)
    found = np.array(each(part, parts, threads=threads))
    local, highest = found.max(axis=0)
    return float(local), float(highest)


def _rows(spacing_mm: tuple[float, ...]) -> NDArray[np.int64]:
    """The sphere as rows along x, (n, 3): offset in z and y, half length."""
    rows = []
    far_z, far_y, _ = reach(spacing_mm)
    for dz in range(-far_z, far_z + 1):
        for dy in range(-far_y, far_y + 1):
            left = RADIUS_MM**2 - (dz * spacing_mm[0]) ** 2 - (dy * spacing_mm[1]) ** 2
            if left >= 0:
                rows.append((dz, dy, int(math.sqrt(left) / spacing_mm[2] + 1e-9)))
    return np.array(rows, dtype=np.int64)


@njit(cache=True, nogil=True)
def _peaks(
    image: Any, inside: Any, place: Any, ball: Any, brightest: Any
) -> Any:  # pragma: no cover
    """Peaks over planes start to stop of the region, from sums along rows."""
    oz, oy, ox, start, stop = place
    slices, rows, columns = image.shape
    local, highest = -np.inf, -np.inf
    deep = ball[:, 0].max()
    ring = np.zeros((2 * deep + 1, rows, columns + 1))
    loaded = max(0, oz + start - deep)
    total, number = np.empty(inside.shape[2]), np.empty(inside.shape[2])
    for z in range(start, stop):
        while loaded <= min(slices - 1, oz + z + deep):
            _summed(image[loaded], ring[loaded % len(ring)])
            loaded += 1
        for y in range(inside.shape[1]):
            first, last = _ends(inside[z, y])
            if last < 0:
                continue
            width = last + 1 - first
            _around(ring, (oz + z, oy + y, ox + first), ball, total[:width], number[:width], slices)
            for x in range(first, last + 1):
                if inside[z, y, x]:
                    mean = total[x - first] / number[x - first]
                    highest = max(highest, mean)
                    if image[oz + z, oy + y, ox + x] == brightest:
                        local = max(local, mean)
    return local, highest


@njit(cache=True, nogil=True)
def _around(
    ring: Any, place: Any, ball: Any, total: Any, number: Any, slices: int
) -> None:  # pragma: no cover
    """Sum and number of voxels in the sphere around a row of voxels that begins at ``place``."""
    z, y, x = place
    columns, wide = ring.shape[2] - 1, ball[:, 2].max()
    whole = x >= wide and x + len(total) + wide <= columns
    total[:], number[:] = 0.0, 0.0
    for n in range(len(ball)):
        at, row, half = z + ball[n, 0], y + ball[n, 1], ball[n, 2]
        if at < 0 or at >= slices or row < 0 or row >= ring.shape[1]:
            continue
        sums = ring[at % len(ring), row]
        if whole:
            low, high = sums[x - half :], sums[x + half + 1 :]
            for k in range(len(total)):
                total[k] += high[k] - low[k]
            number += 2 * half + 1
        else:
            for k in range(len(total)):
                a, b = max(x + k - half, 0), min(x + k + half + 1, columns)
                total[k] += sums[b] - sums[a]
                number[k] += b - a


@njit(cache=True, nogil=True)
def _summed(plane: Any, out: Any) -> None:  # pragma: no cover
    for y in range(plane.shape[0]):
        running = 0.0
        for x in range(plane.shape[1]):
            running += plane[y, x]
            out[y, x + 1] = running


@njit(cache=True, nogil=True)
def _ends(row: Any) -> Any:  # pragma: no cover
    first, last = len(row), -1
    for x in range(len(row)):
        if row[x]:
            first, last = min(first, x), x
    return first, last
