"""Diameters and volumes as a radiologist would draw and state them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.stats import t as student

from onkos.core.card import ErrorModel
from onkos.core.findings import Segment
from onkos.core.geometry import AnyArray, FloatArray, Geometry
from onkos.core.mask import Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Diameters:
    """Long axis and the short axis across it, drawn in one slice of the image."""

    long_mm: float
    short_mm: float
    long: Segment
    short: Segment
    slice_index: int


def diameters(mask: Mask) -> Diameters | None:
    """Measure the longest diameter in a slice of the image and the longest one across it.

    This is the pair of RECIST 1.1 (long axis; short axis for nodes) and of RANO's bidimensional
    product, taken in the plane the image was acquired in. The outline is taken half-way between
    the last voxel inside and the first outside, so a block of n pixels is n pixels long.

    Parameters
    ----------
    mask
        One lesion, or one tissue of it; all labels count as inside. Three axes.

    Returns
    -------
    Diameters or None
        None for an empty mask.

    References
    ----------
    Eisenhauer EA et al. New response evaluation criteria in solid tumours: revised RECIST
    guideline (version 1.1). Eur J Cancer 2009;45:228-247. doi:10.1016/j.ejca.2008.10.026
    """
    best: Diameters | None = None
    for k in range(mask.geometry.shape[2]):
        inside = mask.labels[:, :, k] != 0
        if not inside.any():
            continue
        outline = _outline_mm(inside, mask.geometry, k)
        found = _long_and_short(outline, k)
        if best is None or found.long_mm > best.long_mm:
            best = found
    return best


def interval(value: float, error: ErrorModel, *, level: float = 0.95) -> tuple[float, float]:
    """Interval for the true value, from the errors on patients the model had not seen.

    The logarithm of true / measured is taken as normal; the interval is the prediction interval
    for one more patient, widened to hold the measured value where the model is biased.

    References
    ----------
    Hahn GJ, Meeker WQ. Statistical Intervals. Wiley 1991, section 4.6.
    doi:10.1002/9780470316771
    """
    half = float(student.ppf((1 + level) / 2, error.n - 1)) * error.sd_log_ratio
    half *= math.sqrt(1 + 1 / error.n)
    low = value * math.exp(error.mean_log_ratio - half)
    high = value * math.exp(error.mean_log_ratio + half)
    return min(low, value), max(high, value)


def error_model(true: FloatArray, measured: FloatArray) -> ErrorModel | None:
    """Errors of a measurement over patients; None with fewer than three that have both.

    Patients in whom nothing was found, or nothing was there, have no ratio; the metrics count
    them as missed.
    """
    both = (true > 0) & (measured > 0)
    if int(both.sum()) < 3:
        return None
    ratio = np.log(true[both] / measured[both])
    return ErrorModel(
        mean_log_ratio=float(ratio.mean()), sd_log_ratio=float(ratio.std(ddof=1)), n=int(both.sum())
    )


def _outline_mm(inside: AnyArray, geometry: Geometry, k: int) -> FloatArray:
    """Points half a voxel outside the border voxels' centres, in LPS mm, shape (n, 3)."""
    padded = np.pad(inside, 1)
    points = []
    for axis in (0, 1):
        for step in (-1, 1):
            beyond = np.roll(padded, -step, axis=axis)[1:-1, 1:-1]
            index = np.argwhere(inside & ~beyond).astype(np.float64)
            index[:, axis] += step / 2
            points.append(index)
    flat = np.concatenate(points)
    return geometry.to_mm(np.column_stack([flat, np.full(len(flat), float(k))]))


def _long_and_short(outline: FloatArray, k: int) -> Diameters:
    """Diameters of one slice's outline: farthest pair, and the longest chord across it."""
    origin, plane = outline[0], _plane_axes(outline)
    flat = (outline - origin) @ plane.T
    hull = flat[_hull(flat)]
    apart = np.linalg.norm(hull[:, None] - hull[None], axis=-1)
    a, b = np.unravel_index(int(np.argmax(apart)), apart.shape)
    along = (hull[b] - hull[a]) / apart[a, b]
    across = np.array([-along[1], along[0]])
    start, end = _longest_chord(hull - hull[a], along, across)

    def segment(p: FloatArray, q: FloatArray) -> Segment:
        ends = np.stack([p, q]) @ plane + origin
        return Segment(start_mm=tuple(ends[0].tolist()), end_mm=tuple(ends[1].tolist()))

    return Diameters(
        long_mm=float(apart[a, b]),
        short_mm=float(np.linalg.norm(end - start)),
        long=segment(hull[a], hull[b]),
        short=segment(hull[a] + start, hull[a] + end),
        slice_index=k,
    )


def _plane_axes(outline: FloatArray) -> FloatArray:
    """Two orthonormal axes (rows) of the plane the points lie in."""
    _, _, axes = np.linalg.svd(outline - outline.mean(axis=0), full_matrices=False)
    plane: FloatArray = axes[:2]
    return plane


def _hull(flat: FloatArray) -> AnyArray:
    """Indices of the convex hull's corners in order; all points where they are too few."""
    try:
        corners: AnyArray = ConvexHull(flat).vertices
    except QhullError:
        return np.arange(len(flat))
    return corners


def _longest_chord(
    hull: FloatArray, along: FloatArray, across: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Longest chord of a convex polygon in direction ``across``.

    A convex polygon's width is concave along the other direction, so the longest chord passes
    through a corner: it is enough to measure it there.
    """
    x, y = hull @ along, hull @ across
    following = np.roll(np.arange(len(hull)), -1)
    best, ends = -1.0, (hull[0], hull[0])
    for at in x:
        crossed = (np.minimum(x, x[following]) <= at) & (at <= np.maximum(x, x[following]))
        i, j = np.flatnonzero(crossed), following[crossed]
        span = x[j] - x[i]
        part = np.divide(at - x[i], span, out=np.zeros_like(span), where=np.abs(span) > 1e-12)
        heights = np.concatenate([y[i] + part * (y[j] - y[i]), y[i][np.abs(span) <= 1e-12]])
        low, high = float(heights.min()), float(heights.max())
        if high - low > best:
            best = high - low
            ends = (at * along + low * across, at * along + high * across)
    return ends
