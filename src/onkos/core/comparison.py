"""Arms compared on the same folds of a cohort, and what each of them rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from onkos.core.answers import Answer
from onkos.core.estimate import Estimate
from onkos.core.judgement import Judgement, PairedTest
from onkos.core.reading import Provenance
from onkos.core.source import Caveat
from onkos.core.task import Task

#: Note of an arm whose features are not the same in two folds.
LEARNT_ANEW = (
    "Features are learnt anew in every fold, so those of one fold are not those of another."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was said of one case that was not learnt from.

    Parameters
    ----------
    case, patient, fold
        Which case, and in which fold it was held out; 0 of finished predictions.
    answers
        Task to answer.
    """

    case: str
    patient: str
    answers: Mapping[Task, Answer]
    fold: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """Predictions of one model or arm, ready to be judged.

    Parameters
    ----------
    name
        Of the arm, or of the file.
    repeats
        In each repeat of the folds, every case that got an answer; a case that is not there
        counts as the worst there is.
    """

    name: str
    repeats: tuple[tuple[Answered, ...], ...]


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
    ``failed`` is why the fold has no answers; empty where it has.
    """

    answered: tuple[Answered, ...]
    fit_seconds: float
    predict_seconds: float
    used: tuple[str, ...] = ()
    importance: FoldImportance | None = None
    failed: str = ""


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
class ArmResult:
    """One arm of a comparison.

    Parameters
    ----------
    name, family
        Of the arm.
    judgement
        Its metrics with intervals, and every case behind them.
    fit_seconds, predict_seconds
        Over all folds.
    used
        In which part of the fits the model depended on a feature.
    reliance
        What it rests on; None of an arm that uses no features.
    failed
        Folds that could not be run, each with the reason; their cases count as unanswered.
    """

    name: str
    family: str
    judgement: Judgement
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    used: Mapping[str, float] = field(default_factory=dict)
    reliance: Reliance | None = None
    failed: tuple[str, ...] = ()

    @property
    def metrics(self) -> Mapping[str, Estimate]:
        """Metric to its estimate."""
        return self.judgement.metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Arms judged on the same folds of the same cohort.

    ``repeats`` is how often the folds were drawn anew; ``title`` and ``paper`` are those of the
    recipe that asked: the question, and what was published on other patients, by what it is.
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
    repeats: int = 1
    title: str = ""
    paper: Mapping[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that the arms tell apart; empty where they do not."""
        return next((arm.judgement.classes for arm in self.arms), ())

    @property
    def positive(self) -> str:
        """The class that sensitivity speaks of."""
        return next((arm.judgement.positive for arm in self.arms), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Finished predictions of one model judged against a cohort.

    ``predictions`` and ``cohort`` name what was judged on what; ``caveats`` are all that limits
    it, those of the judgement included.
    """

    predictions: str
    cohort: str
    simulated: bool
    patients: int
    cases: int
    judgement: Judgement
    caveats: tuple[Caveat, ...]
    provenance: Provenance
