"""Where the frames of a segmentation lie: on an image's grid, or on one of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

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


def place(
    head: Dataset,
    positions: FloatArray,
    orientation: Sequence[float],
    volumes: Sequence[Volume],
    where: str,
) -> Grid:
    """Place frames on the image that holds most of them, else on a grid of their own.

    Raises
    ------
    GeometryError
        If the frames are not parallel planes at even distances.
    """
    cosines = np.array(orientation).reshape(2, 3)
    spacing = _pixel_spacing(head, where)
    best: tuple[int, Volume, AnyArray] | None = None
    for volume in volumes:
        slices = _on_volume(head, positions, cosines, spacing, volume)
        hits = 0 if slices is None else int((slices >= 0).sum())
        if slices is not None and hits and (best is None or hits > best[0]):
            best = (hits, volume, slices)
    if best is None:
        return _own(head, positions, cosines, spacing, where)
    hits, volume, slices = best
    outside = len(slices) - hits
    caveats: tuple[Caveat, ...] = ()
    if outside:
        text = f"{outside} of {len(slices)} frames lie on slices that are not here; left out."
        caveats = (Caveat(code="outline-beyond-images", text=text, where=where),)
    return Grid(geometry=volume.geometry, slices=slices, caveats=caveats)


def _on_volume(
    head: Dataset,
    positions: FloatArray,
    cosines: FloatArray,
    spacing: FloatArray,
    volume: Volume,
) -> AnyArray | None:
    """Slice of an image for each frame; None if the image has another grid or frame."""
    geometry = volume.geometry
    if geometry.ndim != 3 or geometry.shape[:2] != (int(head.Columns), int(head.Rows)):
        return None
    frame = str(head.get("FrameOfReferenceUID") or "")
    if volume.source and frame and volume.source.frame_of_reference_uid not in ("", frame):
        return None
    turned = np.abs(geometry.directions[:, :2].T - cosines).max() > _OFF_COSINE
    steps = np.array([geometry.spacing_mm[1], geometry.spacing_mm[0]])
    if turned or np.abs(steps - spacing).max() > _OFF_SPACING * spacing.max():
        return None
    index = geometry.to_index(positions)
    nearest = np.rint(index[:, 2])
    off = np.abs(index - np.column_stack([np.zeros((len(index), 2)), nearest]))
    fits = (off.max(axis=1) <= _OFF_VOXELS) & (nearest >= 0) & (nearest < geometry.shape[2])
    return np.where(fits, nearest, -1).astype(np.intp)


def _own(
    head: Dataset,
    positions: FloatArray,
    cosines: FloatArray,
    spacing: FloatArray,
    where: str,
) -> Grid:
    """Grid made of the frames' own positions; slices without a frame are empty."""
    normal = np.cross(cosines[0], cosines[1])
    at = positions @ normal
    step, doubts = _step(head, np.unique(np.round(at, 3)), where)
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
    shape = (int(head.Columns), int(head.Rows), int(slices.max()) + 1)
    text = "None of the images here has its grid; it lies on a grid of its own."
    caveat = Caveat(code="outline-without-image", text=text, where=where)
    geometry = Geometry(shape=shape, affine=affine)
    return Grid(geometry=geometry, slices=slices, caveats=(caveat, *doubts))


def _step(head: Dataset, levels: FloatArray, where: str) -> tuple[float, tuple[Caveat, ...]]:
    """Distance between slices: as stated, for slices without a segment may have no frame.

    Where it is not stated, or the frames lie closer, it is the smallest distance between them.
    """
    gaps = np.diff(levels)
    if not gaps.size:
        return _thickness(head, where), ()
    smallest = float(gaps.min())
    stated = _measure(head, "SpacingBetweenSlices")
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
    thickness = _measure(head, "SliceThickness")
    if thickness and smallest > _GAP * thickness:
        text = (
            f"Its frames are {smallest:.4g} mm apart and {thickness:g} mm thick: slices between "
            "them may be empty or not imaged. Their volumes may be too large."
        )
        return smallest, (Caveat(code="gaps-between-slices", text=text, where=where),)
    return smallest, ()


def _measures(head: Dataset) -> Dataset:
    shared = head.get("SharedFunctionalGroupsSequence")
    found = shared[0].get("PixelMeasuresSequence") if shared else None
    return found[0] if found else Dataset()


def _pixel_spacing(head: Dataset, where: str) -> FloatArray:
    spacing = _measures(head).get("PixelSpacing")
    if spacing is None or min(float(step) for step in spacing) <= 0:
        raise GeometryError(f"{where}: no pixel spacing for all frames; export it again")
    return np.array([float(step) for step in spacing])


def _measure(head: Dataset, keyword: str) -> float:
    """A length that holds for all frames; 0 where it is not stated."""
    value = float(_measures(head).get(keyword) or 0)
    return value if value > 0 else 0.0


def _thickness(head: Dataset, where: str) -> float:
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        if value := _measure(head, keyword):
            return value
    raise GeometryError(f"{where}: a single plane of unknown thickness; its volume is not known")
