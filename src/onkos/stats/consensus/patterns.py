"""The few different ways in which several readers label a voxel.

Six readers of two labels can label a voxel in 64 ways only. All consensus methods depend on a
voxel through that pattern, so they work on tens of patterns in place of millions of voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import AnyArray, FloatArray, Geometry
from onkos.core.mask import Mask

_DENSE = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patterns:
    """Distinct rows of labels of several readers.

    Parameters
    ----------
    rows
        (patterns, readers): number of the label in ``names``, 0 for none.
    counts
        (patterns,): voxels that each stands for.
    where
        Pattern of each voxel of the grid, flat; -1 outside the region looked at.
    names
        Name of each label; the first, for 0, is empty.
    geometry
        The grid.
    """

    rows: NDArray[np.intp]
    counts: FloatArray
    where: NDArray[np.int32]
    names: tuple[str, ...]
    geometry: Geometry

    @property
    def readers(self) -> int:
        """How many readers."""
        return int(self.rows.shape[1])

    def without(self, reader: int) -> Patterns:
        """The other readers; rows may repeat."""
        return replace(self, rows=np.delete(self.rows, reader, axis=1))

    def paint(self, values: AnyArray, *, outside: float = 0) -> AnyArray:
        """One value a pattern, brought back onto the grid."""
        table = np.append(values, np.asarray(outside, dtype=values.dtype))
        painted: AnyArray = table[self.where].reshape(self.geometry.shape)
        return painted

    def mask(self, labels: AnyArray) -> Mask:
        """A label a pattern, as a mask on the grid."""
        names = {number: name for number, name in enumerate(self.names) if number}
        small = np.uint8 if len(self.names) < 256 else np.uint16
        return Mask(labels=self.paint(labels.astype(small)), geometry=self.geometry, names=names)


def binary_patterns(
    readings: Sequence[Mask], tissues: Sequence[str], *, within: AnyArray | None = None
) -> Patterns:
    """Patterns of one region (the union of the tissues; of all without a name) or none.

    Raises
    ------
    ContentError
        If there are fewer than two readings, no reader knows a tissue, or nothing lies within.
    GeometryError
        If the readings do not share a grid.
    """
    _require_readings(readings)
    known = {name for reading in readings for name in reading.names.values()}
    strangers = sorted(set(tissues) - known)
    if strangers:
        raise ContentError(f"tissues {strangers} are in no reading; known are {sorted(known)}")
    layers = []
    for reading in readings:
        table = np.zeros(int(reading.labels.max(initial=0)) + 1, dtype=np.uint8)
        for label, name in reading.names.items():
            if label < len(table) and (not tissues or name in tissues):
                table[label] = 1
        layers.append((reading.labels, table))
    name = " + ".join(tissues) if tissues else "consensus"
    return _patterns(layers, ("", name), readings[0].geometry, within)


def label_patterns(readings: Sequence[Mask], *, within: AnyArray | None = None) -> Patterns:
    """Patterns of all tissues, matched between readers by their names.

    Raises
    ------
    ContentError
        If there are fewer than two readings, or nothing lies within.
    GeometryError
        If the readings do not share a grid.
    """
    _require_readings(readings)
    names = list(dict.fromkeys(name for reading in readings for name in reading.names.values()))
    number = {name: index for index, name in enumerate(names, start=1)}
    layers = []
    for reading in readings:
        table = np.zeros(int(reading.labels.max(initial=0)) + 1, dtype=np.uint8)
        for label, name in reading.names.items():
            if label < len(table):
                table[label] = number[name]
        layers.append((reading.labels, table))
    return _patterns(layers, ("", *names), readings[0].geometry, within)


def _require_readings(readings: Sequence[Mask]) -> None:
    if len(readings) < 2:
        raise ContentError(f"{len(readings)} readings; a consensus needs two at least")
    for reading in readings[1:]:
        readings[0].geometry.require_same(reading.geometry, doing="finding a consensus")


def _patterns(
    layers: Sequence[tuple[AnyArray, AnyArray]],
    names: tuple[str, ...],
    geometry: Geometry,
    within: AnyArray | None,
) -> Patterns:
    base, readers = len(names), len(layers)
    if base**readers >= 2**62:
        raise ContentError(f"{base - 1} tissues of {readers} readers are too many for a consensus")
    small = base**readers <= _DENSE
    code = np.zeros(int(np.prod(geometry.shape)), dtype=np.int32 if small else np.int64)
    for labels, table in layers:
        _append(code, np.ascontiguousarray(labels).reshape(-1), table, base)
    if within is not None:
        if within.shape != geometry.shape:
            raise GeometryError(f"within of shape {within.shape} on a grid of {geometry.shape}")
        code[~np.asarray(within, dtype=bool).reshape(-1)] = -1
    if small:
        tally = _tally(code, base**readers)
        found = np.flatnonzero(tally)
        place = np.full(base**readers + 1, -1, dtype=np.int32)
        place[found] = np.arange(len(found), dtype=np.int32)
        where, counts = place[code], tally[found]
    else:
        seen, inverse, number = np.unique(code, return_inverse=True, return_counts=True)
        skip = int(seen[0] == -1)
        found, counts = seen[skip:], number[skip:]
        where = (inverse - skip).astype(np.int32)
    if not len(found):
        raise ContentError("no voxel lies within; expected a region of one voxel at least")
    powers = base ** np.arange(readers - 1, -1, -1)
    rows = (found[:, None] // powers[None, :]) % base
    return Patterns(
        rows=rows.astype(np.intp),
        counts=counts.astype(np.float64),
        where=where,
        names=names,
        geometry=geometry,
    )


@njit(cache=True)
def _append(code: AnyArray, labels: AnyArray, table: AnyArray, base: int) -> None:
    """One more digit, of the next reader, to the number of each voxel."""
    for voxel in range(code.size):
        code[voxel] = code[voxel] * base + table[labels[voxel]]


@njit(cache=True)
def _tally(code: AnyArray, size: int) -> AnyArray:
    counts = np.zeros(size, dtype=np.int64)
    for voxel in range(code.size):
        if code[voxel] >= 0:
            counts[code[voxel]] += 1
    return counts
