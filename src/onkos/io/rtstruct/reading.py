"""The contours of an RT structure set to masks."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import FloatArray
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.core.volume import Volume
from onkos.io.attributes import MANUFACTURER
from onkos.io.damage import said
from onkos.io.dicom.header import PARSING
from onkos.io.layers import Patch, Tissue, layered, patch
from onkos.io.rtstruct.overlaps import Slice, on_slice
from onkos.io.rtstruct.regions import Region, items_of, regions_of, unique_names

_OFF_SLICES = 0.2  # how far a contour may lie from the slice it is taken for

Placed = Mapping[int, list[FloatArray]]


def read(path: Path, volumes: Sequence[Volume], *, shown: str = "") -> tuple[Mask, ...]:
    """Fill the contours of a structure set on the images they were drawn on.

    A pixel belongs to a region if its centre lies inside an odd number of the region's contours
    on that slice, so that a contour inside another one is a hole, as is a keyhole. A contour that
    is there twice counts once, and two that cross are both filled, each with a caveat.

    Parameters
    ----------
    path
        The file.
    volumes
        Images it may have been drawn on.
    shown
        How messages name the file; its path if empty.

    Returns
    -------
    tuple of Mask
        Labels are ROI numbers (counted from 1 where one of them is no number from 1 to 65535),
        names ROI names. Regions that overlap are in different masks, as few as it takes. Points,
        open lines, contours beyond the images and slices without a contour between others are
        told in a caveat of their region.

    Raises
    ------
    ContentError
        If the images are not here, no region is closed, or the object contradicts itself.
    GeometryError
        If a contour does not lie in a slice.
    """
    shown = shown or str(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters of it is checked by hand
            whole = pydicom.dcmread(path, force=True)
            regions, nameless = regions_of(whole, shown)
            references = _references(whole)
            own = whole.get("Manufacturer") == MANUFACTURER
    except PARSING as error:
        raise ContentError(
            f"{shown}: damaged structure set ({said(error)}); export it again"
        ) from error
    closed = [region for region in regions if region.closed]
    if not closed:
        kinds = sorted(set().union(*(region.left_out for region in regions)))
        raise ContentError(
            f"{shown}: no region of closed planar contours ({', '.join(kinds) or 'no region'}); "
            "only closed contours enclose tissue. Export outlines, not points or lines"
        )
    volume = _drawn_on(closed, references, volumes, shown)
    names = unique_names(closed)
    caveats = _general(regions, nameless, shown)
    placed: dict[int, Placed] = {}
    for region in closed:
        name = names[region.label]
        placed[region.label], beyond = _by_slice(region, volume, shown)
        told = {**_left_out(region), **_gaps(placed[region.label], beyond, region, own=own)}
        caveats += _of_region(told, name, shown)

    def tissues() -> Iterator[Tissue]:
        for region in closed:
            name = names[region.label]
            patches, told = _filled(region, placed[region.label], volume)
            caveats.extend(_of_region(told, name, shown))
            yield Tissue(region.label, name, patches)

    return layered(tissues(), volume.geometry, caveats=caveats, largest=max(names))


def _references(whole: Dataset) -> frozenset[str]:
    """Series the object says it was drawn on."""
    return frozenset(
        str(series.SeriesInstanceUID)
        for frame in items_of(whole, "ReferencedFrameOfReferenceSequence")
        for study in items_of(frame, "RTReferencedStudySequence")
        for series in items_of(study, "RTReferencedSeriesSequence")
    )


def _drawn_on(
    regions: Sequence[Region],
    references: frozenset[str],
    volumes: Sequence[Volume],
    shown: str,
) -> Volume:
    """Image the contours were drawn on: the series they name, in their frame of reference."""
    frames = {region.frame for region in regions if region.frame}
    if len(frames) > 1:
        raise GeometryError(
            f"{shown}: regions in {len(frames)} frames of reference; export them apart"
        )
    fitting = []
    for volume in volumes:
        source = volume.source
        if source is None or volume.geometry.ndim != 3:
            continue
        same_frame = frames == {source.frame_of_reference_uid}
        named = source.series_uid in references if references else same_frame
        if named and (same_frame or not frames or not source.frame_of_reference_uid):
            fitting.append(volume)
    if not fitting:
        series = ", ".join(sorted(references)[:1]) or "none named"
        if any(one.source and one.source.series_uid in references for one in volumes):
            raise GeometryError(
                f"{shown}: its images (series {series}) are here, but in another frame of "
                "reference than its contours, so their places cannot be compared. Export both again"
            )
        raise ContentError(
            f"{shown}: contours without the images they were drawn on (series {series}); "
            "open them together with the images, in one folder"
        )
    images = {contour.image for region in regions for contour in region.contours}
    return max(fitting, key=lambda one: _named_in(one, images))


def _named_in(volume: Volume, images: set[str]) -> int:
    """How many slices of an image the contours name."""
    return sum(one.uid in images for one in volume.source.instances) if volume.source else 0


def _by_slice(region: Region, volume: Volume, shown: str) -> tuple[Placed, int]:
    """Contours in pixel indices by slice, and how many lie beyond the images."""
    found: dict[int, list[FloatArray]] = defaultdict(list)
    instances = volume.source.instances if volume.source else ()
    uids = [one.uid for one in instances]
    known = set(uids) if len(set(uids)) == len(uids) else set()
    beyond = 0
    for contour in region.contours:
        index = volume.geometry.to_index(contour.points)
        k = round(float(np.median(index[:, 2])))
        off = float(np.abs(index[:, 2] - k).max())
        if off > _OFF_SLICES:
            raise GeometryError(
                f"{shown}: a contour of {region.name!r} lies up to {off:.2f} slices off slice {k}, "
                "between the images or across them; expected contours in the images' planes. "
                "Give the series it was drawn on"
            )
        if not 0 <= k < volume.geometry.shape[2]:
            beyond += 1
            continue
        if contour.image in known and uids[k] != contour.image:
            raise GeometryError(
                f"{shown}: a contour of {region.name!r} names image {contour.image} and lies on "
                f"slice {k}, another image; the object contradicts itself. Export it again"
            )
        found[k].append(index[:, :2])
    return found, beyond


def _filled(region: Region, placed: Placed, volume: Volume) -> tuple[list[Patch], dict[str, str]]:
    """Pixels of a region slice by slice, and what to tell of its contours, by caveat."""
    shape = (volume.geometry.shape[1], volume.geometry.shape[0])
    hollow = any(contour.hollow for contour in region.contours)
    slices = {k: on_slice(some, shape, hollow=hollow) for k, some in placed.items()}
    patches = [one for k, here in slices.items() if (one := patch(k, here.hit)) is not None]
    return patches, _strange(list(slices.values()), len(slices) - len(patches))


def _strange(slices: Sequence[Slice], empty: int) -> dict[str, str]:
    told = {}
    if twice := sum(one.twice for one in slices):
        told["doubled-contours"] = f"contours that are there twice: {twice}; each is filled once."
    if crossing := sum(one.crossing for one in slices):
        told["crossing-contours"] = (
            f"pairs of contours that cross: {crossing}; what either encloses is filled."
        )
    if walls := sum(one.walls for one in slices):
        told["thin-wall"] = (
            f"contours that take away nearly all of the one around them: {walls}; if they are not "
            "the inside of a wall but drawn twice, the region is far larger."
        )
    if beyond := sum(one.beyond for one in slices):
        told["outline-beyond-edge"] = (
            f"contours that reach beyond the picture: {beyond}; what lies there is left out."
        )
    if empty:
        told["outline-too-small"] = (
            f"On {empty} of {len(slices)} slices its contours hold no pixel's centre: nothing "
            "of it is there."
        )
    return told


def _left_out(region: Region) -> dict[str, str]:
    if not region.left_out:
        return {}
    lost = sum(region.left_out.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(region.left_out.items()))
    total = lost + len(region.contours)
    return {"open-contours": f"of {total} contours {lost} enclose nothing ({kinds}); left out."}


def _gaps(placed: Placed, beyond: int, region: Region, *, own: bool) -> dict[str, str]:
    """What a region lacks: contours beyond the images, and slices between its first and last."""
    told = {}
    if beyond:
        told["outline-beyond-images"] = (
            f"{beyond} of {len(region.contours)} contours lie on slices that are not here; left "
            "out, so its volume and features are of a part."
        )
    if placed and not own:  # what Onkos wrote has a contour wherever there was a voxel
        span = max(placed) - min(placed) + 1
        if missing := span - len(placed):
            told["outline-gaps"] = (
                f"{missing} of the {span} slices from its first to its last contour have none and "
                "stay empty: its volume may be too small."
            )
    return told


def _of_region(told: Mapping[str, str], name: str, shown: str) -> list[Caveat]:
    return [
        Caveat(code=code, text=f"{name}: {text}", where=shown, region=name)
        for code, text in told.items()
    ]


def _general(regions: Sequence[Region], nameless: Sequence[str], shown: str) -> list[Caveat]:
    """Caveats on regions that no mask holds."""
    found = []
    left_out = [region.name for region in regions if not region.closed]
    if left_out:
        text = f"Regions that are points or open lines are left out: {', '.join(left_out)}."
        found.append(Caveat(code="open-contours", text=text, where=shown))
    if nameless:
        text = f"Contours of ROI {', '.join(nameless[:5])}, which no region has, are left out."
        found.append(Caveat(code="contours-without-region", text=text, where=shown))
    return found
