"""Sequence items as bytes.

A segmentation has one functional group item a frame, easily tens of thousands of them. Built and
parsed one element at a time they take minutes; but they differ in a few numbers only. So one item
a slice is encoded and its numbers patched, and reading walks the bytes and steps over what is not
needed. Explicit VR little endian throughout.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from onkos.core.errors import ContentError

UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UR", b"UT", b"UN", b"SV", b"UV"}

_SEGMENT = 0xA5C3  # stand-ins that are found in the bytes and replaced
_FIRST, _SECOND = 0xEEEEEEE1, 0xEEEEEEE2


@dataclass(frozen=True, slots=True)
class Element:
    """Tag and the place of the value in a buffer."""

    tag: int
    start: int
    end: int


class Template:
    """An encoded item in which segment number and dimension indices can be set."""

    stand_in_segment = _SEGMENT
    stand_in_indices = (_FIRST, _SECOND)

    def __init__(self, item: Dataset) -> None:
        body = encoded(item)
        self._bytes = bytearray(struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body)
        self._segment = self._bytes.find(struct.pack("<H", _SEGMENT))
        self._first = self._bytes.find(struct.pack("<I", _FIRST))
        self._second = self._bytes.find(struct.pack("<I", _SECOND))

    def filled(self, *, segment: int | None, first: int, second: int | None) -> bytes:
        """Give the item's bytes with its numbers set; None leaves out what is not in it."""
        struct.pack_into("<I", self._bytes, self._first, first)
        if second is not None:
            struct.pack_into("<I", self._bytes, self._second, second)
        if segment is not None:
            struct.pack_into("<H", self._bytes, self._segment, segment)
        return bytes(self._bytes)


def encoded(item: Dataset) -> bytes:
    """Encode a data set, explicit VR little endian."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, item)
    value: bytes = buffer.getvalue()
    return value


def sequence_header(tag: int, length: int) -> bytes:
    """Header of a sequence of known length."""
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"SQ", 0, length)


def long_header(tag: int, vr: bytes, length: int) -> bytes:
    """Header of an element with a 32-bit length."""
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, length)


def elements(buffer: memoryview, start: int, end: int) -> Iterator[Element]:
    """Walk the elements between two places.

    Raises
    ------
    ContentError
        If a length leads out of the buffer.
    """
    at = start
    while at < end:
        group, number, vr, short = struct.unpack_from("<HH2sH", buffer, at)
        tag = group << 16 | number
        if tag in (_ITEM_END, _SEQUENCE_END):
            return
        at += 8
        length = short
        if vr in _LONG:
            length = struct.unpack_from("<I", buffer, at)[0]
            at += 4
        if length == UNDEFINED:
            stop = sequence_end(buffer, at, end)
            yield Element(tag, at, stop - 8)
            at = stop
            continue
        if at + length > end:
            raise ContentError("an element is longer than what holds it; the file is damaged")
        yield Element(tag, at, at + length)
        at += length


def items(buffer: memoryview, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Walk the items of a sequence value: start and end of each item's value."""
    at = start
    while at < end:
        group, number, length = struct.unpack_from("<HHI", buffer, at)
        tag = group << 16 | number
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise ContentError("a sequence holds something that is no item; the file is damaged")
        at += 8
        if length == UNDEFINED:
            stop = item_end(buffer, at, end)
            yield at, stop - 8
            at = stop
        else:
            if at + length > end:
                raise ContentError("an item is longer than its sequence; the file is damaged")
            yield at, at + length
            at += length


def item_end(buffer: memoryview, start: int, end: int) -> int:
    """Place behind an item of undefined length."""
    last = start
    for element in elements(buffer, start, end):
        last = element.end
    return _behind(buffer, last, end, _ITEM_END)


def sequence_end(buffer: memoryview, start: int, end: int) -> int:
    """Place behind a sequence of undefined length."""
    last = start
    for _, stop in items(buffer, start, end):
        last = stop
    return _behind(buffer, last, end, _SEQUENCE_END)


def _behind(buffer: memoryview, start: int, end: int, delimiter: int) -> int:
    """Place behind the next such delimiter; others in between close what lies inside."""
    at = start
    while at + 8 <= end:
        group, number, _ = struct.unpack_from("<HHI", buffer, at)
        at += 8
        if group << 16 | number == delimiter:
            return at
    raise ContentError("a sequence or item has no end; the file is damaged")


def first_item(buffer: memoryview, element: Element) -> tuple[int, int] | None:
    """First item of a sequence element; None if it is empty."""
    return next(items(buffer, element.start, element.end), None)
