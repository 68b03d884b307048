"""Where voxels are: the grid of a volume, a mask or a plain picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onkos.core.errors import GeometryError

FloatArray = NDArray[np.float64]
AnyArray = NDArray[Any]

_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Geometry:
    """The grid an array lies on, in patient space.

    Parameters
    ----------
    shape
        Voxels along each array axis, (i, j, k) for a volume or (i, j) for a plain picture.
        Axis i runs along a DICOM row (its columns), j down the rows, k through the slices.
    affine
        (n + 1, n + 1) matrix from array index to millimetres. For a volume these are DICOM's
        LPS coordinates (x to the patient's left, y to posterior, z to superior); for a picture
        they are picture coordinates (x right, y down) and say nothing about the patient.
    calibrated
        False for a picture whose pixel size is unknown: then every millimetre is refused.

    Raises
    ------
    GeometryError
        If the shape is empty, or the matrix is not finite, not affine or not invertible.
    """

    shape: tuple[int, ...]
    affine: FloatArray
    calibrated: bool = True

    def __post_init__(self) -> None:
        shape = tuple(int(side) for side in self.shape)
        affine = np.array(self.affine, dtype=np.float64)
        n = len(shape)
        if n not in (2, 3) or min(shape, default=0) < 1:
            raise GeometryError(f"shape {shape}: expected two or three sides of at least 1 voxel")
        if affine.shape != (n + 1, n + 1) or not np.isfinite(affine).all():
            raise GeometryError(
                f"affine of shape {affine.shape} for a grid of shape {shape}: "
                f"expected a finite ({n + 1}, {n + 1}) matrix"
            )
        if not np.allclose(affine[-1], [0.0] * n + [1.0], atol=1e-12):
            raise GeometryError(f"last row of the affine is {affine[-1]}, expected zeros and a 1")
        lengths = np.linalg.norm(affine[:n, :n], axis=0)
        if lengths.min() <= 0 or abs(np.linalg.det(affine[:n, :n] / lengths)) < 1e-6:
            raise GeometryError(
                f"axes {affine[:n, :n].tolist()} do not span space: zero or parallel"
            )
        affine.setflags(write=False)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", affine)

    @classmethod
    def upright(
        cls,
        shape: Sequence[int],
        *,
        spacing_mm: Sequence[float],
        origin_mm: Sequence[float] = (0.0, 0.0, 0.0),
        directions: ArrayLike | None = None,
    ) -> Geometry:
        """Build a volume grid from spacing, origin and (as columns) unit directions.

        Without directions the array axes run along the patient's left, posterior, superior.
        """
        affine = np.eye(4)
        columns = np.eye(3) if directions is None else np.asarray(directions, dtype=np.float64)
        affine[:3, :3] = columns * np.asarray(spacing_mm, dtype=np.float64)
        affine[:3, 3] = origin_mm
        return cls(shape=tuple(shape), affine=affine)

    @classmethod
    def picture(
        cls, shape: Sequence[int], *, spacing_mm: Sequence[float] | None = None
    ) -> Geometry:
        """Build a plain picture's grid; without a spacing it is uncalibrated."""
        scale = (1.0, 1.0) if spacing_mm is None else tuple(spacing_mm)
        return cls(
            shape=tuple(shape),
            affine=np.diag([*scale, 1.0]),
            calibrated=spacing_mm is not None,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Geometry):
            return NotImplemented
        return (
            self.shape == other.shape
            and self.calibrated == other.calibrated
            and np.array_equal(self.affine, other.affine)
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.calibrated, self.affine.tobytes()))

    @property
    def ndim(self) -> int:
        """3 for a volume, 2 for a plain picture."""
        return len(self.shape)

    @property
    def axes_mm(self) -> FloatArray:
        """(n, n) matrix whose columns are one step along each array axis, in mm."""
        self._require_calibrated()
        axes: FloatArray = self.affine[: self.ndim, : self.ndim]
        return axes

    @property
    def origin_mm(self) -> FloatArray:
        """Centre of voxel zero, in mm."""
        self._require_calibrated()
        origin: FloatArray = self.affine[: self.ndim, self.ndim]
        return origin

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Distance between neighbouring voxel centres along each array axis, in mm."""
        return tuple(float(step) for step in np.linalg.norm(self.axes_mm, axis=0))

    @property
    def directions(self) -> FloatArray:
        """(n, n) matrix of unit columns: the direction of each array axis."""
        unit: FloatArray = self.axes_mm / np.asarray(self.spacing_mm)
        return unit

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres (a sheared grid counts as it should)."""
        if self.ndim != 3:
            raise GeometryError("a plain picture has no volume; expected a grid of three axes")
        return abs(float(np.linalg.det(self.axes_mm))) / 1000.0

    @property
    def pixel_mm2(self) -> float:
        """Area of one pixel in the plane of the first two axes, in mm^2."""
        plane = self.axes_mm[:, :2]
        return math.sqrt(float(np.linalg.det(plane.T @ plane)))

    @property
    def is_sheared(self) -> bool:
        """True when the axes are not at right angles (gantry tilt): cosine above 1e-3."""
        cosines = self.directions.T @ self.directions - np.eye(self.ndim)
        return bool(np.abs(cosines).max() > 1e-3)

    @property
    def orientation(self) -> str:
        """Letters each array axis runs towards, e.g. ``LPS``; nearest letter when oblique."""
        if self.ndim != 3:
            raise GeometryError("a plain picture has no orientation in the patient")
        letters = []
        for column in self.directions.T:
            axis = int(np.argmax(np.abs(column)))
            letters.append(_LETTERS[axis][0 if column[axis] > 0 else 1])
        return "".join(letters)

    def to_mm(self, index: ArrayLike) -> FloatArray:
        """Millimetres of array indices; any leading shape, last axis of length n."""
        points = np.asarray(index, dtype=np.float64)
        placed: FloatArray = points @ self.axes_mm.T + self.origin_mm
        return placed

    def to_index(self, mm: ArrayLike) -> FloatArray:
        """Continuous array indices of millimetre positions; inverse of :meth:`to_mm`."""
        points = np.asarray(mm, dtype=np.float64) - self.origin_mm
        solved: FloatArray = points @ np.linalg.inv(self.axes_mm).T
        return solved

    def crop(self, start: Sequence[int], shape: Sequence[int]) -> Geometry:
        """Grid of the block of ``shape`` voxels that begins at index ``start``."""
        affine = self.affine.copy()
        affine[:-1, -1] += affine[:-1, :-1] @ np.asarray(start, dtype=np.float64)
        return Geometry(shape=tuple(shape), affine=affine, calibrated=self.calibrated)

    def matches(self, other: Geometry, *, tolerance_mm: float = 1e-3) -> bool:
        """Tell whether both grids have one shape and no corner is further off than asked."""
        if self.shape != other.shape or self.calibrated != other.calibrated:
            return False
        ends = np.array(np.meshgrid(*[(0, side - 1) for side in self.shape]), dtype=np.float64)
        corners = np.vstack([ends.reshape(self.ndim, -1), np.ones(2**self.ndim)])
        return bool(np.abs((self.affine - other.affine) @ corners).max() <= tolerance_mm)

    def require_same(self, other: Geometry, *, doing: str) -> None:
        """Refuse an operation between two different grids.

        Raises
        ------
        GeometryError
            If the grids do not match; the message names both and the remedy.
        """
        if not self.matches(other):
            raise GeometryError(
                f"{doing}: the grids differ, {self} against {other}; "
                "bring one onto the other first, with .on(geometry)"
            )

    def __str__(self) -> str:
        sides = " x ".join(str(side) for side in self.shape)
        if not self.calibrated:
            return f"{sides} pixels of unknown size"
        steps = " x ".join(f"{step:.4g}" for step in self.spacing_mm)
        corner = ", ".join(f"{value:.2f}" for value in self.origin_mm)
        return f"{sides} at {steps} mm from ({corner})"

    def _require_calibrated(self) -> None:
        if not self.calibrated:
            raise GeometryError(
                f"{self}: millimetres were asked of a picture whose pixel size is unknown; "
                "give its spacing when opening it, or measure in pixels"
            )
