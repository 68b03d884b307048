"""Bilateral filter on a grid: its run time does not grow with the filter's width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from scipy.ndimage import gaussian_filter

from onkos.classic.scene import Float32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BilateralGrid:
    """A coarse grid over space and the intensity of one channel.

    Voxel values are distributed over the surrounding cells (linear in all four directions),
    smoothed there with a Gaussian of one cell, and interpolated back: a bilateral filter.

    Parameters
    ----------
    places
        (4, a, b, c): position of each voxel in the grid, in cells.
    cells
        Cells along each of the four axes.

    References
    ----------
    Chen J, Paris S, Durand F. Real-time edge-aware image processing with the bilateral grid.
    ACM Trans Graph 2007;26:103. doi:10.1145/1276377.1276506
    """

    places: Float32
    cells: tuple[int, int, int, int]

    @classmethod
    def over(
        cls, channel: Float32, *, reach_voxels: tuple[float, ...], reach_intensity: float
    ) -> BilateralGrid:
        """Grid whose cells are as large as the filter's standard deviations."""
        shape = channel.shape
        steps = [np.float32(1 / max(reach, 1.0)) for reach in reach_voxels]
        axes = [np.arange(side, dtype=np.float32) for side in shape]
        places = np.empty((4, *shape), dtype=np.float32)
        for axis, (line, step) in enumerate(zip(axes, steps, strict=True)):
            wide = [1, 1, 1]
            wide[axis] = -1
            places[axis] = (line * step).reshape(wide)
        places[3] = (channel - channel.min()) / np.float32(reach_intensity)
        cells = [int(places[axis].max()) + 2 for axis in range(4)]
        return cls(places=places, cells=(cells[0], cells[1], cells[2], cells[3]))

    def averaged(self, values: Float32, inside: Any) -> Float32:
        """(classes, a, b, c): weighted mean of each class's values around each voxel inside."""
        gathered = np.zeros((*self.cells, len(values) + 1), dtype=np.float32)
        _gather(self.places, values, inside, gathered)
        for layer in range(gathered.shape[-1]):
            gathered[..., layer] = gaussian_filter(gathered[..., layer], 1.0, mode="constant")
        out = np.zeros_like(values)
        _read(self.places, gathered, inside, out)
        return out


@njit(cache=True, nogil=True, inline="always")
def _corner(places: Any, i: int, j: int, k: int, corner: int) -> Any:  # pragma: no cover
    """Cell of one of the 16 corners around a voxel, and its weight."""
    weight = np.float32(1)
    cell = (0, 0, 0, 0)
    at0 = int(places[0, i, j, k])
    at1 = int(places[1, i, j, k])
    at2 = int(places[2, i, j, k])
    at3 = int(places[3, i, j, k])
    on0, on1, on2, on3 = corner & 1, (corner >> 1) & 1, (corner >> 2) & 1, corner >> 3
    part0 = places[0, i, j, k] - np.float32(at0)
    part1 = places[1, i, j, k] - np.float32(at1)
    part2 = places[2, i, j, k] - np.float32(at2)
    part3 = places[3, i, j, k] - np.float32(at3)
    weight = part0 if on0 else np.float32(1) - part0
    weight *= part1 if on1 else np.float32(1) - part1
    weight *= part2 if on2 else np.float32(1) - part2
    weight *= part3 if on3 else np.float32(1) - part3
    cell = (at0 + on0, at1 + on1, at2 + on2, at3 + on3)
    return cell, weight


@njit(cache=True, nogil=True)
def _gather(places: Any, values: Any, inside: Any, grid: Any) -> None:  # pragma: no cover
    sides = inside.shape
    classes = values.shape[0]
    for i in range(sides[0]):
        for j in range(sides[1]):
            for k in range(sides[2]):
                if not inside[i, j, k]:
                    continue
                for corner in range(16):
                    (a, b, c, d), weight = _corner(places, i, j, k, corner)
                    if weight > 0:
                        for code in range(classes):
                            grid[a, b, c, d, code] += weight * values[code, i, j, k]
                        grid[a, b, c, d, classes] += weight


@njit(cache=True, nogil=True)
def _read(places: Any, grid: Any, inside: Any, out: Any) -> None:  # pragma: no cover
    sides = inside.shape
    classes = out.shape[0]
    for i in range(sides[0]):
        for j in range(sides[1]):
            for k in range(sides[2]):
                if not inside[i, j, k]:
                    continue
                total = np.float32(0)
                for corner in range(16):
                    (a, b, c, d), weight = _corner(places, i, j, k, corner)
                    if weight > 0:
                        total += weight * grid[a, b, c, d, classes]
                        for code in range(classes):
                            out[code, i, j, k] += weight * grid[a, b, c, d, code]
                for code in range(classes):
                    out[code, i, j, k] /= max(total, np.float32(1e-12))
