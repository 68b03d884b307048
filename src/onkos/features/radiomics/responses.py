"""Filter responses of the part of the image that the regions need, one filter at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import ContentError, GeometryError, UsageError
from onkos.core.geometry import Geometry
from onkos.core.volume import Volume
from onkos.features.filters import LaplacianOfGaussian
from onkos.features.radiomics.filtered import Filtering
from onkos.features.radiomics.grid import axes_to
from onkos.features.radiomics.region import Block, Region, resampled
from onkos.features.radiomics.settings import Settings

ProcessedRegions = list[Region | None]


def responses(
    image: NDArray[Any],
    spacing_mm: tuple[float, ...],
    regions: ProcessedRegions,
    settings: Settings,
    *,
    threads: int,
) -> Iterator[tuple[Filtering, ProcessedRegions]]:
    """Each filter with the regions in its response; intensity masks are unchanged.

    The image (z, y, x) is interpolated and filtered once for all regions, in their common
    bounding box enlarged by the support of the filter, where the response equals that of the
    whole image. Filters of infinite support, and periodic boundaries within reach, get the whole
    image. Memory: the box in 32 bits, and a few times that within a filter.

    Raises
    ------
    ContentError, GeometryError, UsageError
        If a filter refuses the box; the message names the filter.
    """
    present = [region for region in regions if region is not None]
    if not present or not settings.filters:
        for filtering in settings.filters:
            yield filtering, regions
        return
    steps, shape = present[0].spacing_mm, present[0].grid_shape
    held = [_united([region.around for region in present])]
    boxes = [_grown(held[0], filtering, steps, shape) for filtering in settings.filters]
    whole = _united(boxes)
    axes = axes_to(image.shape, spacing_mm, settings.spacing_mm, settings.alignment)
    cut = resampled(image, axes, whole, settings)
    for filtering, box in zip(settings.filters, boxes, strict=True):
        inner = cut[tuple(slice(*ends) for ends in _moved(box, whole))]
        yield filtering, _seen(regions, _response(inner, filtering, steps, threads), box)


def _response(
    cut: NDArray[Any], filtering: Filtering, steps: tuple[float, ...], threads: int
) -> NDArray[np.float32]:
    """Response of a box (z, y, x) of the image."""
    grid = Geometry.upright(cut.shape[::-1], spacing_mm=steps[::-1])
    volume = Volume(data=cut.T, geometry=grid, modality="OT", unit="1")
    try:
        data: NDArray[np.float32] = filtering.filter.respond(volume, threads=threads).data.T
    except (ContentError, GeometryError, UsageError) as error:
        raise type(error)(f"filter {filtering.id}: {error}") from error
    if filtering.scale_normalised and isinstance(filtering.filter, LaplacianOfGaussian):
        mean_side = np.exp(np.log(steps[1:] if filtering.filter.slicewise else steps).mean())
        data = data * np.float32((filtering.filter.sigma_mm / mean_side) ** 2)
    return data


def _seen(regions: ProcessedRegions, response: NDArray[np.float32], box: Block) -> ProcessedRegions:
    """Regions with the response in place of the image."""
    seen: ProcessedRegions = []
    for region in regions:
        if region is None:
            seen.append(None)
            continue
        inside = tuple(slice(*ends) for ends in _moved(region.around, box))
        seen.append(replace(region, image=np.ascontiguousarray(response[inside])))
    return seen


def _grown(
    box: Block, filtering: Filtering, steps: tuple[float, ...], shape: tuple[int, ...]
) -> Block:
    """Box enlarged by the support of the filter, within the image."""
    far = filtering.reach(steps[::-1])
    if far is None:
        return tuple((0, side) for side in shape)
    wraps = filtering.filter.boundary.beyond == "periodic"
    grown = []
    for (start, stop), n, side in zip(box, far[::-1], shape, strict=True):
        over = start < n or stop + n > side
        whole = wraps and n > 0 and over
        grown.append((0, side) if whole else (max(start - n, 0), min(stop + n, side)))
    return tuple(grown)


def _united(boxes: Sequence[Block]) -> Block:
    """The smallest box that holds all."""
    return tuple(
        (min(start for start, _ in ends), max(stop for _, stop in ends))
        for ends in zip(*boxes, strict=True)
    )


def _moved(box: Block, within: Block) -> Block:
    """A box relative to the corner of another."""
    return tuple((a - first, b - first) for (a, b), (first, _) in zip(box, within, strict=True))
