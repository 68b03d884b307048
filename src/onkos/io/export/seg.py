"""Masks to a DICOM segmentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import generate_uid

from onkos.core.coding import ABNORMAL_STRUCTURE, Code
from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import AnyArray, Geometry
from onkos.core.mask import Mask
from onkos.core.reading import Provenance
from onkos.core.source import Instance, Source
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.io.attributes import (
    Written,
    algorithm,
    coded,
    decimals,
    file_meta,
    item,
    labelled,
    new_object,
    references,
    set_all,
    source_of,
    tissue_code,
)
from onkos.io.seg.items import Template, encoded, long_header, sequence_header
from onkos.io.whole import written_whole

_DERIVATION = Code("113076", "DCM", "Segmentation")
_PURPOSE = Code("121322", "DCM", "Source Image for Image Processing Operation")
_PER_FRAME = 0x52009230
_PIXELS = 0x7FE00010
_SEGMENT_POINTER = (0x0062000B, 0x0062000A)
_POSITION_POINTER = (0x00200032, 0x00209113)
_FRAMES_AT_ONCE = 8  # frames that together always fill whole bytes


class SegKind(Enum):
    """How a segmentation stores its segments: one bit map each, or all in one label map."""

    BINARY = "1.2.840.10008.5.1.4.1.1.66.4"
    LABELMAP = "1.2.840.10008.5.1.4.1.1.66.7"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """One tissue of one mask, with the number it has in the object."""

    number: int
    mask: Mask
    label: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plane:
    """One frame: a slice of one segment, or of the label map (segment None)."""

    segment: _Segment | None
    k: int


def write(
    path: Path,
    *,
    masks: Sequence[Mask],
    volume: Volume,
    study: Study,
    provenance: Provenance,
    kind: SegKind = SegKind.BINARY,
) -> Written:
    """Write masks as a segmentation of the images they were drawn on.

    Every named tissue becomes a segment, numbered in the order of masks and labels; each frame
    names the image it lies on. Frames without a voxel are left out.

    Parameters
    ----------
    path
        The file.
    masks
        Outlines on the volume's grid. Tissues of different masks may overlap if BINARY.
    volume, study
        The images and whose they are.
    provenance
        Which algorithm made the outlines.
    kind
        BINARY, which everybody reads, or LABELMAP, which is smaller.

    Returns
    -------
    Written
        The object's identity.

    Raises
    ------
    GeometryError
        If a mask lies on another grid, or the image is not a stack of slices.
    ContentError
        If the volume did not come from DICOM, or a label map would have to hold overlaps.
    """
    source = source_of(volume, what="SEG")
    for mask in masks:
        mask.geometry.require_same(volume.geometry, doing="writing a SEG")
    if volume.geometry.ndim != 3 or len(source.instances) != volume.geometry.shape[2]:
        raise GeometryError("writing a SEG: the image has not one source instance a slice")
    segments = _segments(masks)
    if not segments:
        raise ContentError("writing a SEG: no tissue is named; nothing to write")
    whole = _label_map(masks) if kind is SegKind.LABELMAP else None
    planes = _planes(segments, volume.geometry, whole)
    head = _head(segments, volume, study, provenance, kind)
    head.NumberOfFrames = len(planes)
    if whole is not None and whole.dtype == np.uint16:
        set_all(head, {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15})
    groups = _groups(planes, volume.geometry, source)
    with written_whole(path) as temporary, temporary.open("wb") as file:
        file.write(b"\0" * 128 + b"DICM")
        write_file_meta_info(file, file_meta(head))
        file.write(encoded(head))
        file.write(sequence_header(_PER_FRAME, sum(map(len, groups))))
        file.writelines(groups)
        if whole is None:
            _write_bits(file, planes, volume.geometry)
        else:
            _write_labels(file, planes, whole)
    return Written.of(head)


def segment_numbers(mask: Mask) -> dict[str, int]:
    """Segment number that :func:`write` gives each tissue of a mask written alone."""
    return {segment.name: segment.number for segment in _segments([mask])}


def _segments(masks: Sequence[Mask]) -> list[_Segment]:
    numbered = [(mask, label, name) for mask in masks for label, name in sorted(mask.names.items())]
    return [
        _Segment(number=number, mask=mask, label=label, name=name)
        for number, (mask, label, name) in enumerate(numbered, start=1)
    ]


def _label_map(masks: Sequence[Mask]) -> AnyArray:
    """All masks in one map of segment numbers; refuses overlaps."""
    segments = _segments(masks)
    kind = np.uint8 if len(segments) < 256 else np.uint16
    whole = np.zeros(masks[0].labels.shape, dtype=kind, order="F")
    for segment in segments:
        where = segment.mask.labels == segment.label
        if whole[where].any():
            raise ContentError(
                f"writing a LABELMAP SEG: {segment.name!r} overlaps another tissue, which a label "
                "map cannot hold; write it as BINARY"
            )
        whole[where] = segment.number
    return whole


def _planes(
    segments: Sequence[_Segment], geometry: Geometry, whole: AnyArray | None
) -> list[_Plane]:
    """Frames that hold a voxel, by segment and slice; all of the first segment if none does."""
    slices = range(geometry.shape[2])
    if whole is not None:
        found = [_Plane(segment=None, k=k) for k in slices if whole[:, :, k].any()]
        return found or [_Plane(segment=None, k=k) for k in slices]
    present: dict[int, list[set[int]]] = {}
    for segment in segments:
        if id(segment.mask) not in present:
            labels = segment.mask.labels
            present[id(segment.mask)] = [_labels_in(labels[:, :, k]) for k in slices]
    found = [
        _Plane(segment=segment, k=k)
        for segment in segments
        for k in slices
        if segment.label in present[id(segment.mask)][k]
    ]
    return found or [_Plane(segment=segments[0], k=k) for k in slices]


def _labels_in(plane: AnyArray) -> set[int]:
    """Labels that occur in a slice."""
    if not plane.any():
        return set()
    if plane.dtype.itemsize == 1:
        return set(np.flatnonzero(np.bincount(plane.ravel(order="K"))).tolist())
    return set(np.unique(plane).tolist())


def _head(
    segments: Sequence[_Segment],
    volume: Volume,
    study: Study,
    provenance: Provenance,
    kind: SegKind,
) -> Dataset:
    """Everything but the frames."""
    source = source_of(volume, what="SEG")
    geometry = volume.geometry
    made = new_object(
        kind.value,
        modality="SEG",
        study=study,
        source=source,
        description=labelled("Tumour segmentation", study),
    )
    binary = kind is SegKind.BINARY
    bits = 1 if binary else 8
    organisation = generate_uid()
    pointers = [_SEGMENT_POINTER, _POSITION_POINTER] if binary else [_POSITION_POINTER]
    set_all(
        made,
        {
            "ImageType": ["DERIVED", "PRIMARY"],
            "ContentDate": made.InstanceCreationDate,
            "ContentTime": made.InstanceCreationTime,
            "ContentLabel": "SEGMENTATION",
            "ContentDescription": labelled("Tumour segmentation", study),
            "ContentCreatorName": "",
            "FrameOfReferenceUID": source.frame_of_reference_uid or generate_uid(),
            "PositionReferenceIndicator": "",
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "Rows": geometry.shape[1],
            "Columns": geometry.shape[0],
            "BitsAllocated": bits,
            "BitsStored": bits,
            "HighBit": bits - 1,
            "PixelRepresentation": 0,
            "LossyImageCompression": "00",
            "SegmentationType": kind.name,
            "SegmentsOverlap": "UNDEFINED" if binary else "NO",
            "SegmentSequence": [_described(segment, provenance) for segment in segments],
            "DimensionOrganizationSequence": [item(DimensionOrganizationUID=organisation)],
            "DimensionIndexSequence": [
                item(
                    DimensionOrganizationUID=organisation,
                    DimensionIndexPointer=pointer,
                    FunctionalGroupPointer=group,
                )
                for pointer, group in pointers
            ],
            "ReferencedSeriesSequence": references(source),
            "SharedFunctionalGroupsSequence": [_shared(geometry)],
        },
    )
    if not binary:
        made.PixelPaddingValue = 0
    return made


def _described(segment: _Segment, provenance: Provenance) -> Dataset:
    """One entry of the Segment Sequence."""
    return item(
        SegmentNumber=segment.number,
        SegmentLabel=segment.name[:64],
        SegmentedPropertyCategoryCodeSequence=coded(ABNORMAL_STRUCTURE),
        SegmentedPropertyTypeCodeSequence=coded(tissue_code(segment.name)),
        SegmentAlgorithmType="AUTOMATIC",
        SegmentAlgorithmName=(provenance.model or "Onkos")[:64],
        SegmentationAlgorithmIdentificationSequence=[algorithm(provenance)],
    )


def _shared(geometry: Geometry) -> Dataset:
    """Functional groups of all frames: orientation and pixel measures."""
    across = np.cross(geometry.directions[:, 0], geometry.directions[:, 1])
    between = abs(float(geometry.axes_mm[:, 2] @ across))
    return item(
        PlaneOrientationSequence=[
            item(ImageOrientationPatient=decimals(geometry.directions[:, :2].T.ravel().tolist()))
        ],
        PixelMeasuresSequence=[
            item(
                PixelSpacing=decimals([geometry.spacing_mm[1], geometry.spacing_mm[0]]),
                SliceThickness=decimals([between])[0],
                SpacingBetweenSlices=decimals([between])[0],
            )
        ],
    )


def _groups(planes: Sequence[_Plane], geometry: Geometry, source: Source) -> list[bytes]:
    """Functional group item of every frame, encoded."""
    templates: dict[int, Template] = {}
    order = {k: n for n, k in enumerate(sorted({plane.k for plane in planes}), start=1)}
    groups = []
    for plane in planes:
        if plane.k not in templates:
            position = geometry.to_mm((0, 0, plane.k)).tolist()
            by_segment = plane.segment is not None
            group = _group(position, source.instances[plane.k], by_segment=by_segment)
            templates[plane.k] = Template(group)
        template = templates[plane.k]
        if plane.segment is None:
            groups.append(template.filled(segment=None, first=order[plane.k], second=None))
        else:
            number = plane.segment.number
            groups.append(template.filled(segment=number, first=number, second=order[plane.k]))
    return groups


def _group(position: Sequence[float], image: Instance, *, by_segment: bool) -> Dataset:
    """Functional groups of one frame, with stand-ins for its numbers."""
    referenced = item(
        ReferencedSOPClassUID=image.class_uid,
        ReferencedSOPInstanceUID=image.uid,
        PurposeOfReferenceCodeSequence=coded(_PURPOSE),
        SpatialLocationsPreserved="YES",
    )
    if image.frame is not None:
        referenced.ReferencedFrameNumber = image.frame
    first, second = Template.stand_in_indices
    group = item(
        DerivationImageSequence=[
            item(SourceImageSequence=[referenced], DerivationCodeSequence=coded(_DERIVATION))
        ],
        FrameContentSequence=[item(DimensionIndexValues=[first, second] if by_segment else first)],
        PlanePositionSequence=[item(ImagePositionPatient=decimals(position))],
    )
    if by_segment:
        group.SegmentIdentificationSequence = [
            item(ReferencedSegmentNumber=Template.stand_in_segment)
        ]
    return group


def _write_bits(file: BinaryIO, planes: Sequence[_Plane], geometry: Geometry) -> None:
    """Write one bit a pixel, frame after frame without a gap, as DICOM packs them."""
    pixels = geometry.shape[0] * geometry.shape[1]
    length = (pixels * len(planes) + 7) // 8
    padded = length + length % 2
    if padded >= 0xFFFFFFFF:
        raise ContentError("writing a SEG: over 4 GiB of frames; write LABELMAP, or fewer tissues")
    file.write(long_header(_PIXELS, b"OB", padded))
    for packed in _packed(planes, pixels):
        file.write(packed)
    file.write(b"\0" * (padded - length))


def _packed(planes: Sequence[_Plane], pixels: int) -> Iterator[bytes]:
    """Bits of eight frames at a time: always whole bytes, but for the last ones."""
    chunk = np.zeros((_FRAMES_AT_ONCE, pixels), dtype=bool)
    for start in range(0, len(planes), _FRAMES_AT_ONCE):
        some = planes[start : start + _FRAMES_AT_ONCE]
        for n, plane in enumerate(some):
            if plane.segment is not None:
                labels = plane.segment.mask.labels[:, :, plane.k].T
                chunk[n] = (labels == plane.segment.label).reshape(-1)
        yield np.packbits(chunk[: len(some)].reshape(-1), bitorder="little").tobytes()


def _write_labels(file: BinaryIO, planes: Sequence[_Plane], whole: AnyArray) -> None:
    """Write segment numbers, a byte or two a pixel."""
    length = len(planes) * whole[:, :, 0].nbytes
    file.write(
        long_header(_PIXELS, b"OW" if whole.dtype == np.uint16 else b"OB", length + length % 2)
    )
    for plane in planes:
        file.write(np.ascontiguousarray(whole[:, :, plane.k].T).tobytes())
    file.write(b"\0" * (length % 2))
