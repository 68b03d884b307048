"""Responses to a separable filter in all right-angled orientations, pooled."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import permutations, product
from typing import Literal

import numpy as np

from onkos.core.errors import UsageError
from onkos.features.filters.boundary import Boundary, Float32
from onkos.features.filters.separable import Taps, convolve

Pooling = Literal["max", "mean", "min"]
Chain = tuple[Taps, ...]  # kernels applied one after the other along one axis
Orientation = tuple[tuple[int, bool], ...]  # for each axis: whose kernel, and whether flipped


def orientations(dimensions: int) -> list[Orientation]:
    """Proper right-angled rotations: 4 in a plane, 24 in space."""
    found: list[Orientation] = []
    for order in permutations(range(dimensions)):
        swaps = sum(order[a] > order[b] for a in range(dimensions) for b in range(a, dimensions))
        found.extend(
            tuple(zip(order, flips, strict=True))
            for flips in product((False, True), repeat=dimensions)
            if (swaps + sum(flips)) % 2 == 0
        )
    return found


class Pool:
    """Running maximum, minimum or mean of response maps."""

    def __init__(self, pooling: Pooling, total: int) -> None:
        if pooling not in ("max", "mean", "min"):
            raise UsageError(f"pooling {pooling!r}: expected max, mean or min")
        self._pooling = pooling
        self._total = total
        self._out: Float32 | None = None

    def add(self, response: Float32, *, times: int = 1, negative: int = 0) -> None:
        """Add a map ``times`` times as it is and ``negative`` times with opposite sign."""
        if self._pooling == "mean":
            self._keep(response * np.float32((times - negative) / self._total))
            return
        if times:
            self._keep(response)
        if negative:
            self._keep(-response)

    @property
    def result(self) -> Float32:
        """The pooled map."""
        if self._out is None:
            raise UsageError("no orientation to pool; expected at least one")
        return self._out

    def _keep(self, response: Float32) -> None:
        if self._out is None:
            self._out = response.copy()
        elif self._pooling == "mean":
            self._out += response
        elif self._pooling == "max":
            np.maximum(self._out, response, out=self._out)
        else:
            np.minimum(self._out, response, out=self._out)


def oriented(
    data: Float32,
    chains: Sequence[Chain],
    *,
    axes: Sequence[int],
    pooling: Pooling | None,
    boundary: Boundary,
    threads: int = 1,
) -> Float32:
    """Convolve with the product of one chain of kernels an axis, in all orientations if pooled.

    Even and odd kernels have equal responses (up to sign) in several orientations; each distinct
    response is computed once, and the convolutions along the first axes are shared.
    """
    offset = boundary.value * math.prod(sum(t.values) for chain in chains for t in chain)
    shifted = data - np.float32(boundary.value) if boundary.value else data
    turns = (
        [tuple((a, False) for a in range(len(axes)))]
        if pooling is None
        else orientations(len(axes))
    )
    wanted = _distinct(chains, turns)
    pool = Pool(pooling or "mean", len(turns))
    stages: list[tuple[Chain, Float32]] = []
    for product_, (times, negative) in sorted(wanted.items(), key=lambda item: repr(item[0])):
        shared = 0
        while shared < len(stages) and stages[shared][0] == product_[shared]:
            shared += 1
        del stages[shared:]
        for axis, chain in zip(axes[shared:], product_[shared:], strict=True):
            out = stages[-1][1] if stages else shifted
            for taps in chain:
                out = convolve(out, taps, axis=axis, boundary=boundary, threads=threads)
            stages.append((chain, out))
        pool.add(stages[-1][1], times=times, negative=negative)
    # an odd kernel sums to zero, so the constant's response is the same in every orientation
    return pool.result + np.float32(offset) if offset else pool.result


def _distinct(
    chains: Sequence[Chain], turns: Sequence[Orientation]
) -> dict[tuple[Chain, ...], tuple[int, int]]:
    """Products of chains that differ by more than their sign, with the count of each sign."""
    known: dict[Chain, tuple[Chain, bool]] = {}
    counts: dict[tuple[Chain, ...], list[int]] = defaultdict(lambda: [0, 0])
    for turn in turns:
        parts, odd = [], False
        for number, flip in turn:
            chain = tuple(taps.flipped for taps in chains[number]) if flip else chains[number]
            same, negative = known.setdefault(chain, (chain, False))
            opposite = (chain[0].negative, *chain[1:])
            known.setdefault(opposite, (same, not negative))
            parts.append(same)
            odd ^= negative
        counts[tuple(parts)][odd] += 1
    return {key: (times, negative) for key, (times, negative) in counts.items()}
