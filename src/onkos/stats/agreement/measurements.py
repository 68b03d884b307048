"""What every comparison of measurements asks of its input."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray


def paired(a: ArrayLike, b: ArrayLike, *, least: int) -> tuple[FloatArray, FloatArray]:
    """Two finite series of one length; refuses anything else by its places.

    Raises
    ------
    ContentError
        If they differ in length, hold what is not finite, or are shorter than ``least``.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ContentError(
            f"measurements of shape {first.shape} and {second.shape}; expected one pair a case"
        )
    bad = np.flatnonzero(~np.isfinite(first) | ~np.isfinite(second))
    if bad.size:
        raise ContentError(
            f"measurements at {bad[:5].tolist()} are not finite; say what became of these cases "
            "and leave them out of both"
        )
    if first.size < least:
        raise ContentError(f"{first.size} pairs of measurements; expected at least {least}")
    return first, second


def numbered(subjects: Sequence[Hashable], n: int) -> NDArray[np.intp]:
    """Number of each subject, in order of first appearance."""
    if len(subjects) != n:
        raise ContentError(f"{len(subjects)} subjects for {n} measurements; expected one each")
    number = {subject: index for index, subject in enumerate(dict.fromkeys(subjects))}
    return np.array([number[subject] for subject in subjects], dtype=np.intp)


def summed(features: FloatArray, groups: NDArray[np.intp]) -> FloatArray:
    """Sums of rows of features by group."""
    sums = np.zeros((int(groups.max()) + 1, features.shape[1]))
    np.add.at(sums, groups, features)
    return sums
