"""One DICOM file's header, and where its pixels lie."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import pydicom
from pydicom.config import disable_value_validation
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray
from onkos.io.damage import DAMAGE, plain, said, short

_PIXELS = {0x7FE00010: "", 0x7FE00008: "<f4", 0x7FE00009: "<f8"}
_UNDEFINED = 0xFFFFFFFF
_PLAIN = frozenset({"AS", "CS", "DA", "DS", "IS", "LO", "PN", "SH", "ST", "TM", "UI", "US"})
_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)

_PARSING = Lock()  # what the parser warns of is a setting of the whole process

#: What a damaged file makes the parser raise; anything else is our own mistake.
PARSING = (InvalidDicomError, BytesLengthException, *DAMAGE)


class Layout(Protocol):
    """How several slices lie in one picture."""

    def taken_apart(self, mosaic: AnyArray, /) -> AnyArray:
        """(slices, rows, columns) of (rows, columns)."""


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """The attributes of one file, without its pixels.

    Parameters
    ----------
    path
        Where it lies.
    shown
        How messages name it: the path as the user gave it.
    attributes
        The data set up to the pixels.
    pixels_at, pixels_length
        Byte offset and length of native (uncompressed, little endian) pixel data, or None where
        the pixels must be decoded.
    real
        Type of pixels that are stored as floating-point numbers, as numpy writes it; else empty.
    tiles
        How the one picture of a mosaic is laid out, whose slices count as frames; else None.
    """

    path: Path
    shown: str
    attributes: Dataset
    pixels_at: int | None
    pixels_length: int | None
    real: str = ""
    tiles: Layout | None = None
    _known: dict[str, Any] = field(default_factory=dict, repr=False)

    def get(self, keyword: str, default: Any = None) -> Any:
        """Value of an attribute, ``default`` where it is absent or empty.

        Raises
        ------
        ContentError
            If it is there and cannot be read as what it should be.
        """
        if keyword not in self._known:
            self._known[keyword] = self._parsed(keyword)
        value = self._known[keyword]
        return default if value is None or value == "" else value

    def _parsed(self, keyword: str) -> Any:
        tag = tag_for_keyword(keyword)
        if tag is None or tag not in self.attributes.keys():  # noqa: SIM118 - far faster so
            return None
        try:
            raw = self.attributes.get_item(tag)
            if isinstance(raw, RawDataElement) and raw.VR in _PLAIN and raw.length > 0:
                return _parsed_once(raw._replace(value_tell=0), _encoding(self.attributes))
            with _PARSING, warnings.catch_warnings(), disable_value_validation():
                warnings.simplefilter("ignore")  # values are parsed, and warned of, on access
                return self.attributes[tag].value
        except PARSING as error:
            raise ContentError(
                f"{self.shown}: attribute {keyword} cannot be read ({said(error)}); the file is "
                "damaged, export or copy it again"
            ) from error

    @property
    def storage_class(self) -> str:
        """SOP class as the file meta information states it; empty where it does not."""
        meta = Header(
            path=self.path,
            shown=self.shown,
            attributes=getattr(self.attributes, "file_meta", Dataset()),
            pixels_at=None,
            pixels_length=None,
        )
        return meta.text("MediaStorageSOPClassUID")

    @property
    def syntax(self) -> str:
        """Transfer syntax as the file meta information states it; empty where it does not."""
        meta = getattr(self.attributes, "file_meta", Dataset())
        return str(meta.get("TransferSyntaxUID") or "")

    def text(self, keyword: str) -> str:
        """Value as text, several values joined by a backslash; empty where absent."""
        value = self.get(keyword, "")
        text = "\\".join(str(part) for part in value) if _is_list(value) else str(value).strip()
        return text if text.isprintable() else plain(text)

    def items(self, keyword: str) -> tuple[Header, ...]:
        """Items of a sequence as headers of their own; none where it is absent.

        Raises
        ------
        ContentError
            If the attribute is no sequence.
        """
        value = self.get(keyword)
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, Dataset):
            raise ContentError(
                f"{self.shown}: {keyword} is no sequence of items; the file is damaged, "
                "export or copy it again"
            )
        return tuple(
            Header(
                path=self.path,
                shown=self.shown,
                attributes=item,
                pixels_at=None,
                pixels_length=None,
            )
            for item in value
        )

    def number(self, keyword: str) -> float | None:
        """Value as one number; None where absent, :class:`ContentError` where it is not one."""
        found = self.numbers(keyword, 1)
        return None if found is None else found[0]

    def numbers(self, keyword: str, count: int) -> tuple[float, ...] | None:
        """Value as ``count`` numbers; None where absent, :class:`ContentError` otherwise."""
        value = self.get(keyword)
        if value is None:
            return None
        values = list(value) if _is_list(value) else [value]
        try:
            numbers = tuple(float(part) for part in values)
        except (TypeError, ValueError) as error:
            raise ContentError(
                f"{self.shown}: {keyword} is {short(value)}, not a number; the file is damaged, "
                "export it again"
            ) from error
        if len(numbers) != count or not all(abs(part) < 1e30 for part in numbers):
            raise ContentError(
                f"{self.shown}: {keyword} is {short(value)}; expected {count} finite numbers. The "
                "header was changed or damaged, export it again"
            )
        return numbers


@lru_cache(maxsize=1 << 14)
def _parsed_once(raw: RawDataElement, encoding: str | tuple[str, ...]) -> Any:
    """Value of an element as the parser gives it; the files of a series share most of them."""
    charset = encoding if isinstance(encoding, str) else list(encoding)
    with _PARSING, warnings.catch_warnings(), disable_value_validation():
        warnings.simplefilter("ignore")
        return convert_raw_data_element(raw, encoding=charset).value


def _encoding(attributes: Dataset) -> str | tuple[str, ...]:
    charset = attributes.original_character_set
    return charset if isinstance(charset, str) else tuple(charset)


def parse(path: Path, *, shown: str = "") -> Header | None:
    """Read a file's header; None if the file is not DICOM at all.

    Raises
    ------
    ContentError
        If it begins as DICOM and cannot be read on.
    """
    shown = shown or str(path)
    with path.open("rb") as file:
        start = file.read(132)
        if start[128:] != b"DICM" and not _begins_like_dicom(start):
            return None
        file.seek(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what matters of it is checked by hand
                attributes = pydicom.dcmread(
                    file, stop_before_pixels=True, force=start[128:] != b"DICM"
                )
                syntax = syntax_of(attributes)
                native = _native_pixels(file, syntax) if syntax in _NATIVE else None
        except PARSING as error:
            raise ContentError(
                f"{shown}: damaged DICOM file ({said(error)}); export or copy it again"
            ) from error
    if "SOPClassUID" not in attributes and "MediaStorageSOPClassUID" not in attributes.file_meta:
        raise ContentError(
            f"{shown}: does not say what it is (SOP Class UID), as every DICOM file must; it is "
            "damaged or no DICOM, copy or export it again"
        )
    at, length, real = native or (None, None, "")
    return Header(
        path=path,
        shown=shown,
        attributes=attributes,
        pixels_at=at,
        pixels_length=length,
        real=real,
    )


def _begins_like_dicom(start: bytes) -> bool:
    """Whether a file without preamble begins with an element of group 2 or 8."""
    if len(start) < 8:
        return False
    for order in ("<", ">"):
        group, element = struct.unpack(order + "HH", start[:4])
        if group in (2, 8) and element < 0x2000:
            length = struct.unpack(order + "I", start[4:8])[0]
            if (start[4:6].isalpha() and start[4:6].isupper()) or length < 0x10000:
                return True
    return False


def syntax_of(attributes: Dataset) -> UID:
    """Transfer syntax, also of a file without meta information, where the parser guessed."""
    told = attributes.file_meta.get("TransferSyntaxUID")
    if told:
        return UID(told)
    little, implicit = attributes.is_little_endian, attributes.is_implicit_VR
    if little is False:
        return UID("1.2.840.10008.1.2.2")
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _native_pixels(file: Any, syntax: UID) -> tuple[int, int, str] | None:
    """Offset, length and real type of uncompressed pixels that the parser stopped before."""
    start = file.tell()
    head = file.read(12)
    if len(head) < 12:
        return None
    group, element = struct.unpack("<HH", head[:4])
    real = _PIXELS.get(group << 16 | element)
    if real is None:
        return None
    if syntax == ImplicitVRLittleEndian:
        length = struct.unpack("<I", head[4:8])[0]
        return (start + 8, length, real) if length != _UNDEFINED else None
    if head[4:6] not in (b"OW", b"OB", b"OF", b"OD"):
        return None
    length = struct.unpack("<I", head[8:12])[0]
    return (start + 12, length, real) if length != _UNDEFINED else None


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | pydicom.multival.MultiValue)
