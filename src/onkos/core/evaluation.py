"""What finished predictions are worth on cases with known answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from onkos.core.estimate import Estimate
from onkos.core.reading import Provenance
from onkos.core.source import Caveat


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCase:
    """One case of the truth and what the predictions made of it.

    Parameters
    ----------
    case, patient, task
        Which case, judged at what: ``classification``, ``segmentation`` or ``survival``.
    answered
        False where there was no prediction; it then counts as the worst there is.
    values
        What it was judged by, e.g. the probability of its true class, or Dice; NaN where the
        case does not define a value.
    truth
        Its class, or its follow-up, in words; empty for outlines.
    missed
        Tissues that are there and of which not one voxel was found.
    """

    case: str
    patient: str
    task: str
    answered: bool
    values: Mapping[str, float]
    truth: str = ""
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """Whether a metric differs between the subgroups of a column."""

    column: str
    metric: str
    statistic: float
    p: float
    p_adjusted: float
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Predictions judged against a cohort, every metric with its interval.

    Parameters
    ----------
    predictions, cohort
        What was judged, on what.
    tasks
        ``classification``, ``segmentation``, ``survival``: what could be judged.
    simulated
        Whether the patients are a phantom.
    patients, cases
        Of the truth; all of them count.
    classes, positive
        Classes, and the one that sensitivity speaks of; empty where none were predicted.
    metrics
        Metric ("auc", "dice:tumour", "c_harrell") to its estimate.
    subgroups
        Column ("site") to its values to metrics of their cases alone.
    interactions
        Whether the main metric differs between the subgroups of each column.
    unanswered
        Cases without a prediction.
    judged
        Every case.
    main
        Task to the metric its answer speaks of.
    """

    predictions: str
    cohort: str
    tasks: tuple[str, ...]
    simulated: bool
    patients: int
    cases: int
    metrics: Mapping[str, Estimate]
    subgroups: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    interactions: tuple[Interaction, ...]
    unanswered: tuple[str, ...]
    judged: tuple[JudgedCase, ...]
    caveats: tuple[Caveat, ...]
    provenance: Provenance
    classes: tuple[str, ...] = ()
    positive: str = ""
    main: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("metrics", "main"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
