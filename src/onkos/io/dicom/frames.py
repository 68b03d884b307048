"""Image planes as DICOM states them: one a file, or many in a multi-frame file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import FloatArray
from onkos.io.dicom.header import Header

_PHASE_KEYWORDS = (
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "EchoNumbers",
    "EchoTime",
    "DiffusionBValue",
    "SequenceName",
    "TriggerTime",
    "InversionTime",
    "FrameReferenceTime",
    "AcquisitionTime",
    "ImageType",
    "FrameType",
    "ComplexImageComponent",
    "ContentTime",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One image plane with its place in the patient.

    Parameters
    ----------
    header
        The file it is in.
    number
        Its frame number from 1 in a multi-frame file, else None.
    position, row, column
        Centre of the first voxel in LPS mm, and unit vectors along a row (to higher column
        index) and down a column.
    spacing
        Distance between rows, then between columns, in mm, as DICOM orders them.
    slope, intercept
        From stored values to real ones.
    phase
        Attributes that tell apart planes at one place: acquisition, echo, b-value, time.
    """

    header: Header
    number: int | None
    position: FloatArray
    row: FloatArray
    column: FloatArray
    spacing: tuple[float, float]
    slope: float
    intercept: float
    phase: Mapping[str, str] = field(default_factory=dict)

    @property
    def normal(self) -> FloatArray:
        """Unit vector across the plane."""
        return np.cross(self.row, self.column)

    @property
    def shown(self) -> str:
        """How messages name it: file, frame, instance number."""
        instance = self.header.text("InstanceNumber")
        parts = [self.header.shown]
        if instance:
            parts.append(f"instance {instance}")
        if self.number is not None:
            parts.append(f"frame {self.number}")
        return ", ".join(parts)


def is_placed(header: Header) -> bool:
    """Whether a file states where in the patient it is, as CT, MR and PET must."""
    return (
        header.get("ImagePositionPatient") is not None
        or header.get("SharedFunctionalGroupsSequence") is not None
        or header.get("PerFrameFunctionalGroupsSequence") is not None
    )


def frames_of(header: Header) -> list[Frame]:
    """Image planes of one file.

    Raises
    ------
    GeometryError
        If position, orientation or spacing is missing or impossible.
    ContentError
        If the file's counts contradict each other.
    """
    count = int(header.number("NumberOfFrames") or 1)
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if groups is None and header.get("SharedFunctionalGroupsSequence") is None:
        if count != 1:
            raise ContentError(
                f"{header.shown}: {count} frames of which only one place is stated; "
                "export them as single images or as an enhanced object"
            )
        return [_frame(header, None, _Plain(header))]
    shared = _first(header.get("SharedFunctionalGroupsSequence"))
    per_frame: Sequence[Dataset] = groups or [Dataset()] * count
    if len(per_frame) != count:
        raise ContentError(
            f"{header.shown}: {count} frames, but functional groups for {len(per_frame)}; "
            "the file is damaged"
        )
    return [
        _frame(header, number, _Grouped(header, own, shared))
        for number, own in enumerate(per_frame, start=1)
    ]


class _Plain:
    """Attributes of a classic image: all in the data set itself."""

    def __init__(self, header: Header) -> None:
        self._header = header

    def numbers(self, _group: str, keyword: str, count: int) -> tuple[float, ...] | None:
        return self._header.numbers(keyword, count)

    def phase(self) -> dict[str, str]:
        return {
            keyword: self._header.text(keyword)
            for keyword in _PHASE_KEYWORDS
            if self._header.get(keyword) is not None
        }


class _Grouped:
    """Attributes of one frame of an enhanced image: in its own or the shared groups."""

    def __init__(self, header: Header, own: Dataset, shared: Dataset) -> None:
        self._header, self._own, self._shared = header, own, shared

    def numbers(self, group: str, keyword: str, count: int) -> tuple[float, ...] | None:
        for groups in (self._own, self._shared):
            item = _first(groups.get(group))
            if keyword in item:
                inner = Header(
                    path=self._header.path,
                    shown=self._header.shown,
                    attributes=item,
                    pixels_at=None,
                    pixels_length=None,
                )
                return inner.numbers(keyword, count)
        return None

    def phase(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for groups in (self._shared, self._own):
            for element in groups:
                if element.VR != "SQ" or not element.value:
                    continue
                item = element.value[0]
                for keyword in (*_PHASE_KEYWORDS, "EffectiveEchoTime", "StackID"):
                    if keyword in item:
                        found[keyword] = str(item[keyword].value)
        return found


def _frame(header: Header, number: int | None, said: _Plain | _Grouped) -> Frame:
    where = header.shown + (f", frame {number}" if number else "")
    position = said.numbers("PlanePositionSequence", "ImagePositionPatient", 3)
    cosines = said.numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6)
    spacing = said.numbers("PixelMeasuresSequence", "PixelSpacing", 2)
    for name, value in (
        ("ImagePositionPatient", position),
        ("ImageOrientationPatient", cosines),
        ("PixelSpacing", spacing),
    ):
        if value is None:
            raise GeometryError(
                f"{where}: no {name}; expected it in an image with a place in the patient. "
                "Export the series again from the archive"
            )
    row, column = _axes(np.array(cosines), where)
    if min(spacing or (0,)) <= 0:
        raise GeometryError(f"{where}: PixelSpacing {spacing}; expected positive numbers of mm")
    slope = said.numbers("PixelValueTransformationSequence", "RescaleSlope", 1)
    intercept = said.numbers("PixelValueTransformationSequence", "RescaleIntercept", 1)
    return Frame(
        header=header,
        number=number,
        position=np.array(position),
        row=row,
        column=column,
        spacing=(spacing[0], spacing[1]) if spacing else (1.0, 1.0),
        slope=slope[0] if slope else 1.0,
        intercept=intercept[0] if intercept else 0.0,
        phase=said.phase(),
    )


def _axes(cosines: FloatArray, where: str) -> tuple[FloatArray, FloatArray]:
    """Unit row and column direction; refuses directions that are no unit right angle."""
    row, column = cosines[:3], cosines[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(length - 1) for length in lengths) > 1e-2 or abs(row @ column) > 1e-2:
        raise GeometryError(
            f"{where}: ImageOrientationPatient {cosines.tolist()} is no pair of unit vectors at a "
            "right angle; the header was changed or damaged, export the series again"
        )
    row = row / lengths[0]
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def _first(sequence: Any) -> Dataset:
    return sequence[0] if sequence else Dataset()
