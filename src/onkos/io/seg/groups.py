"""Functional groups of a segmentation's frames, each in the frame's own groups or in the shared.

DICOM lets position, orientation, pixel measures and segment stand in either place. Values are kept
as they are stored until all frames are known, since thousands of frames share a few of them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from onkos.core.errors import GeometryError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.io.seg.grid import Planes
from onkos.io.seg.items import Element, elements, first_item

_POSITION_SEQUENCE, _POSITION = 0x00209113, 0x00200032
_ORIENTATION_SEQUENCE, _ORIENTATION = 0x00209116, 0x00200037
_SEGMENT_SEQUENCE, _SEGMENT = 0x0062000A, 0x0062000B
_MEASURES_SEQUENCE, _SPACING = 0x00289110, 0x00280030
_THICKNESS, _BETWEEN = 0x00180050, 0x00180088
_SAME_DIRECTION = 2e-3  # cosines
_SAME_MEASURE = 1e-4  # part of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What one frame says itself, as text with backslashes; empty where it says nothing."""

    position: bytes = b""
    orientation: bytes = b""
    spacing: bytes = b""
    thickness: bytes = b""
    between: bytes = b""
    segment: int = 0


def group_in(buffer: memoryview, start: int, end: int) -> Group:
    """Groups of one frame in the bytes of its item."""
    found: dict[str, bytes] = {}
    segment = 0
    for element in elements(buffer, start, end):
        if element.tag == _POSITION_SEQUENCE:
            found |= _inner(buffer, element, {_POSITION: "position"})
        elif element.tag == _ORIENTATION_SEQUENCE:
            found |= _inner(buffer, element, {_ORIENTATION: "orientation"})
        elif element.tag == _MEASURES_SEQUENCE:
            names = {_SPACING: "spacing", _THICKNESS: "thickness", _BETWEEN: "between"}
            found |= _inner(buffer, element, names)
        elif element.tag == _SEGMENT_SEQUENCE:
            value = _inner(buffer, element, {_SEGMENT: "segment"}).get("segment", bytes(2))
            segment = struct.unpack("<H", value)[0]
    return Group(segment=segment, **found)


def group_of(item: Dataset | None) -> Group:
    """Groups that pydicom has parsed."""
    if item is None:
        return Group()
    measures = _first(item, "PixelMeasuresSequence")
    orientation = _first(item, "PlaneOrientationSequence").get("ImageOrientationPatient")
    segment = _first(item, "SegmentIdentificationSequence").get("ReferencedSegmentNumber")
    return Group(
        position=_stored(_first(item, "PlanePositionSequence").get("ImagePositionPatient")),
        orientation=_stored(orientation),
        spacing=_stored(measures.get("PixelSpacing")),
        thickness=_stored(measures.get("SliceThickness")),
        between=_stored(measures.get("SpacingBetweenSlices")),
        segment=int(segment or 0),
    )


def gathered(head: Dataset, groups: Sequence[Group], shown: str) -> tuple[Planes, AnyArray]:
    """Where all frames lie and which segment each is of, from their own and the shared groups.

    Raises
    ------
    GeometryError
        If something is told in neither, or frames differ in what must be one.
    """
    shared = group_of(next(iter(head.get("SharedFunctionalGroupsSequence") or ()), None))
    positions = [group.position or shared.position for group in groups]
    if not all(positions):
        raise GeometryError(
            f"{shown}: frames without a position in the patient, as of a plain picture or a "
            "changed file; expected planes with a place. Export it again"
        )
    orientation = _one("orientation", groups, shared, (shown, 6))
    spacing = _one("spacing", groups, shared, (shown, 2))
    if orientation is None:
        raise GeometryError(
            f"{shown}: no plane orientation, so its place in the patient is not known. Export it "
            "again"
        )
    if spacing is None or spacing.min() <= 0:
        raise GeometryError(
            f"{shown}: no pixel spacing, neither of all frames nor of each. Export it again"
        )
    lengths = [_one(name, groups, shared, (shown, 1)) for name in ("thickness", "between")]
    known = {text: _numbers(text, 3, shown) for text in set(positions)}
    planes = Planes(
        shape=(int(head.Columns), int(head.Rows)),
        frame=str(head.get("FrameOfReferenceUID") or ""),
        positions=np.array([known[text] for text in positions]).reshape(-1, 3),
        cosines=orientation.reshape(2, 3),
        spacing=spacing,
        thickness=0.0 if lengths[0] is None else max(0.0, float(lengths[0][0])),
        between=0.0 if lengths[1] is None else max(0.0, float(lengths[1][0])),
    )
    return planes, np.array([group.segment or shared.segment for group in groups])


def _one(
    name: str, groups: Sequence[Group], shared: Group, expected: tuple[str, int]
) -> FloatArray | None:
    """The value that all frames have in common, however it is written; None where there is none."""
    shown, count = expected
    texts = {getattr(group, name) or getattr(shared, name) for group in groups} - {b""}
    values = [_numbers(text, count, shown) for text in sorted(texts)]
    if not values:
        return None
    within = _SAME_DIRECTION if name == "orientation" else _SAME_MEASURE * np.abs(values[0])
    if any((np.abs(value - values[0]) > within).any() for value in values):
        what = {"orientation": "orientations", "spacing": "pixel spacings"}.get(name, f"{name}s")
        raise GeometryError(
            f"{shown}: frames of several {what}; expected planes of one kind. Export them apart"
        )
    return values[0]


def _numbers(text: bytes, count: int, shown: str) -> FloatArray:
    parts = [float(part) for part in text.decode("ascii").strip(" \0").split("\\")]
    if len(parts) != count or not np.isfinite(parts).all():
        raise GeometryError(
            f"{shown}: {len(parts)} numbers where {count} finite ones tell the place of a frame; "
            "it is damaged, export it again"
        )
    return np.array(parts)


def _inner(buffer: memoryview, sequence: Element, names: dict[int, str]) -> dict[str, bytes]:
    """Values of elements in the first item of a sequence, by name."""
    span = first_item(buffer, sequence)
    return {
        names[element.tag]: bytes(buffer[element.start : element.end])
        for element in (elements(buffer, *span) if span else ())
        if element.tag in names
    }


def _first(item: Dataset, keyword: str) -> Dataset:
    found = item.get(keyword)
    return found[0] if found else Dataset()


def _stored(value: object) -> bytes:
    if value is None or value == "":
        return b""
    parts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return "\\".join(str(part) for part in parts).encode("ascii")
