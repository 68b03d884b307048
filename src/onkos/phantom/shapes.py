"""Shapes as signed depth in millimetres on a grid: positive inside, negative outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Field = NDArray[np.float32]
Weights = tuple[np.float32, ...]
Points = tuple[Field, Field, Field]
Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadGrid:
    """Regular grid in head coordinates: millimetres left, posterior, superior of the centre.

    Parameters
    ----------
    low_mm
        First point.
    step_mm
        Distance between neighbouring points, equal along all axes.
    shape
        Points along each axis.
    """

    low_mm: Vector
    step_mm: float
    shape: tuple[int, int, int]

    @classmethod
    def between(cls, low_mm: Vector, high_mm: Vector, *, step_mm: float) -> HeadGrid:
        """Build the grid that reaches from one corner to (at least) the other."""
        sides = [
            int(np.ceil((high - low) / step_mm)) + 1
            for low, high in zip(low_mm, high_mm, strict=True)
        ]
        return cls(low_mm=low_mm, step_mm=step_mm, shape=(sides[0], sides[1], sides[2]))

    @property
    def points(self) -> Points:
        """Coordinates along each axis, shaped to broadcast against one another."""
        axes: list[Field] = [
            (low + self.step_mm * np.arange(side)).astype(np.float32)
            for low, side in zip(self.low_mm, self.shape, strict=True)
        ]
        return axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]

    @property
    def point_ml(self) -> float:
        """Volume that one point stands for, in millilitres."""
        return self.step_mm**3 / 1000.0


def ellipsoid(points: Points, centre: Vector, semi_axes: Vector) -> Field:
    """Depth below the surface of an ellipsoid, exact to first order."""
    scaled = [
        (x - np.float32(c)) / np.float32(a)
        for x, c, a in zip(points, centre, semi_axes, strict=True)
    ]
    radius = np.sqrt(sum(x * x for x in scaled))
    slope = np.sqrt(sum((x / np.float32(a)) ** 2 for x, a in zip(scaled, semi_axes, strict=True)))
    tiny = np.float32(1e-6)  # avoids division by zero at the centre
    depth = (1 - radius) * (radius + tiny) / (slope + tiny / np.float32(np.mean(semi_axes)))
    return np.asarray(depth, dtype=np.float32)


def smooth_min(a: Field, b: Field, *, round_mm: float) -> Field:
    """Intersection of two shapes with a rounded edge."""
    overlap = np.maximum(np.float32(round_mm) - np.abs(a - b), 0)
    joined: Field = np.minimum(a, b) - overlap * overlap / np.float32(4 * round_mm)
    return joined


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waves:
    """Smooth random field of unit variance: a sum of plane waves of similar wavelength.

    It can be evaluated anywhere, and its gradient is known.

    Parameters
    ----------
    vectors
        (n, 3) wave vectors, radians per millimetre.
    phases
        (n,) phases.
    """

    vectors: Field
    phases: Field

    @classmethod
    def draw(cls, rng: np.random.Generator, *, length_mm: float, count: int = 32) -> Waves:
        """Draw waves of about ``length_mm`` in all directions."""
        towards = rng.normal(size=(count, 3))
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        lengths = length_mm * rng.uniform(0.8, 1.25, size=(count, 1))
        return cls(
            vectors=np.asarray(2 * np.pi / lengths * towards, dtype=np.float32),
            phases=rng.uniform(0, 2 * np.pi, count).astype(np.float32),
        )

    def on(self, grid: HeadGrid) -> Field:
        """Values on a grid."""
        return self._evaluate(grid)[0]

    def distance_on(self, grid: HeadGrid) -> Field:
        """Distance to the nearest zero of the field in mm, exact to first order."""
        values, slopes = self._evaluate(grid)
        distance: Field = np.abs(values) / (slopes + np.float32(1e-3))
        return distance

    def _evaluate(self, grid: HeadGrid) -> tuple[Field, Field]:
        low = np.asarray(grid.low_mm, dtype=np.float32)
        values = np.empty(grid.shape, dtype=np.float32)
        slopes = np.empty(grid.shape, dtype=np.float32)
        _sum_waves(self.vectors, self.phases, low, np.float32(grid.step_mm), values, slopes)
        return values, slopes


@njit(parallel=True, cache=True, fastmath=True)
def _sum_waves(
    vectors: Field, phases: Field, low: Field, step: np.float32, values: Field, slopes: Field
) -> None:
    """Sum cosines along each line of the grid by the rotation recurrence of each wave."""
    n = len(phases)
    scale = np.float32(np.sqrt(2.0 / n))
    turn_cos, turn_sin = np.cos(vectors[:, 2] * step), np.sin(vectors[:, 2] * step)
    for i in prange(values.shape[0]):
        x = low[0] + step * i
        for j in range(values.shape[1]):
            y = low[1] + step * j
            phase = vectors[:, 0] * x + vectors[:, 1] * y + vectors[:, 2] * low[2] + phases
            c, s = np.cos(phase), np.sin(phase)
            for k in range(values.shape[2]):
                total = np.float32(0)
                gx, gy, gz = np.float32(0), np.float32(0), np.float32(0)
                for w in range(n):
                    total += c[w]
                    gx += s[w] * vectors[w, 0]
                    gy += s[w] * vectors[w, 1]
                    gz += s[w] * vectors[w, 2]
                    c_next = c[w] * turn_cos[w] - s[w] * turn_sin[w]
                    s[w] = s[w] * turn_cos[w] + c[w] * turn_sin[w]
                    c[w] = c_next
                values[i, j, k] = scale * total
                slopes[i, j, k] = scale * np.sqrt(gx * gx + gy * gy + gz * gz)


Tube = Sequence[tuple[float, float, float, float]]  # x, y, z and radius of its nodes, mm

_TUBE_REACH_MM = 6.0


def tubes(grid: HeadGrid, lines: Sequence[Tube]) -> Field:
    """Depth inside any of several tapering tubes; at least -6 mm outside."""
    depth = np.full(grid.shape, -_TUBE_REACH_MM, dtype=np.float32)
    low = np.asarray(grid.low_mm, dtype=np.float32)
    for line in lines:
        nodes = np.asarray(line, dtype=np.float32)
        for start, end in pairwise(nodes):
            _add_segment(depth, low, np.float32(grid.step_mm), start, end)
    return depth


@njit(cache=True, fastmath=True)
def _add_segment(depth: Field, low: Field, step: np.float32, start: Field, end: Field) -> None:
    first, last = np.zeros(3, np.int64), np.zeros(3, np.int64)
    reach = max(start[3], end[3]) + np.float32(_TUBE_REACH_MM)
    for axis in range(3):
        a = (min(start[axis], end[axis]) - reach - low[axis]) / step
        b = (max(start[axis], end[axis]) + reach - low[axis]) / step
        first[axis] = max(0, int(np.floor(a)))
        last[axis] = min(depth.shape[axis], int(np.ceil(b)) + 1)
    along = end[:3] - start[:3]
    length2 = max(np.float32(1e-6), along[0] ** 2 + along[1] ** 2 + along[2] ** 2)
    for i in range(first[0], last[0]):
        x = low[0] + step * i - start[0]
        for j in range(first[1], last[1]):
            y = low[1] + step * j - start[1]
            for k in range(first[2], last[2]):
                z = low[2] + step * k - start[2]
                t = (x * along[0] + y * along[1] + z * along[2]) / length2
                t = min(max(t, np.float32(0)), np.float32(1))
                dx, dy, dz = x - t * along[0], y - t * along[1], z - t * along[2]
                radius = start[3] + t * (end[3] - start[3])
                inside = radius - np.sqrt(dx * dx + dy * dy + dz * dz)
                depth[i, j, k] = max(depth[i, j, k], inside)


@njit(inline="always")
def cell(x: float, y: float, z: float) -> tuple[int, int, int]:
    """Lowest corner of the grid cell that a point (in steps) lies in."""
    return int(x), int(y), int(z)


@njit(inline="always")
def corners(x: float, y: float, z: float) -> Weights:
    """Trilinear interpolation weights of the eight corners of a cell."""
    one = np.float32(1)
    u, v, w = x - np.float32(int(x)), y - np.float32(int(y)), z - np.float32(int(z))
    near, far = (one - v, v), (one - w, w)
    return (
        (one - u) * near[0] * far[0],
        (one - u) * near[0] * far[1],
        (one - u) * near[1] * far[0],
        (one - u) * near[1] * far[1],
        u * near[0] * far[0],
        u * near[0] * far[1],
        u * near[1] * far[0],
        u * near[1] * far[1],
    )


@njit(inline="always")
def sample(stack: Field, low: tuple[int, int, int], weights: Weights, n: int) -> float:
    """Interpolated value of field ``n`` of a stack (x, y, z, n)."""
    a, b, c = low
    value: float = (
        weights[0] * stack[a, b, c, n]
        + weights[1] * stack[a, b, c + 1, n]
        + weights[2] * stack[a, b + 1, c, n]
        + weights[3] * stack[a, b + 1, c + 1, n]
        + weights[4] * stack[a + 1, b, c, n]
        + weights[5] * stack[a + 1, b, c + 1, n]
        + weights[6] * stack[a + 1, b + 1, c, n]
        + weights[7] * stack[a + 1, b + 1, c + 1, n]
    )
    return value


def displaced(field: Field, shift: Points, *, step_mm: float) -> Field:
    """Field warped by a displacement: its value at x is the given field's at x - shift(x)."""
    out = np.empty_like(field)
    _displace(field, *shift, np.float32(step_mm), out)
    return out


@njit(parallel=True, cache=True, fastmath=True)
def _displace(
    field: Field, shift_x: Field, shift_y: Field, shift_z: Field, step: np.float32, out: Field
) -> None:
    nx, ny, nz = field.shape
    stack = field.reshape((nx, ny, nz, 1))
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                x = min(max(i - shift_x[i, j, k] / step, np.float32(0)), np.float32(nx - 1.001))
                y = min(max(j - shift_y[i, j, k] / step, np.float32(0)), np.float32(ny - 1.001))
                z = min(max(k - shift_z[i, j, k] / step, np.float32(0)), np.float32(nz - 1.001))
                out[i, j, k] = sample(stack, cell(x, y, z), corners(x, y, z), 0)
