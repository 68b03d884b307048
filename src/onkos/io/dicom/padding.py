"""Values that mark pixels outside the scanner's field of view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onkos.core.geometry import AnyArray
from onkos.core.source import Caveat
from onkos.io.dicom.header import Header


def padding(header: Header, plane: AnyArray) -> int:
    """How many pixels are marked as padding: outside the scanner's field of view."""
    floats = header.get("FloatPixelPaddingValue")
    if plane.dtype.kind == "f":
        return int(np.count_nonzero(plane == floats)) if isinstance(floats, float) else 0
    ends = [_whole(header.get(name)) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if ends[0] is None:
        return 0
    # some write the bits of a negative value as an unsigned one
    low, high = sorted(_in_type(ends[0] if end is None else end, plane) for end in ends)
    return int(np.count_nonzero((plane >= low) & (plane <= high)))


def _whole(value: object) -> int | None:
    """A whole number, the first of several; None where there is none."""
    first = value[0] if isinstance(value, Sequence) and len(value) else value
    return first if isinstance(first, int) else None


def _in_type(value: int, plane: AnyArray) -> int:
    """A value as the type of the stored pixels holds it."""
    limits, span = np.iinfo(plane.dtype), 1 << 8 * plane.dtype.itemsize
    return (value - int(limits.min)) % span + int(limits.min)


def padding_caveat(padded: int, size: int, series: str) -> tuple[Caveat, ...]:
    """Tell which share of the voxels is padding."""
    if not padded:
        return ()
    text = (
        f"{100 * padded / size:.1f} % of the voxels are padding outside the field of view; "
        "their value was not measured."
    )
    return (Caveat(code="padding", text=text, where=series),)
