"""Arrays turned so that their axes run to superior, posterior and left, and back again."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from onkos.core.geometry import AnyArray, Geometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How a grid's array becomes upright: (k, j, i) along superior, posterior, left.

    The nearest such orientation is taken, nothing is resampled; so a study stored flipped or
    with its axes exchanged is the same to a learner. A plain picture is taken as it is seen,
    as one slice with its rows downwards.
    """

    order: tuple[int, ...]
    signs: tuple[int, ...]
    spacing_mm: tuple[float, float, float]

    @classmethod
    def of(cls, geometry: Geometry) -> Turn:
        """Turn of a grid; pixels of unknown size count as 1 mm."""
        if geometry.ndim == 2:
            spacing = geometry.spacing_mm if geometry.calibrated else (1.0, 1.0)
            return cls(order=(1, 0), signs=(1, 1), spacing_mm=(1.0, spacing[1], spacing[0]))
        towards = _letters(geometry)
        order = tuple(towards.index(axis) for axis in (2, 1, 0))
        signs = tuple(_sign(geometry, array_axis, towards[array_axis]) for array_axis in order)
        k, j, i = (geometry.spacing_mm[axis] for axis in order)
        return cls(order=order, signs=signs, spacing_mm=(k, j, i))

    def apply(self, array: AnyArray) -> AnyArray:
        """Upright view (k, j, i) of an array on the grid; a colour axis stays last."""
        colour = tuple(range(len(self.order), array.ndim))
        turned = array.transpose(*self.order, *colour)[self._flips]
        return turned if len(self.order) == 3 else turned[None]

    def undo(self, array: AnyArray) -> AnyArray:
        """View of an upright (k, j, i) array in the grid's own axes."""
        turned = array if len(self.order) == 3 else array[0]
        return turned[self._flips].transpose(*np.argsort(self.order))

    @property
    def _flips(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, sign) for sign in self.signs)


def _letters(geometry: Geometry) -> list[int]:
    """Patient axis (0 left, 1 posterior, 2 superior) that each array axis runs along.

    Chosen together, the best of the six ways, so that no two share one however oblique.
    """
    along = np.abs(geometry.directions)

    def fit(way: Iterable[int]) -> float:
        return float(sum(along[towards, axis] for axis, towards in enumerate(way)))

    return list(max(itertools.permutations(range(3)), key=fit))


def _sign(geometry: Geometry, array_axis: int, patient_axis: int) -> int:
    return 1 if geometry.directions[patient_axis, array_axis] >= 0 else -1
