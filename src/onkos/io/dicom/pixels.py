"""Stored pixels to real values, in as little memory as the values themselves need."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pydicom
from pydicom.pixels import pixel_array

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray
from onkos.core.source import Caveat
from onkos.io.dicom.frames import Frame
from onkos.io.dicom.header import PARSING, Header

_SLACK = 2  # bytes: padding to an even length


def values_of(frames: Sequence[Frame], series: str) -> tuple[AnyArray, tuple[Caveat, ...]]:
    """Real values of the planes of one volume: shape (columns, rows, planes).

    Stored values are scaled by each plane's own slope and intercept. They stay integers where
    every slope is 1, every intercept whole and the sum fits 16 bits; else they are float32.

    Raises
    ------
    ContentError
        If pixels are missing, shorter or longer than Rows, Columns and bits say, in colour, or
        cannot be decoded.
    """
    first = frames[0].header
    rows, columns = matrix(first)
    kind = stored_type(first)
    for frame in frames:
        if frame.header is not first and stored_type(frame.header) != kind:
            raise ContentError(
                f"{series}: {frame.shown} stores {stored_type(frame.header)}, {frames[0].shown} "
                f"{kind}; expected one kind of pixels. Export the series again"
            )
    whole = _are_integers(frames, kind)
    stack = np.empty((len(frames), rows, columns), dtype=np.int16 if whole else np.float32)
    decoded: dict[int, AnyArray] = {}
    padded = 0
    for k, frame in enumerate(frames):
        plane = _plane(frame, rows, columns, kind, decoded)
        padded += _padding(frame.header, plane)
        if whole and not _fits(plane, frame.intercept):
            whole, stack = False, stack.astype(np.float32)
        if whole:
            np.add(plane, int(frame.intercept), out=stack[k], dtype=np.int32, casting="unsafe")
        else:
            np.multiply(plane, np.float32(frame.slope), out=stack[k], casting="unsafe")
            stack[k] += np.float32(frame.intercept)
    return stack.T, _padding_caveat(padded, stack.size, series)


def picture_of(header: Header) -> AnyArray:
    """Pixels of a plain picture: (columns, rows) grey, scaled, or (columns, rows, 3) RGB.

    Raises
    ------
    ContentError
        If there are several frames, or the pixels cannot be decoded.
    """
    count = int(header.number("NumberOfFrames") or 1)
    if count != 1:
        raise ContentError(
            f"{header.shown}: {count} frames without a place in the patient (a clip); "
            "expected one picture. Export the frame that is meant"
        )
    rows, columns = matrix(header)
    if int(header.number("SamplesPerPixel") or 1) == 1 and header.pixels_at is not None:
        _check_length(header, rows * columns * stored_type(header).itemsize)
    decoded = _decode(header)
    if decoded.shape[:2] != (rows, columns):
        raise ContentError(
            f"{header.shown}: decoded to {decoded.shape}, expected {rows} rows, {columns} columns"
        )
    if decoded.ndim == 3:
        return decoded.swapaxes(0, 1)
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if (slope or 1.0) == 1.0 and not intercept:
        return decoded.T
    return (decoded * np.float32(slope or 1.0) + np.float32(intercept or 0.0)).T


def matrix(header: Header) -> tuple[int, int]:
    """Rows and columns; refuses a header without them."""
    rows, columns = header.number("Rows"), header.number("Columns")
    if not rows or not columns:
        raise ContentError(f"{header.shown}: no Rows or Columns; it is no image, or damaged")
    return int(rows), int(columns)


def stored_type(header: Header) -> np.dtype[np.generic]:
    """Type of stored pixels of a grey image.

    Raises
    ------
    ContentError
        If the bits contradict each other, or the image is in colour.
    """
    if header.pixels_at is None and "FloatPixelData" in header.attributes:
        return np.dtype("<f4")
    samples = int(header.number("SamplesPerPixel") or 1)
    if samples != 1:
        raise ContentError(
            f"{header.shown}: {samples} samples a pixel in an image with a place in the patient; "
            "expected measured values, not a colour rendering of them"
        )
    allocated = int(header.number("BitsAllocated") or 0)
    stored = int(header.number("BitsStored") or allocated)
    if allocated not in (8, 16, 32) or not 1 <= stored <= allocated:
        raise ContentError(
            f"{header.shown}: {stored} bits stored in {allocated} allocated; expected 8, 16 or 32 "
            "allocated and no more stored. The header is damaged"
        )
    signed = int(header.number("PixelRepresentation") or 0)
    return np.dtype(f"<{'i' if signed else 'u'}{allocated // 8}")


def _are_integers(frames: Sequence[Frame], kind: np.dtype[np.generic]) -> bool:
    """Whether scaling leaves integers: every slope 1, every intercept whole."""
    return kind.kind in "iu" and all(f.slope == 1.0 and f.intercept % 1 == 0 for f in frames)


def _fits(plane: AnyArray, intercept: float) -> bool:
    """Whether the scaled values of a plane fit 16 bits."""
    limits = np.iinfo(plane.dtype)
    if limits.min + intercept >= -32768 and limits.max + intercept <= 32767:
        return True
    return bool(plane.min() + intercept >= -32768 and plane.max() + intercept <= 32767)


def _plane(
    frame: Frame,
    rows: int,
    columns: int,
    kind: np.dtype[np.generic],
    decoded: dict[int, AnyArray],
) -> AnyArray:
    """Stored values of one plane, (rows, columns)."""
    header = frame.header
    count = int(header.number("NumberOfFrames") or 1)
    if header.pixels_at is None:
        if id(header) not in decoded:
            decoded.clear()  # one file's frames follow each other: never keep two
            decoded[id(header)] = _decode(header)
        found = decoded[id(header)]
        plane = found if frame.number is None or count == 1 else found[frame.number - 1]
        if plane.shape != (rows, columns):
            raise ContentError(
                f"{frame.shown}: decoded to {plane.shape}, expected {rows} x {columns}"
            )
        return plane
    size = rows * columns * kind.itemsize
    _check_length(header, size * count)
    with header.path.open("rb") as file:
        file.seek(header.pixels_at + size * ((frame.number or 1) - 1))
        data = file.read(size)
    if len(data) != size:
        raise ContentError(
            f"{frame.shown}: the file ends within the pixels ({len(data)} of {size} bytes); it is "
            "truncated, copy it again"
        )
    return _masked(np.frombuffer(data, dtype=kind).reshape(rows, columns), header)


def _masked(plane: AnyArray, header: Header) -> AnyArray:
    """Stored values without what old scanners put into the bits above BitsStored."""
    allocated = int(header.number("BitsAllocated") or 16)
    stored = int(header.number("BitsStored") or allocated)
    if stored == allocated or plane.dtype.kind == "f":
        return plane
    limit = 1 << stored
    if plane.dtype.kind == "u":
        return plane & plane.dtype.type(limit - 1) if plane.max() >= limit else plane
    if plane.max() < limit // 2 and plane.min() >= -limit // 2:
        return plane
    shift = allocated - stored
    return (plane << shift) >> shift


def _check_length(header: Header, expected: int) -> None:
    """Refuse pixel data that is not as long as the header says."""
    length = header.pixels_length or 0
    if length < expected:
        raise ContentError(
            f"{header.shown}: {length} bytes of pixels, expected {expected}; the file is "
            "truncated or its Rows, Columns or bits were changed. Copy or export it again"
        )
    if length > expected + _SLACK and not _rest_is_empty(header, expected):
        raise ContentError(
            f"{header.shown}: {length} bytes of pixels, expected {expected}; its Rows, Columns, "
            "bits or frames were changed. Export it again"
        )


def _rest_is_empty(header: Header, expected: int) -> bool:
    """Whether what follows the pixels is less than a row's worth of zeros (padding)."""
    at, length = header.pixels_at or 0, header.pixels_length or 0
    if length - expected >= expected:
        return False
    with header.path.open("rb") as file:
        file.seek(at + expected)
        return not any(file.read(length - expected))


def _decode(header: Header) -> AnyArray:
    """Decode with pydicom's handlers; colours become RGB, palettes too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = pydicom.dcmread(header.path, force=True)
            if "PixelData" not in whole and "FloatPixelData" not in whole:
                raise ContentError(f"{header.shown}: no pixels in it; it is no image")
            if not whole.file_meta.get("TransferSyntaxUID"):
                whole.file_meta.TransferSyntaxUID = _guessed_syntax(whole)
            if whole.get("PhotometricInterpretation") == "PALETTE COLOR":
                return _from_palette(whole)
            decoded: AnyArray = pixel_array(whole)
            return decoded
    except (*PARSING, RuntimeError) as error:
        raise ContentError(
            f"{header.shown}: the pixels cannot be decoded ({type(error).__name__}: {error}); "
            "the file is damaged, or 'onkos doctor' shows a missing decoder"
        ) from error


def _guessed_syntax(whole: pydicom.Dataset) -> str:
    """Transfer syntax of a file without meta information, as it was parsed."""
    implicit, little = whole.original_encoding
    if implicit:
        return "1.2.840.10008.1.2"
    return "1.2.840.10008.1.2.1" if little is not False else "1.2.840.10008.1.2.2"


def _from_palette(whole: pydicom.Dataset) -> AnyArray:
    """RGB, 8 bits, of a palette image."""
    colours: AnyArray = pydicom.pixels.apply_color_lut(pixel_array(whole), whole)
    if colours.dtype == np.uint16:
        colours = (colours >> 8).astype(np.uint8)
    return colours[..., :3]


def _padding(header: Header, plane: AnyArray) -> int:
    """How many pixels are marked as padding: outside the scanner's field of view."""
    if "PixelPaddingValue" not in header.attributes:
        return 0
    value = header.attributes["PixelPaddingValue"].value
    return int(np.count_nonzero(plane == value)) if isinstance(value, int) else 0


def _padding_caveat(padded: int, size: int, series: str) -> tuple[Caveat, ...]:
    if not padded:
        return ()
    text = (
        f"{100 * padded / size:.1f} % of the voxels are padding outside the field of view; "
        "their value was not measured."
    )
    return (Caveat(code="padding", text=text, where=series),)
