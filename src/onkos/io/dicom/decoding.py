"""Compressed, big endian and otherwise encoded pixels to stored values."""

from __future__ import annotations

import warnings
from typing import Final

import pydicom
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import get_decoder, pixel_array
from pydicom.uid import JPEGExtended12Bit

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray
from onkos.io.damage import said
from onkos.io.dicom.header import PARSING, Header

PALETTE: Final = "PALETTE COLOR"
_SCAN, _EXTENDED, _LAST_COEFFICIENT = b"\xff\xda", b"\xff\xc1", 63


def decoded_pixels(header: Header) -> AnyArray:
    """Stored values: (rows, columns), with a first axis of frames and a last one of colours.

    Colours become RGB, but for palettes, which stay numbers; the slices of a mosaic are frames.

    Raises
    ------
    ContentError
        If there are no pixels, or none that can be decoded.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = pydicom.dcmread(header.path, force=True)
            if not any(f"{kind}PixelData" in whole for kind in ("", "Float", "DoubleFloat")):
                raise ContentError(
                    f"{header.shown}: no pixels in it; expected an image. It was cut short or "
                    "its pixels were removed, copy or export it again"
                )
            if not whole.file_meta.get("TransferSyntaxUID"):
                whole.file_meta.TransferSyntaxUID = _guessed_syntax(whole)
            _require_decoder(whole, header)
            decoded = _decoded(whole)
            return decoded if header.tiles is None else header.tiles.taken_apart(decoded)
    except PARSING as error:
        raise ContentError(
            f"{header.shown}: the pixels cannot be decoded ({said(error)}); they are damaged or do "
            "not fit the header. Copy or export it again"
        ) from error


def _require_decoder(whole: pydicom.Dataset, header: Header) -> None:
    """Refuse an encoding that cannot be decoded, here or at all, by its name."""
    syntax = whole.file_meta.TransferSyntaxUID
    try:
        there = bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        raise ContentError(
            f"{header.shown}: the pixels are encoded as {syntax.name}, which is not read; export "
            "it uncompressed (explicit VR little endian)"
        ) from None
    if not there:
        raise ContentError(
            f"{header.shown}: the pixels are encoded as {syntax.name}, and its decoder is not "
            "installed; 'onkos doctor' says how, or export it uncompressed"
        )


def _decoded(whole: pydicom.Dataset) -> AnyArray:
    try:
        decoded: AnyArray = pixel_array(whole)
    except PARSING:
        if not _mended(whole):
            raise
        decoded = pixel_array(whole)
    return decoded


def _mended(whole: pydicom.Dataset) -> bool:
    """Set right the end of the scan in 12-bit JPEG; whether there was anything to set right.

    Old encoders write 0, which a sequential scan cannot have (ITU-T T.81 B.2.3): it ends at 63.
    """
    if whole.file_meta.TransferSyntaxUID != JPEGExtended12Bit:
        return False
    count = int(whole.get("NumberOfFrames") or 1)
    frames = [bytearray(one) for one in generate_frames(whole.PixelData, number_of_frames=count)]
    changed = False
    for frame in frames:
        at = frame.find(_SCAN)
        if _EXTENDED not in frame or at < 0 or at + 6 >= len(frame):
            continue
        end = at + 6 + 2 * frame[at + 4]
        if end < len(frame) and frame[end] == 0:
            frame[end] = _LAST_COEFFICIENT
            changed = True
    whole.PixelData = encapsulate([bytes(frame) for frame in frames])
    return changed


def _guessed_syntax(whole: pydicom.Dataset) -> str:
    """Transfer syntax of a file without meta information, as it was parsed."""
    implicit, little = whole.original_encoding
    if implicit:
        return "1.2.840.10008.1.2"
    return "1.2.840.10008.1.2.1" if little is not False else "1.2.840.10008.1.2.2"
