"""Values of one grid at the voxel centres of another, a few planes at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from onkos.core.errors import GeometryError
from onkos.core.geometry import AnyArray, FloatArray, Geometry

_POINTS_AT_ONCE = 1 << 20
_EDGE = 1e-6  # voxels: rounding of the affines must not push an edge voxel outside


def planes(source: Geometry, target: Geometry) -> Iterator[tuple[slice, FloatArray]]:
    """Yield (block of the target's last axis, source indices of its voxel centres).

    The indices have shape (n, *block shape). Memory stays bounded whatever the grids' size.
    """
    if source.ndim != target.ndim:
        raise GeometryError(
            f"a grid of {source.ndim} axes cannot be brought onto one of {target.ndim}"
        )
    across = np.linalg.inv(source.axes_mm) @ target.axes_mm
    shift = source.to_index(target.origin_mm)
    *sides, last = target.shape
    step = max(1, _POINTS_AT_ONCE // int(np.prod(sides)))
    axes = [np.arange(side, dtype=np.float64) for side in sides]
    for start in range(0, last, step):
        block = slice(start, min(start + step, last))
        steps = [*axes, np.arange(block.start, block.stop, dtype=np.float64)]
        grid = np.meshgrid(*steps, indexing="ij", sparse=True)
        yield (
            block,
            np.stack(
                [
                    sum(across[row, axis] * grid[axis] for axis in range(source.ndim)) + shift[row]
                    for row in range(source.ndim)
                ]
            ),
        )


def sample_nearest(data: AnyArray, points: FloatArray) -> AnyArray:
    """Value of the voxel each point lies in; 0 outside. Ties go to the higher index."""
    nearest = np.floor(points + 0.5 + _EDGE).astype(np.intp)
    inside = np.ones(nearest.shape[1:], dtype=bool)
    for axis, side in enumerate(data.shape):
        inside &= (nearest[axis] >= 0) & (nearest[axis] < side)
        np.clip(nearest[axis], 0, side - 1, out=nearest[axis])
    values = data[tuple(nearest)]
    return np.where(inside, values, np.zeros(1, dtype=data.dtype))


def sample_linear(data: AnyArray, points: FloatArray, *, outside: float) -> FloatArray:
    """Multilinear interpolation between voxel centres; ``outside`` beyond the outermost ones."""
    inside = np.ones(points.shape[1:], dtype=bool)
    low: list[AnyArray] = []
    high: list[AnyArray] = []
    part: list[FloatArray] = []
    for axis, side in enumerate(data.shape):
        x = points[axis]
        inside &= (x >= -_EDGE) & (x <= side - 1 + _EDGE)
        x = np.clip(x, 0, side - 1)
        floor = np.minimum(x.astype(np.intp), max(side - 2, 0))
        low.append(floor)
        high.append(np.minimum(floor + 1, side - 1))
        part.append(x - floor)
    total = np.zeros(points.shape[1:], dtype=np.float64)
    for corner in range(2**data.ndim):
        ends = [(corner >> axis) & 1 for axis in range(data.ndim)]
        weight = np.ones(points.shape[1:], dtype=np.float64)
        for axis, end in enumerate(ends):
            weight *= part[axis] if end else 1.0 - part[axis]
        index = tuple(high[axis] if end else low[axis] for axis, end in enumerate(ends))
        total += weight * data[index]
    return np.where(inside, total, outside)
