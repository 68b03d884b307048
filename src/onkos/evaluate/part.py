"""One task that predictions are judged at: classes, outlines or survival."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from onkos.core.case import Case
from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.evaluation import JudgedCase
from onkos.core.source import Caveat
from onkos.report.figures import Drawing, Sample
from onkos.stats.resampling import IntArray

LEVEL = 0.95

BoolArray = NDArray[np.bool_]
Metrics = dict[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What has to be decided before outlines and classes can be judged.

    Parameters
    ----------
    tolerance_mm
        Within which two surfaces agree (surface Dice).
    lesion_iou
        Intersection over union above which a lesion counts as found.
    threshold
        Probability from which a case is called positive; None: the likelier class.
    positive
        The class that sensitivity speaks of; empty: the one with a name for disease.

    Raises
    ------
    UsageError
        If one is out of range.
    """

    tolerance_mm: float = 2.0
    lesion_iou: float = 0.5
    threshold: float | None = None
    positive: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tolerance_mm) and self.tolerance_mm >= 0):
            raise UsageError(f"tolerance {self.tolerance_mm} mm: expected a number not below 0")
        if not 0 <= self.lesion_iou < 1:
            raise UsageError(f"lesion IoU {self.lesion_iou}: expected 0 up to, not including, 1")
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise UsageError(f"threshold {self.threshold}: expected above 0 and at most 1")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What one task brings to an evaluation.

    Parameters
    ----------
    task
        ``classification``, ``segmentation`` or ``survival``.
    cases
        Those judged at it, in the order of all rows below.
    main, measured
        The metric that decides, and how it is computed of some rows.
    measure
        All metrics of some rows.
    draw
        Figures of all rows, given whom they rest on and the metrics.
    judged
        What became of each case.
    caveats
        What limits it.
    classes, positive
        Of a classification.
    """

    task: str
    cases: tuple[Case, ...]
    main: str
    measured: Callable[[IntArray], Estimate]
    measure: Callable[[IntArray], Metrics]
    draw: Callable[[Sample, Metrics], tuple[Drawing, ...]]
    judged: tuple[JudgedCase, ...]
    caveats: tuple[Caveat, ...] = ()
    classes: tuple[str, ...] = ()
    positive: str = ""

    @property
    def everyone(self) -> IntArray:
        """Numbers of all rows."""
        return np.arange(len(self.cases))

    @property
    def missed(self) -> int:
        """Patients with a case that got no answer, or of whom nothing was found."""
        return len({one.patient for one in self.judged if not one.answered or one.missed})


def estimated(name: str, make: Callable[[], Estimate], *, n: int) -> Estimate:
    """Estimate, or one of NaN that says why these cases have none."""
    try:
        return make()
    except (ContentError, UsageError) as error:
        nan = math.nan
        why = f"{name} is not defined on these cases: {error}"
        return Estimate(value=nan, low=nan, high=nan, n=n, level=LEVEL, method=why)


def with_missed(estimate: Estimate, patients: Sequence[str], lost: BoolArray) -> Estimate:
    """Say how many patients behind an estimate got no answer at all."""
    who = {patient for patient, gone in zip(patients, lost, strict=True) if gone}
    if not who:
        return estimate
    return replace(
        estimate,
        missed=min(len(who), estimate.n),
        method=f"{estimate.method}; {int(lost.sum())} cases without an answer count as the worst",
    )
