"""Separable convolution with one short kernel per axis, in float32 and bounded memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from onkos.features.filters.boundary import Boundary, Float32
from onkos.features.threads import each, slabs

CHUNK = 1024  # voxels filtered together: the rows that a kernel needs stay in the cache


@dataclass(frozen=True, slots=True)
class Taps:
    """A kernel along one axis: y(k) = sum over m of values[m] x(k - first - m).

    Parameters
    ----------
    values
        The coefficients.
    first
        Position of the first one; ``-(n // 2)`` centres a kernel of odd length n.
    """

    values: tuple[float, ...]
    first: int

    @classmethod
    def centred(cls, values: Sequence[float]) -> Taps:
        """Kernel of odd length with its middle coefficient at position 0."""
        return cls(tuple(float(value) for value in values), -(len(values) // 2))

    @property
    def flipped(self) -> Taps:
        """The mirrored kernel."""
        return Taps(self.values[::-1], -(self.first + len(self.values) - 1))

    @property
    def negative(self) -> Taps:
        """The kernel with opposite sign."""
        return Taps(tuple(-value for value in self.values), self.first)


def convolve(
    data: Float32, taps: Taps, *, axis: int, boundary: Boundary, threads: int = 1
) -> Float32:
    """Convolve along one axis; array of the same shape.

    A constant beyond the edge is filtered like the image, so that calls along several axes equal
    a convolution with the product of the kernels: the caller subtracts the constant before and
    adds its response afterwards (:func:`convolve_axes`). Here ``constant`` means 0 outside.
    """
    data = np.ascontiguousarray(data)
    shape = data.shape
    side = shape[axis]
    inner = math.prod(shape[axis + 1 :])
    block = data.reshape(-1, side, inner).view()
    block.setflags(write=False)  # always, so that one compiled form serves all callers
    out = np.empty(block.shape, dtype=np.float32)
    # source voxels: k - first - m stands at index k + count - 1 - m of the table
    source = boundary.places(side, taps.first + len(taps.values) - 1, -taps.first)
    weights = np.array(taps.values, dtype=np.float32)

    def work(start: int, stop: int) -> None:
        if inner == 1:
            _lines(block, out, weights, source, start, stop)
        else:
            _planes(block, out, weights, source, start, stop)

    jobs = len(block) * (1 if inner == 1 else -(-inner // CHUNK))
    each(work, slabs(jobs), threads=threads)
    return out.reshape(shape)


def convolve_axes(
    data: Float32,
    kernels: Sequence[Taps],
    *,
    axes: Sequence[int],
    boundary: Boundary,
    threads: int = 1,
) -> Float32:
    """Convolve with the product of one kernel per axis."""
    out = data - np.float32(boundary.value) if boundary.value else data
    for taps, axis in zip(kernels, axes, strict=True):
        out = convolve(out, taps, axis=axis, boundary=boundary, threads=threads)
    if boundary.value:
        out = out + np.float32(boundary.value * math.prod(sum(taps.values) for taps in kernels))
    return out


@njit(cache=True, nogil=True)
def _lines(
    data: Any, out: Any, weights: Any, source: Any, start: int, stop: int
) -> None:  # pragma: no cover
    """Along the last axis: each line with its surroundings, then shifted sums of it."""
    side, count = data.shape[1], weights.shape[0]
    line = np.empty(source.shape[0], dtype=np.float32)
    total = np.empty(side, dtype=np.float32)
    for o in range(start, stop):
        for k in range(source.shape[0]):
            line[k] = data[o, source[k], 0] if source[k] >= 0 else np.float32(0)
        total[:] = 0
        for m in range(count):
            weight = weights[m]
            for k in range(side):
                total[k] += weight * line[k + count - 1 - m]
        out[o, :, 0] = total


@njit(cache=True, nogil=True)
def _planes(
    data: Any, out: Any, weights: Any, source: Any, start: int, stop: int
) -> None:  # pragma: no cover
    """Along any other axis: sums of whole rows, a chunk of neighbouring lines at a time."""
    inner, count = data.shape[2], weights.shape[0]
    chunks = (inner + CHUNK - 1) // CHUNK
    for job in range(start, stop):
        o = job // chunks
        low = (job % chunks) * CHUNK
        high = min(low + CHUNK, inner)
        for k in range(data.shape[1]):
            total = out[o, k, low:high]
            total[:] = 0
            for m in range(count):
                place = source[k + count - 1 - m]
                if place >= 0:
                    weight = weights[m]
                    row = data[o, place, low:high]
                    for i in range(high - low):
                        total[i] += weight * row[i]
