"""What has to be decided before predictions can be judged."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onkos.core.errors import UsageError

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What has to be decided before predictions can be judged.

    Parameters
    ----------
    tolerance_mm
        Within which two surfaces agree (surface Dice).
    lesion_iou
        Intersection over union above which a lesion counts as found.
    distance_mm
        Within which a marked point counts as a hit where the truth has no box or outline.
    threshold
        Probability from which a case is called positive; None: the one the model chose on
        training patients, else the likelier class.
    positive
        The class that sensitivity speaks of; empty: the one with a name for disease.
    by
        Columns of the cohort by which the main metric is shown, beside site, sex and age.

    Raises
    ------
    UsageError
        If one is out of range.
    """

    tolerance_mm: float = 2.0
    lesion_iou: float = 0.5
    distance_mm: float = 10.0
    threshold: float | None = None
    positive: str = ""
    by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tolerance_mm) and self.tolerance_mm >= 0):
            raise UsageError(f"tolerance {self.tolerance_mm} mm: expected a number not below 0")
        if not 0 <= self.lesion_iou < 1:
            raise UsageError(f"lesion IoU {self.lesion_iou}: expected 0 up to, not including, 1")
        if not (math.isfinite(self.distance_mm) and self.distance_mm > 0):
            raise UsageError(f"distance {self.distance_mm} mm: expected a number above 0")
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise UsageError(f"threshold {self.threshold}: expected above 0 and at most 1")


DEFAULT = Settings()
