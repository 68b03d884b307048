"""Predicted classes judged: discrimination, calibration, decisions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.case import Case, Cohort
from onkos.core.comparison import Predicted
from onkos.core.curve import Curve
from onkos.core.desk import Tell
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.judgement import JudgedCase, Spread
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.judge.class_curves import class_curves
from onkos.judge.gathered import Gathered, gathered
from onkos.judge.part import SIGN_FLIPS, Difference, Metrics, estimated, with_missed
from onkos.judge.settings import LEVEL, Settings
from onkos.stats import joint
from onkos.stats.bootstrap import bootstrap_mean, paired_difference
from onkos.stats.calibration import (
    Forecast,
    calibration_line,
    expected_calibration_error,
    in_the_large,
)
from onkos.stats.classification import classification_metrics
from onkos.stats.estimates import described, noted
from onkos.stats.folded.ranked import Average
from onkos.stats.folded.within import area_difference_within, area_within
from onkos.stats.repeated import joint_metrics
from onkos.stats.resampling import IntArray

NET_BENEFIT_AT = (0.1, 0.2, 0.5)
RARE = 10  # cases of a class, below which its intervals may be a little short
_EDGE = 1e-6  # log odds need probabilities off 0 and 1 by as much
_OF_SUBGROUPS = ("auc", "brier", "sensitivity", "specificity", "accuracy")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedClasses:
    """Probabilities of classes against the reference classes."""

    said: Gathered
    settings: Settings
    seed: int

    @property
    def task(self) -> Task:
        """Telling classes apart."""
        return Task.CLASSIFY

    @property
    def cases(self) -> tuple[Case, ...]:
        """All cases of the truth."""
        return self.said.cases

    @property
    def main(self) -> str:
        """The area under the ROC curve."""
        return "auc"

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the predictions."""
        return self.said.first.classes

    @property
    def positive(self) -> str:
        """Empty of more than two classes."""
        return self.said.first.positive if len(self.classes) == 2 else ""

    @property
    def judged(self) -> tuple[JudgedCase, ...]:
        """Every case with its probabilities; one without an answer has the surest wrong one."""
        first = self.said.first
        return tuple(
            JudgedCase(
                case=case.id,
                patient=case.patient,
                task=self.task,
                fold=max(0, int(self.said.folds[0][row])),
                answered=not self.said.lost[row],
                values=dict(zip(self.classes, first.probabilities[row].tolist(), strict=True)),
                truth=first.truth[row],
                called=first.predicted[row],
            )
            for row, case in enumerate(self.cases)
        )

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Thresholds that were not chosen, classes that are rare."""
        first, found = self.said.first, []
        if len(self.classes) == 2 and first.called is None:
            text = (
                f"Sensitivity and specificity speak of {first.positive}, called from a "
                "probability of 0.5 on; a threshold chosen on training patients can be given."
            )
            found.append(Caveat(code="threshold-half", text=text))
        counts = {name: list(first.truth).count(name) for name in self.classes}
        rare, n = min(counts.items(), key=lambda item: item[1])
        if n < RARE:
            text = (
                f"Only {n} cases are of class {rare}: intervals are wide and may be a little short."
            )
            found.append(Caveat(code="rare-class", text=text))
        return tuple(found)

    def metrics(self) -> Metrics:
        """Every metric of all cases."""
        return _metrics(self.said, self.seed)

    def of_subgroup(self, rows: IntArray) -> Metrics:
        """Area, Brier's score and shares of a subgroup."""
        some = self.said.rows(rows)
        found = {"auc": _area(some, self.seed)}
        every = _engine(some, self.seed)
        return found | {name: every[name] for name in _OF_SUBGROUPS[1:] if name in every}

    def main_of(self, rows: IntArray) -> Estimate:
        """Area of some cases with a symmetric interval."""
        return _area(self.said.rows(rows), self.seed, symmetric=True)

    def curves(self, metrics: Metrics) -> tuple[Curve, ...]:
        """ROC, precision-recall, reliability and decision curves, or a confusion matrix."""
        return class_curves(self.said, metrics, seed=self.seed)

    def spread(self) -> Mapping[str, Spread]:
        """Area and Brier's score in each repeat."""
        if len(self.said.repeats) < 2:
            return {}
        singles = [
            replace(self.said, repeats=(one,), folds=(folds,))
            for one, folds in zip(self.said.repeats, self.said.folds, strict=True)
        ]
        return {
            "auc": joint.spread([_area(one, self.seed).value for one in singles]),
            "brier": joint.spread([float(o.squared_error.mean()) for o in self.said.repeats]),
        }

    def against(self, other: JudgedClasses) -> Sequence[Difference]:
        """Differences of area within folds and of Brier's score.

        A pair whose areas cannot be tested is told apart by Brier's score alone.
        """
        made = []
        a, b = self.said, other.said
        try:
            test = area_difference_within(a.held_out(), b.held_out(), level=LEVEL)
            if not math.isnan(test.p):
                made.append(Difference(metric="auc", estimate=test.difference, p=test.p))
        except ContentError:
            pass  # no variance to test against
        difference, p = paired_difference(
            joint.squared_error(a.repeats),
            joint.squared_error(b.repeats),
            groups=a.patients,
            rng=np.random.default_rng(self.seed),
            level=LEVEL,
        )
        if len(a.repeats) > 1:
            difference = joint.over_repeats(difference, len(a.repeats))
        difference = noted(difference, SIGN_FLIPS)
        return [*made, Difference(metric="brier", estimate=difference, p=p)]


def judge_classes(
    predicted: Predicted, cohort: Cohort, settings: Settings, seed: int, tell: Tell
) -> JudgedClasses:
    """Judge probabilities of classes; errors as :func:`onkos.judge.gathered.gathered`."""
    del tell
    return JudgedClasses(said=gathered(predicted, cohort, settings), settings=settings, seed=seed)


def _metrics(said: Gathered, seed: int) -> Metrics:
    """All metrics of the engine, areas within folds, and what acting on the model is worth."""
    found = _engine(said, seed)
    found["auc"] = _area(said, seed)
    if len(said.first.classes) > 2:
        found["auc_macro"] = _area(said, seed, average="macro")
        return found
    return found | _calibration(said, seed) | _net_benefits(said, seed)


def _engine(said: Gathered, seed: int) -> Metrics:
    """Metrics that do not compare cases of different folds."""
    rng = np.random.default_rng(seed)
    if len(said.repeats) == 1:
        return classification_metrics(said.first, rng=rng, level=LEVEL)
    found = joint_metrics(said.repeats, rng=rng, level=LEVEL)
    return {name: with_missed(one, said.patients, said.lost) for name, one in found.items()}


def _area(
    said: Gathered, seed: int, *, average: Average = "hand-till", symmetric: bool = False
) -> Estimate:
    """Area under the ROC curve, of pairs of cases held out in the same fold."""
    found = estimated(
        "AUC",
        lambda: area_within(said.held_out(), level=LEVEL, average=average),
        n=len(set(said.patients)),
    )
    return with_missed(found, said.patients, said.lost)


def _calibration(said: Gathered, seed: int) -> Metrics:
    """Calibration of the answers there are: no answer foretells nothing that could be held to."""
    if not said.lost.any() or len(said.repeats) > 1:
        return {}
    given = np.flatnonzero(~said.lost)
    some = said.rows(given)
    note = f"only of the {given.size} cases with an answer, {int(said.lost.sum())} had none"
    made: dict[str, Callable[[], Estimate]] = {
        "calibration_in_the_large": lambda: in_the_large(forecast_of(some)),
        "calibration_slope": lambda: calibration_line(forecast_of(some)).slope,
        "ece": lambda: expected_calibration_error(
            forecast_of(some), rng=np.random.default_rng(seed)
        ),
    }
    return {name: noted(estimated(name, make, n=given.size), note) for name, make in made.items()}


def _net_benefits(said: Gathered, seed: int) -> Metrics:
    """Net benefit at some thresholds, and how much more than of acting on everybody."""
    truth = said.first.positives.astype(np.float64)
    found: Metrics = {}
    for threshold in NET_BENEFIT_AT:
        worth = truth - (1 - truth) * threshold / (1 - threshold)
        acting = np.mean([one.score >= threshold for one in said.repeats], axis=0)
        found[f"net_benefit:{threshold:g}"] = _mean(acting * worth, said, seed, "net benefit")
        found[f"net_benefit_over_all:{threshold:g}"] = _mean(
            (acting - 1) * worth, said, seed, "net benefit less that of acting on everybody"
        )
    return {name: with_missed(one, said.patients, said.lost) for name, one in found.items()}


def _mean(values: FloatArray, said: Gathered, seed: int, what: str) -> Estimate:
    """Mean over cases of what each is worth, patients resampled."""
    found = bootstrap_mean(
        values, groups=said.patients, rng=np.random.default_rng(seed), level=LEVEL
    )
    method = described(found.method)
    named = replace(found, method=replace(method, what=f"{what}: {method.what}"))
    return joint.over_repeats(named, len(said.repeats)) if len(said.repeats) > 1 else named


def forecast_of(said: Gathered) -> Forecast:
    """Probabilities of the positive class in the first repeat, off 0 and 1."""
    first = said.first
    probability = np.clip(first.score, _EDGE, 1 - _EDGE)
    groups = first.patients if first.several_a_patient else None
    return Forecast(truth=first.positives, probability=probability, groups=groups)
