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
class FoldImportance:
    """What a fold's left-out cases lose when a feature tells them nothing.

    Parameters
    ----------
    offered
        How many features the model could choose from; 0 where that was not kept.
    features
        Those that matter most, at most 30, the most important first.
    rises
        For each of them the rise of log-loss of each left-out case when its values are shuffled,
        in the order of the fold's scores.
    together
        How many features were shuffled as one with it, itself included.
    note
        Why nothing was measured, or how it was; empty where there is nothing to say.
    """

    offered: int = 0
    features: tuple[str, ...] = ()
    rises: tuple[tuple[float, ...], ...] = ()
    together: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldResult:
    """One arm on one fold: what is stored when a comparison is interrupted.

    ``used`` names the features the fold's model depends on, for an arm that learns from a table;
    ``importance`` is what the left-out cases lose without them, None where none were used.
    """

    scores: tuple[CaseScore, ...]
    fit_seconds: float
    predict_seconds: float
    used: tuple[str, ...] = ()
    importance: FoldImportance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureReliance:
    """How much an arm rests on one feature.

    Parameters
    ----------
    name
        Of the feature.
    loss
        By how much the log-loss of left-out patients rises when its values are shuffled.
    selected
        In what part of the fits the model uses it.
    together
        How many features were shuffled as one with it at most: above 1 the rise is theirs.
    """

    name: str
    loss: Estimate
    selected: Estimate
    together: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliance:
    """Which numbers an arm rests on, the most important first, and would it choose them again.

    Parameters
    ----------
    features
        Empty where no importance could be measured; ``note`` then says why.
    stability
        Nogueira's: 1 if every fit uses the same features, about 0 if they are chosen as by lot;
        NaN where all fits use all features, or the features are not the same in every fold.
    note
        How it was measured, and what was not.
    """

    features: tuple[FeatureReliance, ...]
    stability: Estimate
    note: str = ""


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
class ArmResult:
    """One arm of a comparison: its metrics with intervals, and every case behind them.

    Parameters
    ----------
    name, family
        Of the arm.
    metrics
        Metric to its estimate; of repeated folds the mean over the repeats, whose interval
        takes patients, not repeats, for independent.
    scores
        Every case, held out once; of repeated folds those of the first repeat.
    fit_seconds, predict_seconds
        Over all folds.
    used
        In which part of the fits the model depended on a feature.
    subgroups
        The main metric by covariate and its value, ``"site"`` to ``{"A": ..., "B": ...}``.
    repeated
        Scores of the further repeats, each with every case once.
    spread
        The main metrics in each repeat; empty without repeats.
    reliance
        What it rests on; None of an arm that uses no features.
    """

    name: str
    family: str
    metrics: Mapping[str, Estimate]
    scores: tuple[CaseScore, ...]
    fit_seconds: float
    predict_seconds: float
    used: Mapping[str, float] = field(default_factory=dict)
    subgroups: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    repeated: tuple[tuple[CaseScore, ...], ...] = ()
    spread: Mapping[str, Spread] = field(default_factory=dict)
    reliance: Reliance | None = None

    @property
    def all_scores(self) -> tuple[tuple[CaseScore, ...], ...]:
        """Scores of every repeat, the first one first."""
        return (self.scores, *self.repeated)


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
    sensitivity speaks of. ``repeats`` is how often the folds were drawn anew; ``title`` and
    ``paper`` are those of the recipe that asked: the question, and what was published on other
    patients, by what it is.
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
    repeats: int = 1
    title: str = ""
    paper: Mapping[str, str] = field(default_factory=dict)
