"""Look-up tables in DICOM: stored values to real ones (Modality LUT), or to colours (palettes)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray
from onkos.io.dicom.header import Header

_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_COLOURS = ("Red", "Green", "Blue")
_WORD = 1 << 16
_LOW_BYTE = 255


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Values by stored value, from ``first`` on; beyond its ends the end value counts.

    ``kind`` is the Modality LUT Type, in capitals: ``HU``, ``OD``, ``US``, ...
    """

    first: int
    values: AnyArray
    kind: str = ""

    def of(self, stored: AnyArray) -> AnyArray:
        """Real values of stored ones."""
        index = np.clip(stored.astype(np.int64) - self.first, 0, len(self.values) - 1)
        found: AnyArray = self.values[index]
        return found


def modality_table(header: Header) -> Table | None:
    """Table that turns stored values into real ones; None where the file has none.

    Raises
    ------
    ContentError
        If it is damaged, or there is a rescaling beside it.
    """
    items = header.items("ModalityLUTSequence")
    if not items:
        return None
    rescaled = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if rescaled not in ((None, None), (1.0, 0.0)):
        raise ContentError(
            f"{header.shown}: a Modality LUT and a rescaling (RescaleSlope {rescaled[0]}) at once; "
            "DICOM allows one of them. Export the image again"
        )
    table = items[0]
    count, first, _ = _descriptor(table, "LUTDescriptor")
    values = _entries(table, "LUTData", count, big=header.syntax == _BIG_ENDIAN)
    if header.number("PixelRepresentation") == 1 and first >= _WORD // 2:
        first -= _WORD
    kind = table.text("ModalityLUTType").upper()
    return Table(first=first, values=values.astype(np.float32), kind=kind)


def palette_colours(header: Header, indices: AnyArray) -> tuple[AnyArray, bool]:
    """RGB of 8 bits of a palette picture, and whether the palette was filled in the low byte only.

    Entries are 8 or 16 bits, in either byte order, plain or in segments (PS3.3 C.7.9.2).

    Raises
    ------
    ContentError
        If a colour's table is missing or damaged.
    """
    big = header.syntax == _BIG_ENDIAN
    tables, bits = [], []
    for colour in _COLOURS:
        count, first, width = _descriptor(header, f"{colour}PaletteColorLookupTableDescriptor")
        plain, packed = f"{colour}PaletteColorLookupTableData", "Segmented"
        if header.get(plain) is not None:
            values = _entries(header, plain, count, big=big)
        else:
            values = _segments(header, packed + plain, count, big=big)
        tables.append(Table(first=first, values=values))
        bits.append(width)
    brightest = max(int(table.values.max()) for table in tables)
    low = max(bits) > 8 and 0 < brightest <= _LOW_BYTE
    shift = 8 if brightest > _LOW_BYTE else 0
    colours = [(table.of(indices) >> shift).astype(np.uint8) for table in tables]
    return np.stack(colours, axis=-1), low


def _descriptor(table: Header, keyword: str) -> tuple[int, int, int]:
    """Number of entries, first stored value, and bits of an entry."""
    told = table.numbers(keyword, 3)
    if told is None:
        raise ContentError(f"{table.shown}: no {keyword}; the file is damaged, export it again")
    count, first, bits = (int(part) for part in told)
    return count % _WORD or _WORD, first, bits


def _entries(table: Header, keyword: str, count: int, *, big: bool) -> AnyArray:
    """Entries of a table, as whole numbers; bytes or words by how many there are."""
    value = table.get(keyword)
    if isinstance(value, bytes):
        entries = _from_bytes(value, count, big=big)
    else:
        entries = np.atleast_1d(np.array(value if value is not None else [], dtype=np.int64))
    if len(entries) < count:
        raise ContentError(
            f"{table.shown}: {keyword} has {len(entries)} entries, {count} are stated; the file is "
            "damaged, export it again"
        )
    return entries[:count] % _WORD


def _from_bytes(value: bytes, count: int, *, big: bool) -> AnyArray:
    if len(value) >= 2 * count:
        return np.frombuffer(value[: 2 * count], ">u2" if big else "<u2").astype(np.int64)
    packed = np.frombuffer(value, np.uint8).astype(np.int64)
    if big and len(packed) % 2 == 0:  # bytes lie in words
        packed = packed.reshape(-1, 2)[:, ::-1].ravel()
    return packed


def _segments(header: Header, keyword: str, count: int, *, big: bool) -> AnyArray:
    """Entries of a segmented palette: runs of values, lines, and earlier segments again."""
    value: Any = header.get(keyword)
    if value is None:
        raise ContentError(f"{header.shown}: no {keyword}; the file is damaged, export it again")
    if isinstance(value, bytes):
        words = np.frombuffer(value[: len(value) // 2 * 2], ">u2" if big else "<u2").tolist()
    else:
        words = [int(word) for word in value]
    made: list[int] = []
    _expand(words, made, len(words), header)
    if len(made) < count:
        raise ContentError(
            f"{header.shown}: {keyword} makes {len(made)} entries, {count} are stated; the file is "
            "damaged, export it again"
        )
    return np.array(made[:count], dtype=np.int64)


def _expand(words: list[int], made: list[int], most: int, header: Header, at: int = 0) -> None:
    """Append the entries of up to ``most`` segments, from one place on."""
    for _ in range(most):
        if at + 1 >= len(words) or len(made) > _WORD:
            return
        kind, length = words[at], words[at + 1]
        if kind == 0:
            made.extend(words[at + 2 : at + 2 + length])
            at += 2 + length
        elif kind == 1 and made and at + 2 < len(words):
            line = np.linspace(made[-1], words[at + 2], length + 1)[1:]
            made.extend(np.rint(line).astype(int).tolist())
            at += 3
        elif kind == 2 and at + 3 < len(words) and words[at + 2] + (words[at + 3] << 16) < at:
            _expand(words, made, length, header, words[at + 2] + (words[at + 3] << 16))
            at += 4
        else:
            raise ContentError(
                f"{header.shown}: a segmented palette has a segment of kind {kind} where none can "
                "be; the file is damaged, export it again"
            )
