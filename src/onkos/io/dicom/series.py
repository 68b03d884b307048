"""The files of one series become volumes in their roles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom.config import IGNORE
from pydicom.uid import UID

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import AnyArray
from onkos.core.source import Caveat, Instance, Source
from onkos.core.volume import Volume
from onkos.io.dicom.frames import Frame, frames_of, is_placed
from onkos.io.dicom.header import Header
from onkos.io.dicom.kinds import caveats_of, caveats_of_making
from onkos.io.dicom.pixels import values_of
from onkos.io.dicom.projection import picture_volume, table_caveat
from onkos.io.dicom.roles import is_localizer, role_of
from onkos.io.dicom.stack import Stack, stacks_of
from onkos.io.dicom.suv import checked, uptake_of

HOUNSFIELD = "[hnsf'U]"

_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
_PLACED = (
    "1.2.840.10008.5.1.4.1.1.2",  # CT
    "1.2.840.10008.5.1.4.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.4",  # MR
    "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.128",  # PET
    "1.2.840.10008.5.1.4.1.1.130",
)
_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"


def series_name(header: Header) -> str:
    """How messages name a series: number, description, UID."""
    parts = [header.text("SeriesNumber"), header.text("SeriesDescription")]
    said = " ".join(part for part in parts if part)
    uid = header.text("SeriesInstanceUID") or "without UID"
    return f"series {said} ({uid})" if said else f"series {uid}"


def _name(kind: str) -> str:
    """Name of a SOP class; the UID itself where it is none, or damaged."""
    name: str = UID(kind, IGNORE).name
    return name


def require_image(header: Header) -> None:
    """Refuse by name what is DICOM and no image Onkos reads.

    Raises
    ------
    ContentError
        The message says what it is.
    """
    kind = header.text("SOPClassUID")
    name = _name(kind) if kind else "a file without SOP Class UID"
    if kind == _SLIDE:
        raise ContentError(f"{header.shown}: {name}; slides are not read, give radiology images")
    if kind == _DOSE:
        raise ContentError(f"{header.shown}: {name}: a dose, not an image; it is not read")
    if header.get("Rows") is None or header.get("Columns") is None:
        if kind and "Image" not in name:
            raise ContentError(
                f"{header.shown}: {name}; expected images, or outlines (SEG, RTSTRUCT) or a "
                "report (SR) of them. It is not read"
            )
        raise ContentError(
            f"{header.shown}: {name}: no Rows and Columns; expected an image. If it is one, it is "
            "damaged: copy or export it again"
        )


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
    caveats = caveats_of(headers, series)
    if not _all_placed(headers, series):
        return [
            (
                role_of(header),
                picture_volume(header, series, _source(header, ())).with_caveat(
                    *caveats, *caveats_of_making([header], series)
                ),
            )
            for header in headers
        ]
    frames = [frame for header in headers for frame in frames_of(header)]
    return [
        (role_of(stack.frames[0].header), _volume(stack, series).with_caveat(*caveats))
        for stack in stacks_of(frames, series)
    ]


def _all_placed(headers: Sequence[Header], series: str) -> bool:
    """Whether the images have a place in the patient; refuses those that should and do not."""
    without = [header for header in headers if not is_placed(header)]
    if not without:
        return True
    kind = without[0].text("SOPClassUID")
    if kind in _PLACED:
        raise GeometryError(
            f"{series}, {without[0].shown}: {_name(kind)} without a position in "
            "the patient (ImagePositionPatient); an anonymiser or converter removed it. Export the "
            "series again from the archive"
        )
    if len(without) < len(headers):
        raise GeometryError(
            f"{series}: {len(without)} of {len(headers)} images have no position in the patient, "
            f"among them {without[0].shown}; expected all or none. Export the series again"
        )
    return False


def _volume(stack: Stack, series: str) -> Volume:
    """Values, unit and source of one stack."""
    first = stack.frames[0].header
    headers = list({id(frame.header): frame.header for frame in stack.frames}.values())
    data, padding = values_of(stack.frames, series)
    modality = first.text("Modality").upper()
    unit, doubts = _unit(stack.frames, modality, series)
    if modality == "PT" and unit == "1":
        voxel_ml = stack.geometry.voxel_ml
        uptake = checked(uptake_of(stack.frames, series), data, voxel_ml, series)
        unit, doubts = uptake.unit, uptake.caveats
        if uptake.factor != 1.0:
            data = _times(data, uptake.factor)
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
        caveats=(*stack.caveats, *padding, *doubts, *caveats_of_making(headers, series)),
    )


def _times(data: AnyArray, factor: float) -> AnyArray:
    """Values times a factor, in place where they are floating-point numbers already."""
    if data.dtype != np.float32:
        return data * np.float32(factor)
    np.multiply(data, np.float32(factor), out=data)
    return data


def _unit(frames: Sequence[Frame], modality: str, series: str) -> tuple[str, tuple[Caveat, ...]]:
    """UCUM unit of the values as the header states it; ``1`` with a caveat where it does not."""
    mapped = {frame.scale.unit for frame in frames}
    if mapped - {""}:
        if len(mapped) == 1 and "?" not in mapped:
            return mapped.pop(), ()
        text = (
            "A mapping to real-world values is there and differs from the rescaling or between "
            "slices; it is not used, and the unit of the values is not known."
        )
        return "1", (Caveat(code="unknown-unit", text=text, where=series),)
    if modality != "CT":
        return "1", _tabled(frames[0], series)
    if is_localizer(frames[0].header):
        text = "A planning view (localizer): its values are sums along rays, not Hounsfield units."
        return "1", (Caveat(code="localizer", text=text, where=series),)
    stated = {frame.scale.kind for frame in frames}
    if stated <= {"", "HU"} and len(stated) == 1 and frames[0].scale.stated:
        return HOUNSFIELD, ()
    if frames[0].scale.table is not None:
        return "1", _tabled(frames[0], series)
    said = " and ".join(sorted(stated - {""})) or "missing"
    text = f"Rescale type {said}: the values may not be Hounsfield units."
    return "1", (Caveat(code="unknown-unit", text=text, where=series),)


def _tabled(frame: Frame, series: str) -> tuple[Caveat, ...]:
    """Tell that a table made the values, where they are not in Hounsfield units."""
    if frame.scale.table is None:
        return ()
    return (table_caveat(frame.scale.kind or "of no stated type", series),)


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
                frame=None if frame.header.tiles else frame.number,
            )
            for frame in frames
        ),
        description=header.text("SeriesDescription"),
        series_number=None if number is None else int(number),
    )
