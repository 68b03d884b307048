"""A DICOM segmentation to masks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.pixels import pixel_array
from pydicom.uid import ExplicitVRLittleEndian

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray
from onkos.core.mask import Mask, label_counts
from onkos.core.source import Caveat
from onkos.core.volume import Volume
from onkos.io.damage import plain, said
from onkos.io.dicom.header import PARSING, syntax_of
from onkos.io.layers import Patch, Tissue, layered, patch
from onkos.io.seg.grid import Grid, Planes, place
from onkos.io.seg.groups import Group, gathered, group_in, group_of
from onkos.io.seg.items import elements, items

_PER_FRAME = 0x52009230
_NEEDED = (
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "SegmentationType",
    "SegmentSequence",
)
_HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frames:
    """What a segmentation says of its frames, and how to get at their pixels.

    ``segments`` is 0 where a frame holds a label map; ``pixels(n)`` gives the stored values of
    frame n (from 0) as (rows, columns).
    """

    head: Dataset
    planes: Planes
    segments: AnyArray
    pixels: Callable[[int], AnyArray]


def read(path: Path, volumes: Sequence[Volume], *, shown: str = "") -> tuple[Mask, ...]:
    """Read a segmentation: BINARY, FRACTIONAL (from one half on) or LABELMAP.

    Parameters
    ----------
    path
        The file.
    volumes
        Images it may lie on. Where one of the same frame of reference has its grid, the masks are
        on that grid; otherwise on the segmentation's own.
    shown
        How messages name the file; its path if empty.

    Returns
    -------
    tuple of Mask
        Labels are segment numbers, names segment labels. Segments that overlap are in different
        masks, as few as it takes.

    Raises
    ------
    ContentError
        If the object contradicts itself or is damaged.
    GeometryError
        If its frames are not parallel planes at even distances.
    """
    shown = shown or str(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters of it is checked by hand
            frames = _frames(path, shown)
            names = _names(frames.head, shown)
        grid = place(frames.planes, volumes, shown)
        if frames.head.SegmentationType == "LABELMAP":
            return (_label_map(frames, grid, names, shown),)
        return _layers(frames, grid, names, shown)
    except (*PARSING, RuntimeError) as error:
        raise ContentError(
            f"{shown}: damaged segmentation ({said(error)}); export it again"
        ) from error


def _frames(path: Path, shown: str) -> Frames:
    """Parse the object; the frames' groups byte by byte where the encoding allows it."""
    with path.open("rb") as file:
        head = read_partial(file, stop_when=lambda tag, _vr, _length: tag >= _PER_FRAME, force=True)
        _require_readable(head, shown)
        syntax = syntax_of(head)
        rest = file.read() if syntax == ExplicitVRLittleEndian else b""
    if not rest:
        whole = pydicom.dcmread(path, force=True)
        whole.file_meta.TransferSyntaxUID = syntax
        return _frames_of(whole, shown)
    buffer = memoryview(rest)
    groups: list[Group] = []
    for element in elements(buffer, 0, len(buffer)):
        if element.tag == _PER_FRAME:
            spans = items(buffer, element.start, element.end)
            groups = [group_in(buffer, *span) for span in spans]
        if element.tag == 0x7FE00010:
            pixels = buffer[element.start : element.end]
            return _native(head, groups, pixels, shown)
    raise ContentError(f"{shown}: no pixels in it; export it again")


def _require_readable(head: Dataset, shown: str) -> None:
    """Refuse what lies on a slide, and an object that lacks what each must state."""
    if "TotalPixelMatrixColumns" in head:
        raise ContentError(
            f"{shown}: a segmentation of a slide; slides are not read, give outlines of radiology "
            "images"
        )
    missing = [keyword for keyword in _NEEDED if head.get(keyword) in (None, "")]
    if missing:
        raise ContentError(
            f"{shown}: no {' and no '.join(missing)}, which every segmentation states; it was "
            "changed or damaged, export it again"
        )


def _native(head: Dataset, groups: list[Group], pixels: memoryview, shown: str) -> Frames:
    """Frames of an uncompressed object."""
    count, shape = int(head.NumberOfFrames), (int(head.Rows), int(head.Columns))
    size = shape[0] * shape[1]
    bits = int(head.BitsAllocated)
    if len(groups) != count or len(pixels) * 8 < size * bits * count:
        raise ContentError(
            f"{shown}: {count} frames stated, groups for {len(groups)} and pixels for "
            f"{len(pixels) * 8 // (size * bits)}; it is truncated or damaged, export it again"
        )
    data = np.frombuffer(pixels, dtype=np.uint8)

    def frame(n: int) -> AnyArray:
        if bits != 1:
            kind = np.dtype(f"<u{bits // 8}")
            start = n * size * kind.itemsize
            return data[start : start + size * kind.itemsize].view(kind).reshape(shape)
        first = n * size
        packed = data[first // 8 : (first + size + 7) // 8]
        unpacked = np.unpackbits(packed, bitorder="little")
        return unpacked[first % 8 : first % 8 + size].reshape(shape)

    planes, segments = gathered(head, groups, shown)
    return Frames(head=head, planes=planes, segments=segments, pixels=frame)


def _frames_of(whole: Dataset, shown: str) -> Frames:
    """Frames of an object in any other encoding, by way of pydicom."""
    groups = [group_of(group) for group in whole.PerFrameFunctionalGroupsSequence]
    planes, segments = gathered(whole, groups, shown)
    decoded = _decoded(whole, shown)
    if len(decoded) != len(groups):
        raise ContentError(
            f"{shown}: {len(decoded)} frames decoded, groups for {len(groups)}; it is truncated or "
            "damaged, export it again"
        )
    return Frames(head=whole, planes=planes, segments=segments, pixels=lambda n: decoded[n])


def _decoded(whole: Dataset, shown: str) -> AnyArray:
    """Stored values of all frames."""
    try:
        decoded: AnyArray = pixel_array(whole)
    except (NotImplementedError, RuntimeError) as error:
        raise ContentError(
            f"{shown}: the pixels cannot be decoded: {whole.file_meta.TransferSyntaxUID.name} with "
            f"{whole.BitsAllocated} bit allocated. Export it uncompressed, or see whether 'onkos "
            "doctor' shows a missing decoder"
        ) from error
    return decoded[None] if decoded.ndim == 2 else decoded


def _names(head: Dataset, shown: str) -> dict[int, str]:
    """Segment numbers to labels, each label once."""
    names: dict[int, str] = {}
    for described in head.SegmentSequence:
        number = int(described.SegmentNumber)
        label = plain(described.get("SegmentLabel") or f"segment {number}")
        if number in names:
            raise ContentError(f"{shown}: segment number {number} is described twice")
        if number > 0:
            names[number] = label if label not in names.values() else f"{label} ({number})"
    return names


def _label_map(frames: Frames, grid: Grid, names: dict[int, str], shown: str) -> Mask:
    """All frames of a label map in one mask."""
    kind = np.uint8 if max(names, default=0) < 256 else np.uint16
    labels = np.zeros(grid.geometry.shape[::-1], dtype=kind)
    for n, k in enumerate(grid.slices):
        if k >= 0:
            labels[k] = frames.pixels(n)
    unknown = sorted(set(label_counts(labels)) - set(names))
    if unknown:
        raise _not_described(unknown, shown)
    return Mask(labels=labels.T, geometry=grid.geometry, names=names, caveats=grid.caveats)


def _layers(frames: Frames, grid: Grid, names: dict[int, str], shown: str) -> tuple[Mask, ...]:
    """Segments in as few masks as their overlaps allow."""
    unknown = sorted(set(frames.segments.tolist()) - set(names))
    if unknown:
        raise _not_described(unknown, shown)
    level, caveats = _level(frames.head, shown)
    tissues = (
        Tissue(number, name, _patches(frames, grid, number, level))
        for number, name in names.items()
    )
    return layered(
        tissues,
        grid.geometry,
        caveats=(*grid.caveats, *caveats),
        largest=max(names, default=0),
    )


def _not_described(unknown: Sequence[int], shown: str) -> ContentError:
    return ContentError(
        f"{shown}: frames of segments {', '.join(str(n) for n in unknown[:5])} that are not "
        "described; it contradicts itself, export it again"
    )


def _patches(frames: Frames, grid: Grid, number: int, level: int) -> list[Patch]:
    """Where a segment is set, frame by frame."""
    own = [int(n) for n in np.flatnonzero(frames.segments == number) if grid.slices[n] >= 0]
    found = (patch(int(grid.slices[n]), frames.pixels(n) >= level) for n in own)
    return [one for one in found if one is not None]


def _level(head: Dataset, shown: str) -> tuple[int, tuple[Caveat, ...]]:
    """Stored value from which on a pixel belongs to its segment."""
    if head.SegmentationType != "FRACTIONAL":
        return 1, ()
    most = int(head.get("MaximumFractionalValue") or 0)
    if most < 1:
        raise ContentError(
            f"{shown}: a fractional segmentation without Maximum Fractional Value: what one half "
            "is cannot be told. Export it as a binary one"
        )
    kind = str(head.get("SegmentationFractionalType") or "").lower()
    meant = {"probability": "probabilities, ", "occupancy": "shares of a voxel, "}.get(kind, "")
    text = (
        f"A fractional segmentation ({meant}0 to {most}): voxels from one half on are taken as "
        "inside."
    )
    return max(1, int(np.ceil(_HALF * most))), (Caveat(code="fractional", text=text),)
