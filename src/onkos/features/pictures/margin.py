"""Margin of an outlined lesion: sharpness, spiculation and halo."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from onkos.features.pictures.outline import largest
from onkos.features.pictures.picture import Bools, Description, FloatArray, PictureRegion

BAND = 0.1  # width of a band at the margin, of the equivalent diameter
SMOOTH = 1.5  # pixels: Gaussian before the gradient
BINS = 36  # of the gradient's angle to the radius


def bands(inside: Bools) -> tuple[FloatArray, float]:
    """Distance from the outline in pixels (negative inside), and the width of a band."""
    signed = ndimage.distance_transform_edt(~inside) - ndimage.distance_transform_edt(inside)
    width = max(2.0, BAND * 2 * math.sqrt(inside.sum() / math.pi))
    return np.where(signed > 0, signed - 0.5, signed + 0.5), width


def margin(lesion: PictureRegion) -> Description:
    """Sharpness, spiculation and halo of the margin, from bands of a tenth of the diameter.

    - ``margin-radial-gradient``: radial component of the gradient over its magnitude, -1 to 1: 1
      for a dark lesion with a sharp margin, -1 for a bright one, near 0 where the margin is
      spiculated or indistinct (Huo);
    - ``margin-tangential``: tangential component over the magnitude, 0 to 1;
    - ``margin-spread-deg``: full width at half maximum of the gradient's angle to the radius
      (Huo: wide is spiculated);
    - ``margin-abrupt``: band outside less band inside, in standard deviations of both (Shen's
      lesion boundary difference): large for an abrupt interface;
    - ``margin-halo``: band at the margin outside less the next band, likewise: positive for an
      echogenic halo;
    - ``margin-acutance``: mean absolute difference across the margin over its mean.

    NaN where a band lies outside the picture, and for ratios where there is no gradient.

    References
    ----------
    Huo Z et al. Analysis of spiculation in the computerized classification of mammographic
    masses. Med Phys 1995;22:1569-1579. doi:10.1118/1.597626
    Shen WC et al. Breast ultrasound computer-aided diagnosis using BI-RADS features. Acad Radiol
    2007;14:928-939. doi:10.1016/j.acra.2007.04.016
    """
    inside = largest(lesion.inside)
    signed, width = bands(inside)
    near = np.abs(signed) <= width
    down, right = (
        ndimage.gaussian_filter(lesion.grey, SMOOTH, order=order, mode="nearest")
        for order in ((1, 0), (0, 1))
    )
    middle = np.argwhere(inside).mean(axis=0)
    rows, columns = (
        axis - centre for axis, centre in zip(np.indices(inside.shape), middle, strict=True)
    )
    far = np.maximum(np.hypot(rows, columns), 1e-9)
    radial = ((down * rows + right * columns) / far)[near]
    across = ((right * rows - down * columns) / far)[near]
    steep = np.hypot(radial, across)
    whole = float(steep.sum())
    inner = lesion.grey[inside & (signed >= -width)]
    outer = lesion.grey[(signed > 0) & (signed <= width)]
    beyond = lesion.grey[(signed > width) & (signed <= 2 * width)]
    known = whole > 1e-9
    return Description.of(
        {
            "margin-radial-gradient": float(radial.sum()) / whole if known else math.nan,
            "margin-tangential": float(np.abs(across).sum()) / whole if known else math.nan,
            "margin-spread-deg": _spread(radial, across, steep) if known else math.nan,
            "margin-abrupt": contrast(outer, inner),
            "margin-halo": contrast(outer, beyond),
            "margin-acutance": _acutance(lesion.grey, signed, width),
        }
    )


def contrast(one: FloatArray, other: FloatArray) -> float:
    """Difference of means in pooled standard deviations; NaN if either is empty."""
    if not one.size or not other.size:
        return math.nan
    difference = float(one.mean() - other.mean())
    pooled = math.sqrt((float(one.var()) + float(other.var())) / 2)
    if pooled <= 1e-9 * max(1.0, abs(difference)):
        return math.copysign(FLAT, difference) if difference else 0.0
    return max(-FLAT, min(FLAT, difference / pooled))


FLAT = 100.0  # limit of the contrast, reached only by regions without noise


def _spread(radial: FloatArray, across: FloatArray, steep: FloatArray) -> float:
    """Full width at half maximum of the magnitude-weighted histogram of angles."""
    angles = np.degrees(np.arctan2(across, radial))
    counts = np.histogram(angles, bins=BINS, range=(-180, 180), weights=steep)[0]
    counts = ndimage.gaussian_filter1d(counts, 1.0, mode="wrap")
    return float((counts >= counts.max() / 2).sum()) * 360 / BINS


def _acutance(grey: FloatArray, signed: FloatArray, width: float) -> float:
    """Mean absolute difference of the outer and inner half band, over their mean grey."""
    half = width / 2
    outer = grey[(signed > 0) & (signed <= half)]
    inner = grey[(signed <= 0) & (signed >= -half)]
    total = float(np.abs(grey[np.abs(signed) <= width]).mean())
    if not outer.size or not inner.size or total <= 1e-9:
        return math.nan
    return abs(float(outer.mean() - inner.mean())) / total
