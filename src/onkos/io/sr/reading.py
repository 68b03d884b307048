"""A structured report to lesions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from onkos.core.coding import SITES, TISSUES, Code
from onkos.core.errors import ContentError
from onkos.core.findings import Lesion, Measurement, Point, Segment
from onkos.io.dicom.header import PARSING
from onkos.io.sr.concepts import (
    FINDING,
    FINDING_SITES,
    GROUP,
    JOIN,
    LOWER,
    REPORT,
    TRACKING,
    TRACKING_UID,
    UPPER,
)


def read(path: Path, *, shown: str = "") -> tuple[Lesion, ...]:
    """Read the lesions of a TID 1500 report, of Onkos or of another maker.

    Groups of one tracking UID are one lesion. Its place is the middle of the first points in
    the patient that a measurement gives; None where the report only names a segment or points
    on an image.

    Parameters
    ----------
    path
        The file.
    shown
        How messages name the file; its path if empty.

    Raises
    ------
    ContentError
        If it is another kind of report, or damaged.
    """
    shown = shown or str(path)
    try:
        whole = pydicom.dcmread(path, force=True)
        if _concept(whole) != REPORT:
            title = whole.get("ConceptNameCodeSequence")
            raise ContentError(
                f"{shown}: a structured report of another kind "
                f"({title[0].CodeMeaning if title else 'no title'}); expected an imaging "
                "measurement report (TID 1500)"
            )
        groups = [_Group.of(one) for one in _descendants(whole, GROUP)]
    except PARSING as error:
        raise ContentError(
            f"{shown}: damaged structured report ({type(error).__name__}: {error}); export it again"
        ) from error
    return _lesions(groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """One measurement group as read."""

    id: str
    uid: str
    kind: str
    site: str
    measurements: tuple[Measurement, ...]

    @classmethod
    def of(cls, container: Dataset) -> _Group:
        """Read a measurement group's container."""
        found = {_concept(one): one for one in reversed(container.get("ContentSequence") or ())}
        uid, name = found.get(TRACKING_UID), found.get(TRACKING)
        finding = found.get(FINDING)
        site = next((found[code] for code in FINDING_SITES if code in found), None)
        return cls(
            id=str(name.TextValue) if name else "",
            uid=str(uid.UID) if uid else "",
            kind=_meant(finding, TISSUES),
            site=_meant(site, SITES),
            measurements=tuple(
                _measurement(one)
                for one in container.get("ContentSequence") or ()
                if one.ValueType == "NUM" and one.get("MeasuredValueSequence")
            ),
        )


def _lesions(groups: Sequence[_Group]) -> tuple[Lesion, ...]:
    """Lesions of groups; those of one UID belong together, some of them about a tissue."""
    whole: dict[str, Lesion] = {}
    for number, group in enumerate(groups, start=1):
        name = group.id or f"lesion-{number}"
        key = group.uid or f"group {number}"
        first = whole.get(key)
        if first is None:
            whole[key] = Lesion(
                id=name,
                where=_place(group.measurements),
                kind=group.kind,
                site=group.site,
                measurements=group.measurements,
                uid=group.uid,
            )
            continue
        about = name.removeprefix(first.id + JOIN)
        tissue = "" if about == name else about
        more = tuple(replace(one, tissue=tissue) for one in group.measurements)
        whole[key] = replace(
            first,
            measurements=(*first.measurements, *more),
            where=first.where or _place(group.measurements),
        )
    return tuple(whole.values())


def _measurement(number: Dataset) -> Measurement:
    value = number.MeasuredValueSequence[0]
    unit = value.MeasurementUnitsCodeSequence[0]
    exact = value.get("FloatingPointValue")
    result = float(value.NumericValue if exact is None else exact)
    inner = number.get("ContentSequence") or ()
    texts = [str(one.TextValue) for one in inner if one.ValueType == "TEXT"]
    concept = number.ConceptNameCodeSequence[0]
    return Measurement(
        concept=Code(
            str(concept.CodeValue), str(concept.CodingSchemeDesignator), str(concept.CodeMeaning)
        ),
        value=result,
        ucum=str(unit.CodeValue),
        method="; ".join(texts) or "not stated in the report",
        interval=_limits(result, inner),
        line=_line(inner),
    )


def _limits(value: float, inner: Sequence[Dataset]) -> tuple[float, float] | None:
    """Interval from the ranges of uncertainty around a value."""
    reach = {}
    for one in inner:
        if one.ValueType == "NUM" and one.get("MeasuredValueSequence"):
            reach[_concept(one)] = _measurement(one).value
    if LOWER not in reach or UPPER not in reach:
        return None
    return value - reach[LOWER], value + reach[UPPER]


def _line(inner: Sequence[Dataset]) -> Segment | None:
    """Two points in the patient that a number was measured between."""
    for one in inner:
        if one.ValueType == "SCOORD3D" and len(one.GraphicData) == 6:
            x1, y1, z1, x2, y2, z2 = (float(part) for part in one.GraphicData)
            return Segment(start_mm=(x1, y1, z1), end_mm=(x2, y2, z2))
    return None


def _place(measurements: Sequence[Measurement]) -> Point | None:
    lines = [one.line for one in measurements if one.line is not None]
    if not lines:
        return None
    x, y, z = ((a + b) / 2 for a, b in zip(lines[0].start_mm, lines[0].end_mm, strict=True))
    return Point(mm=(x, y, z))


def _concept(content: Dataset) -> tuple[str, str]:
    """Code and scheme of what an item is about; empty where it is about nothing."""
    named = content.get("ConceptNameCodeSequence")
    return _code(named[0]) if named else ("", "")


def _code(coded: Dataset) -> tuple[str, str]:
    value = coded.get("CodeValue") or coded.get("LongCodeValue") or coded.get("URNCodeValue") or ""
    return str(value), str(coded.get("CodingSchemeDesignator") or "")


def _meant(content: Dataset | None, known: Mapping[str, Code]) -> str:
    """Onkos' own word for a coded value, else the meaning written there."""
    values = content.get("ConceptCodeSequence") if content else None
    if not values:
        return ""
    for word, code in known.items():
        if (code.value, code.scheme) == _code(values[0]):
            return word
    return str(values[0].CodeMeaning)


def _descendants(content: Dataset, concept: tuple[str, str]) -> Iterator[Dataset]:
    """Items about a concept anywhere below."""
    for one in content.get("ContentSequence") or ():
        if _concept(one) == concept:
            yield one
        else:
            yield from _descendants(one, concept)
