"""The contours of an RT structure set to masks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import FloatArray
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.core.volume import Volume
from onkos.io.dicom.header import PARSING
from onkos.io.layers import Tissue, layered, patch
from onkos.io.rtstruct.contours import filled

_OFF_SLICES = 0.2  # how far a contour may lie from the slice it is taken for
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Contour:
    """Corners in mm, and the image it says it was drawn on (empty if it says none)."""

    points: FloatArray
    image: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Region:
    """One region of interest; ``kinds`` are the geometric types of its contours."""

    number: int
    name: str
    frame: str
    kinds: frozenset[str]
    contours: tuple[_Contour, ...]

    @property
    def closed(self) -> bool:
        """Whether it encloses anything."""
        return self.kinds <= set(_CLOSED)


def read(path: Path, volumes: Sequence[Volume], *, shown: str = "") -> tuple[Mask, ...]:
    """Fill the contours of a structure set on the images they were drawn on.

    A pixel belongs to a region if its centre lies inside an odd number of the region's contours
    on that slice, so that a contour inside another one is a hole, as is a keyhole.

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
        Labels are ROI numbers, names ROI names. Regions that overlap are in different masks, as
        few as it takes. Regions of points or open lines, and contours beyond the images, are
        left out with a caveat.

    Raises
    ------
    ContentError
        If the images are not here, no region is closed, or the object contradicts itself.
    GeometryError
        If a contour does not lie in a slice.
    """
    shown = shown or str(path)
    try:
        whole = pydicom.dcmread(path, force=True)
        regions = list(_regions(whole, shown))
        references = _references(whole)
    except PARSING as error:
        raise ContentError(
            f"{shown}: damaged structure set ({type(error).__name__}: {error}); export it again"
        ) from error
    closed = [region for region in regions if region.closed]
    if not closed:
        kinds = sorted(set().union(*(region.kinds for region in regions)))
        raise ContentError(
            f"{shown}: no region of closed planar contours ({', '.join(kinds) or 'no region'}); "
            "only closed contours enclose tissue"
        )
    volume = _drawn_on(closed, references, volumes, shown)
    placed = {region.number: _by_slice(region, volume, shown) for region in closed}
    beyond = sum(lost for _, lost in placed.values())
    names = _unique_names(closed)

    def tissues() -> Iterator[Tissue]:
        rows, columns = volume.geometry.shape[1], volume.geometry.shape[0]
        for region in closed:
            slices = placed[region.number][0]
            drawn = (patch(k, filled(some, (rows, columns))) for k, some in slices.items())
            patches = [one for one in drawn if one is not None]
            yield Tissue(region.number, names[region.number], patches)

    return layered(
        tissues(),
        volume.geometry,
        caveats=_caveats(regions, beyond, shown),
        largest=max(names),
    )


def _regions(whole: Dataset, shown: str) -> Iterator[_Region]:
    drawn = {
        int(one.ReferencedROINumber): one.get("ContourSequence") or ()
        for one in whole.get("ROIContourSequence") or ()
    }
    seen: set[int] = set()
    for described in whole.StructureSetROISequence:
        number = int(described.ROINumber)
        if number in seen or number < 1:
            raise ContentError(f"{shown}: ROI number {number} is used twice or is not positive")
        seen.add(number)
        own = drawn.get(number, ())
        yield _Region(
            number=number,
            name=str(described.get("ROIName") or f"ROI {number}").strip(),
            frame=str(described.get("ReferencedFrameOfReferenceUID") or ""),
            kinds=frozenset(str(one.ContourGeometricType) for one in own),
            contours=tuple(_contour(one, number, shown) for one in own),
        )


def _contour(drawn: Dataset, number: int, shown: str) -> _Contour:
    values = np.array(drawn.ContourData, dtype=np.float64)
    if values.size % 3 or not np.isfinite(values).all():
        raise ContentError(
            f"{shown}: a contour of ROI {number} has {values.size} coordinates, not three a point, "
            "or some that are no numbers; export it again"
        )
    stated = int(drawn.get("NumberOfContourPoints") or values.size // 3)
    if stated != values.size // 3:
        raise ContentError(
            f"{shown}: a contour of ROI {number} states {stated} points and has "
            f"{values.size // 3}; it is damaged, export it again"
        )
    images = drawn.get("ContourImageSequence")
    image = str(images[0].ReferencedSOPInstanceUID) if images else ""
    return _Contour(points=values.reshape(-1, 3), image=image)


def _references(whole: Dataset) -> frozenset[str]:
    """Series the object says it was drawn on."""
    return frozenset(
        str(series.SeriesInstanceUID)
        for frame in whole.get("ReferencedFrameOfReferenceSequence") or ()
        for study in frame.get("RTReferencedStudySequence") or ()
        for series in study.get("RTReferencedSeriesSequence") or ()
    )


def _drawn_on(
    regions: Sequence[_Region],
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
        series = ", ".join(sorted(references)) or "none named"
        raise ContentError(
            f"{shown}: contours without the images they were drawn on (series {series}, frame of "
            f"reference {', '.join(frames) or 'none'}); open them together with the images"
        )
    images = {contour.image for region in regions for contour in region.contours}
    return max(fitting, key=lambda one: _named_in(one, images))


def _named_in(volume: Volume, images: set[str]) -> int:
    """How many slices of an image the contours name."""
    return sum(one.uid in images for one in volume.source.instances) if volume.source else 0


def _by_slice(
    region: _Region, volume: Volume, shown: str
) -> tuple[dict[int, list[FloatArray]], int]:
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
                f"slice {k}, which is image {uids[k]}; the object contradicts itself"
            )
        found[k].append(index[:, :2])
    return found, beyond


def _unique_names(regions: Sequence[_Region]) -> dict[int, str]:
    names: dict[int, str] = {}
    for region in regions:
        taken = region.name in names.values()
        names[region.number] = f"{region.name} ({region.number})" if taken else region.name
    return names


def _caveats(regions: Sequence[_Region], beyond: int, shown: str) -> tuple[Caveat, ...]:
    found = []
    left_out = [region.name for region in regions if not region.closed]
    if left_out:
        text = f"Regions that are points or open lines are left out: {', '.join(left_out)}."
        found.append(Caveat(code="open-contours", text=text, where=shown))
    if beyond:
        total = sum(len(region.contours) for region in regions)
        text = f"{beyond} of {total} contours lie on slices that are not here; left out."
        found.append(Caveat(code="outline-beyond-images", text=text, where=shown))
    return tuple(found)
