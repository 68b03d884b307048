"""One region after image processing: cropped, interpolated, re-segmented, discretised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from onkos.core.errors import ContentError
from onkos.features.radiomics.grid import Axis, axes_to, interpolated
from onkos.features.radiomics.intensity import bin_width
from onkos.features.radiomics.peaks import reach
from onkos.features.radiomics.settings import Settings

Block = tuple[tuple[int, int], ...]

_LEVELS_AT_MOST = 4096  # co-occurrence matrices grow with the square


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """A processed region, from which features are computed; all arrays are (z, y, x).

    Parameters
    ----------
    image
        Intensities of the region with the margin that local intensity peaks need.
    corner
        Voxel of ``image`` where the region's bounding box begins.
    outline
        Morphological mask (0, 1) of the bounding box with a border of zeros.
    inside
        Intensity mask of the bounding box: the outline after re-segmentation.
    spacing_mm
        Steps along z, y, x.
    grid_shape
        Voxels of the whole image after interpolation, along z, y, x.
    around
        Position of ``image`` in that grid, (start, stop) along z, y, x.
    """

    image: NDArray[Any]
    corner: tuple[int, ...]
    outline: NDArray[np.uint8]
    inside: NDArray[np.bool_]
    spacing_mm: tuple[float, ...]
    grid_shape: tuple[int, ...]
    around: Block

    @property
    def box(self) -> NDArray[Any]:
        """Intensities of the bounding box."""
        block = zip(self.corner, self.inside.shape, strict=True)
        cut: NDArray[Any] = self.image[tuple(slice(a, a + n) for a, n in block)]
        return cut

    @property
    def within(self) -> NDArray[np.bool_]:
        """Morphological mask of the bounding box."""
        return self.outline[1:-1, 1:-1, 1:-1].view(bool)


def blocks(labels: NDArray[Any], wanted: NDArray[Any]) -> list[Block | None]:
    """Bounding box (start, stop along z, y, x) of each label, all in one pass; None if absent.

    ``wanted`` must be sorted.
    """
    found = _blocks(labels, wanted)
    return [None if box[0, 1] < 0 else tuple((int(a), int(b) + 1) for a, b in box) for box in found]


def region(
    image: NDArray[Any],
    labels: NDArray[Any],
    label: int,
    block: Block,
    spacing_mm: tuple[float, ...],
    settings: Settings,
) -> Region | None:
    """Process one label of an image (z, y, x); None where interpolation leaves no voxel.

    Raises
    ------
    ContentError
        If an intensity within the outline is not a number.
    """
    axes = axes_to(image.shape, spacing_mm, settings.spacing_mm, settings.alignment)
    shape = tuple(axis.count for axis in axes)
    steps = tuple(axis.mm for axis in axes)
    processed = not all(axis.same for axis in axes)
    if processed:
        block, within = _interpolated_mask(labels, label, block, axes, settings)
    else:
        within = labels[tuple(slice(*ends) for ends in block)] == label
    if not within.any():
        return None
    around = tuple(
        (max(a - far, 0), min(b + far, side))
        for (a, b), far, side in zip(block, _margin(steps, settings), shape, strict=True)
    )
    if processed:
        cut = resampled(image, axes, around, settings)
    else:
        cut = _as_floats(image[tuple(slice(*ends) for ends in around)])
    corner = tuple(a - b for (a, _), (b, _) in zip(block, around, strict=True))
    outline = np.pad(within.view(np.uint8), 1)
    box = cut[tuple(slice(a, a + n) for a, n in zip(corner, within.shape, strict=True))]
    return Region(
        image=cut,
        corner=corner,
        outline=outline,
        inside=_kept(box, within, settings),
        spacing_mm=steps,
        grid_shape=shape,
        around=around,
    )


def resampled(
    image: NDArray[Any], axes: tuple[Axis, ...], block: Block, settings: Settings
) -> NDArray[Any]:
    """Intensities at a block of voxels of a new grid, rounded where the settings say so."""
    cut = interpolated(image, axes, block, method=settings.interpolation)
    if not all(axis.same for axis in axes):
        if settings.round_to_integer:
            np.rint(cut, out=cut)
        elif settings.keep_type and image.dtype.kind in "iu":
            np.trunc(cut, out=cut)
    return cut


def in_levels(found: Region, settings: Settings) -> tuple[NDArray[Any], int]:
    """Discretised intensities with a border of zeros, 0 outside, and the number of levels.

    Raises
    ------
    ContentError
        If the binning gives more than 4,096 levels.
    """
    box, inside = found.box, found.inside
    low, high = (float(end) for end in _ends(box, inside))
    start, width, most = low, high - low, int(settings.bins)
    if settings.discretisation == "number":
        scale = settings.bins if width > 0 else 0.0
        width = width if width > 0 else 1.0
        count = most if scale else 1
    else:
        start = low if settings.low is None else settings.low
        if settings.first_bin == "multiple":
            start = math.floor(low / settings.bins) * settings.bins
        scale, width = 1.0, settings.bins
        count = most = int(bin_width(np.array([high]), start, width)[0])
    if count > _LEVELS_AT_MOST:
        raise ContentError(
            f"intensities from {low:g} to {high:g} in bins of {settings.bins:g} are {count} "
            f"levels; expected at most {_LEVELS_AT_MOST}, use wider bins or a fixed bin number"
        )
    out = np.zeros(found.outline.shape, dtype=np.uint8 if count < 256 else np.uint16)
    _fill(out, box, inside, (start, width, scale, most))
    return out, count


def _interpolated_mask(
    labels: NDArray[Any], label: int, block: Block, axes: Any, settings: Settings
) -> tuple[Block, NDArray[np.bool_]]:
    """Region on the new grid, cut to its bounding box there."""
    new = tuple(axis.covering(*ends) for axis, ends in zip(axes, block, strict=True))
    part = interpolated(labels, axes, new, method=settings.mask_interpolation, label=label)
    within = part >= settings.mask_threshold - 1e-6
    box = _blocks(within.view(np.uint8), np.array([1]))[0]
    if box[0, 1] < 0:
        return new, within
    cut = tuple(slice(int(a), int(b) + 1) for a, b in box)
    moved = tuple((n[0] + int(a), n[0] + int(b) + 1) for n, (a, b) in zip(new, box, strict=True))
    return moved, np.ascontiguousarray(within[cut])


def _margin(steps: tuple[float, ...], settings: Settings) -> tuple[int, ...]:
    return reach(steps) if "loc" in settings.families else (0, 0, 0)


def _as_floats(cut: NDArray[Any]) -> NDArray[Any]:
    kind = np.float32 if cut.dtype.itemsize < 4 or cut.dtype == np.float32 else np.float64
    return np.ascontiguousarray(cut, dtype=kind)


def _kept(box: NDArray[Any], within: NDArray[np.bool_], settings: Settings) -> NDArray[np.bool_]:
    """Intensity mask: range re-segmentation first, then outlier filtering."""
    if not np.isfinite(box, where=within, out=np.ones(box.shape, dtype=bool)).all():
        raise ContentError("some intensities within the outline are not numbers")
    kept = within.copy()
    if settings.low is not None:
        kept &= box >= settings.low
    if settings.high is not None:
        kept &= box <= settings.high
    if settings.outlier_sigma is not None and kept.any():
        values = box[kept].astype(np.float64)
        mean, far = values.mean(), settings.outlier_sigma * values.std()
        kept &= (box >= mean - far) & (box <= mean + far)
    return kept


@njit(cache=True, nogil=True)
def _blocks(labels: Any, wanted: Any) -> Any:  # pragma: no cover
    boxes = np.empty((len(wanted), 3, 2), dtype=np.int64)
    boxes[:, :, 0], boxes[:, :, 1] = 1 << 40, -1
    last, slot = np.int64(0), np.int64(-1)
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            for x in range(labels.shape[2]):
                label = np.int64(labels[z, y, x])
                if label == 0:
                    continue
                if label != last:
                    last, slot = label, np.searchsorted(wanted, label)
                    if slot == len(wanted) or wanted[slot] != label:
                        slot = np.int64(-1)
                if slot >= 0:
                    box = boxes[slot]
                    box[0, 0], box[0, 1] = min(box[0, 0], z), max(box[0, 1], z)
                    box[1, 0], box[1, 1] = min(box[1, 0], y), max(box[1, 1], y)
                    box[2, 0], box[2, 1] = min(box[2, 0], x), max(box[2, 1], x)
    return boxes


@njit(cache=True, nogil=True)
def _ends(box: Any, inside: Any) -> Any:  # pragma: no cover
    low, high = np.inf, -np.inf
    for z in range(box.shape[0]):
        for y in range(box.shape[1]):
            for x in range(box.shape[2]):
                if inside[z, y, x]:
                    low, high = min(low, box[z, y, x]), max(high, box[z, y, x])
    return low, high


@njit(cache=True, nogil=True)
def _fill(out: Any, box: Any, inside: Any, bins: Any) -> None:  # pragma: no cover
    start, width, scale, most = bins
    for z in range(box.shape[0]):
        for y in range(box.shape[1]):
            for x in range(box.shape[2]):
                if inside[z, y, x]:
                    level = math.floor(scale * ((np.float64(box[z, y, x]) - start) / width)) + 1
                    out[z + 1, y + 1, x + 1] = min(level, most)
