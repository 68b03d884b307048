"""What a structure set says of its regions, before any image is looked at."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filereader import read_sequence

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.io.damage import plain

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_LARGEST_LABEL = 65535
_CORNERS = 3  # fewer points enclose nothing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contour:
    """Corners in mm, and the image it says it was drawn on (empty if it says none).

    ``hollow`` is set where DICOM itself says that contours inside each other are holes.
    """

    points: FloatArray
    image: str
    hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """One region of interest.

    Parameters
    ----------
    number, label
        ROI number as stated, and the label it gets: the same where it is one from 1 to 65535.
    name, frame
        ROI name and its frame of reference.
    contours
        The closed ones.
    left_out
        What encloses nothing, by kind (``POINT``, ``OPEN_PLANAR``, ...), with how many there are.
    """

    number: int
    label: int
    name: str
    frame: str
    contours: tuple[Contour, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Whether it encloses anything, or was never drawn."""
        return bool(self.contours) or not self.left_out


def regions_of(whole: Dataset, shown: str) -> tuple[list[Region], list[str]]:
    """Regions in the order they are described, and what is drawn without being described.

    Raises
    ------
    ContentError
        If a number is used twice, or the coordinates of a contour contradict themselves.
    """
    drawn: dict[int, list[Dataset]] = {}
    for one in items_of(whole, "ROIContourSequence"):
        drawn.setdefault(int(one.ReferencedROINumber), []).extend(items_of(one, "ContourSequence"))
    described = list(items_of(whole, "StructureSetROISequence", needed=True))
    numbers = [int(one.ROINumber) for one in described]
    twice = [number for number, count in Counter(numbers).items() if count > 1]
    if twice:
        raise ContentError(
            f"{shown}: ROI number {twice[0]} is used twice; which contours are whose is not known. "
            "Export it again"
        )
    fit = all(1 <= number <= _LARGEST_LABEL for number in numbers)
    made = []
    for order, (number, one) in enumerate(zip(numbers, described, strict=True), start=1):
        label = number if fit else order
        made.append(_region(one, drawn.pop(number, ()), (number, label), shown))
    return made, [str(number) for number, contours in drawn.items() if contours]


def unique_names(regions: Sequence[Region]) -> dict[int, str]:
    """Name of each label; a name that comes again bears its ROI number."""
    names: dict[int, str] = {}
    for region in regions:
        taken = region.name in names.values()
        names[region.label] = f"{region.name} ({region.number})" if taken else region.name
    return names


def items_of(whole: Dataset, keyword: str, *, needed: bool = False) -> Iterator[Dataset]:
    """Items of a sequence, also of one that was stored as bytes of unknown type (VR UN)."""
    value = getattr(whole, keyword) if needed else whole.get(keyword)
    if isinstance(value, bytes):  # DICOM has it implicit VR little endian then
        value = read_sequence(
            io.BytesIO(value),
            is_implicit_VR=True,
            is_little_endian=True,
            bytelength=len(value),
            encoding="iso8859",
        )
    yield from value or ()


def _region(
    described: Dataset, own: Sequence[Dataset], numbers: tuple[int, int], shown: str
) -> Region:
    contours, left_out = [], Counter[str]()
    for one in own:
        kind = plain(one.get("ContourGeometricType") or "no stated type")
        made = _contour(one, numbers[0], shown)
        if kind not in _CLOSED:
            left_out[kind] += 1
        elif len(made.points) < _CORNERS:
            left_out["of one or two points"] += 1
        else:
            contours.append(made)
    return Region(
        number=numbers[0],
        label=numbers[1],
        name=plain(described.get("ROIName") or f"ROI {numbers[0]}"),
        frame=str(described.get("ReferencedFrameOfReferenceUID") or ""),
        contours=tuple(contours),
        left_out=dict(left_out),
    )


def _contour(drawn: Dataset, number: int, shown: str) -> Contour:
    values = _coordinates(drawn.get("ContourData"))
    if any(float(part) for part in drawn.get("ContourOffsetVector") or ()):
        raise ContentError(
            f"{shown}: a contour of ROI {number} is moved by a Contour Offset Vector, which is not "
            "read; export it without"
        )
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
    image = next((str(one.ReferencedSOPInstanceUID) for one in _images(drawn)), "")
    hollow = drawn.get("ContourGeometricType") == "CLOSEDPLANAR_XOR"
    return Contour(points=values.reshape(-1, 3), image=image, hollow=hollow)


def _images(drawn: Dataset) -> Iterator[Dataset]:
    return items_of(drawn, "ContourImageSequence")


def _coordinates(value: Any) -> FloatArray:
    """Numbers of a contour, also of one too long for explicit VR that was stored as UN."""
    if value is None or value == "":
        return np.zeros(0)
    if isinstance(value, bytes):
        parts = value.decode("ascii").strip("\0 ").split("\\")
        return np.array([float(part) for part in parts if part.strip()])
    return np.atleast_1d(np.array(value, dtype=np.float64))
