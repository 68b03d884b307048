"""Contours of one region on one slice: which are holes, which are drawn twice, which cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onkos.core.geometry import AnyArray, FloatArray
from onkos.io.rtstruct.contours import filled, wound

_SAME = 0.9  # share of their union that two contours have in common when drawn twice
_WALL = 0.95  # share of a contour that a hole takes from which on it may be drawn twice
_BEYOND_PIXELS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """Pixels of a region on a slice, and what was strange about its contours.

    Parameters
    ----------
    hit
        Booleans (rows, columns).
    twice
        Contours left out since the same outline is there already, or that run round twice.
    crossing
        Pairs of contours that cross; both are filled.
    walls
        Contours that take away nearly all of another one: holes, as drawn.
    beyond
        Contours that reach beyond the edge of the picture.
    """

    hit: AnyArray
    twice: int = 0
    crossing: int = 0
    walls: int = 0
    beyond: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Area:
    """Pixels of one contour in the block of the picture that holds it."""

    block: tuple[slice, slice]
    hit: AnyArray

    def within(self, other: _Area) -> tuple[slice, slice] | None:
        """Block that both lie in."""
        found = []
        for mine, theirs in zip(self.block, other.block, strict=True):
            start, stop = max(mine.start, theirs.start), min(mine.stop, theirs.stop)
            if start >= stop:
                return None
            found.append(slice(start, stop))
        return found[0], found[1]

    def on(self, block: tuple[slice, slice]) -> AnyArray:
        """Pixels on a part of its block."""
        rows, columns = (
            slice(part.start - own.start, part.stop - own.start)
            for part, own in zip(block, self.block, strict=True)
        )
        return self.hit[rows, columns]


def on_slice(
    polygons: Sequence[FloatArray], shape: tuple[int, int], *, hollow: bool = False
) -> Slice:
    """Fill the contours of a region on a slice.

    A pixel is inside if its centre lies in an odd number of contours, so one within another is a
    hole. A contour drawn twice counts once; two that cross are both filled, unless ``hollow``
    says that DICOM's exclusive-or is meant.
    """
    areas, round_twice = [], 0
    for polygon in polygons:
        area, again = _area(polygon, shape)
        areas.append(area)
        round_twice += again
    gone: set[int] = set()
    crossing: list[tuple[int, int]] = []
    walls = 0
    for one in range(len(areas) if not hollow else 0):
        for other in range(one + 1, len(areas)):
            if one in gone or other in gone:
                continue
            how = _meeting(areas[one], areas[other])
            if how == "same":
                gone.add(other)
            elif how == "crossing":
                crossing.append((one, other))
            walls += how == "wall"
    hit = np.zeros(shape, dtype=bool)
    for number, area in enumerate(areas):
        if number not in gone:
            hit[area.block] ^= area.hit
    for one, other in crossing:
        block = areas[one].within(areas[other])
        if block and not gone & {one, other}:
            hit[block] |= areas[one].on(block) & areas[other].on(block)
    beyond = sum(_reaches_beyond(polygon, shape) for polygon in polygons)
    twice = len(gone) + round_twice
    return Slice(hit=hit, twice=twice, crossing=len(crossing), walls=walls, beyond=beyond)


def _area(polygon: FloatArray, shape: tuple[int, int]) -> tuple[_Area, bool]:
    """Pixels of one contour, and whether it runs round them more than once."""
    edges = (shape[1], shape[0])
    first = np.clip(np.floor(polygon.min(axis=0)), 0, edges)
    last = np.clip(np.ceil(polygon.max(axis=0)) + 1, first, edges)
    columns, rows = (int(n) for n in last - first)
    block = (
        slice(int(first[1]), int(first[1]) + rows),
        slice(int(first[0]), int(first[0]) + columns),
    )
    inside = filled([polygon - first], (rows, columns))
    x, y = polygon.T
    turned = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    around = float(np.abs(np.diff(polygon, axis=0, append=polygon[:1])).sum())
    if turned <= 1.1 * int(inside.sum()) + around:
        return _Area(block, inside), False
    whole = wound(polygon - first, (rows, columns))
    return _Area(block, whole), bool((whole != inside).any())


def _meeting(one: _Area, other: _Area) -> str:
    """How two contours lie to each other: ``same``, ``crossing``, ``wall``, or empty."""
    block = one.within(other)
    both = int((one.on(block) & other.on(block)).sum()) if block else 0
    if not both:
        return ""
    sizes = int(one.hit.sum()), int(other.hit.sum())
    either = sum(sizes) - both
    if both == either:
        return "same"
    if both in sizes:
        return "wall" if both >= _WALL * either else ""
    return "same" if both >= _SAME * either else "crossing"


def _reaches_beyond(polygon: FloatArray, shape: tuple[int, int]) -> bool:
    last = np.array([shape[1] - 1, shape[0] - 1])
    over = np.maximum(-polygon.min(axis=0), polygon.max(axis=0) - last)
    return bool(over.max() > _BEYOND_PIXELS)
