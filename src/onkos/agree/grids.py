"""One grid for the outlines of a case: the same, the same stored otherwise, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from onkos.core.errors import GeometryError
from onkos.core.geometry import FloatArray, Geometry
from onkos.core.mask import Mask

WHOLE = "tumour"
_SAME_MM = 1e-3


def on_one_grid(masks: Mapping[str, Mask], *, case: str) -> dict[str, Mask]:
    """Bring the outlines of a case onto the grid of the first reader's, without loss.

    Grids whose voxels are the same and only stored in another order (an axis turned or
    exchanged) are put in the first one's order; no voxel changes.

    Raises
    ------
    GeometryError
        If two grids differ, with how far in millimetres.
    """
    first, *_ = masks
    grid = masks[first].geometry
    found: dict[str, Mask] = {}
    for reader, mask in masks.items():
        if mask.geometry.matches(grid):
            found[reader] = replace(mask, geometry=grid)
        elif _stored_otherwise(mask.geometry, grid):
            found[reader] = mask.on(grid)
        else:
            raise GeometryError(
                f"case {case}: reader {reader}'s grid, {mask.geometry}, is not reader {first}'s, "
                f"{grid}{_apart(mask.geometry, grid)}; bring all outlines of a case onto one grid"
            )
    return found


def named_alike(masks: Mapping[str, Mask]) -> dict[str, Mask]:
    """Outlines of one value each are the tumour; where one has several, values name them all."""
    known = {name for mask in masks.values() for name in mask.names.values()}
    if len(known) <= 1:
        return dict(masks)
    if all(len(mask.names) <= 1 for mask in masks.values()):
        return {
            reader: replace(mask, names=dict.fromkeys(mask.names, WHOLE))
            for reader, mask in masks.items()
        }
    return {
        reader: replace(mask, names={label: f"label-{label}" for label in mask.names})
        if list(mask.names.values()) == [WHOLE]
        else mask
        for reader, mask in masks.items()
    }


def _stored_otherwise(one: Geometry, other: Geometry) -> bool:
    """Whether both grids have the same voxel centres in another order of the array."""
    if one.ndim != 3 or other.ndim != 3 or not (one.calibrated and other.calibrated):
        return False
    if sorted(one.shape) != sorted(other.shape):
        return False
    first, second = _corners(one), _corners(other)
    apart = np.linalg.norm(first[:, None] - second[None], axis=2)
    near = np.isclose(sorted(one.spacing_mm), sorted(other.spacing_mm), atol=_SAME_MM).all()
    return bool(near and (apart.min(axis=0) <= _SAME_MM).all())


def _apart(one: Geometry, other: Geometry) -> str:
    """How far two grids lie apart, in words."""
    if not (one.calibrated and other.calibrated) or one.ndim != other.ndim:
        return ""
    first, second = _corners(one), _corners(other)
    far = float(np.linalg.norm(first - second, axis=1).max())
    return f" (corners up to {far:.3g} mm apart)"


def _corners(geometry: Geometry) -> FloatArray:
    ends = np.array(np.meshgrid(*[(0, side - 1) for side in geometry.shape], indexing="ij"))
    return geometry.to_mm(ends.reshape(geometry.ndim, -1).T)
