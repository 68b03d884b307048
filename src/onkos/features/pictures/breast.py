"""Breast lesions in BI-RADS terms: ultrasound and mammography."""

from __future__ import annotations

import math

import numpy as np

from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.pictures.margin import bands, contrast, margin
from onkos.features.pictures.outline import largest, shape
from onkos.features.pictures.picture import (
    Bools,
    Description,
    FloatArray,
    PictureRegion,
    box,
    joined,
    picture_region,
)

BINS = 32
BENEATH = 3  # rows needed below a lesion to assess its posterior features


def ultrasound_lesion(picture: Volume, mask: Mask) -> Description:
    """Shape, orientation, margin, echo pattern and posterior features of a breast lesion.

    The picture has the skin at its top, depth along j. Echoes are compared with tissue at the
    same depth on both sides (BI-RADS compares with fat, which is not outlined here), in pooled
    standard deviations:

    - ``echo-contrast``: below 0 hypoechoic, above 0 hyperechoic;
    - ``echo-entropy``, ``echo-variation`` (standard deviation over mean), ``echo-skewness``:
      heterogeneous pattern; ``echo-anechoic``: fraction darker than the 5th
      percentile of the surroundings;
    - ``posterior-contrast``: the middle two thirds beneath the lesion against the same depth on
      both sides: above 0 enhancement, below 0 shadowing; ``posterior-least``: against the more
      similar side (Horsch's minimum side difference).

    NaN: posterior where fewer than 3 rows lie beneath; comparisons where no tissue is left on
    either side; ratios over a mean or a spread of 0; margins as documented there.

    Raises
    ------
    ContentError
        If the mask is empty or too small to have a shape.

    References
    ----------
    Shen WC et al. Breast ultrasound computer-aided diagnosis using BI-RADS features. Acad Radiol
    2007;14:928-939. doi:10.1016/j.acra.2007.04.016
    Horsch K et al. Computerized diagnosis of breast lesions on ultrasound. Med Phys
    2002;29:157-164. doi:10.1118/1.1429239
    """
    lesion = picture_region(picture, mask)
    return joined([shape(lesion), margin(lesion), echoes(lesion), posterior(lesion)])


def mammographic_mass(picture: Volume, mask: Mask) -> Description:
    """Shape, margin and density of an outlined mass; orientation is not informative here.

    ``density-contrast``: the mass against the ring around it, two bands wide, in pooled standard
    deviations; ``density-entropy``, ``density-variation``, ``density-skewness`` of its greys.
    NaN as for :func:`ultrasound_lesion`.

    References
    ----------
    Huo Z et al. Automated computerized classification of malignant and benign masses on digitized
    mammograms. Acad Radiol 1998;5:155-168. doi:10.1016/S1076-6332(98)80278-X
    """
    lesion = picture_region(picture, mask)
    inside = largest(lesion.inside)
    signed, width = bands(inside)
    ring = lesion.grey[(signed > 0) & (signed <= 2 * width)]
    greys = lesion.grey[inside]
    outlined = shape(lesion)
    kept = [n for n in outlined.names if not n.startswith(("orientation", "shape-depth-to"))]
    return joined(
        [
            Description.of({name: outlined[name] for name in kept}),
            margin(lesion),
            Description.of(
                {"density-contrast": contrast(greys, ring), **_spread("density", greys)}
            ),
        ]
    )


def echoes(lesion: PictureRegion) -> Description:
    """Echo pattern of :func:`ultrasound_lesion`."""
    inside = largest(lesion.inside)
    greys = lesion.grey[inside]
    left, right = _sides(lesion, inside, box(inside)[0])
    around = np.concatenate([left, right])
    dark = float(np.quantile(around, 0.05)) if around.size else math.nan
    return Description.of(
        {
            "echo-contrast": contrast(greys, around),
            **_spread("echo", greys),
            "echo-anechoic": float((greys < dark).mean()) if around.size else math.nan,
        }
    )


def posterior(lesion: PictureRegion) -> Description:
    """Posterior features of :func:`ultrasound_lesion`."""
    inside = largest(lesion.inside)
    rows, columns = box(inside)
    beneath = slice(rows.stop, min(lesion.grey.shape[0], 2 * rows.stop - rows.start))
    numbers = {"posterior-contrast": math.nan, "posterior-least": math.nan}
    if beneath.stop - beneath.start >= BENEATH:
        sixth = (columns.stop - columns.start) // 6
        shadow = lesion.grey[beneath, columns.start + sixth : columns.stop - sixth].ravel()
        left, right = _sides(lesion, inside, beneath)
        each = [contrast(shadow, side) for side in (left, right) if side.size]
        numbers = {
            "posterior-contrast": contrast(shadow, np.concatenate([left, right])),
            "posterior-least": min(each, key=abs) if each else math.nan,
        }
    return Description.of(numbers)


def _sides(lesion: PictureRegion, inside: Bools, rows: slice) -> tuple[FloatArray, FloatArray]:
    """Greys left and right of the lesion's columns, half its width each, in some rows."""
    columns = box(inside)[1]
    wide = max(2, (columns.stop - columns.start) // 2)
    left = lesion.grey[rows, max(0, columns.start - wide) : columns.start]
    right = lesion.grey[rows, columns.stop : columns.stop + wide]
    return left.ravel(), right.ravel()


def _spread(prefix: str, greys: FloatArray) -> dict[str, float]:
    """Entropy (32 bins over the range), coefficient of variation and skewness of grey values."""
    mean, sd = float(greys.mean()), float(greys.std())
    low, high = float(greys.min()), float(greys.max())
    shares = (
        np.histogram(greys, bins=BINS, range=(low, high if high > low else low + 1))[0] / greys.size
    )
    held = shares[shares > 0]
    return {
        f"{prefix}-entropy": float(-(held * np.log(held)).sum()) + 0.0,
        f"{prefix}-variation": sd / abs(mean) if abs(mean) > 1e-9 else math.nan,
        f"{prefix}-skewness": float(((greys - mean) ** 3).mean()) / sd**3
        if sd > 1e-9
        else math.nan,
    }
