"""Checks of paired measurements."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

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
