"""Image planes as DICOM states them: one a file, or many in a multi-frame file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import FloatArray
from onkos.io.dicom.header import PARSING, Header
from onkos.io.dicom.lut import Table, modality_table
from onkos.io.dicom.mosaic import is_mosaic, unfolded

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
_PHASE_GROUPS = {
    "FrameContentSequence": (
        "FrameAcquisitionNumber",
        "TemporalPositionIndex",
        "StackID",
        "FrameAcquisitionDateTime",
        "FrameReferenceDateTime",
    ),
    "MREchoSequence": ("EffectiveEchoTime",),
    "MRDiffusionSequence": ("DiffusionBValue",),
    "MRImageFrameTypeSequence": ("FrameType", "ComplexImageComponent"),
    "MRModifierSequence": ("InversionTimes",),
    "CTImageFrameTypeSequence": ("FrameType",),
    "CTXRayDetailsSequence": ("KVP",),
    "PETFrameTypeSequence": ("FrameType",),
    "ParametricMapFrameTypeSequence": ("FrameType",),
    "CardiacSynchronizationSequence": ("NominalCardiacTriggerDelayTime",),
    "TemporalPositionSequence": ("TemporalPositionTimeOffset",),
    "RealWorldValueMappingSequence": ("LUTLabel",),
    "UnassignedPerFrameConvertedAttributesSequence": _PHASE_KEYWORDS,
}
_PRIVATE_B = {
    "SIEMENS": (0x0019, 0x100C),
    "GE": (0x0043, 0x1039),
    "PHILIPS": (0x2001, 0x1003),
}
_GE_OFFSET = 1e9  # which some releases add to the b-value
_SPACING_MM = (0.001, 100.0)
_PER_FRAME = "PerFrameFunctionalGroupsSequence"
_UNIT = "MeasurementUnitsCodeSequence"
_PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
_SHARED = "SharedFunctionalGroupsSequence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From stored values to real ones.

    Parameters
    ----------
    slope, intercept
        Real value = stored value x slope + intercept.
    stated
        Whether the file says so; else it is 1 and 0 by default.
    kind
        Rescale Type, in capitals: ``HU`` for Hounsfield units.
    unit
        UCUM code of the real values where a real-world mapping states it, ``?`` where such
        mappings contradict the rescaling or each other; else empty.
    table
        Modality LUT, which takes the place of slope and intercept; ``kind`` is its type then.
    """

    slope: float = 1.0
    intercept: float = 0.0
    stated: bool = False
    kind: str = ""
    unit: str = ""
    table: Table | None = None


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
    scale
        From stored values to real ones.
    thickness, between
        Slice Thickness and Spacing Between Slices in mm, where they are stated and positive.
    phase
        Attributes that tell apart planes at one place: acquisition, echo, b-value, time.
    """

    header: Header
    number: int | None
    position: FloatArray
    row: FloatArray
    column: FloatArray
    spacing: tuple[float, float]
    scale: Scale
    thickness: float | None = None
    between: float | None = None
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
        or header.get(_SHARED) is not None
        or header.get(_PER_FRAME) is not None
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
    if is_mosaic(header):
        return _slices_of_mosaic(header)
    count = int(header.number("NumberOfFrames") or 1)
    groups, shared = header.items(_PER_FRAME), header.items(_SHARED)
    if not groups and not shared:
        if count != 1:
            raise ContentError(
                f"{header.shown}: {count} frames of which only one place is stated; "
                "export them as single images or as an enhanced object"
            )
        return [_frame(header, None, _Plain(header))]
    if count != (len(groups) or 1):
        raise ContentError(
            f"{header.shown}: {count} frames, but functional groups for {len(groups)}; "
            "the file is damaged, export it again"
        )
    per_frame: list[tuple[Header, ...]] = [(own,) for own in groups] or [()]
    return [
        _frame(header, number, _Grouped((*own, *shared[:1])))
        for number, own in enumerate(per_frame, start=1)
    ]


def _slices_of_mosaic(header: Header) -> list[Frame]:
    """Slices of a Siemens mosaic, each at its own place."""
    header, tiles = unfolded(header)
    first = _frame(header, 1, _Plain(header))
    return [
        replace(first, number=k + 1, position=first.position + k * np.array(tiles.step_mm))
        for k in range(tiles.count)
    ]


class _Plain:
    """Attributes of a classic image: all in the data set itself."""

    def __init__(self, header: Header) -> None:
        self._header = header

    def numbers(self, _group: str, keyword: str, count: int) -> tuple[float, ...] | None:
        return self._header.numbers(keyword, count)

    def text(self, _group: str, keyword: str) -> str:
        return self._header.text(keyword)

    def items(self, keyword: str) -> tuple[Header, ...]:
        return self._header.items(keyword)

    def phase(self) -> dict[str, str]:
        found = {
            keyword: self._header.text(keyword)
            for keyword in _PHASE_KEYWORDS
            if self._header.get(keyword) is not None
        }
        if "DiffusionBValue" not in found and (private := _private_b(self._header)):
            found["DiffusionBValue"] = private
        return found


def _private_b(header: Header) -> str:
    """Diffusion weighting where only the vendor's private attributes tell it; else empty."""
    maker = header.text("Manufacturer").upper()
    for name, tag in _PRIVATE_B.items():
        if name in maker and tag in header.attributes:
            try:
                value = header.attributes[tag].value
                text = value.decode("ascii") if isinstance(value, bytes) else value
                first = text.split("\\")[0] if isinstance(text, str) else text
                number = float(first[0] if isinstance(first, Sequence) else first)
            except PARSING:
                return ""
            return f"{number % _GE_OFFSET:g}"
    return ""


class _Grouped:
    """Attributes of one frame of an enhanced image: in its own or the shared groups."""

    def __init__(self, groups: Sequence[Header]) -> None:
        self._groups = groups  # the frame's own first

    def numbers(self, group: str, keyword: str, count: int) -> tuple[float, ...] | None:
        for item in self.items(group)[:1]:
            return item.numbers(keyword, count)
        return None

    def text(self, group: str, keyword: str) -> str:
        return next((item.text(keyword) for item in self.items(group)), "")

    def items(self, keyword: str) -> tuple[Header, ...]:
        return next((found for groups in self._groups if (found := groups.items(keyword))), ())

    def phase(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for group, keywords in _PHASE_GROUPS.items():
            for item in self.items(group)[:1]:
                for keyword in keywords:
                    if item.get(keyword) is not None:
                        found[keyword] = item.text(keyword)
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
    if not all(_SPACING_MM[0] <= step <= _SPACING_MM[1] for step in spacing or ()):
        raise GeometryError(
            f"{where}: PixelSpacing {spacing}; expected {_SPACING_MM[0]:g} to {_SPACING_MM[1]:g} "
            "mm. The header was changed or damaged, export the series again"
        )
    return Frame(
        header=header,
        number=number,
        position=np.array(position),
        row=row,
        column=column,
        spacing=(spacing[0], spacing[1]) if spacing else (1.0, 1.0),
        scale=_scale(header, said, where),
        thickness=_measure(said, "SliceThickness"),
        between=_measure(said, "SpacingBetweenSlices"),
        phase=said.phase(),
    )


def _measure(said: _Plain | _Grouped, keyword: str) -> float | None:
    found = said.numbers("PixelMeasuresSequence", keyword, 1)
    return found[0] if found and found[0] > 0 else None


def _scale(header: Header, said: _Plain | _Grouped, where: str) -> Scale:
    """How a frame's values are scaled.

    A parametric map's values are what its one mapping says. In other images the mapping's unit
    holds only where it scales as the rescaling does, which is what the values go by.
    """
    table = modality_table(header)
    if table is not None:
        return Scale(stated=True, kind=table.kind, table=table)
    slope = said.numbers("PixelValueTransformationSequence", "RescaleSlope", 1)
    intercept = said.numbers("PixelValueTransformationSequence", "RescaleIntercept", 1)
    if (slope is None) != (intercept is None):
        raise ContentError(
            f"{where}: one of RescaleSlope and RescaleIntercept is missing; expected both or "
            "none. The header was changed or damaged, export the series again"
        )
    if slope is not None and slope[0] == 0:
        raise ContentError(
            f"{where}: RescaleSlope is 0, which makes every value the same; the header was "
            "changed or damaged, export the series again"
        )
    rescaled = Scale(kind=said.text("PixelValueTransformationSequence", "RescaleType").upper())
    if slope and intercept:
        rescaled = replace(rescaled, slope=slope[0], intercept=intercept[0], stated=True)
    mapped = said.items("RealWorldValueMappingSequence")
    if not mapped:
        return rescaled
    steep, offset = (mapped[0].number(f"RealWorldValue{part}") for part in ("Slope", "Intercept"))
    unit = next((code.text("CodeValue") for code in mapped[0].items(_UNIT)), "")
    if len(mapped) > 1 or not steep or offset is None:
        return replace(rescaled, unit="?")
    if header.text("SOPClassUID") == _PARAMETRIC_MAP:
        return Scale(slope=steep, intercept=offset, stated=True, unit=unit)
    told = (rescaled.slope, rescaled.intercept)
    agree = np.allclose((steep, offset), told, rtol=1e-5, atol=1e-9)
    return replace(rescaled, unit=unit if agree else "?")


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
