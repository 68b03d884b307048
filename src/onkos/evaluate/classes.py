"""Predicted classes judged."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from onkos.cohort.predictions import Predictions, require_classes
from onkos.core.case import Cohort
from onkos.core.errors import CohortError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.evaluation import JudgedCase
from onkos.core.source import Caveat
from onkos.evaluate.part import (
    LEVEL,
    BoolArray,
    Metrics,
    Part,
    Settings,
    estimated,
    with_missed,
)
from onkos.report import figures, words
from onkos.report.figures import Drawing, Line, Sample
from onkos.stats.bands import BANDS, precision_recall_band, roc_band
from onkos.stats.calibration import (
    Forecast,
    calibration_line,
    expected_calibration_error,
    in_the_large,
    reliability_curve,
)
from onkos.stats.classification import Answers, classification_metrics, positive_class
from onkos.stats.clustered import clustered_auc
from onkos.stats.decision import decision_curve, net_benefit_difference
from onkos.stats.delong import auc
from onkos.stats.multiclass import confusion_matrix, multiclass_auc
from onkos.stats.precision_recall import precision_recall_curve
from onkos.stats.resampling import IntArray
from onkos.stats.roc import roc_curve

NET_BENEFIT_AT = (0.1, 0.2, 0.5)
_EDGE = 1e-6  # log odds need probabilities off 0 and 1 by as much
_GRID = np.arange(0.01, 1.0, 0.02)


def part(predictions: Predictions, cohort: Cohort, settings: Settings, *, seed: int) -> Part:
    """Judge the ``p_`` columns against the reference classes.

    A case without a prediction is given probability 0 for its true class.

    Raises
    ------
    CohortError
        As :func:`onkos.cohort.predictions.require_classes`, or if all cases are of one class.
    UsageError
        If the positive class asked for is none of the classes.
    """
    classes = require_classes(predictions, cohort)
    if len(classes) < 2:
        raise CohortError(
            f"truth {cohort.name}: all cases are of class {classes[0]!r}; expected two or more"
        )
    positive = settings.positive or positive_class(classes)
    if positive not in classes:
        raise UsageError(f"positive class {positive!r}: expected one of {list(classes)}")
    whole = _answers(predictions, cohort, classes, positive, settings.threshold)
    return Part(
        task="classification",
        cases=cohort.cases,
        main="auc",
        measured=lambda rows: _area(_rows(whole, rows), seed),
        measure=lambda rows: _metrics(_rows(whole, rows), seed),
        draw=lambda sample, metrics: _drawn(whole, sample, metrics, seed),
        judged=_judged(whole, cohort),
        caveats=_caveats(whole, settings),
        classes=classes,
        positive=positive if len(classes) == 2 else "",
    )


def _answers(
    predictions: Predictions,
    cohort: Cohort,
    classes: tuple[str, ...],
    positive: str,
    threshold: float | None,
) -> Answers:
    """Gather probabilities; no answer is the surest wrong one."""
    k = len(classes)
    probabilities = np.zeros((len(cohort.cases), k))
    lost = np.zeros(len(cohort.cases), dtype=bool)
    for row, case in enumerate(cohort.cases):
        made = predictions.cases.get(case.id)
        lost[row] = made is None
        if made is None:
            wrong = (classes.index(case.target or "") + 1) % k
            probabilities[row, wrong] = 1.0
        elif len(made.classes) == 1:
            first = next(iter(made.classes.values()))
            probabilities[row] = first, 1 - first
        else:
            probabilities[row] = [made.classes[name] for name in classes]
    called = None
    if k == 2 and threshold is not None:
        called = probabilities[:, classes.index(positive)] >= threshold
    return Answers(
        truth=[case.target or "" for case in cohort.cases],
        classes=classes,
        probabilities=probabilities,
        patients=[case.patient for case in cohort.cases],
        positive=positive,
        called=called,
        missed=lost,
    )


def _rows(answers: Answers, rows: IntArray) -> Answers:
    """Answers of some cases."""
    chosen = rows.tolist()
    return Answers(
        truth=[answers.truth[row] for row in chosen],
        classes=answers.classes,
        probabilities=answers.probabilities[rows],
        patients=[answers.patients[row] for row in chosen],
        positive=answers.positive,
        called=None if answers.called is None else answers.called[rows],
        missed=None if answers.missed is None else answers.missed[rows],
    )


def _metrics(answers: Answers, seed: int) -> Metrics:
    """All metrics of the engine, and what acting on the model is worth."""
    found = classification_metrics(answers, rng=np.random.default_rng(seed), level=LEVEL)
    if len(answers.classes) != 2:
        return found
    return found | _calibration(answers, seed) | _net_benefits(answers, seed)


def _calibration(answers: Answers, seed: int) -> Metrics:
    """Calibration of the answers there are: no answer foretells nothing that could be held to."""
    lost = _lost(answers)
    if not lost.any():
        return {}
    given = np.flatnonzero(~lost)
    note = f"; only of the {given.size} cases with an answer, {int(lost.sum())} had none"
    made: dict[str, Callable[[], Estimate]] = {
        "calibration_in_the_large": lambda: in_the_large(_forecast(_rows(answers, given))),
        "calibration_slope": lambda: calibration_line(_forecast(_rows(answers, given))).slope,
        "ece": lambda: expected_calibration_error(
            _forecast(_rows(answers, given)), rng=np.random.default_rng(seed)
        ),
    }
    found = {name: estimated(name, make, n=given.size) for name, make in made.items()}
    return {name: replace(one, method=f"{one.method}{note}") for name, one in found.items()}


def _net_benefits(answers: Answers, seed: int) -> Metrics:
    """Net benefit at some thresholds, and how much more than of acting on everybody."""
    forecast = _forecast(answers)
    everyone = Forecast(
        truth=answers.positives,
        probability=np.ones(len(answers.truth)),
        groups=forecast.groups,
    )
    points = decision_curve(forecast, NET_BENEFIT_AT, rng=np.random.default_rng(seed))
    gains = net_benefit_difference(
        forecast, everyone, NET_BENEFIT_AT, rng=np.random.default_rng(seed)
    )
    found: Metrics = {}
    for point, gain in zip(points, gains, strict=True):
        found[f"net_benefit:{point.threshold:g}"] = point.model
        found[f"net_benefit_over_all:{point.threshold:g}"] = gain.difference
    return {
        name: with_missed(one, _patients(answers), _lost(answers)) for name, one in found.items()
    }


def _area(answers: Answers, seed: int) -> Estimate:
    """The area alone."""
    if len(answers.classes) > 2:
        return multiclass_auc(
            list(answers.truth),
            answers.probabilities,
            classes=answers.classes,
            rng=np.random.default_rng(seed),
            groups=answers.patients,
        )
    if answers.several_a_patient:
        return clustered_auc(answers.positives, answers.score, groups=answers.patients, level=LEVEL)
    return auc(answers.positives, answers.score, level=LEVEL)


def _drawn(answers: Answers, sample: Sample, metrics: Metrics, seed: int) -> tuple[Drawing, ...]:
    """Figures of two classes, or of more."""
    table = confusion_matrix(list(answers.truth), answers.predicted, classes=answers.classes)
    last = figures.confusion(table, sample=sample)
    if len(answers.classes) > 2:
        return _one_against_the_others(answers, sample), last
    truth, score, groups = answers.positives, answers.score, _groups(answers)
    forecast = _forecast(answers)
    rng = np.random.default_rng(seed)
    curve = decision_curve(forecast, _GRID, rng=rng, plan=BANDS)
    return (
        figures.roc(
            roc_curve(truth, score),
            area=metrics["auc"],
            sample=sample,
            band=roc_band(truth, score, rng=rng, groups=groups),
            point=(metrics["sensitivity"], metrics["specificity"]),
        ),
        figures.precision_recall(
            precision_recall_curve(truth, score),
            area=metrics["average_precision"],
            sample=sample,
            band=precision_recall_band(truth, score, rng=rng, groups=groups),
        ),
        *_reliability(answers, sample, metrics),
        figures.decision({"the predictions": curve}, sample=sample),
        last,
    )


def _reliability(answers: Answers, sample: Sample, metrics: Metrics) -> tuple[Drawing, ...]:
    """Reliability curve of the cases with an answer."""
    given = np.flatnonzero(~_lost(answers))
    if not given.size:
        return ()
    forecast = _forecast(_rows(answers, given))
    n = len({answers.patients[row] for row in given.tolist()})
    return (
        figures.reliability(
            reliability_curve(forecast, level=LEVEL),
            probability=forecast.probability,
            sample=replace(sample, n=n, unit="patients with an answer"),
            slope=metrics["calibration_slope"],
        ),
    )


def _one_against_the_others(answers: Answers, sample: Sample) -> Drawing:
    lines = []
    for column, name in enumerate(answers.classes):
        truth = [true == name for true in answers.truth]
        score = answers.probabilities[:, column]
        one = Answers(
            truth=["yes" if true else "no" for true in truth],
            classes=("no", "yes"),
            probabilities=np.stack([1 - score, score], axis=1),
            patients=answers.patients,
            positive="yes",
        )
        area = estimated("auc", partial(_area, one, 0), n=len(truth))
        note = f"AUC {words.estimated(area)}"
        lines.append(Line.of(roc_curve(truth, score), name=name, note=note))
    return figures.rocs(lines, sample=sample, title="Each class against the others")


def _judged(answers: Answers, cohort: Cohort) -> tuple[JudgedCase, ...]:
    lost = _lost(answers)
    return tuple(
        JudgedCase(
            case=case.id,
            patient=case.patient,
            task="classification",
            answered=not lost[row],
            values={name: float(p) for name, p in zip(answers.classes, probabilities, strict=True)},
            truth=answers.truth[row],
        )
        for row, (case, probabilities) in enumerate(
            zip(cohort.cases, answers.probabilities, strict=True)
        )
    )


def _caveats(answers: Answers, settings: Settings) -> tuple[Caveat, ...]:
    found = []
    if len(answers.classes) == 2 and settings.threshold is None:
        text = (
            f"Sensitivity and specificity speak of {answers.positive}, called from a probability "
            "of 0.5 on; a threshold chosen on training patients can be given."
        )
        found.append(Caveat(code="threshold-half", text=text))
    counts = {name: list(answers.truth).count(name) for name in answers.classes}
    rare, n = min(counts.items(), key=lambda item: item[1])
    if n < 10:
        text = f"Only {n} cases are of class {rare}: intervals are wide and may be a little short."
        found.append(Caveat(code="rare-class", text=text))
    return tuple(found)


def _forecast(answers: Answers) -> Forecast:
    probability = np.clip(answers.score, _EDGE, 1 - _EDGE)
    return Forecast(truth=answers.positives, probability=probability, groups=_groups(answers))


def _groups(answers: Answers) -> Sequence[Hashable] | None:
    return answers.patients if answers.several_a_patient else None


def _patients(answers: Answers) -> list[str]:
    return [str(patient) for patient in answers.patients]


def _lost(answers: Answers) -> BoolArray:
    none = np.zeros(len(answers.truth), dtype=bool)
    return none if answers.missed is None else answers.missed
