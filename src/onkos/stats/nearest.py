"""Distance from each element of one surface to the nearest of another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from onkos.core.geometry import FloatArray
from onkos.stats.elements import Indices

COLUMNS = 400  # looked at around each element before the tree is asked
GLANCE = 30  # columns after which a point that seems far is left to the tree
SQUARE = 1e-9  # cosine below which axes are at right angles


def nearest_mm(these: Indices, those: Indices, axes_mm: FloatArray) -> FloatArray:
    """Exact distance from each of these grid points to the nearest of those.

    Surfaces that are compared mostly lie close together. So the columns of the grid around each
    point are searched first, nearest column first, until none can hold a nearer point; what is
    not settled within the nearest few hundred columns is asked of a k-d tree, and so is all of
    it where the axes are not at right angles.

    Parameters
    ----------
    these, those
        (n, axes) indices, no point twice.
    axes_mm
        Columns are the steps of the grid in mm.

    Returns
    -------
    FloatArray
        One distance for each of these; empty if either has no point.
    """
    if not (len(these) and len(those)):
        return np.empty(0)
    steps = np.linalg.norm(axes_mm, axis=0)
    cosines = (axes_mm.T @ axes_mm) / np.outer(steps, steps) - np.eye(len(steps))
    if np.abs(cosines).max() > SQUARE:
        found = np.full(len(these), np.inf)
    else:
        found = _by_columns(these, those, steps)
    left = np.isinf(found)
    if left.any():
        tree = cKDTree(those @ axes_mm.T, balanced_tree=False, compact_nodes=False)
        found[left] = tree.query(these[left] @ axes_mm.T)[0]
    return found


def _by_columns(these: Indices, those: Indices, steps: FloatArray) -> FloatArray:
    """Distances that the nearest columns settle, infinite for the others."""
    along = int(np.argmin(steps))  # the finest axis: fewer columns lie within a distance
    across = [axis for axis in range(len(steps)) if axis != along]
    plane = [_in_plane(points[:, across]) for points in (these, those)]
    low = plane[1].min(axis=0)
    sides = plane[1].max(axis=0) - low + 1
    column = (plane[1][:, 0] - low[0]) * sides[1] + plane[1][:, 1] - low[1]
    order = np.lexsort((those[:, along], column))
    starts = np.zeros(int(sides.prod()) + 1, dtype=np.intp)
    np.cumsum(np.bincount(column, minlength=len(starts) - 1), out=starts[1:])
    widths = steps[across] if len(across) == 2 else np.array([steps[across[0]], np.inf])
    found: FloatArray = _search(
        np.ascontiguousarray(np.column_stack([plane[0] - low, these[:, along]])),
        np.ascontiguousarray(those[order, along]),
        starts,
        sides,
        _offsets(widths),
        float(steps[along]),
    )
    return found


def _in_plane(across: Indices) -> Indices:
    """(n, 2) column of each point; in 2-D the second number is 0."""
    flat = np.zeros((len(across), 2), dtype=np.intp)
    flat[:, : across.shape[1]] = across
    return flat


def _offsets(widths: FloatArray) -> FloatArray:
    """(columns, 3): steps to the columns around, and their squared distance, nearest first.

    Every column nearer than the last one is there.
    """
    if np.isinf(widths[1]):
        first = np.arange(-(COLUMNS // 2), COLUMNS // 2 + 1)
        second = np.zeros_like(first)
        apart = (first * widths[0]) ** 2
        limit = float(apart.max())
    else:
        radius = float(np.sqrt(COLUMNS * widths.prod() / np.pi))
        reach = [int(np.ceil(radius / width)) for width in widths]
        first, second = (side.ravel() for side in np.mgrid[
            -reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1
        ])  # fmt: skip
        apart = (first * widths[0]) ** 2 + (second * widths[1]) ** 2
        limit = radius**2
    kept = np.flatnonzero(apart <= limit)
    kept = kept[np.argsort(apart[kept], kind="stable")]
    return np.column_stack([first[kept], second[kept], apart[kept]]).astype(np.float64)


@njit(cache=True, nogil=True)
def _search(
    points: Any, heights: Any, starts: Any, sides: Any, offsets: Any, step: Any
) -> Any:  # pragma: no cover
    """Search columns outwards; a distance is settled once the next column is no nearer."""
    found = np.full(len(points), np.inf)
    for n in range(len(points)):
        best = np.inf
        settled = False
        for o in range(len(offsets)):
            if offsets[o, 2] >= best:
                settled = True
                break
            if o == GLANCE and 4 * offsets[-1, 2] < best < np.inf:
                break
            i = points[n, 0] + np.int64(offsets[o, 0])
            j = points[n, 1] + np.int64(offsets[o, 1])
            if i < 0 or j < 0 or i >= sides[0] or j >= sides[1]:
                continue
            place = i * sides[1] + j
            for m in range(starts[place], starts[place + 1]):
                rise = (heights[m] - points[n, 2]) * step
                best = min(best, rise * rise + offsets[o, 2])
        if settled or best <= offsets[-1, 2]:
            found[n] = np.sqrt(best)
    return found
