"""The files of one series become volumes in their roles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom.uid import UID

from onkos.core.errors import ContentError
from onkos.core.source import PHANTOM, Caveat, Instance, Source
from onkos.core.volume import Volume
from onkos.io.dicom.frames import Frame, frames_of, is_placed
from onkos.io.dicom.header import Header
from onkos.io.dicom.pixels import values_of
from onkos.io.dicom.projection import picture_volume
from onkos.io.dicom.roles import role_of
from onkos.io.dicom.stack import Stack, stacks_of
from onkos.io.dicom.suv import uptake_of

HOUNSFIELD = "[hnsf'U]"

_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"


def series_name(header: Header) -> str:
    """How messages name a series: number, description, UID."""
    parts = [header.text("SeriesNumber"), header.text("SeriesDescription")]
    said = " ".join(part for part in parts if part)
    uid = header.text("SeriesInstanceUID") or "without UID"
    return f"series {said} ({uid})" if said else f"series {uid}"


def require_image(header: Header) -> None:
    """Refuse by name what is DICOM and no image Onkos reads.

    Raises
    ------
    ContentError
        The message says what it is.
    """
    kind = header.text("SOPClassUID")
    name = UID(kind).name if kind else "a file without SOP Class UID"
    if kind == _SLIDE:
        raise ContentError(f"{header.shown}: {name}; slides are not read yet")
    if kind == _DOSE:
        raise ContentError(f"{header.shown}: {name}: a dose, not an image; it is not read")
    if header.get("Rows") is None or header.get("Columns") is None:
        raise ContentError(f"{header.shown}: {name}: not an image; Onkos does not read it")


def volumes_of(headers: Sequence[Header]) -> list[tuple[str, Volume]]:
    """Turn the files of one series into volumes with their roles.

    Raises
    ------
    GeometryError, ContentError
        If the series does not add up to volumes that can be trusted.
    """
    first = headers[0]
    series = series_name(first)
    _require_one(headers, series)
    caveats = _general(first, series)
    if not is_placed(first):
        return [
            (
                role_of(header),
                picture_volume(header, series, _source(header, ())).with_caveat(*caveats),
            )
            for header in headers
        ]
    frames = [frame for header in headers for frame in frames_of(header)]
    return [
        (role_of(first), _volume(stack, series).with_caveat(*caveats))
        for stack in stacks_of(frames, series)
    ]


def _volume(stack: Stack, series: str) -> Volume:
    """Values, unit and source of one stack."""
    first = stack.frames[0].header
    data, padding = values_of(stack.frames, series)
    modality = first.text("Modality").upper()
    unit, doubts = _unit(first, modality, series)
    if modality == "PT":
        uptake = uptake_of(stack.frames, series)
        unit, doubts = uptake.unit, uptake.caveats
        if uptake.factor != 1.0:
            data = data * np.float32(uptake.factor)
    source = _source(first, stack.frames)
    name = f"{source.description}, {stack.phase}" if stack.phase else source.description
    return Volume(
        data=data,
        geometry=stack.geometry,
        modality=modality,
        unit=unit,
        source=Source(
            study_uid=source.study_uid,
            series_uid=source.series_uid,
            frame_of_reference_uid=source.frame_of_reference_uid,
            instances=source.instances,
            description=name,
            series_number=source.series_number,
        ),
        caveats=(*stack.caveats, *padding, *doubts),
    )


def _unit(header: Header, modality: str, series: str) -> tuple[str, tuple[Caveat, ...]]:
    """UCUM unit of the values as the header states it; ``1`` with a caveat where it does not."""
    mapped = header.get("RealWorldValueMappingSequence")
    if mapped and mapped[0].get("MeasurementUnitsCodeSequence"):
        return str(mapped[0].MeasurementUnitsCodeSequence[0].CodeValue), ()
    stated = header.text("RescaleType").upper()
    if modality == "CT":
        scaled = header.get("RescaleSlope") is not None or header.get(
            "SharedFunctionalGroupsSequence"
        )
        if stated in ("", "HU") and scaled:
            return HOUNSFIELD, ()
        text = f"Rescale type {stated or 'missing'}: the values may not be Hounsfield units."
        return "1", (Caveat(code="unknown-unit", text=text, where=series),)
    return "1", ()


def _general(header: Header, series: str) -> tuple[Caveat, ...]:
    """Caveats that hold for every image of a series."""
    found = []
    if header.text("QualityControlImage").upper() in ("YES", "BOTH"):
        found.append(PHANTOM)
    if header.text("LossyImageCompression") == "01":
        text = "The images were compressed with loss; fine texture is not to be trusted."
        found.append(Caveat(code="lossy", text=text, where=series))
    if header.text("BurnedInAnnotation").upper() == "YES":
        text = "Text is burned into the image, perhaps with the patient's name."
        found.append(Caveat(code="burned-in-text", text=text, where=series))
    placed_and_inverted = is_placed(header) and (
        header.text("PhotometricInterpretation") == "MONOCHROME1"
    )
    if placed_and_inverted:
        text = "Marked for display with inverted greys (MONOCHROME1); values are as measured."
        found.append(Caveat(code="inverted-greys", text=text, where=series))
    return tuple(found)


def _require_one(headers: Sequence[Header], series: str) -> None:
    """Refuse a series that claims several patients, studies or modalities."""
    for keyword in ("PatientID", "StudyInstanceUID", "Modality"):
        told = sorted({header.text(keyword) for header in headers})
        if len(told) > 1:
            raise ContentError(
                f"{series}: {keyword} is {' and '.join(told[:3])} in one series; expected one. "
                "Images of several sources were mixed; sort them apart"
            )


def _source(header: Header, frames: Sequence[Frame]) -> Source:
    """What the written objects will refer to."""
    number = header.number("SeriesNumber")
    return Source(
        study_uid=header.text("StudyInstanceUID"),
        series_uid=header.text("SeriesInstanceUID"),
        frame_of_reference_uid=header.text("FrameOfReferenceUID"),
        instances=tuple(
            Instance(
                uid=frame.header.text("SOPInstanceUID"),
                class_uid=frame.header.text("SOPClassUID"),
                frame=frame.number,
            )
            for frame in frames
        ),
        description=header.text("SeriesDescription"),
        series_number=None if number is None else int(number),
    )
