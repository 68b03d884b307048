"""The geometry firewall: from the planes of a series to grids that can be trusted.

What each finding leads to:

=============================================  ==============================================
slice missing between others                   refused
spacing uneven by more than a tenth            refused
slice shifted within its plane                 refused
two different pictures at one place, without   refused
an attribute that tells them apart
several frames of reference                    refused
spacing uneven by 2 to 10 %                    caveat
gantry tilt (constant shear)                   caveat; the grid stays sheared, as it is
same picture twice at one place                caveat; one is dropped
several phases, echoes, b-values               caveat; one volume each
several orientations or matrices (localisers)  caveat; one volume each
a single slice                                 caveat; its thickness stands for the spacing
stated spacing, thickness, tilt or count of    caveat; positions rule
images contradicting the positions
=============================================  ==============================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onkos.core.errors import GeometryError
from onkos.core.geometry import FloatArray, Geometry
from onkos.core.source import Caveat
from onkos.io.dicom import phases as apart
from onkos.io.dicom.frames import Frame

_SAME_DIRECTION = 2e-3  # difference of direction cosines: a tenth of a degree
_SAME_SPACING = 1e-3  # part of the pixel spacing
_SAME_PLACE_MM = 0.01
_EVEN = 0.02  # part of the slice spacing that rounding of positions explains
_UNEVEN = 0.10  # part from which on the grid is wrong enough to refuse
_TILT_DEGREES = 0.1
_MOST_TILT_DEGREES = 45.0  # gantries tilt by 30
_DIAMETER = 0.05  # part by which pixel spacing and reconstructed field may differ


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Planes of one volume in the order of array axis k, and their grid."""

    frames: tuple[Frame, ...]
    geometry: Geometry
    caveats: tuple[Caveat, ...]
    phase: str = ""


def stacks_of(frames: Sequence[Frame], series: str) -> list[Stack]:
    """Arrange the planes of a series into volumes.

    Parameters
    ----------
    frames
        All planes of one series.
    series
        How messages name it.

    Raises
    ------
    GeometryError
        If the planes do not make up volumes; the message names series, instances, what was
        expected and the remedy.
    """
    spaces = {frame.header.text("FrameOfReferenceUID") for frame in frames}
    if len(spaces) > 1:
        raise GeometryError(
            f"{series}: {len(spaces)} frames of reference in one series; expected one, since "
            "positions in different ones cannot be compared. Export the acquisitions apart"
        )
    groups = _alike(frames)
    split: tuple[Caveat, ...] = ()
    if len(groups) > 1:
        text = (
            f"The series holds {len(groups)} kinds of planes that differ in orientation, matrix "
            "or pixel spacing; each is a volume of its own."
        )
        split = (Caveat(code="mixed-orientations", text=text, where=series),)
    stacks = [_with(stack, split) for group in groups for stack in _stacks_of_alike(group, series)]
    return [_with(stacks[0], _begins_late(frames, series))] if len(stacks) == 1 else stacks


def _stacks_of_alike(frames: Sequence[Frame], series: str) -> list[Stack]:
    """Volumes of parallel planes of one matrix: one, or one a phase."""
    frames, twice = apart.without_copies(frames, series)
    places = _by_place(frames)
    if all(len(place) == 1 for place in places):
        return [_with(_stack([place[0] for place in places], series), twice)]
    phases, keyword = apart.phases(places, series)
    text = (
        f"The series holds {len(phases)} images of the same place that differ in {keyword}; "
        "each is a volume of its own."
    )
    caveat = Caveat(code="several-phases", text=text, where=series)
    made = []
    for name, members in phases.items():
        stack = _stack(members, f"{series}, {keyword} {name}")
        phase = f"{keyword} {name}"
        made.append(
            Stack(
                frames=stack.frames,
                geometry=stack.geometry,
                caveats=(*twice, caveat, *stack.caveats),
                phase=phase,
            )
        )
    return made


def _stack(frames: Sequence[Frame], series: str) -> Stack:
    """One volume from planes at distinct places, in order along their normal."""
    first, last = frames[0], frames[-1]
    rows = int(first.header.number("Rows") or 0)
    columns = int(first.header.number("Columns") or 0)
    if min(rows, columns) < 1:
        raise GeometryError(f"{series}, {first.shown}: no Rows or Columns; the file is damaged")
    affine = np.eye(4)
    affine[:3, 0] = first.row * first.spacing[1]
    affine[:3, 1] = first.column * first.spacing[0]
    affine[:3, 3] = first.position
    caveats: list[Caveat] = []
    if len(frames) == 1:
        step, caveats = _single(first, series)
    else:
        step = (last.position - first.position) / (len(frames) - 1)
        caveats += _even(frames, step, series)
        caveats += _tilt(frames, step, series)
        caveats += _contradictions(frames, float(step @ first.normal), series)
    caveats += _diameter(first, series)
    affine[:3, 2] = step
    geometry = Geometry(shape=(columns, rows, len(frames)), affine=affine)
    return Stack(frames=tuple(frames), geometry=geometry, caveats=tuple(caveats))


def _alike(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Group planes of one orientation, matrix and pixel spacing, in order of appearance."""
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            if _is_alike(frame, group[0]):
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _is_alike(one: Frame, other: Frame) -> bool:
    if one.header is not other.header:
        for keyword in ("Rows", "Columns"):
            if one.header.get(keyword) != other.header.get(keyword):
                return False
    spacing = np.abs(np.subtract(one.spacing, other.spacing)) <= _SAME_SPACING * other.spacing[0]
    turned = max(np.abs(one.row - other.row).max(), np.abs(one.column - other.column).max())
    return bool(spacing.all() and turned <= _SAME_DIRECTION)


def _by_place(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Planes in order along the normal; those at one place together."""
    normal = frames[0].normal
    ordered = sorted(frames, key=lambda frame: float(frame.position @ normal))
    places: list[list[Frame]] = []
    for frame in ordered:
        if places and abs((frame.position - places[-1][0].position) @ normal) <= _SAME_PLACE_MM:
            places[-1].append(frame)
        else:
            places.append([frame])
    return places


def _single(frame: Frame, series: str) -> tuple[FloatArray, list[Caveat]]:
    """Step across a single plane: what the header says of its thickness."""
    told = (("SpacingBetweenSlices", frame.between), ("SliceThickness", frame.thickness))
    for keyword, step in told:
        if step:
            text = f"A single slice: its {keyword} of {step:g} mm stands for the slice spacing."
            return frame.normal * step, [Caveat(code="single-slice", text=text, where=series)]
    raise GeometryError(
        f"{series}, {frame.shown}: a single slice without SliceThickness; its volume in the "
        "patient is not known. Export the whole series, or convert the slice to a picture"
    )


def _even(frames: Sequence[Frame], step: FloatArray, series: str) -> list[Caveat]:
    """Refuse gaps and uneven spacing; allow what rounding of the positions explains."""
    normal = frames[0].normal
    at = np.array([frame.position @ normal for frame in frames])
    gaps = np.diff(at)
    usual = float(np.median(gaps))
    expected = at[0] + np.arange(len(frames)) * (at[-1] - at[0]) / (len(frames) - 1)
    off = float(np.abs(at - expected).max())
    if off <= max(_EVEN * usual, _SAME_PLACE_MM):
        return []
    widest = int(np.argmax(np.abs(gaps - usual)))
    between = f"between {frames[widest].shown} and {frames[widest + 1].shown}"
    if gaps[widest] > 1.5 * usual:
        missing = max(1, round(gaps[widest] / usual) - 1)
        raise GeometryError(
            f"{series}: {gaps[widest]:.4g} mm {between}, expected {usual:.4g} mm: about {missing} "
            "slices are missing. Export the whole series again"
        )
    if np.abs(gaps - usual).max() > _UNEVEN * usual or off > 0.5 * usual:
        raise GeometryError(
            f"{series}: {gaps[widest]:.4g} mm {between}, where the others are {usual:.4g} mm "
            "apart; expected even spacing. Export an evenly spaced reconstruction"
        )
    text = (
        f"Slices are not evenly spaced: {float(gaps.min()):.4g} to {float(gaps.max()):.4g} mm; "
        f"places along the slices may be off by {off:.2g} mm."
    )
    return [Caveat(code="uneven-spacing", text=text, where=series)]


def _tilt(frames: Sequence[Frame], step: FloatArray, series: str) -> list[Caveat]:
    """Tell a constant shear (gantry tilt) from slices that are shifted one by one."""
    first = frames[0]
    places = np.array([frame.position for frame in frames])
    drift = places - (places[0] + np.arange(len(frames))[:, None] * step)
    in_plane = np.stack([drift @ first.row, drift @ first.column], axis=1)
    worst = int(np.argmax(np.abs(in_plane).max(axis=1)))
    shift = float(np.abs(in_plane[worst]).max())
    if shift > max(0.1 * min(first.spacing), _SAME_PLACE_MM):
        raise GeometryError(
            f"{series}: {frames[worst].shown} is shifted by {shift:.3g} mm within its plane; "
            "expected slices behind each other. The header was changed or acquisitions are mixed; "
            "export the series again"
        )
    angle = np.degrees(np.arccos(np.clip(step @ first.normal / np.linalg.norm(step), -1, 1)))
    if angle > _MOST_TILT_DEGREES:
        raise GeometryError(
            f"{series}: from {frames[0].shown} to {frames[-1].shown} the slices run at {angle:.0f} "
            "degrees to their normal; expected slices behind each other. Export each of them, or "
            "the acquisition they belong to, apart"
        )
    if angle > _TILT_DEGREES:
        text = (
            f"The slices are tilted against the stack by {angle:.1f} degrees (gantry tilt); "
            "the grid is sheared and kept as it is."
        )
        return [Caveat(code="gantry-tilt", text=text, where=series)]
    return []


def _contradictions(frames: Sequence[Frame], step_mm: float, series: str) -> list[Caveat]:
    """Compare what headers state beside the positions; positions rule."""
    found = []
    first = frames[0]
    stated = first.between
    if stated and abs(stated - step_mm) > max(_EVEN * step_mm, _SAME_PLACE_MM):
        text = (
            f"SpacingBetweenSlices says {stated:g} mm, the positions {step_mm:.4g} mm; "
            "the positions are used."
        )
        found.append(Caveat(code="spacing-contradiction", text=text, where=series))
    thickness = first.thickness
    if thickness and step_mm > 1.5 * thickness:
        text = (
            f"Slices are {step_mm:.4g} mm apart and {thickness:g} mm thick: tissue between them "
            "was not imaged, or slices were left out evenly."
        )
        found.append(Caveat(code="gaps-between-slices", text=text, where=series))
    found += _counts(frames, series)
    tilt = first.header.number("GantryDetectorTilt")
    across = float(np.abs((frames[-1].position - first.position) @ first.column))
    if (
        tilt
        and abs(tilt) > _TILT_DEGREES
        and across < _SAME_PLACE_MM
        and first.normal[2] ** 2 > 0.9999
    ):
        text = f"GantryDetectorTilt says {tilt:g} degrees, the positions none; they are used."
        found.append(Caveat(code="tilt-contradiction", text=text, where=series))
    return found


def _counts(frames: Sequence[Frame], series: str) -> list[Caveat]:
    """Notice images that were left out, where the header counts them."""
    if frames[0].number is not None:
        return []
    for keyword in ("NumberOfSeriesRelatedInstances", "ImagesInAcquisition"):
        stated = frames[0].header.number(keyword)
        if stated and stated > len(frames):
            text = f"{keyword} says {int(stated)} images, {len(frames)} are here."
            return [Caveat(code="fewer-images-than-stated", text=text, where=series)]
    numbers = [frame.header.number("InstanceNumber") for frame in frames]
    known = sorted({int(number) for number in numbers if number is not None})
    if len(known) == len(frames) and known[-1] - known[0] + 1 > len(frames):
        missing = known[-1] - known[0] + 1 - len(frames)
        text = (
            f"Instance numbers run from {known[0]} to {known[-1]} and {missing} of them are not "
            "here; the slices that are here are evenly spaced."
        )
        return [Caveat(code="instance-numbers-missing", text=text, where=series)]
    return []


def _begins_late(frames: Sequence[Frame], series: str) -> tuple[Caveat, ...]:
    """Notice a series that is one volume and whose instance numbers begin after 1."""
    numbers = [frame.header.number("InstanceNumber") for frame in frames if frame.number is None]
    first = min((number for number in numbers if number is not None), default=1)
    if first <= 1 or len(frames) == 1:
        return ()
    text = f"Instance numbers begin at {int(first)}: slices at one end may not be here."
    return (Caveat(code="instance-numbers-missing", text=text, where=series),)


def _diameter(frame: Frame, series: str) -> list[Caveat]:
    """Compare the pixel spacing of a CT with the field it was reconstructed on."""
    if frame.header.text("Modality").upper() != "CT":
        return []
    diameter = frame.header.number("ReconstructionDiameter")
    columns, rows = frame.header.number("Columns") or 0, frame.header.number("Rows") or 0
    field = max(frame.spacing[1] * columns, frame.spacing[0] * rows)
    if not diameter or diameter <= 0 or abs(field / diameter - 1) < _DIAMETER:
        return []
    text = (
        f"PixelSpacing makes the picture {field:.4g} mm wide, ReconstructionDiameter says "
        f"{diameter:.4g} mm; PixelSpacing is used."
    )
    return [Caveat(code="spacing-contradiction", text=text, where=series)]


def _with(stack: Stack, caveats: Sequence[Caveat]) -> Stack:
    return Stack(
        frames=stack.frames,
        geometry=stack.geometry,
        caveats=(*caveats, *stack.caveats),
        phase=stack.phase,
    )
