"""Between the pixels of a slice and the closed contours around them.

Contours run along pixel edges, so they enclose exactly the area of the pixels and a reader that
asks for pixel centres gets the same pixels back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import shapely

from onkos.core.geometry import AnyArray, FloatArray


def contours(hit: AnyArray) -> list[FloatArray]:
    """Contours around the set pixels of a slice, one a piece (pixels that share an edge).

    Parameters
    ----------
    hit
        Booleans (rows, columns).

    Returns
    -------
    list of ndarray
        (n, 2) corners (column, row) in pixel indices, first not repeated. A hole is joined to
        its border by a channel of no width, the keyhole that DICOM asks for.
    """
    edges = np.diff(np.pad(hit, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    runs = shapely.box(starts - 0.5, rows - 0.5, ends - 0.5, rows + 0.5)
    united = shapely.union_all(runs)
    return [_with_keyholes(piece) for piece in shapely.get_parts(united)]


def filled(polygons: Iterable[FloatArray], shape: Sequence[int]) -> AnyArray:
    """Pixels whose centre lies inside an odd number of contours.

    Parameters
    ----------
    polygons
        (n, 2) corners (column, row) in pixel indices.
    shape
        Rows and columns of the slice.

    Returns
    -------
    ndarray of bool
        (rows, columns).
    """
    crossings = np.zeros((shape[0], shape[1] + 1), dtype=np.int32)
    for polygon in polygons:
        rows, columns = _crossings(polygon, shape[0])
        first = np.clip(np.ceil(columns), 0, shape[1]).astype(np.intp)
        np.add.at(crossings, (rows, first), 1)
    inside: AnyArray = (np.cumsum(crossings, axis=1)[:, :-1] & 1).astype(bool)
    return inside


def wound(polygon: FloatArray, shape: Sequence[int]) -> AnyArray:
    """Pixels whose centre one contour runs round at least once, in whichever direction."""
    turns = np.zeros((shape[0], shape[1] + 1), dtype=np.int32)
    down = np.roll(polygon[:, 1], -1) > polygon[:, 1]
    for way, edges in ((1, down), (-1, ~down)):
        rows, columns = _crossings(polygon, shape[0], edges)
        np.add.at(turns, (rows, np.clip(np.ceil(columns), 0, shape[1]).astype(np.intp)), way)
    inside: AnyArray = np.cumsum(turns, axis=1)[:, :-1] != 0
    return inside


def _crossings(
    polygon: FloatArray, rows: int, edges: AnyArray | None = None
) -> tuple[AnyArray, FloatArray]:
    """Where a contour, or some of its edges, crosses the middle of each row: rows, columns."""
    start, end = polygon, np.roll(polygon, -1, axis=0)
    low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    first = np.clip(np.ceil(low), 0, rows).astype(np.intp)
    last = np.clip(np.ceil(high), 0, rows).astype(np.intp)  # the upper end is not counted
    counts = last - first if edges is None else np.where(edges, last - first, 0)
    edge = np.repeat(np.arange(len(polygon)), counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    row = first[edge] + np.arange(len(edge)) - before
    share = (row - start[edge, 1]) / (end[edge, 1] - start[edge, 1])
    return row, start[edge, 0] + share * (end[edge, 0] - start[edge, 0])


def _with_keyholes(piece: shapely.Polygon) -> FloatArray:
    """Border of a piece with its holes joined to it, each by a straight way to its left."""
    ring = _corners(piece.exterior)
    holes = [_corners(hole) for hole in piece.interiors]
    for hole in sorted(holes, key=lambda corners: float(corners[:, 0].min())):
        turned = np.roll(hole, -int(np.argmin(hole[:, 0])), axis=0)
        ring = _joined(ring, turned)
    return ring


def _joined(ring: FloatArray, hole: FloatArray) -> FloatArray:
    """Ring with a hole, through a channel from the hole's first corner to the ring's next edge."""
    x, y = hole[0]
    start, end = ring, np.roll(ring, -1, axis=0)
    upright = start[:, 0] == end[:, 0]
    spans = (np.minimum(start[:, 1], end[:, 1]) <= y) & (y <= np.maximum(start[:, 1], end[:, 1]))
    reached = np.flatnonzero(upright & spans & (start[:, 0] <= x))
    edge = int(reached[np.argmax(start[reached, 0])])
    met = np.array([[start[edge, 0], y]])
    joined = np.concatenate([ring[: edge + 1], met, hole, hole[:1], met, ring[edge + 1 :]])
    moves: AnyArray = (joined != np.roll(joined, 1, axis=0)).any(axis=1)
    return joined[moves]


def _corners(ring: shapely.LinearRing) -> FloatArray:
    """Corners of a ring without those on a straight line, first not repeated."""
    points = shapely.get_coordinates(ring)[:-1]
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    straight = ((before == points) & (points == after)).any(axis=1)
    kept: FloatArray = points[~straight]
    return kept
