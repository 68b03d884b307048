"""Convex hull of a mask's surface, and minimum bounding box and ellipsoid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

FloatArray = NDArray[np.float64]

_ELLIPSOID_ROUNDS = 2000
_ELLIPSOID_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hull:
    """Convex hull of the surface mesh: corners (n, 3) in mm along z, y, x, volume and area."""

    corners: FloatArray
    volume: float
    area: float

    @property
    def diameter(self) -> float:
        """Maximum distance between two points of the surface, in mm."""
        return float(_diameter(self.corners))

    def smallest_box(self, starts: FloatArray) -> FloatArray:
        """Sides (mm) of the approximate minimum oriented bounding box.

        From each start (sets of three orthogonal directions, (n, 3, 3) in rows) the box is
        rotated about one of its axes at a time to the minimum rectangle, until it no longer
        changes. That is Chan and Tan's approximation; the true minimum may be slightly smaller.

        References
        ----------
        Chan CK, Tan ST. Determination of the minimum bounding box of an arbitrary solid: an
        iterative approach. Comput Struct 2001;79:1433-1449. doi:10.1016/S0045-7949(01)00046-3
        """
        boxes = [_turned_box(self.corners, np.ascontiguousarray(start)) for start in starts]
        return np.asarray(min(boxes, key=lambda sides: sides.prod()))

    def smallest_ellipsoid(self) -> FloatArray:
        """Semi-axes (mm, longest first) of the minimum enclosing ellipsoid, to 1e-4.

        References
        ----------
        Todd MJ, Yildirim EA. On Khachiyan's algorithm for the computation of minimum-volume
        enclosing ellipsoids. Discrete Appl Math 2007;155:1731-1744.
        doi:10.1016/j.dam.2007.02.013
        """
        axes: FloatArray = _ellipsoid(self.corners, _ELLIPSOID_ROUNDS, _ELLIPSOID_TOLERANCE)
        return axes


def hull(outline: NDArray[np.uint8], spacing_mm: tuple[float, ...]) -> Hull:
    """Hull of the mesh of a mask of 0 and 1 with a border of zeros, (z, y, x)."""
    ends = _extremes(outline)
    for axis in (2, 1):  # those within their plane of z are left; now of x and y
        ends = _corners_across(ends[np.lexsort(ends.T[[axis - 2, axis - 1, axis]])], axis)
    points = ends / 2.0 * np.asarray(spacing_mm)
    found = ConvexHull(points)
    return Hull(corners=points[found.vertices], volume=found.volume, area=found.area)


@njit(cache=True, nogil=True)
def _extremes(outline: Any) -> Any:  # pragma: no cover
    """Points of the mesh that are corners within their plane of z, in half voxels, (n, 3).

    A point of the mesh lies half way between a voxel inside and a neighbour outside. In every
    row of such a plane only the first and the last can be a corner.
    """
    slices, rows, columns = outline.shape
    first = np.empty(2 * rows, dtype=np.int64)
    last = np.empty(2 * rows, dtype=np.int64)
    out = np.empty((8 * slices * rows, 3), dtype=np.int64)
    n = 0
    for plane in range(2 * slices - 1):
        z = plane // 2
        first[:], last[:] = 1 << 40, -1
        for y in range(rows - 1):
            for x in range(columns - 1):
                mine = outline[z, y, x]
                if plane % 2:
                    if mine != outline[z + 1, y, x]:
                        _widen(first, last, 2 * y, 2 * x)
                else:
                    if mine != outline[z, y, x + 1]:
                        _widen(first, last, 2 * y, 2 * x + 1)
                    if mine != outline[z, y + 1, x]:
                        _widen(first, last, 2 * y + 1, 2 * x)
        n = _corners(first, -1, plane, out, n)
        n = _corners(last, 1, plane, out, n)
    return out[:n]


@njit(cache=True, nogil=True)
def _widen(first: Any, last: Any, row: int, place: int) -> None:  # pragma: no cover
    first[row] = min(first[row], place)
    last[row] = max(last[row], place)


@njit(cache=True, nogil=True)
def _corners(ends: Any, side: int, plane: int, out: Any, start: int) -> int:  # pragma: no cover
    """Keep the ends of rows where the outline turns (a monotone chain), after ``start``."""
    n = start
    for row in range(len(ends)):
        place = ends[row]
        if place < 0 or place >= 1 << 40:
            continue
        while n - start >= 2:
            a, b = out[n - 2], out[n - 1]
            turn = (b[1] - a[1]) * (place - a[2]) - (row - a[1]) * (b[2] - a[2])
            if side * turn < 0:
                break
            n -= 1
        out[n, 0], out[n, 1], out[n, 2] = plane, row, place
        n += 1
    return n


@njit(cache=True, nogil=True)
def _corners_across(points: Any, axis: int) -> Any:  # pragma: no cover
    """Of points sorted by plane of an axis, then within it, the corners of each plane's hull."""
    b, c = axis - 1, axis - 2
    kept = np.zeros(len(points), dtype=np.bool_)
    chain = np.empty(len(points), dtype=np.int64)
    start = 0
    while start < len(points):
        stop = start
        while stop < len(points) and points[stop, axis] == points[start, axis]:
            stop += 1
        for side in (-1, 1):
            n = 0
            for here in range(start, stop):
                while n >= 2:
                    p, q, r = points[chain[n - 2]], points[chain[n - 1]], points[here]
                    turn = (q[b] - p[b]) * (r[c] - p[c]) - (r[b] - p[b]) * (q[c] - p[c])
                    if side * turn < 0:
                        break
                    n -= 1
                chain[n] = here
                n += 1
            for k in range(n):
                kept[chain[k]] = True
        start = stop
    return points[kept]


@njit(cache=True, nogil=True)
def _diameter(points: Any) -> float:  # pragma: no cover
    most = 0.0
    for a in range(len(points)):
        for b in range(a):
            apart = (
                (points[a, 0] - points[b, 0]) ** 2
                + (points[a, 1] - points[b, 1]) ** 2
                + (points[a, 2] - points[b, 2]) ** 2
            )
            most = max(most, apart)
    return math.sqrt(most)


@njit(cache=True, nogil=True)
def _turned_box(points: Any, axes: Any) -> Any:  # pragma: no cover
    placed = points @ axes.T
    sides = _extent(placed)
    least = sides
    for _ in range(20):
        changed = False
        for axis in range(3):
            b, c = (axis + 1) % 3, (axis + 2) % 3
            angle = _best_turn(placed[:, b], placed[:, c])
            cosine, sine = math.cos(angle), math.sin(angle)
            turned = placed.copy()
            turned[:, b] = cosine * placed[:, b] + sine * placed[:, c]
            turned[:, c] = cosine * placed[:, c] - sine * placed[:, b]
            sides = _extent(turned)
            if sides[0] * sides[1] * sides[2] < least[0] * least[1] * least[2] * (1 - 1e-9):
                least, placed, changed = sides, turned, True
        if not changed:
            break
    return least


@njit(cache=True, nogil=True)
def _extent(points: Any) -> Any:  # pragma: no cover
    sides = np.empty(3)
    for axis in range(3):
        sides[axis] = points[:, axis].max() - points[:, axis].min()
    return sides


@njit(cache=True, nogil=True)
def _best_turn(x: Any, y: Any) -> float:  # pragma: no cover
    """Angle of the rectangle of least area around points of a plane: it lies along a hull edge."""
    chain = _chain(x, y)
    n = len(chain)
    best, angle = np.inf, 0.0
    for k in range(n):
        a, b = chain[k], chain[(k + 1) % n]
        dx, dy = x[b] - x[a], y[b] - y[a]
        length = math.hypot(dx, dy)
        if length == 0:
            continue
        dx, dy = dx / length, dy / length
        low, high, far = np.inf, -np.inf, 0.0
        for m in range(n):
            along = dx * x[chain[m]] + dy * y[chain[m]]
            low, high = min(low, along), max(high, along)
            far = max(far, abs(dx * (y[chain[m]] - y[a]) - dy * (x[chain[m]] - x[a])))
        if (high - low) * far < best:
            best, angle = (high - low) * far, math.atan2(dy, dx)
    return angle


@njit(cache=True, nogil=True)
def _chain(x: Any, y: Any) -> Any:  # pragma: no cover
    """Indices of the corners of the planar hull, in order (Andrew's monotone chain)."""
    order = np.argsort(x + 1e-9 * y)
    chain = np.empty(2 * len(x) + 1, dtype=np.int64)
    n = 0
    for sweep in range(2):
        floor = n + 1 if sweep else 2
        for k in range(len(order)):
            here = order[k] if sweep == 0 else order[len(order) - 1 - k]
            while n >= floor:
                a, b = chain[n - 2], chain[n - 1]
                turn = (x[b] - x[a]) * (y[here] - y[a]) - (y[b] - y[a]) * (x[here] - x[a])
                if turn > 0:
                    break
                n -= 1
            chain[n] = here
            n += 1
        n -= 1
    return chain[: max(n, 1)]


@njit(cache=True, nogil=True)
def _ellipsoid(points: Any, rounds: int, tolerance: float) -> Any:  # pragma: no cover
    """Frank-Wolfe steps towards the farthest point and away from the nearest supporting one.

    ``far`` holds each point's squared distance under the current ellipsoid (4 on average) and is
    updated with the inverse at each step.
    """
    count = len(points)
    lifted = np.ones((count, 4))
    for axis in range(3):
        lifted[:, axis] = points[:, axis] - points[:, axis].mean()
    weights = np.full(count, 1.0 / count)
    inverse, far = _restart(lifted, weights)
    for turn in range(1, rounds + 1):
        if turn % 50 == 0:
            inverse, far = _restart(lifted, weights)
        out, back = 0, -1
        for n in range(count):
            if far[n] > far[out]:
                out = n
            if weights[n] > 1e-12 and (back < 0 or far[n] < far[back]):
                back = n
        if far[out] / 4 - 1 < tolerance:
            break
        chosen = out if far[out] / 4 - 1 >= 1 - far[back] / 4 else back
        step = (far[chosen] - 4) / (4 * (far[chosen] - 1)) if far[chosen] > 1 else -1.0
        step = max(step, -weights[chosen] / (1 - weights[chosen]))
        ratio = step / (1 - step)
        part = ratio / (1 + ratio * far[chosen])
        lean = (inverse * lifted[chosen]).sum(axis=1)
        for n in range(count):
            across = (
                lean[0] * lifted[n, 0] + lean[1] * lifted[n, 1] + lean[2] * lifted[n, 2] + lean[3]
            )
            far[n] = (far[n] - part * across * across) / (1 - step)
            weights[n] *= 1 - step
        inverse = (inverse - part * np.outer(lean, lean)) / (1 - step)
        weights[chosen] = max(weights[chosen] + step, 0.0)
    return _around(lifted, weights)


@njit(cache=True, nogil=True)
def _restart(lifted: Any, weights: Any) -> Any:  # pragma: no cover
    moment = np.zeros((4, 4))
    for n in range(len(lifted)):
        for a in range(4):
            for b in range(4):
                moment[a, b] += weights[n] * lifted[n, a] * lifted[n, b]
    inverse = np.linalg.inv(moment)
    far = np.empty(len(lifted))
    for n in range(len(lifted)):
        total = 0.0
        for a in range(4):
            for b in range(4):
                total += inverse[a, b] * lifted[n, a] * lifted[n, b]
        far[n] = total
    return inverse, far


@njit(cache=True, nogil=True)
def _around(lifted: Any, weights: Any) -> Any:  # pragma: no cover
    """Semi-axes of the ellipsoid of these weights, grown until it holds every point."""
    middle, spread = np.zeros(3), np.zeros((3, 3))
    for n in range(len(lifted)):
        for a in range(3):
            middle[a] += weights[n] * lifted[n, a]
    for n in range(len(lifted)):
        for a in range(3):
            for b in range(3):
                away = (lifted[n, a] - middle[a]) * (lifted[n, b] - middle[b])
                spread[a, b] += weights[n] * away
    inverse, reach = np.linalg.inv(spread), 0.0
    for n in range(len(lifted)):
        total = 0.0
        for a in range(3):
            for b in range(3):
                total += inverse[a, b] * (lifted[n, a] - middle[a]) * (lifted[n, b] - middle[b])
        reach = max(reach, total)
    return np.sqrt(np.linalg.eigvalsh(spread) * reach)[::-1].copy()
