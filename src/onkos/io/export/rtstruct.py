"""Masks to an RT structure set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian, generate_uid

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import FloatArray
from onkos.core.mask import Mask
from onkos.core.reading import Provenance
from onkos.core.source import Instance, Source
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.io.attributes import (
    Written,
    algorithm,
    coded,
    item,
    labelled,
    new_object,
    save,
    set_all,
    source_of,
    tissue_code,
)
from onkos.io.rtstruct.contours import contours

CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
_COLOURS = ((230, 159, 0), (86, 180, 233), (240, 228, 66), (204, 121, 167), (0, 158, 115))
_DIGITS = 5  # of a millimetre: far below what moves a pixel's centre across a border


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    """One tissue of one mask, with its ROI number."""

    number: int
    mask: Mask
    name: str


def write(
    path: Path,
    *,
    masks: Sequence[Mask],
    volume: Volume,
    study: Study,
    provenance: Provenance,
) -> Written:
    """Write masks as the contours of a structure set, slice by slice.

    Every named tissue becomes a region of interest, in the order of masks and labels; one that
    is absent has no contours. Holes are keyholes in closed planar contours.

    Parameters
    ----------
    path
        The file.
    masks
        Outlines on the volume's grid; they may overlap.
    volume, study
        The images and whose they are.
    provenance
        Which algorithm made the outlines.

    Returns
    -------
    Written
        The object's identity.

    Raises
    ------
    GeometryError
        If a mask lies on another grid, or the image is no stack of slices.
    ContentError
        If the volume did not come from DICOM, or no tissue is named.
    """
    source = source_of(volume, what="RTSTRUCT")
    for mask in masks:
        mask.geometry.require_same(volume.geometry, doing="writing an RTSTRUCT")
    if volume.geometry.ndim != 3 or len(source.instances) != volume.geometry.shape[2]:
        raise GeometryError("writing an RTSTRUCT: the image has not one source instance a slice")
    named = [(mask, name) for mask in masks for _, name in sorted(mask.names.items())]
    if not named:
        raise ContentError("writing an RTSTRUCT: no tissue is named; nothing to write")
    regions = [
        _Region(number=number, mask=mask, name=name)
        for number, (mask, name) in enumerate(named, start=1)
    ]
    made = new_object(
        CLASS,
        modality="RTSTRUCT",
        study=study,
        source=source,
        description=labelled("Tumour contours", study),
    )
    frame = source.frame_of_reference_uid or generate_uid()
    set_all(
        made,
        {
            "OperatorsName": "",
            "FrameOfReferenceUID": frame,
            "PositionReferenceIndicator": "",
            "StructureSetLabel": "TUMOUR",
            "StructureSetName": labelled("Tumour contours", study),
            "StructureSetDate": made.InstanceCreationDate,
            "StructureSetTime": made.InstanceCreationTime,
            "ReferencedFrameOfReferenceSequence": [_images(source, frame)],
            "StructureSetROISequence": [_described(one, frame, provenance) for one in regions],
            "ROIContourSequence": [_outlined(one, source) for one in regions],
            "RTROIObservationsSequence": [_observed(one) for one in regions],
            "ApprovalStatus": "UNAPPROVED",
        },
    )
    # Explicit VR would cap a contour at 64 KiB of text, which a jagged one exceeds.
    save(path, made, syntax=ImplicitVRLittleEndian)
    return Written.of(made)


def _images(source: Source, frame: str) -> Dataset:
    """Name the frame of reference, the study, the series and every image of it."""
    distinct = dict.fromkeys((one.class_uid, one.uid) for one in source.instances)
    images = [
        item(ReferencedSOPClassUID=class_uid, ReferencedSOPInstanceUID=uid)
        for class_uid, uid in distinct
    ]
    series = item(SeriesInstanceUID=source.series_uid, ContourImageSequence=images)
    study = item(
        ReferencedSOPClassUID=_STUDY_CLASS,
        ReferencedSOPInstanceUID=source.study_uid,
        RTReferencedSeriesSequence=[series],
    )
    return item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[study])


def _described(region: _Region, frame: str, provenance: Provenance) -> Dataset:
    made_by = f"{provenance.model or 'Onkos'}, Onkos {provenance.version}"
    return item(
        ROINumber=region.number,
        ReferencedFrameOfReferenceUID=frame,
        ROIName=region.name[:64],
        ROIGenerationAlgorithm="AUTOMATIC",
        ROIGenerationDescription=made_by[:64],
        ROIDerivationAlgorithmIdentificationSequence=[algorithm(provenance)],
    )


def _outlined(region: _Region, source: Source) -> Dataset:
    """All contours of one region."""
    drawn = [
        _contour(points, source.instances[k])
        for k, points in _placed(region.mask, region.mask.label(region.name))
    ]
    made = item(
        ROIDisplayColor=list(_COLOURS[(region.number - 1) % len(_COLOURS)]),
        ReferencedROINumber=region.number,
    )
    if drawn:
        set_all(made, {"ContourSequence": drawn})
    return made


def _placed(mask: Mask, label: int) -> Iterator[tuple[int, FloatArray]]:
    """Slice and (n, 3) corners in mm of each contour around a label."""
    for k in range(mask.geometry.shape[2]):
        hit = np.equal(mask.labels[:, :, k].T, label)
        for corners in contours(hit) if hit.any() else ():
            index = np.column_stack([corners, np.full(len(corners), k)])
            yield k, mask.geometry.to_mm(index)


def _contour(points: FloatArray, image: Instance) -> Dataset:
    referenced = item(ReferencedSOPClassUID=image.class_uid, ReferencedSOPInstanceUID=image.uid)
    if image.frame is not None:
        referenced.ReferencedFrameNumber = image.frame
    return item(
        ContourImageSequence=[referenced],
        ContourGeometricType="CLOSED_PLANAR",
        NumberOfContourPoints=len(points),
        ContourData=[f"{value:.{_DIGITS}f}" for value in points.ravel()],
    )


def _observed(region: _Region) -> Dataset:
    return item(
        ObservationNumber=region.number,
        ReferencedROINumber=region.number,
        ROIObservationLabel=region.name[:16],
        RTROIIdentificationCodeSequence=coded(tissue_code(region.name)),
        RTROIInterpretedType="",
        ROIInterpreter="",
    )
