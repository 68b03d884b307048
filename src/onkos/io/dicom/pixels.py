"""Stored pixels to real values, in as little memory as the values themselves need."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray
from onkos.core.source import Caveat
from onkos.io.dicom.decoding import PALETTE, decoded_pixels
from onkos.io.dicom.frames import Frame
from onkos.io.dicom.header import Header
from onkos.io.dicom.lut import modality_table, palette_colours
from onkos.io.dicom.padding import padding, padding_caveat

_LONGEST = 65535  # what Rows and Columns can say
_SLACK = 2  # bytes: padding to an even length
_READERS = 4  # threads


def values_of(frames: Sequence[Frame], series: str) -> tuple[AnyArray, tuple[Caveat, ...]]:
    """Real values of the planes of one volume: shape (columns, rows, planes).

    Stored values are scaled by each plane's own slope and intercept, or its Modality LUT. They
    stay integers where every slope is 1, every intercept whole and the sum fits 16 bits; else
    they are float32.

    Raises
    ------
    ContentError
        If pixels are missing, shorter or longer than Rows, Columns and bits say, in colour, or
        cannot be decoded.
    """
    kind, (rows, columns) = _one_encoding(frames, series), matrix(frames[0].header)
    for header in {id(frame.header): frame.header for frame in frames}.values():
        if header.pixels_at is not None:  # before memory is taken for what they promise
            _check_length(header, rows * columns * kind.itemsize * _count(header))
    shape = (len(frames), rows, columns)
    stack = np.empty(shape, dtype=np.int16 if _are_integers(frames, kind) else np.float32)
    padded = _filled(stack, frames, kind)
    if padded is None:
        stack = np.empty(shape, dtype=np.float32)
        padded = _filled(stack, frames, kind) or 0
    caveats = (*padding_caveat(padded, stack.size, series), *_finite(stack, series))
    return stack.T, (*caveats, *_rescaling(frames, series))


def _filled(stack: AnyArray, frames: Sequence[Frame], kind: np.dtype[np.generic]) -> int | None:
    """Fill planes with real values; count the padding, None if a sum does not fit integers.

    Uncompressed planes are read by several threads, for most of the time is waiting for memory.
    """
    native = all(frame.header.pixels_at is not None for frame in frames)
    parts = min(_READERS, len(frames)) if native else 1
    edges = [len(frames) * part // parts for part in range(parts + 1)]

    def run(start: int, stop: int) -> int | None:
        return _fill(stack[start:stop], frames[start:stop], kind)

    with ThreadPoolExecutor(parts) as pool:
        padded = list(pool.map(run, edges[:-1], edges[1:]))
    counted = [count for count in padded if count is not None]
    return sum(counted) if len(counted) == parts else None


def _fill(stack: AnyArray, frames: Sequence[Frame], kind: np.dtype[np.generic]) -> int | None:
    rows, columns = stack.shape[1:]
    decoded: dict[int, AnyArray] = {}
    padded = 0
    for frame, out in zip(frames, stack, strict=True):
        plane = plane_of(frame, rows, columns, kind, decoded)
        padded += padding(frame.header, plane)
        if frame.scale.table is not None:
            out[...] = frame.scale.table.of(plane)
            continue
        if stack.dtype.kind == "i":
            if not _fits(plane, frame.header, frame.scale.intercept):
                return None
            _shifted(plane, int(frame.scale.intercept), out)
            continue
        with np.errstate(over="ignore", invalid="ignore"):  # looked for by the caller
            np.multiply(plane, np.float32(frame.scale.slope), out=out, casting="unsafe")
            out += np.float32(frame.scale.intercept)
    return padded


def _one_encoding(frames: Sequence[Frame], series: str) -> np.dtype[np.generic]:
    """Type of the stored pixels; refuses planes that are stored in different ways."""
    first = frames[0].header
    if first.text("PhotometricInterpretation") == PALETTE:
        raise ContentError(
            f"{first.shown}: a palette of colours in an image with a place in the patient; "
            "expected measured values, not a rendering of them. Export the original series"
        )
    kind, told = stored_type(first), _encoding(first)
    if told[1] not in ("", "MONOCHROME1", "MONOCHROME2"):
        raise ContentError(
            f"{first.shown}: Photometric Interpretation {told[1]} in an image with a place in the "
            "patient; expected MONOCHROME1 or MONOCHROME2. Export the original series"
        )
    for frame in frames:
        header = frame.header
        if header is first:
            continue
        if stored_type(header) != kind or _encoding(header) != told:
            raise ContentError(
                f"{series}: {frame.shown} stores {_described(header)}, {frames[0].shown} "
                f"{_described(first)}; expected one kind of pixels. Export the series again"
            )
        if (frame.scale.table is None) != (frames[0].scale.table is None):
            raise ContentError(
                f"{series}: one of {frame.shown} and {frames[0].shown} has a Modality LUT and the "
                "other none; expected both or none. Export the series again"
            )
        if frame.scale.stated != frames[0].scale.stated:
            raise ContentError(
                f"{series}: one of {frame.shown} and {frames[0].shown} states a rescaling "
                "(RescaleSlope, RescaleIntercept) and the other none; expected both or none. "
                "Export the series again"
            )
    return kind


def _encoding(header: Header) -> tuple[object, ...]:
    return header.number("BitsStored"), header.text("PhotometricInterpretation")


def _described(header: Header) -> str:
    return (
        f"{header.text('BitsStored')} bits as {stored_type(header)} "
        f"{header.text('PhotometricInterpretation')}"
    )


def _rescaling(frames: Sequence[Frame], series: str) -> tuple[Caveat, ...]:
    """Notice a rescaling that changes from slice to slice, which only PET does as a rule."""
    if frames[0].header.text("Modality").upper() in ("PT", "NM"):
        return ()
    if len({(frame.scale.slope, frame.scale.intercept) for frame in frames}) == 1:
        return ()
    text = (
        "Slope or intercept differ between slices; each slice is scaled by its own, so one "
        "that was changed shifts the values of its slice."
    )
    return (Caveat(code="rescale-varies", text=text, where=series),)


def _finite(stack: AnyArray, series: str) -> tuple[Caveat, ...]:
    """Notice values that are not numbers; refuse where none is one."""
    if stack.dtype.kind != "f":
        return ()
    lost = sum(int(np.count_nonzero(~np.isfinite(plane))) for plane in stack)
    if not lost:
        return ()
    if lost == stack.size:
        raise ContentError(
            f"{series}: no value is a finite number; expected measured values. The rescaling or "
            "the pixels are damaged, export the series again"
        )
    text = f"{lost} values are not finite numbers; they are kept as they are."
    return (Caveat(code="not-finite", text=text, where=series),)


def picture_of(header: Header) -> tuple[AnyArray, str]:
    """Pixels of a plain picture: (columns, rows) grey, scaled, or (columns, rows, 3) RGB.

    With it comes the kind of its Modality LUT, ``low`` for a palette that was filled in the low
    byte only, or nothing.

    Raises
    ------
    ContentError
        If there are several frames, or the pixels cannot be decoded.
    """
    if _count(header) != 1:
        raise ContentError(
            f"{header.shown}: {_count(header)} frames and no place in the patient for them: a "
            "clip, or an image whose positions were removed; expected one picture. Export the "
            "frame that is meant, or the image with its positions"
        )
    rows, columns = matrix(header)
    if _samples(header) == 1 and header.pixels_at is not None:
        _check_length(header, rows * columns * stored_type(header).itemsize)
    decoded = decoded_pixels(header)
    if decoded.shape[:2] != (rows, columns):
        raise ContentError(
            f"{header.shown}: decoded to {decoded.shape}, expected {rows} rows, {columns} columns"
        )
    if decoded.ndim == 3:
        return decoded.swapaxes(0, 1), ""
    if header.text("PhotometricInterpretation") == PALETTE:
        colours, low = palette_colours(header, decoded)
        return colours.swapaxes(0, 1), "low" if low else ""
    table = modality_table(header)
    if table is not None:
        return table.of(decoded).T, table.kind or "of no stated type"
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if (slope or 1.0) == 1.0 and not intercept:
        return decoded.T, ""
    return (decoded * np.float32(slope or 1.0) + np.float32(intercept or 0.0)).T, ""


def matrix(header: Header) -> tuple[int, int]:
    """Rows and columns; refuses a header without them."""
    rows, columns = header.number("Rows") or 0, header.number("Columns") or 0
    if not (1 <= rows <= _LONGEST and 1 <= columns <= _LONGEST):
        raise ContentError(
            f"{header.shown}: {rows:g} Rows and {columns:g} Columns; expected 1 to {_LONGEST}. It "
            "is no image, or damaged; export it again"
        )
    return int(rows), int(columns)


def stored_type(header: Header) -> np.dtype[np.generic]:
    """Type of stored pixels of a grey image.

    Raises
    ------
    ContentError
        If the bits contradict each other, or the image is in colour.
    """
    if header.real:
        return np.dtype(header.real)
    samples = _samples(header)
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
            "allocated and no more stored; packed bits are not read. Export it with 16 allocated"
        )
    highest = int(header.number("HighBit") or stored - 1)
    if highest != stored - 1:
        raise ContentError(
            f"{header.shown}: HighBit is {highest} with {stored} bits stored; expected "
            f"{stored - 1}. Values would be off by a factor; export it again"
        )
    signed = header.number("PixelRepresentation")
    if signed not in (0, 1):
        raise ContentError(
            f"{header.shown}: PixelRepresentation is {header.text('PixelRepresentation') or 'not'}"
            " stated; expected 0 or 1, without which the sign of the values is not known. Export "
            "it again"
        )
    return np.dtype(f"<{'i' if signed else 'u'}{allocated // 8}")


def _samples(header: Header) -> int:
    return int(header.number("SamplesPerPixel") or 1)


def _count(header: Header) -> int:
    return int(header.number("NumberOfFrames") or 1)


def _are_integers(frames: Sequence[Frame], kind: np.dtype[np.generic]) -> bool:
    """Whether scaling leaves integers: every slope 1, every intercept whole."""
    return kind.kind in "iu" and all(
        f.scale.table is None and f.scale.slope == 1.0 and f.scale.intercept % 1 == 0
        for f in frames
    )


def _fits(plane: AnyArray, header: Header, intercept: float) -> bool:
    """Whether the scaled values of a plane fit 16 bits."""
    bits = int(header.number("BitsStored") or 8 * plane.dtype.itemsize)
    low, high = (-(1 << bits - 1), 1 << bits - 1) if plane.dtype.kind == "i" else (0, 1 << bits)
    return bool(
        (low + intercept >= -32768 or plane.min() + intercept >= -32768)
        and (high - 1 + intercept <= 32767 or plane.max() + intercept <= 32767)
    )


def _shifted(plane: AnyArray, intercept: int, out: AnyArray) -> None:
    """Add a whole number to stored values, where the sum fits 16 bits."""
    if plane.dtype.itemsize != 2 or not plane.dtype.isnative:
        np.add(plane, intercept, out=out, dtype=np.int64, casting="unsafe")
        return
    around = (intercept + 32768) % 65536 - 32768  # sums of 16 bits wrap, and end where they fit
    np.add(plane.view(np.int16), np.int16(around), out=out)


def plane_of(
    frame: Frame,
    rows: int,
    columns: int,
    kind: np.dtype[np.generic],
    decoded: dict[int, AnyArray],
) -> AnyArray:
    """Stored values of one plane, (rows, columns)."""
    header = frame.header
    count = _count(header)
    if header.pixels_at is None:
        if id(header) not in decoded:
            decoded.clear()  # one file's frames follow each other: never keep two
            decoded[id(header)] = decoded_pixels(header)
        found = decoded[id(header)]
        if count > 1 and len(found) != count:
            raise ContentError(
                f"{frame.shown}: {len(found)} frames decoded, expected {count}; export it again"
            )
        plane = found if frame.number is None or count == 1 else found[frame.number - 1]
        if plane.shape != (rows, columns):
            raise ContentError(
                f"{frame.shown}: decoded to {plane.shape}, expected ({rows}, {columns}); the "
                "header or the pixels were changed, export it again"
            )
        if plane.dtype.newbyteorder("<") != kind:
            raise ContentError(
                f"{frame.shown}: decoded to {plane.dtype}, expected {kind} as its header says; "
                "export it again"
            )
        return _masked(plane, header)
    size = rows * columns * kind.itemsize
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
