"""Input and output of the picture descriptors: grey values with a mask, named numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import ContentError, GeometryError
from onkos.core.mask import Mask
from onkos.core.volume import Volume

FloatArray = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Description:
    """Numbers that describe one picture or lesion, each with its name.

    Parameters
    ----------
    names
        Name of each number; no name twice.
    values
        (n,) float64, read-only. NaN where a number does not exist for this picture, as the
        function that made it documents; never infinite.

    Raises
    ------
    ContentError
        If names and values do not belong together.
    """

    names: tuple[str, ...]
    values: FloatArray

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        if values.shape != (len(self.names),) or len(set(self.names)) != len(self.names):
            raise ContentError(
                f"{len(self.names)} names ({len(set(self.names))} different) for values of shape "
                f"{values.shape}; expected one number a name"
            )
        if np.isinf(values).any():
            bad = [self.names[n] for n in np.flatnonzero(np.isinf(values))[:5]]
            raise ContentError(f"{bad} are infinite; expected finite numbers or NaN")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def __getitem__(self, name: str) -> float:
        """Return one number by its name."""
        if name not in self.names:
            raise ContentError(f"no number {name!r} here; there are {list(self.names)[:20]}")
        return float(self.values[self.names.index(name)])

    @classmethod
    def of(cls, numbers: dict[str, float]) -> Description:
        """Description from names and numbers."""
        return cls(names=tuple(numbers), values=np.array(list(numbers.values()), dtype=np.float64))


def joined(descriptions: Iterable[Description]) -> Description:
    """Several descriptions of one picture as one; names must stay different."""
    parts = list(descriptions)
    return Description(
        names=tuple(name for part in parts for name in part.names),
        values=np.concatenate([part.values for part in parts]) if parts else np.empty(0),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PictureRegion:
    """Grey values with the region of interest, rows down and columns to the right.

    Parameters
    ----------
    grey
        (rows, columns) float64.
    inside
        (rows, columns) bool.
    spacing_mm
        Size of a pixel down and to the right; None where unknown.
    """

    grey: FloatArray
    inside: Bools
    spacing_mm: tuple[float, float] | None

    def widened(self, part: float) -> tuple[slice, slice]:
        """Bounding box enlarged by a fraction of its sides, clipped to the picture."""
        wide = []
        for side, whole in zip(box(self.inside), self.grey.shape, strict=True):
            more = round((side.stop - side.start) * part)
            wide.append(slice(max(0, side.start - more), min(whole, side.stop + more)))
        return wide[0], wide[1]


def box(inside: Bools) -> tuple[slice, slice]:
    """Bounding box of a region that is not empty."""
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def picture_region(picture: Volume, mask: Mask | None) -> PictureRegion:
    """Picture (and outline) as arrays; without a mask the whole picture is the region.

    Colours are converted to luminance.

    Raises
    ------
    GeometryError
        If it is not a plain picture, or the mask lies on another grid.
    ContentError
        If a value is not finite, or the mask is empty.
    """
    if picture.geometry.ndim != 2:
        raise GeometryError(
            f"a grid of {picture.geometry.ndim} axes; expected a plain picture, take one slice"
        )
    data = np.asarray(picture.data, dtype=np.float64)
    if picture.channels in (3, 4):
        data = data[..., :3] @ _LUMINANCE
    elif picture.channels != 1 or data.ndim == 3:
        raise ContentError(f"{picture.channels} channels; expected grey values or colours")
    if not np.isfinite(data).all():
        raise ContentError(
            f"{int((~np.isfinite(data)).sum())} of {data.size} pixels are not finite; crop the "
            "picture or fill them first"
        )
    inside = np.ones(data.shape, dtype=bool)
    if mask is not None:
        picture.geometry.require_same(mask.geometry, doing="describing a picture")
        inside = np.asarray(mask.where(), dtype=bool)
        if not inside.any():
            raise ContentError("the mask of the picture is empty; expected an outlined region")
    steps = picture.geometry.spacing_mm if picture.geometry.calibrated else None
    return PictureRegion(
        grey=np.ascontiguousarray(data.T),
        inside=np.ascontiguousarray(inside.T),
        spacing_mm=None if steps is None else (steps[1], steps[0]),
    )


def numbered(prefix: str, values: Sequence[float] | FloatArray) -> Description:
    """Description with numbered names: ``prefix-0``, ``prefix-1``, ..."""
    names = tuple(f"{prefix}-{n}" for n in range(len(values)))
    return Description(names=names, values=np.asarray(values, dtype=np.float64))
