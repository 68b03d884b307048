"""What predictions are worth on cases with known answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from onkos.core.curve import Curve
from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.core.source import Caveat
from onkos.core.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCase:
    """One case and what the predictions made of it.

    Parameters
    ----------
    case, patient, task
        Which case, judged at what.
    fold
        In which fold it was held out; 0 of finished predictions.
    answered
        False where there was no prediction; it then counts as the worst there is.
    values
        What it was judged by, e.g. the probability of each class, or Dice; NaN where the case
        does not define a value.
    truth
        Its class, or its follow-up, in words; empty for outlines.
    called
        The class it was taken for; empty where no class was asked.
    missed
        Tissues or lesions that are there and were not found at all.
    measured, true
        Measurement ("volume_ml:core") on the outline and on its reference: how far a reading of
        an unseen patient is off is learnt from these.
    """

    case: str
    patient: str
    task: Task
    fold: int = 0
    answered: bool = True
    values: Mapping[str, float] = field(default_factory=dict)
    truth: str = ""
    called: str = ""
    missed: tuple[str, ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)
    true: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """Whether a metric differs between the subgroups of a column."""

    column: str
    metric: str
    statistic: float
    p: float
    p_adjusted: float
    method: Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A metric in every repeat of the folds: how much it hangs on how patients were dealt out.

    No interval: ``sd``, ``low`` and ``high`` describe the repeats, not other patients.
    """

    values: tuple[float, ...]
    sd: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Predictions of one model or arm judged against a cohort, every metric with its interval.

    Parameters
    ----------
    tasks
        What could be judged.
    main
        Task to the metric that decides.
    metrics
        Metric ("auc", "dice:tumour", "c_harrell") to its estimate; of repeated folds the mean
        over the repeats, whose interval takes patients, not repeats, for independent.
    subgroups
        Column ("site") to its values to some metrics of their cases alone.
    interactions
        Whether the main metric differs between the subgroups of each column.
    curves
        What figures draw.
    cases
        Every case; of repeated folds those of the first repeat.
    unanswered
        Cases without a prediction.
    spread
        The main metrics in each repeat; empty without repeats.
    caveats
        What limits it.
    classes, positive
        Classes, and the one that sensitivity speaks of; empty where none were predicted.
    """

    tasks: tuple[Task, ...]
    main: Mapping[Task, str]
    metrics: Mapping[str, Estimate]
    subgroups: Mapping[str, Mapping[str, Mapping[str, Estimate]]] = field(default_factory=dict)
    interactions: tuple[Interaction, ...] = ()
    curves: tuple[Curve, ...] = ()
    cases: tuple[JudgedCase, ...] = ()
    unanswered: tuple[str, ...] = ()
    spread: Mapping[str, Spread] = field(default_factory=dict)
    caveats: tuple[Caveat, ...] = ()
    classes: tuple[str, ...] = ()
    positive: str = ""

    def of(self, task: Task) -> tuple[JudgedCase, ...]:
        """Cases judged at one task."""
        return tuple(one for one in self.cases if one.task == task)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """Difference a - b of one metric on the same patients."""

    a: str
    b: str
    metric: str
    difference: Estimate
    p: float
    p_adjusted: float
