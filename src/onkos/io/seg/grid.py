"""Where the frames of a segmentation lie: on an image's grid, or on one of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onkos.core.errors import GeometryError
from onkos.core.geometry import AnyArray, FloatArray, Geometry
from onkos.core.source import Caveat
from onkos.core.volume import Volume

_OFF_VOXELS = 0.1  # how far a frame may lie from the slice it is taken for
_OFF_COSINE = 2e-3
_OFF_SPACING = 2e-3
_MOST_SLICES = 10_000
_GAP = 1.5  # slice distance over thickness from which on slices may lie between


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Grid of the masks, and for each frame the slice it is; -1 for one that is outside."""

    geometry: Geometry
    slices: AnyArray
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planes:
    """Where the frames say they lie.

    Parameters
    ----------
    shape
        Columns and rows of each.
    frame
        Frame of reference, empty where none is stated.
    positions, cosines
        (n, 3) first pixels in LPS mm, and (2, 3) directions along rows and down columns.
    spacing
        Distance between rows, then between columns, in mm.
    thickness, between
        Slice Thickness and Spacing Between Slices in mm; 0 where not stated.
    """

    shape: tuple[int, int]
    frame: str
    positions: FloatArray
    cosines: FloatArray
    spacing: FloatArray
    thickness: float = 0.0
    between: float = 0.0


def place(planes: Planes, volumes: Sequence[Volume], where: str) -> Grid:
    """Place frames on the image that holds most of them, else on a grid of their own.

    Raises
    ------
    GeometryError
        If the frames are not parallel planes at even distances.
    """
    best: tuple[int, Volume, AnyArray] | None = None
    for volume in volumes:
        slices = _on_volume(planes, volume)
        hits = 0 if slices is None else int((slices >= 0).sum())
        if slices is not None and hits and (best is None or hits > best[0]):
            best = (hits, volume, slices)
    if best is None:
        return _own(planes, where)
    hits, volume, slices = best
    outside = len(slices) - hits
    caveats: tuple[Caveat, ...] = ()
    if outside:
        text = f"{outside} of {len(slices)} frames lie on slices that are not here; left out."
        caveats = (Caveat(code="outline-beyond-images", text=text, where=where),)
    return Grid(geometry=volume.geometry, slices=slices, caveats=caveats)


def _on_volume(planes: Planes, volume: Volume) -> AnyArray | None:
    """Slice of an image for each frame; None if the image has another grid or frame."""
    geometry = volume.geometry
    if geometry.ndim != 3 or geometry.shape[:2] != planes.shape:
        return None
    own = volume.source.frame_of_reference_uid if volume.source else ""
    if own and planes.frame and own != planes.frame:
        return None
    turned = np.abs(geometry.directions[:, :2].T - planes.cosines).max() > _OFF_COSINE
    steps = np.array([geometry.spacing_mm[1], geometry.spacing_mm[0]])
    if turned or np.abs(steps - planes.spacing).max() > _OFF_SPACING * planes.spacing.max():
        return None
    index = geometry.to_index(planes.positions)
    nearest = np.rint(index[:, 2])
    off = np.abs(index - np.column_stack([np.zeros((len(index), 2)), nearest]))
    fits = (off.max(axis=1) <= _OFF_VOXELS) & (nearest >= 0) & (nearest < geometry.shape[2])
    return np.where(fits, nearest, -1).astype(np.intp)


def _own(planes: Planes, where: str) -> Grid:
    """Grid made of the frames' own positions; slices without a frame are empty."""
    positions, cosines, spacing = planes.positions, planes.cosines, planes.spacing
    normal = np.cross(cosines[0], cosines[1])
    at = positions @ normal
    step, doubts = _step(planes, np.unique(np.round(at, 3)), where)
    origin = positions[int(np.argmin(at))]
    number = (at - at.min()) / step
    slices = np.rint(number).astype(np.intp)
    line = origin + np.outer(slices * step, normal)
    if (
        np.abs(number - slices).max() > _OFF_VOXELS
        or np.abs(positions - line).max() > _OFF_VOXELS * spacing.max()
    ):
        raise GeometryError(
            f"{where}: its frames are not planes behind each other at even distances (smallest "
            f"step {step:.4g} mm); give the images it was drawn on with it, or export it again"
        )
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = cosines[0] * spacing[1], cosines[1] * spacing[0]
    affine[:3, 2], affine[:3, 3] = normal * step, origin
    shape = (*planes.shape, int(slices.max()) + 1)
    text = "None of the images here has its grid; it lies on a grid of its own."
    caveat = Caveat(code="outline-without-image", text=text, where=where)
    geometry = Geometry(shape=shape, affine=affine)
    return Grid(geometry=geometry, slices=slices, caveats=(caveat, *doubts))


def _step(planes: Planes, levels: FloatArray, where: str) -> tuple[float, tuple[Caveat, ...]]:
    """Distance between slices: as stated, for slices without a segment may have no frame.

    Where it is not stated, or the frames lie closer, it is the smallest distance between them.
    """
    gaps = np.diff(levels)
    if not gaps.size:
        return _thickness(planes, where), ()
    smallest = float(gaps.min())
    stated = planes.between
    if stated:
        steps = np.rint(gaps / stated)
        fits = steps.min() >= 1 and np.abs(gaps / stated - steps).max() <= _OFF_VOXELS
        if fits and steps.sum() <= _MOST_SLICES:
            return float(gaps.sum() / steps.sum()), ()
        text = (
            f"SpacingBetweenSlices says {stated:g} mm, the frames lie {smallest:.4g} mm apart; "
            "their places are used."
        )
        return smallest, (Caveat(code="spacing-contradiction", text=text, where=where),)
    thickness = planes.thickness
    if thickness and smallest > _GAP * thickness:
        text = (
            f"Its frames are {smallest:.4g} mm apart and {thickness:g} mm thick: slices between "
            "them may be empty or not imaged. Their volumes may be too large."
        )
        return smallest, (Caveat(code="gaps-between-slices", text=text, where=where),)
    return smallest, ()


def _thickness(planes: Planes, where: str) -> float:
    if value := planes.between or planes.thickness:
        return value
    raise GeometryError(
        f"{where}: a single plane of unknown thickness; its volume is not known. Give the images "
        "it was drawn on with it"
    )
