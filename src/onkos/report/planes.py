"""The three planes of the body, in radiological convention."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onkos.core.geometry import FloatArray, Geometry

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """A plane as it is displayed.

    Parameters
    ----------
    name
        ``axial``, ``coronal`` or ``sagittal``.
    right, down
        LPS directions that run to the right and down the picture.
    letters
        Side of the patient at the picture's left, right, top and bottom edge.
    """

    name: str
    right: Vector
    down: Vector
    letters: tuple[str, str, str, str]

    @property
    def normal(self) -> FloatArray:
        """LPS direction across the plane."""
        return np.cross(self.right, self.down)

    def grid(self, *, centre_mm: FloatArray, side_mm: float, pixels: int) -> Geometry:
        """Square grid of one slice, (pixels, pixels, 1), 1 mm across, around a centre."""
        step = side_mm / pixels
        directions = np.column_stack([self.right, self.down, self.normal])
        half = directions[:, :2].sum(axis=1) * step * (pixels - 1) / 2
        return Geometry.upright(
            (pixels, pixels, 1),
            spacing_mm=(step, step, 1.0),
            origin_mm=tuple(centre_mm - half),
            directions=directions,
        )


AXIAL = Plane(name="axial", right=(1, 0, 0), down=(0, 1, 0), letters=("R", "L", "A", "P"))
CORONAL = Plane(name="coronal", right=(1, 0, 0), down=(0, 0, -1), letters=("R", "L", "H", "F"))
SAGITTAL = Plane(name="sagittal", right=(0, 1, 0), down=(0, 0, -1), letters=("A", "P", "H", "F"))
PLANES = (AXIAL, CORONAL, SAGITTAL)


def bounds_mm(geometry: Geometry) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest LPS corner of the upright box around a grid, voxel edges included."""
    ends = [(-0.5, side - 0.5) for side in geometry.shape]
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, geometry.ndim)
    placed = geometry.to_mm(corners)
    return placed.min(axis=0), placed.max(axis=0)
