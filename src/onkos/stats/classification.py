"""All metrics of a classifier that its predictions allow, each with an interval."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray, FloatArray
from onkos.stats.bootstrap import bootstrap_mean, paired_difference
from onkos.stats.calibration import (
    Forecast,
    calibration_line,
    expected_calibration_error,
    in_the_large,
)
from onkos.stats.clustered import clustered_auc, clustered_paired_test
from onkos.stats.delong import auc, paired_test
from onkos.stats.estimates import noted, or_undefined
from onkos.stats.multiclass import class_metrics, multiclass_auc
from onkos.stats.operating import odds_ratio
from onkos.stats.precision_recall import average_precision
from onkos.stats.proportions import share
from onkos.stats.significance import SignificanceTest

_EDGE = 1e-6  # log odds need probabilities off 0 and 1 by as much
_POSITIVE = (
    "malignant",
    "cancer",
    "abnormal",
    "positive",
    "diseased",
    "tumour",
    "yes",
    "true",
    "1",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """Predictions of a classifier for cases whose class is known.

    Parameters
    ----------
    truth
        Class of each case.
    classes
        All classes, in the order of the probabilities' columns.
    probabilities
        (cases, classes), finite, each row summing to one.
    patients
        Patient of each case.
    called
        (cases,): whether each case was called positive, at a threshold chosen on training
        patients; None where a case counts as its likeliest class.
    positive
        Of two classes, the one that sensitivity is about.
    missed
        (cases,): cases that got no answer; their probabilities must be the worst possible.

    Raises
    ------
    ContentError
        If lengths differ, a probability is not one, or a class is unknown.
    """

    truth: Sequence[str]
    classes: tuple[str, ...]
    probabilities: FloatArray
    patients: Sequence[Hashable]
    positive: str
    called: AnyArray | None = None
    missed: AnyArray | None = None

    def __post_init__(self) -> None:
        n, k = len(self.truth), len(self.classes)
        if self.probabilities.shape != (n, k) or len(self.patients) != n or n == 0:
            raise ContentError(
                f"{n} cases of {len(self.patients)} patients entries with probabilities of shape "
                f"{self.probabilities.shape}; expected one row a case, {k} classes, at least one"
            )
        p = self.probabilities
        bad = np.flatnonzero(~(np.isfinite(p).all(axis=1) & (np.abs(p.sum(axis=1) - 1) < 1e-3)))
        if bad.size:
            raise ContentError(
                f"probabilities of cases {bad[:5].tolist()} are {p[bad[0]].tolist()}: expected "
                "finite ones that sum to 1"
            )
        unknown = sorted(set(self.truth) - set(self.classes))
        if unknown or self.positive not in self.classes:
            raise ContentError(
                f"classes {unknown or [self.positive]} are not among those predicted, "
                f"{list(self.classes)}"
            )

    @property
    def several_a_patient(self) -> bool:
        """Whether a patient has more than one case."""
        return len(set(self.patients)) < len(self.patients)

    @property
    def positives(self) -> AnyArray:
        """(cases,): whether each is of the positive class."""
        return np.array([name == self.positive for name in self.truth])

    @property
    def score(self) -> FloatArray:
        """(cases,): probability of the positive class."""
        column: FloatArray = self.probabilities[:, self.classes.index(self.positive)]
        return column

    @property
    def predicted(self) -> list[str]:
        """Predicted class of each case."""
        if self.called is None or len(self.classes) != 2:
            return [self.classes[n] for n in self.probabilities.argmax(axis=1)]
        negative = next(name for name in self.classes if name != self.positive)
        return [self.positive if yes else negative for yes in self.called]

    @property
    def squared_error(self) -> FloatArray:
        """Squared distance of each case's probabilities from its truth.

        For two classes that of the positive one, so that the mean is Brier's score as it is
        usually given (0 to 1); for more the sum over classes (0 to 2).
        """
        if len(self.classes) == 2:
            squared: FloatArray = (self.score - self.positives) ** 2
            return squared
        true = np.array([[name == other for other in self.classes] for name in self.truth])
        summed: FloatArray = ((self.probabilities - true) ** 2).sum(axis=1)
        return summed


def positive_class(classes: Sequence[str]) -> str:
    """Choose the class that sensitivity is about: the one with a name for disease.

    The last one in alphabetical order where no name, or more than one, is such.
    """
    told = [name for name in classes if name.lower() in _POSITIVE]
    return told[0] if len(told) == 1 else sorted(classes)[-1]


def classification_metrics(
    answers: Answers, *, rng: np.random.Generator, level: float = 0.95
) -> dict[str, Estimate]:
    """Judge a classifier: discrimination, calibration and decisions, each with its interval.

    Two classes: ``auc``, ``average_precision``, ``brier``, ``calibration_in_the_large``,
    ``calibration_slope``, ``ece``, and at the threshold ``sensitivity``, ``specificity``,
    ``ppv``, ``npv``, ``accuracy``, ``balanced_accuracy``, ``odds_ratio``. More classes: ``auc``
    (Hand and Till), ``auc_macro``, ``brier``, ``accuracy``, ``balanced_accuracy``, ``f1_macro``,
    ``mcc``, ``kappa`` and each class against the others.

    A metric that these cases do not define is an Estimate of NaN whose method says why.
    """
    two = len(answers.classes) == 2
    found = (_binary if two else _several)(answers, rng, level)
    found["brier"] = bootstrap_mean(
        answers.squared_error, groups=answers.patients, rng=rng, level=level
    )
    return {name: _with_missed(name, one, answers) for name, one in found.items()}


def auc_test(a: Answers, b: Answers, *, level: float = 0.95) -> SignificanceTest:
    """Test the difference of two classifiers' areas on the same cases of two classes.

    DeLong's test, Obuchowski's where patients have several cases.
    """
    if a.several_a_patient:
        return clustered_paired_test(a.positives, a.score, b.score, groups=a.patients, level=level)
    return paired_test(a.positives, a.score, b.score, level=level)


def brier_test(
    a: Answers, b: Answers, *, rng: np.random.Generator, level: float = 0.95
) -> tuple[Estimate, float]:
    """Difference of Brier scores on the same cases and its p by sign flips of patients."""
    return paired_difference(
        a.squared_error, b.squared_error, groups=a.patients, rng=rng, level=level
    )


def _binary(answers: Answers, rng: np.random.Generator, level: float) -> dict[str, Estimate]:
    truth, score, patients = answers.positives, answers.score, answers.patients
    groups = patients if answers.several_a_patient else None
    forecast = Forecast(truth=truth, probability=np.clip(score, _EDGE, 1 - _EDGE), groups=groups)
    called = np.array([name == answers.positive for name in answers.predicted])

    def area() -> Estimate:
        if groups is None:
            return auc(truth, score, level=level)
        return clustered_auc(truth, score, groups=groups, level=level)

    made: dict[str, Callable[[], Estimate]] = {
        "auc": area,
        "average_precision": lambda: average_precision(truth, score, rng=rng, groups=groups),
        "calibration_in_the_large": lambda: in_the_large(forecast, level=level),
        "calibration_slope": lambda: calibration_line(forecast, level=level).slope,
        "ece": lambda: expected_calibration_error(forecast, rng=rng),
        "sensitivity": lambda: share(called, truth, groups=groups, level=level),
        "specificity": lambda: share(~called, ~truth, groups=groups, level=level),
        "ppv": lambda: share(truth, called, groups=groups, level=level),
        "npv": lambda: share(~truth, ~called, groups=groups, level=level),
        "odds_ratio": lambda: odds_ratio(truth, called, groups=groups, level=level),
    }
    n = len(set(patients))
    found = {name: or_undefined(make, name, n=n, level=level) for name, make in made.items()}
    whole = class_metrics(
        list(answers.truth), answers.predicted, rng=rng, classes=answers.classes, groups=patients
    )
    found["accuracy"] = accuracy(answers, level)
    found["balanced_accuracy"] = whole["balanced accuracy"]
    return found


def _several(answers: Answers, rng: np.random.Generator, level: float) -> dict[str, Estimate]:
    truth, classes, patients = list(answers.truth), answers.classes, answers.patients

    def area(average: str) -> Callable[[], Estimate]:
        return lambda: multiclass_auc(
            truth,
            answers.probabilities,
            classes=classes,
            rng=rng,
            average="macro" if average == "macro" else "hand-till",
            groups=patients,
        )

    areas = {"auc": area("hand-till"), "auc_macro": area("macro")}
    n = len(set(patients))
    found = {name: or_undefined(make, name, n=n, level=level) for name, make in areas.items()}
    whole = class_metrics(truth, answers.predicted, rng=rng, classes=classes, groups=patients)
    found |= {_key(name): one for name, one in whole.items()}
    return {**found, "accuracy": accuracy(answers, level)}


def accuracy(answers: Answers, level: float) -> Estimate:
    """Share of cases taken for their class.

    Its interval takes the number of cases of each class for as random as the answers, as they
    are in a cohort that was not put together by class.
    """
    right = np.array([a == b for a, b in zip(answers.predicted, answers.truth, strict=True)])
    everyone = np.ones(len(right), dtype=bool)
    groups = list(answers.patients) if answers.several_a_patient else None
    return share(right, everyone, groups=groups, level=level)


def _key(name: str) -> str:
    """``sensitivity: NAME`` and ``F1 macro`` as ``sensitivity:NAME`` and ``f1_macro``."""
    metric, _, of = name.partition(": ")
    key = metric.replace(" ", "_").lower()
    return f"{key}:{of}" if of else key


def _with_missed(name: str, estimate: Estimate, answers: Answers) -> Estimate:
    """Note how many cases behind the estimate got no answer."""
    if answers.missed is None:
        return estimate
    lost = answers.missed & _counted(name, answers)
    if not lost.any():
        return estimate
    who = {patient for patient, gone in zip(answers.patients, lost, strict=True) if gone}
    told = noted(estimate, f"{int(lost.sum())} cases without an answer count as wrong")
    return replace(told, missed=min(len(who), estimate.n))


def _counted(name: str, answers: Answers) -> AnyArray:
    """Cases that a metric of two classes is computed from: the diseased, for sensitivity."""
    called = np.array([one == answers.positive for one in answers.predicted])
    among: dict[str, AnyArray] = {
        "sensitivity": answers.positives,
        "specificity": ~answers.positives,
        "ppv": called,
        "npv": ~called,
    }
    everyone = np.ones(len(answers.truth), dtype=bool)
    return among.get(name, everyone) if len(answers.classes) == 2 else everyone
