"""ROC, LROC and FROC curves of readers, and their averages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.froc import froc_curve
from onkos.stats.readers.ratings import ReaderStudy
from onkos.stats.roc import roc_curve


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OperatingCurve:
    """Operating points of a reader, or of several on average, strictest threshold first.

    ``x`` is the false-positive fraction (false marks a case in an FROC curve), ``y`` the share
    of abnormal cases (of lesions in an FROC curve) found. Both never fall.
    """

    name: str
    x: FloatArray
    y: FloatArray

    def height(self, x: FloatArray | float) -> FloatArray:
        """``y`` on straight lines between points; the upper end of a vertical step."""
        return _along(self.x, self.y, np.atleast_1d(x))

    def reach(self, y: FloatArray | float) -> FloatArray:
        """``x`` where the curve first reaches ``y``: the near end of a horizontal step."""
        return _lower(self.y, self.x, np.atleast_1d(y))

    def area(self, *, low: float = 0.0, high: float = 1.0) -> float:
        """Area under the curve between two values of ``x``."""
        return _area(self.x, self.y, low=low, high=high)

    def area_beside(self, *, low: float = 0.0, high: float = 1.0) -> float:
        """Area between the curve and x = 1 between two values of ``y``."""
        return _area(self.y, 1 - self.x, low=low, high=high)


def roc(study: ReaderStudy, reader: int, modality: int) -> OperatingCurve:
    """Empirical ROC curve by the highest rating of each case."""
    read, highest = study.read[reader, modality], study.highest[reader, modality]
    normal, abnormal = highest[read & ~study.truth], highest[read & study.truth]
    if not normal.size or not abnormal.size:
        raise ContentError(
            f"reader {study.readers[reader]} read no {'abnormal' if normal.size else 'normal'} "
            f"cases in modality {study.modalities[modality]}; there is no curve"
        )
    found = roc_curve(study.truth[read], highest[read])
    return OperatingCurve(
        name=f"{study.readers[reader]}, {study.modalities[modality]}",
        x=found.false_positive_rate,
        y=found.true_positive_rate,
    )


def froc(study: ReaderStudy, reader: int, modality: int) -> OperatingCurve:
    """FROC curve: share of lesions marked against false marks a case."""
    found = froc_curve(study.marks_of(reader, modality))
    return OperatingCurve(
        name=f"{study.readers[reader]}, {study.modalities[modality]}",
        x=found.false_per_case,
        y=found.sensitivity,
    )


def pooled(study: ReaderStudy) -> OperatingCurve:
    """ROC curve of all readings thrown together, as if one reader had read them all."""
    flat = study.highest.reshape(1, 1, -1)
    cells = study.highest.shape[0] * study.highest.shape[1]
    together = ReaderStudy(
        kind=study.kind,
        readers=("pooled",),
        modalities=("pooled",),
        cases=tuple(str(n) for n in range(flat.size)),
        truth=np.tile(study.truth, cells),
        highest=flat.copy(),
    )
    return roc(together, 0, 0)


def mean_over_specificity(
    curves: Sequence[OperatingCurve], *, name: str = "mean"
) -> OperatingCurve:
    """Mean sensitivity at each false-positive fraction that one of the curves has.

    Both ends of every step are kept, so the area is the mean of the areas.
    """
    at = np.unique(np.concatenate([curve.x for curve in curves]))
    low = np.mean([_lower(curve.x, curve.y, at) for curve in curves], axis=0)
    high = np.mean([curve.height(at) for curve in curves], axis=0)
    return OperatingCurve(name=name, x=np.repeat(at, 2), y=np.stack([low, high], axis=1).ravel())


def mean_over_sensitivity(
    curves: Sequence[OperatingCurve], *, name: str = "mean"
) -> OperatingCurve:
    """Mean false-positive fraction at each sensitivity that one of the curves has."""
    at = np.unique(np.concatenate([curve.y for curve in curves]))
    near = np.mean([curve.reach(at) for curve in curves], axis=0)
    far = np.mean([_along(curve.y, curve.x, at) for curve in curves], axis=0)
    return OperatingCurve(name=name, x=np.stack([near, far], axis=1).ravel(), y=np.repeat(at, 2))


def _lower(x: FloatArray, y: FloatArray, at: FloatArray) -> FloatArray:
    """Height as by :func:`_along`, but the first of several heights at one place."""
    return -_along(-x[::-1], -y[::-1], -at)


def _along(x: FloatArray, y: FloatArray, at: FloatArray) -> FloatArray:
    """Height at places within the range; the last of several heights at one place."""
    if (at < x[0] - 1e-12).any() or (at > x[-1] + 1e-12).any():
        raise ContentError(f"curve from {abs(x[0]):.3g} to {abs(x[-1]):.3g}: asked outside it")
    last = np.clip(np.searchsorted(x, at + 1e-12, side="right") - 1, 0, len(x) - 1)
    after = np.minimum(last + 1, len(x) - 1)
    width = np.where(after > last, x[after] - x[last], 1.0)
    share = np.clip((at - x[last]) / width, 0.0, 1.0)
    return np.asarray(y[last] + share * (y[after] - y[last]))


def _area(x: FloatArray, y: FloatArray, *, low: float, high: float) -> float:
    """Area of straight pieces between two places."""
    if not 0 <= low < high <= 1:
        raise ContentError(f"area from {low} to {high}: expected 0 <= low < high <= 1")
    inside = (x > low) & (x < high)
    first = _along(x, y, np.array([low]))
    last = _lower(x, y, np.array([high]))
    across = np.concatenate([[low], x[inside], [high]])
    return float(np.trapezoid(np.concatenate([first, y[inside], last]), across))
