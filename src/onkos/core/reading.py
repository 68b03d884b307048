"""What a model says of a study, and what Onkos makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from onkos.core.estimate import Estimate
from onkos.core.findings import Lesion
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.core.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How a result came to be, enough to make it again.

    ``inputs`` are the series UIDs (or digests of files without one) that were read;
    ``weights_sha256`` is empty where no model was used.
    """

    version: str
    model: str
    weights_sha256: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Any]
    seed: int | None
    created: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A model's answer for one study, before anything is measured on it.

    Parameters
    ----------
    mask
        Outlined tissues, on the grid of the study's reference image; None for a classifier.
    reference
        Role of the image whose grid the mask lies on.
    classes
        Probability of each class; for a segmentation, that the tissue is present at all.
    caveats
        What the model noticed, e.g. a missing channel.
    """

    mask: Mask | None
    reference: str
    classes: Mapping[str, float] = field(default_factory=dict)
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The one source of SEG, RTSTRUCT, SR and the report.

    Parameters
    ----------
    study
        What was read.
    reference
        Role of the image the lesions were outlined on.
    mask
        All outlined tissue on that image's grid; None if nothing is outlined.
    lesions
        Each separate tumour, largest first, with its measurements.
    classes, stage
        Probabilities of classes with their intervals, and the stage, where the model gives them.
    caveats
        All that limits the answer: of the study, the images, the model and the outlines.
    card
        The model card, as written on disk.
    provenance
        How it was made.
    """

    study: Study
    reference: str
    mask: Mask | None
    lesions: tuple[Lesion, ...]
    classes: Mapping[str, Estimate]
    stage: str | None
    caveats: tuple[Caveat, ...]
    card: Mapping[str, Any]
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScore:
    """One arm on one case it was not fitted on.

    Parameters
    ----------
    case, patient, fold
        Which case, and in which fold it was held out.
    metrics
        Metric ("dice:core") to value; NaN where the case does not define it.
    measured, true
        Measurement ("volume_ml:core") on the outline and on its reference: how far a reading of
        an unseen patient is off is learnt from these.
    missed
        Tissues that are there and of which not one voxel was found.
    classes, target
        Probability of each class as the arm gave it, and the reference class; empty for an arm
        that outlines.
    threshold
        Probability of the positive class from which the arm calls a case positive, chosen on
        the fold's training patients; None where it has none.
    """

    case: str
    patient: str
    fold: int
    metrics: Mapping[str, float]
    measured: Mapping[str, float] = field(default_factory=dict)
    true: Mapping[str, float] = field(default_factory=dict)
    missed: tuple[str, ...] = ()
    classes: Mapping[str, float] = field(default_factory=dict)
    target: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldResult:
    """One arm on one fold: what is stored when a comparison is interrupted.

    ``used`` names the features the fold's model depends on, for an arm that learns from a table.
    """

    scores: tuple[CaseScore, ...]
    fit_seconds: float
    predict_seconds: float
    used: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """One arm of a comparison: its metrics with intervals, and every case behind them.

    ``used`` says in which part of the folds the model depended on a feature; ``subgroups`` holds
    the main metric by covariate and its value, ``"site"`` to ``{"A": ..., "B": ...}``.
    """

    name: str
    family: str
    metrics: Mapping[str, Estimate]
    scores: tuple[CaseScore, ...]
    fit_seconds: float
    predict_seconds: float
    used: Mapping[str, float] = field(default_factory=dict)
    subgroups: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """Difference a - b of one metric on the same patients."""

    a: str
    b: str
    metric: str
    difference: Estimate
    p: float
    p_adjusted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Arms judged on the same folds of the same cohort.

    ``classes`` and ``positive`` are empty where the arms outline; ``positive`` is the class that
    sensitivity speaks of.
    """

    cohort: str
    simulated: bool
    patients: int
    cases: int
    folds: int
    arms: tuple[ArmResult, ...]
    tests: tuple[PairedTest, ...]
    caveats: tuple[Caveat, ...]
    provenance: Provenance
    classes: tuple[str, ...] = ()
    positive: str = ""
