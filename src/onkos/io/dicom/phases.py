"""Planes at one place: copies to drop, phases to tell apart, contradictions to refuse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onkos.core.errors import GeometryError
from onkos.core.geometry import AnyArray
from onkos.core.source import Caveat
from onkos.io.dicom.frames import Frame
from onkos.io.dicom.pixels import matrix, plane_of, stored_type


def without_copies(frames: Sequence[Frame], series: str) -> tuple[list[Frame], tuple[Caveat, ...]]:
    """Drop planes that were stored twice: the same place, phase and stored pixels.

    Raises
    ------
    GeometryError
        If two files claim the same SOP Instance UID and are not the same.
    """
    seen: dict[tuple[str, int | None], Frame] = {}
    by_place: dict[tuple[float, ...], list[Frame]] = {}
    kept, dropped = [], 0
    for frame in frames:
        uid = frame.header.text("SOPInstanceUID")
        same_uid = seen.get((uid, frame.number)) if uid else None
        place = tuple(round(float(x), 2) for x in frame.position)
        twin = same_uid or next(
            (other for other in by_place.get(place, ()) if _same(frame, other)), None
        )
        if same_uid and not _same(frame, same_uid):
            raise GeometryError(
                f"{series}: {frame.shown} and {same_uid.shown} have the same SOP Instance UID and "
                "differ; one of them was changed. Export the series again"
            )
        if twin:
            dropped += 1
            continue
        seen[uid, frame.number] = frame
        by_place.setdefault(place, []).append(frame)
        kept.append(frame)
    if not dropped:
        return kept, ()
    text = f"{dropped} slices are there twice with the same picture; each is used once."
    return kept, (Caveat(code="duplicate-slices", text=text, where=series),)


def phases(places: Sequence[Sequence[Frame]], series: str) -> tuple[dict[str, list[Frame]], str]:
    """Tell apart the planes at each place by the first attribute that does so everywhere.

    Returns
    -------
    dict, str
        Value of the attribute to the planes that have it, one a place; and its keyword.

    Raises
    ------
    GeometryError
        If the places do not hold equally many planes, or no attribute tells them apart.
    """
    counts = sorted({len(place) for place in places})
    crowded = next(place for place in places if len(place) == counts[-1])
    names = " and ".join(frame.shown for frame in crowded[:3])
    if len(counts) == 1:
        for keyword in dict.fromkeys(key for frame in crowded for key in frame.phase):
            values = [[frame.phase.get(keyword, "") for frame in place] for place in places]
            if all(len(set(here)) == counts[0] and set(here) == set(values[0]) for here in values):
                told: dict[str, list[Frame]] = {
                    value: [] for value in sorted(values[0], key=_natural)
                }
                for place in places:
                    for frame in place:
                        told[frame.phase.get(keyword, "")].append(frame)
                return told, keyword
    raise GeometryError(
        f"{series}: {names} lie at the same place and differ; expected one slice a place, or the "
        "same number everywhere with an attribute that tells them apart (echo, b-value, time). "
        "Export the acquisitions apart"
    )


def _same(one: Frame, other: Frame) -> bool:
    """Whether two planes agree in place, phase and stored pixels, in whatever encoding."""
    if abs(one.position - other.position).max() > 0.01 or dict(one.phase) != dict(other.phase):
        return False
    native = one.header.pixels_at is not None and other.header.pixels_at is not None
    if native or one.header.syntax == other.header.syntax:
        return stored_bytes(one) == stored_bytes(other)
    return np.array_equal(_stored_values(one), _stored_values(other))


def stored_bytes(frame: Frame) -> bytes:
    """Pixels of a plane as the file stores them; the whole rest of the file if encoded.

    Where that cannot be told apart from the header (deflated, big endian), they are decoded.
    """
    header = frame.header
    with header.path.open("rb") as file:
        if header.pixels_at is None or header.pixels_length is None:
            data = file.read()
            start = data.rfind(b"\xe0\x7f\x10\x00")
            if start < 0:
                return _stored_values(frame).tobytes()
            return data[start:] + str(frame.number).encode()
        count = max(1, int(header.number("NumberOfFrames") or 1))
        rows, columns = matrix(header)
        size = rows * columns * stored_type(header).itemsize
        length = min(header.pixels_length // count, size)  # without padding at the end
        file.seek(header.pixels_at + ((frame.number or 1) - 1) * length)
        return file.read(length)


def _stored_values(frame: Frame) -> AnyArray:
    """Stored values of a plane, decoded and not yet scaled."""
    header = frame.header
    return plane_of(frame, *matrix(header), stored_type(header), {})


def _natural(value: str) -> tuple[float, str]:
    """Numbers in their own order, other text after them."""
    try:
        return float(value), value
    except ValueError:
        return float("inf"), value
