"""The same patient, feature row or picture on both sides of a split: found and refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dctn
from skimage.transform import resize_local_mean

from onkos.core.errors import CohortError, ContentError
from onkos.core.geometry import AnyArray

FEWEST_COLUMNS = 8  # below, different patients may well have equal rows
_SIDE = 64  # of the picture that is hashed
_LOW = 16  # frequencies along each axis whose signs are kept
_THUMB = 24
_DIFFERENT_BITS = 44  # of 255; unlike pictures differ in about 120, hardly ever in under 90
_ALIKE = 0.93  # correlation of the thumbnails


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fingerprint:
    """What is left of a picture however it is scaled, brightened or compressed.

    Parameters
    ----------
    bits
        (255,): signs of its lowest frequencies against their median.
    thumbnail
        (576,): the picture at 24 x 24, mean 0 and length 1.
    """

    bits: NDArray[np.bool_]
    thumbnail: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """One side of a split; what is not given is not looked at.

    Parameters
    ----------
    cases, patients
        Names, one a case.
    table
        (cases, features), NaN where missing; at least eight columns that vary, else different
        patients could be taken for one.
    pictures
        Fingerprint of each case's picture.
    """

    cases: Sequence[str]
    patients: Sequence[str]
    table: AnyArray | None = None
    pictures: Sequence[Fingerprint] | None = None


def require_apart(train: Side, test: Side) -> None:
    """Refuse a split that lets a method see what it will be judged on.

    Raises
    ------
    CohortError
        If a patient, a case, a (nearly) equal row or a (nearly) equal picture is on both sides;
        the message names them.
    """
    _refuse_common("patients", train.patients, test.patients)
    _refuse_common("cases", train.cases, test.cases)
    if train.table is not None and test.table is not None:
        pairs = equal_rows(train.table, test.table)
        _refuse_pairs("feature rows", pairs, train.cases, test.cases)
    if train.pictures is not None and test.pictures is not None:
        pairs = equal_pictures(train.pictures, test.pictures)
        _refuse_pairs("pictures", pairs, train.cases, test.cases)


def equal_rows(a: ArrayLike, b: ArrayLike, *, tolerance: float = 1e-3) -> list[tuple[int, int]]:
    """Pairs (row of a, row of b) that are the same measurement, or nearly.

    Parameters
    ----------
    a, b
        (cases, features), NaN where missing; a missing value equals only a missing value.
    tolerance
        Largest difference of any feature, in units of its spread over both tables.

    Raises
    ------
    ContentError
        If the widths differ, or fewer than eight columns vary.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ContentError(f"tables of shapes {first.shape} and {second.shape}: widths differ")
    both = np.concatenate([first, second])
    ranges = [
        np.ptp(column[np.isfinite(column)]) if np.isfinite(column).any() else 0 for column in both.T
    ]
    varied = np.array(ranges) > 0
    if varied.sum() < FEWEST_COLUMNS:
        raise ContentError(
            f"table with {int(varied.sum())} columns that vary: too few to tell a copied case from "
            f"a like one; expected {FEWEST_COLUMNS} or more, give the whole feature table"
        )
    both = both[:, varied]
    lower, upper = np.nanquantile(both, [0.25, 0.75], axis=0)
    spread = np.where(upper > lower, upper - lower, np.array(ranges)[varied])
    first, second = first[:, varied] / spread, second[:, varied] / spread
    lead = int(np.argmin(np.isnan(both).sum(axis=0)))  # sorted by one column, few pairs are left
    order = np.argsort(second[:, lead], kind="stable")
    line = second[order, lead]
    missing = np.flatnonzero(np.isnan(second[:, lead]))
    pairs = []
    for number, row in enumerate(first):
        if np.isnan(row[lead]):
            near = missing
        else:
            start = np.searchsorted(line, row[lead] - tolerance)
            stop = np.searchsorted(line, row[lead] + tolerance, side="right")
            near = order[start:stop]
        others = second[near]
        close = (np.abs(others - row) <= tolerance) | (np.isnan(others) & np.isnan(row))
        pairs += [(number, int(other)) for other in near[close.all(axis=1)]]
    return pairs


def fingerprint(pixels: ArrayLike) -> Fingerprint:
    """Fingerprint of a picture (perceptual hash).

    Parameters
    ----------
    pixels
        (rows, columns) or (rows, columns, colours), finite, any range.

    Raises
    ------
    ContentError
        If the picture is empty, not finite, or the same everywhere.

    References
    ----------
    Zauner C. Implementation and benchmarking of perceptual image hash functions. Thesis,
    Upper Austria University of Applied Sciences, Hagenberg 2010.
    """
    picture = np.asarray(pixels, dtype=np.float32)
    grey = picture.mean(axis=-1) if picture.ndim == 3 else picture
    if grey.ndim != 2 or grey.size == 0 or not np.isfinite(grey).all() or np.ptp(grey) == 0:
        raise ContentError(
            f"picture of shape {picture.shape}: expected (rows, columns) or (rows, columns, "
            "colours), finite and not the same everywhere"
        )
    grey = np.ascontiguousarray(grey)
    small = resize_local_mean(grey, (_SIDE, _SIDE))
    low = dctn(small.astype(np.float64), norm="ortho")[:_LOW, :_LOW].ravel()[1:]
    thumb = resize_local_mean(grey, (_THUMB, _THUMB)).ravel()
    thumb = thumb - thumb.mean()
    length = max(float(np.linalg.norm(thumb)), 1e-12)
    return Fingerprint(
        bits=np.asarray(low > np.median(low)), thumbnail=(thumb / length).astype(np.float32)
    )


def equal_pictures(a: Sequence[Fingerprint], b: Sequence[Fingerprint]) -> list[tuple[int, int]]:
    """Pairs (of a, of b) that are the same picture but for scale, brightness or compression.

    A picture that was turned, mirrored or cut to another frame is not recognised.
    """
    if not a or not b:
        return []
    theirs = np.stack([one.bits for one in b]).astype(np.float32)
    thumbs = np.stack([one.thumbnail for one in b])
    pairs = []
    for number, one in enumerate(a):
        own = one.bits.astype(np.float32)
        unlike = own.sum() + theirs.sum(axis=1) - 2 * theirs @ own
        same = (unlike <= _DIFFERENT_BITS) & (thumbs @ one.thumbnail >= _ALIKE)
        pairs += [(number, int(other)) for other in np.flatnonzero(same)]
    return pairs


def _refuse_common(what: str, train: Sequence[str], test: Sequence[str]) -> None:
    common = sorted(set(map(str, train)) & set(map(str, test)))
    if common:
        raise CohortError(
            f"{what} {common[:5]} ({len(common)} in all) are on both sides of the split: the "
            "result would be too good; split by patient"
        )


def _refuse_pairs(
    what: str, pairs: Sequence[tuple[int, int]], train: Sequence[str], test: Sequence[str]
) -> None:
    if pairs:
        named = [f"{train[a]} and {test[b]}" for a, b in pairs[:5]]
        raise CohortError(
            f"{what} of training and test cases are the same or nearly: {'; '.join(named)} "
            f"({len(pairs)} pairs in all); they are copies or one patient under two names: remove "
            "one of each, or give them one patient"
        )
