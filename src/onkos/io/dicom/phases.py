"""Planes at one place: copies to drop, phases to tell apart, contradictions to refuse."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence

from onkos.core.errors import ContentError, GeometryError
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
    prints = _Prints(frames)
    seen: dict[tuple[str, int | None], Frame] = {}
    known: set[tuple[Hashable, ...]] = set()
    kept, dropped = [], 0
    for frame in frames:
        uid = frame.header.text("SOPInstanceUID")
        same_uid = seen.get((uid, frame.number)) if uid else None
        if same_uid is None and prints.is_alone(frame):
            seen[uid, frame.number] = frame
            kept.append(frame)
            continue
        own = prints.of(frame)
        if same_uid and own != prints.of(same_uid):
            raise GeometryError(
                f"{series}: {frame.shown} and {same_uid.shown} have the same SOP Instance UID and "
                "differ; one of them was changed. Export the series again"
            )
        if own in known:
            dropped += 1
            continue
        known.add(own)
        seen[uid, frame.number] = frame
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
    names = " and ".join(frame.shown for frame in crowded[:2])
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
        f"{series}: {names} lie at the same place and differ; expected one slice a place, or "
        "an attribute (echo, b-value, time) that tells them apart. Export the acquisitions apart"
    )


class _Prints:
    """What makes a plane the same as another one: place, phase and stored pixels.

    Pixels are read only of planes that share place and phase, each once, so that the work grows
    with their number. They are compared as stored, or decoded where encodings differ.
    """

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._crowd = Counter(_spot(frame) for frame in frames)
        self._uids = Counter(frame.header.text("SOPInstanceUID") for frame in frames)
        native = all(frame.header.pixels_at is not None for frame in frames)
        self._as_stored = native or len({frame.header.syntax for frame in frames}) == 1
        self._made: dict[int, tuple[Hashable, ...]] = {}

    def is_alone(self, frame: Frame) -> bool:
        """Whether no other plane can be the same."""
        uid = frame.header.text("SOPInstanceUID")
        twice = uid and frame.number is None and self._uids[uid] > 1
        return not twice and self._crowd[_spot(frame)] == 1

    def of(self, frame: Frame) -> tuple[Hashable, ...]:
        """Print of one plane."""
        if id(frame) not in self._made:
            values = stored_bytes(frame) if self._as_stored else _decoded(frame)
            digest = hashlib.sha256(values).digest()
            self._made[id(frame)] = (*_spot(frame), digest)
        return self._made[id(frame)]


def _spot(frame: Frame) -> tuple[Hashable, ...]:
    """Place to a hundredth of a millimetre, and phase."""
    place = tuple(round(float(x), 2) for x in frame.position)
    return place, tuple(sorted(frame.phase.items()))


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


def _decoded(frame: Frame) -> bytes:
    """Stored values in one type, whatever they were stored as; bytes that cannot be decoded."""
    try:
        values = _stored_values(frame)
    except ContentError:
        return stored_bytes(frame)
    return values.astype("<i8" if values.dtype.kind in "iu" else "<f8").tobytes()


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
