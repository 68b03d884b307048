"""Interpolation as defined by IBSI, one axis after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

FloatArray = NDArray[np.float64]
Indices = NDArray[np.intp]

_SPLINE_MARGIN = 16  # voxels: beyond, a value affects a spline coefficient by under 1e-9
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of the old and the new grid: number of voxels and step of both, in mm."""

    old_count: int
    old_mm: float
    count: int
    mm: float
    alignment: str = "centre"

    @classmethod
    def covering_all(cls, old_count: int, old_mm: float, mm: float, alignment: str) -> Axis:
        """As many new voxels as cover the old extent, with centres or corners aligned."""
        count = math.ceil(old_count * old_mm / mm - _ROUNDING)
        return cls(
            old_count=old_count, old_mm=old_mm, count=max(count, 1), mm=mm, alignment=alignment
        )

    @property
    def same(self) -> bool:
        """Whether both grids are identical."""
        return self.count == self.old_count and abs(self.mm - self.old_mm) < _ROUNDING

    def places(self, start: int, stop: int) -> FloatArray:
        """Old indices of new voxels."""
        here, there = self._one_place
        placed = there + (np.arange(start, stop) - here) * (self.mm / self.old_mm)
        return np.asarray(placed, dtype=np.float64)

    def covering(self, start: int, stop: int) -> tuple[int, int]:
        """New voxels (start, stop) within less than one old voxel of old ones."""
        here, there = self._one_place
        ratio = self.old_mm / self.mm
        low = here + (start - 1 - there) * ratio
        high = here + (stop - there) * ratio
        return max(math.floor(low), 0), min(math.ceil(high) + 1, self.count)

    @property
    def _one_place(self) -> tuple[float, float]:
        """New and old index of the point where both grids are aligned."""
        if self.alignment == "corner":
            return -0.5, -0.5
        return (self.count - 1) / 2, (self.old_count - 1) / 2


def axes_to(
    shape: Sequence[int],
    old_mm: Sequence[float],
    spacing_mm: tuple[float, ...] | None,
    alignment: str = "centre",
) -> tuple[Axis, ...]:
    """Grid to interpolate to, along (z, y, x); ``spacing_mm`` is (x, y) or (x, y, z)."""
    wanted = list(old_mm)
    if spacing_mm is not None:
        wanted[3 - len(spacing_mm) :] = spacing_mm[::-1]
    return tuple(
        Axis.covering_all(int(count), float(old), float(new), alignment)
        for count, old, new in zip(shape, old_mm, wanted, strict=True)
    )


def interpolated(
    data: NDArray[Any],
    axes: tuple[Axis, ...],
    block: Sequence[tuple[int, int]],
    *,
    method: str,
    label: int | None = None,
) -> NDArray[Any]:
    """Values at a block of new voxels; beyond the outermost centres the outermost value is used.

    Parameters
    ----------
    data
        (z, y, x) values of the whole old grid; only what the block needs is read.
    block
        New voxels (start, stop) along each axis.
    method
        ``nearest``, ``linear`` or ``cubic`` (interpolating spline, mirrored at the edges).
    label
        Where given, the values are 1 where the data have this label and 0 elsewhere.
    """
    places = [axis.places(*ends) for axis, ends in zip(axes, block, strict=True)]
    margin = {"nearest": 1, "linear": 1, "cubic": _SPLINE_MARGIN}[method]
    cut, starts = [], []
    for n, axis in enumerate(axes):
        start = max(int(places[n][0]) - margin, 0)
        stop = min(int(places[n][-1]) + margin + 2, axis.old_count)
        start, stop = min(start, axis.old_count - 1), max(stop, 1)
        cut.append(slice(start, stop))
        starts.append(start)
    work = data[tuple(cut)] if label is None else data[tuple(cut)] == label
    kind = np.float32 if work.dtype.itemsize < 4 or work.dtype == np.float32 else np.float64
    work = np.ascontiguousarray(work, dtype=kind)
    changed = [n for n, axis in enumerate(axes) if not axis.same]
    if method == "cubic":
        for n in changed:
            if work.shape[n] > 1:
                work = ndimage.spline_filter1d(work, 3, axis=n, output=kind, mode="mirror")
    for n, axis in enumerate(axes):
        shifted = np.clip(places[n], 0, axis.old_count - 1) - starts[n]
        if n in changed:
            work = _along(work, n, *_taps(shifted, work.shape[n], method))
        else:
            first = round(float(shifted[0]))
            work = work.take(range(first, first + len(shifted)), axis=n)
    return work


def _taps(places: FloatArray, side: int, method: str) -> tuple[Indices, FloatArray]:
    """Source voxels (n, taps) of the value at each position, and their weights."""
    if method == "nearest":
        return np.floor(places + 0.5)[:, None].astype(np.intp), np.ones((len(places), 1))
    floor = np.floor(places + _ROUNDING)
    part = np.maximum(places - floor, 0.0)
    if method == "linear":
        index = floor[:, None] + np.arange(2)
        weight = np.stack([1 - part, part], axis=1)
        return np.minimum(index, side - 1).astype(np.intp), weight
    index = floor[:, None] + np.arange(-1, 3)
    away = np.abs(places[:, None] - index)
    near, far = 2 / 3 - away**2 + away**3 / 2, np.maximum(2 - away, 0) ** 3 / 6
    index = np.abs(index)
    index = np.where(index > side - 1, 2 * (side - 1) - index, index)
    return np.clip(index, 0, side - 1).astype(np.intp), np.where(away < 1, near, far)


def _along(work: NDArray[Any], axis: int, index: Indices, weight: FloatArray) -> NDArray[Any]:
    """Weighted sums of slices along one axis."""
    if weight.shape[1] == 1:
        return work.take(index[:, 0], axis=axis)
    sides = [1, 1, 1]
    sides[axis] = len(index)
    total: Any = 0
    for tap in range(index.shape[1]):
        factor = weight[:, tap].astype(work.dtype).reshape(sides)
        total = total + work.take(index[:, tap], axis=axis) * factor
    return np.ascontiguousarray(total)
