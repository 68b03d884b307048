"""What a judge of one task makes of the predictions of one model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from onkos.core.case import Case, Cohort
from onkos.core.comparison import Predicted
from onkos.core.curve import Curve
from onkos.core.desk import Tell
from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.judgement import JudgedCase, Spread
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.judge.settings import LEVEL, Settings
from onkos.stats.estimates import noted, undefined
from onkos.stats.resampling import IntArray

#: Said of a difference whose p comes from a permutation test and not from its interval.
SIGN_FLIPS = "p by flipping the sign of each patient's difference"

BoolArray = NDArray[np.bool_]
Metrics = dict[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A metric of one model less that of another on the same patients, and its p-value."""

    metric: str
    estimate: Estimate
    p: float


class Part(Protocol):
    """The predictions of one model, judged at one task; rows are numbers of :attr:`cases`."""

    @property
    def task(self) -> Task:
        """At what."""
        ...

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases judged, in the order of all rows."""
        ...

    @property
    def main(self) -> str:
        """The metric that decides."""
        ...

    @property
    def judged(self) -> tuple[JudgedCase, ...]:
        """What became of each case, in the first repeat."""
        ...

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What limits it."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes, where classes were predicted."""
        ...

    @property
    def positive(self) -> str:
        """Of two classes, the one that sensitivity speaks of."""
        ...

    def metrics(self) -> Metrics:
        """Every metric of all rows."""
        ...

    def of_subgroup(self, rows: IntArray) -> Metrics:
        """The metrics shown of a subgroup, the main one first."""
        ...

    def main_of(self, rows: IntArray) -> Estimate:
        """The main metric of some rows, with a symmetric interval where there is a choice."""
        ...

    def curves(self, metrics: Metrics) -> tuple[Curve, ...]:
        """What figures draw."""
        ...

    def spread(self) -> Mapping[str, Spread]:
        """The main metrics in each repeat; empty without repeats."""
        ...

    def against(self, other: Self) -> Sequence[Difference]:
        """Differences from another model on the cases that both were judged on."""
        ...


#: Makes the part of one model: predictions, truth, settings, seed, whom to tell of progress.
Judge = Callable[[Predicted, Cohort, Settings, int, Tell], Part]


def estimated(name: str, make: Callable[[], Estimate], *, n: int) -> Estimate:
    """Estimate, or one of NaN that says why these cases have none."""
    try:
        return make()
    except (ContentError, UsageError) as error:
        return undefined(name, str(error), n=n, level=LEVEL)


def with_missed(estimate: Estimate, patients: Sequence[str], lost: BoolArray) -> Estimate:
    """Say how many patients behind an estimate got no answer at all."""
    who = {patient for patient, gone in zip(patients, lost, strict=True) if gone}
    if not who:
        return estimate
    told = noted(estimate, f"{int(lost.sum())} cases without an answer count as the worst")
    return replace(told, missed=min(len(who), estimate.n))
