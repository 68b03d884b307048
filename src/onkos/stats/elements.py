"""The elements a surface is made of: boundary voxels, or surfels with their areas."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from onkos.core.geometry import AnyArray, FloatArray

Indices = NDArray[np.intp]


def bounds(region: AnyArray) -> tuple[slice, ...] | None:
    """Smallest block that holds every voxel of a region; None when it is empty."""
    block: list[slice] = []
    for axis in range(region.ndim):
        others = tuple(other for other in range(region.ndim) if other != axis)
        hit = np.flatnonzero(region.any(axis=others))
        if hit.size == 0:
            return None
        block.append(slice(int(hit[0]), int(hit[-1]) + 1))
        region = region[(slice(None),) * axis + (block[-1],)]
    return tuple(block)


def boundary_voxels(region: AnyArray) -> Indices:
    """Voxels of a region that have a face on its outside, (n, axes) indices.

    What lies beyond the grid is outside, so that a region cut by the edge is closed there.
    """
    block = bounds(region)
    if block is None:
        return np.empty((0, region.ndim), dtype=np.intp)
    padded, order = _padded(region[block])
    centre = (slice(1, -1),) * region.ndim
    deep = padded[centre].copy(order=order)
    for axis in range(region.ndim):
        for step in (slice(None, -2), slice(2, None)):
            deep &= padded[(*centre[:axis], step, *centre[axis + 1 :])]
    deep ^= padded[centre]
    found: Indices = _where(deep, order) + np.array([side.start for side in block])
    return found


def surfels(region: AnyArray, axes_mm: FloatArray) -> tuple[Indices, FloatArray]:
    """Cells between voxel centres that a surface passes, and the area (length) of it there.

    A cell is the block between 2 x 2 x 2 (2 x 2) voxel centres; its index is that of its first
    corner, which may be -1. Its area is that of the marching cubes (squares) triangles with
    their vertices half way between voxels. Areas do not depend on which side is the inside:
    a cell of more than four marked corners has the area of its complement, and where half of
    the corners are marked both ways to lay the triangles are averaged (they differ on sheared
    grids only).

    Returns
    -------
    cells
        (n, axes) indices.
    areas
        (n,) in mm^2, or mm for a picture.

    References
    ----------
    Lorensen WE, Cline HE. Marching cubes. SIGGRAPH Comput Graph 1987;21:163-169.
    doi:10.1145/37402.37422

    Nikolov S, et al. Clinically applicable segmentation of head and neck anatomy for
    radiotherapy. J Med Internet Res 2021;23:e26151. doi:10.2196/26151
    """
    block = bounds(region)
    if block is None:
        return np.empty((0, region.ndim), dtype=np.intp), np.empty(0)
    padded, order = _padded(region[block])
    codes: NDArray[np.uint8] = padded.view(np.uint8)
    for axis in reversed(range(region.ndim)):
        whole = (slice(None),) * axis
        bits = np.uint8(2 ** (region.ndim - 1 - axis))
        codes = codes[(*whole, slice(None, -1))] | (codes[(*whole, slice(1, None))] << bits)
    table = _cell_areas(axes_mm)
    full = np.uint8(len(table) - 1)
    passed = _where((codes != 0) & (codes != full), order)
    cells = passed + np.array([side.start - 1 for side in block])
    return cells, table[codes[tuple(passed.T)]]


def _padded(core: AnyArray) -> tuple[AnyArray, Literal["C", "F"]]:
    """Region with a margin of one empty voxel, in the memory order it came in."""
    order: Literal["C", "F"] = "F" if abs(core.strides[0]) < abs(core.strides[-1]) else "C"
    padded = np.zeros([side + 2 for side in core.shape], dtype=bool, order=order)
    padded[(slice(1, -1),) * core.ndim] = core
    return padded, order


def _where(marked: AnyArray, order: Literal["C", "F"]) -> Indices:
    """Indices of true voxels, read in memory order."""
    flat = np.flatnonzero(marked.ravel(order=order))
    return np.stack(np.unravel_index(flat, marked.shape, order=order), axis=1)


def _cell_areas(axes_mm: FloatArray) -> FloatArray:
    """Area of the surface in a cell of every code; bit 4i + 2j + k (2i + j) is a corner."""
    if len(axes_mm) == 2:
        areas = _square_lengths(axes_mm)
    else:
        areas = np.zeros(256)
        for code, triangles in enumerate(_cell_triangles()):
            corners = triangles @ axes_mm.T
            sides = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            areas[code] = np.linalg.norm(sides, axis=1).sum() / 2
    return (areas + areas[::-1]) / 2


def _square_lengths(axes_mm: FloatArray) -> FloatArray:
    """Length of the contour in a square of every code; two opposite corners are cut off twice."""
    down, across = np.linalg.norm(axes_mm, axis=0)  # edges along axis 0 and along axis 1
    falling = float(np.linalg.norm(axes_mm[:, 0] - axes_mm[:, 1])) / 2
    rising = float(np.linalg.norm(axes_mm[:, 0] + axes_mm[:, 1])) / 2
    lengths = np.zeros(16)
    lengths[[0b0001, 0b1110, 0b1000, 0b0111]] = falling  # corners (0, 0) and (1, 1)
    lengths[[0b0010, 0b1101, 0b0100, 0b1011]] = rising  # corners (0, 1) and (1, 0)
    lengths[[0b0011, 0b1100]] = across
    lengths[[0b0101, 0b1010]] = down
    lengths[0b1001], lengths[0b0110] = 2 * falling, 2 * rising
    return lengths


@cache
def _cell_triangles() -> tuple[FloatArray, ...]:
    """Triangles (n, 3 vertices, 3) of each code, in index units."""
    found = []
    for code in range(256):
        few = code if code.bit_count() <= 4 else 255 - code
        corners = ((few >> np.arange(8)) & 1).astype(np.float64).reshape(2, 2, 2)
        if few == 0:
            found.append(np.zeros((0, 3, 3)))
            continue
        vertices, faces, _, _ = marching_cubes(corners, 0.5, method="lorensen")
        found.append(vertices[faces].astype(np.float64))
    return tuple(found)
