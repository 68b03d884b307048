"""Every metric of a classifier as its mean over repeats of the folds, with intervals by patient."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import expit

from onkos.arms.joint import (
    Repeats,
    joint_area,
    joint_several_area,
    over_repeats,
    patients_of,
    require_same,
    squared_error,
)
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray, FloatArray
from onkos.stats.bootstrap import bootstrap_mean, bootstrap_table
from onkos.stats.calibration import Forecast, expected_calibration_error
from onkos.stats.calibration.line import logistic_fit
from onkos.stats.classification import Answers
from onkos.stats.intervals import Resampling
from onkos.stats.multiclass import OVERALL, PER_CLASS, Average, matrix_metrics
from onkos.stats.proportions import clustered_proportion
from onkos.stats.ranking import Ranking
from onkos.stats.resampling import Clusters, Multiplicities, Statistic
from onkos.stats.significance import Wald

_EDGE = 1e-6  # log odds need probabilities off 0 and 1 by as much
_TWO = ("average_precision", "ppv", "npv", "odds_ratio", "accuracy", "balanced_accuracy")
_ORDER = (
    "auc",
    "average_precision",
    "calibration_in_the_large",
    "calibration_slope",
    "ece",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "odds_ratio",
    "accuracy",
    "balanced_accuracy",
)


def joint_metrics(
    repeats: Repeats, *, rng: np.random.Generator, level: float = 0.95
) -> dict[str, Estimate]:
    """Judge a classifier by the mean of each metric over repeats, with intervals by patient.

    The metrics are those of :func:`onkos.stats.classification.classification_metrics`. The area
    of two classes has DeLong's joint variance of all repeats (Obuchowski's where patients have
    several cases), calibration the joint sandwich by patient, sensitivity and specificity the
    interval of Rao and Scott; ECE the mean of the ends of its repeats' intervals, as if they
    agreed entirely, so it is too wide rather than too narrow; the others a bootstrap in which a
    patient is drawn with the answers of all repeats. The odds ratio's mean is geometric.

    Parameters
    ----------
    repeats
        What was said in each repeat of the same cases, in the same order.
    rng, level
        Of the bootstrap; of the intervals.
    """
    require_same(repeats)
    two = len(repeats[0].classes) == 2
    found = (_binary if two else _several)(repeats, rng, level)
    found["brier"] = bootstrap_mean(
        squared_error(repeats), groups=repeats[0].patients, rng=rng, level=level
    )
    return {name: over_repeats(estimate, len(repeats)) for name, estimate in found.items()}


def _binary(repeats: Repeats, rng: np.random.Generator, level: float) -> dict[str, Estimate]:
    first = repeats[0]
    calls = np.array([[name == first.positive for name in one.predicted] for one in repeats])
    made: dict[str, Callable[[], Estimate]] = {
        "auc": lambda: joint_area(repeats, level=level),
        "calibration_in_the_large": lambda: _calibrated(repeats, level, sloped=False),
        "calibration_slope": lambda: _calibrated(repeats, level, sloped=True),
        "ece": lambda: _ece(repeats, rng, level),
        "sensitivity": lambda: _share(first, calls, first.positives, level),
        "specificity": lambda: _share(first, ~calls, ~first.positives, level),
    }
    found = {name: _or_undefined(name, make, first, level) for name, make in made.items()}
    if first.positives.all() or not first.positives.any():
        for name in _TWO:
            found[name] = _undefined(name, "there is one class only", first, level)
    else:
        found |= bootstrap_table(
            _binary_statistic(repeats, calls),
            names=_TWO,
            clusters=patients_of(first),
            rng=rng,
            plan=Resampling(level=level),
        )
        found["odds_ratio"] = _exponential(found["odds_ratio"])
    for name, among in (("ppv", calls), ("npv", ~calls)):
        if found[name].low == found[name].high:  # resamples of none but hits say nothing
            hits = first.positives if name == "ppv" else ~first.positives
            found[name] = _pooled(first, np.broadcast_to(hits, calls.shape), among, level)
    return {name: found[name] for name in _ORDER}


def _binary_statistic(repeats: Repeats, calls: AnyArray) -> Statistic:
    """Columns of ``_TWO``, mean over repeats, by how often each case counts."""
    first = repeats[0]
    positive = first.positives
    rankings = [Ranking.of(positive, one.score) for one in repeats]
    cells = [_cells(positive.astype(np.intp), called.astype(np.intp), 2) for called in calls]

    def statistic(weights: Multiplicities) -> FloatArray:
        drawn = weights.astype(np.float64)
        parts = []
        for ranking, cell in zip(rankings, cells, strict=True):
            counts = (drawn @ cell).reshape(-1, 2, 2)
            named = dict(zip(_matrix_names(("no", "yes")), matrix_metrics(counts).T, strict=True))
            ordered = np.ascontiguousarray(weights[:, ranking.order])
            parts.append(
                [
                    ranking.average_precision(ordered),
                    named["PPV: yes"],
                    named["NPV: yes"],
                    _log_odds(counts),
                    named["accuracy"],
                    named["balanced accuracy"],
                ]
            )
        averaged: FloatArray = np.mean(parts, axis=0).T
        return averaged

    return statistic


def _several(repeats: Repeats, rng: np.random.Generator, level: float) -> dict[str, Estimate]:
    first = repeats[0]
    number = {name: k for k, name in enumerate(first.classes)}
    true = np.array([number[name] for name in first.truth], dtype=np.intp)
    said = [np.array([number[name] for name in one.predicted], dtype=np.intp) for one in repeats]
    k = len(number)
    cells = [_cells(true, guessed, k) for guessed in said]

    def statistic(weights: Multiplicities) -> FloatArray:
        drawn = weights.astype(np.float64)
        parts = [matrix_metrics((drawn @ cell).reshape(-1, k, k)) for cell in cells]
        averaged: FloatArray = np.mean(parts, axis=0)
        return averaged

    def area(average: Average) -> Callable[[], Estimate]:
        return lambda: joint_several_area(repeats, average, rng=rng, level=level)

    areas = {"auc": area("hand-till"), "auc_macro": area("macro")}
    found = {name: _or_undefined(name, make, first, level) for name, make in areas.items()}
    table = bootstrap_table(
        statistic,
        names=_matrix_names(first.classes),
        clusters=patients_of(first),
        rng=rng,
        plan=Resampling(level=level),
    )
    return found | {_key(name): one for name, one in table.items()}


def _calibrated(repeats: Repeats, level: float, *, sloped: bool) -> Estimate:
    """Mean intercept (slope 1) or slope; influences of a patient are summed over repeats."""
    first = repeats[0]
    truth = first.positives.astype(np.float64)
    alone = Clusters.of(len(truth))
    values, influence = [], np.zeros(len(truth))
    for one in repeats:
        forecast = Forecast(truth=first.positives, probability=np.clip(one.score, _EDGE, 1 - _EDGE))
        forecast.require_both()
        logits = forecast.logits
        if sloped and np.ptp(logits) == 0:
            raise ContentError("all probabilities of a repeat are equal: no slope exists")
        design = np.column_stack([np.ones_like(logits), logits][: 2 if sloped else 1])
        base = np.zeros_like(logits) if sloped else logits
        beta, bread = logistic_fit(design, truth, alone, offset=base)
        wrong = truth - expit(design @ beta + base)
        values.append(float(beta[-1]))
        influence += (design * wrong[:, None]) @ bread[:, -1] / len(repeats)
    clusters = Clusters.of(len(truth), groups=first.patients)
    sums, n = clusters.sums(influence), clusters.count
    what = "calibration slope" if sloped else "calibration in the large"
    return Wald(
        error=math.sqrt(n / max(1, n - 1) * float((sums**2).sum())),
        n=n,
        level=level,
        method=f"{what}; Wald interval, sandwich variance by patient of all repeats together",
    ).estimate(float(np.mean(values)))


def _ece(repeats: Repeats, rng: np.random.Generator, level: float) -> Estimate:
    groups = list(repeats[0].patients) if repeats[0].several_a_patient else None
    found = [
        expected_calibration_error(
            Forecast(
                truth=repeats[0].positives,
                probability=np.clip(one.score, _EDGE, 1 - _EDGE),
                groups=groups,
            ),
            rng=rng,
            plan=Resampling(level=level),
        )
        for one in repeats
    ]
    value, low, high = (
        float(np.mean([getattr(one, end) for one in found])) for end in ("value", "low", "high")
    )
    method = f"{found[0].method}; mean of the repeats' ends, as if they agreed entirely"
    return replace(found[0], value=value, low=min(low, value), high=max(high, value), method=method)


def _share(first: Answers, hits: AnyArray, among: AnyArray, level: float) -> Estimate:
    """Share of the same cases in every repeat: the pooled share is the mean of the shares."""
    return _pooled(first, hits, np.broadcast_to(among, hits.shape), level)


def _pooled(first: Answers, hits: AnyArray, among: AnyArray, level: float) -> Estimate:
    """Share over all repeats, (repeats, cases) each, a patient's answers counting as one."""
    patients = [first.patients[int(case)] for case in np.nonzero(among)[1]]
    found = clustered_proportion(hits[among], groups=patients, level=level)
    if not patients:
        return found
    return replace(found, method="share of cases; Wilson's interval by patient (Rao and Scott)")


def _exponential(log: Estimate) -> Estimate:
    return replace(log, value=math.exp(log.value), low=math.exp(log.low), high=math.exp(log.high))


def _log_odds(counts: FloatArray) -> FloatArray:
    """Log odds ratio of (resamples, 2, 2); one half is added to all cells where one is empty."""
    cells = counts + 0.5 * (counts == 0).any(axis=(1, 2))[:, None, None]
    logs: FloatArray = (
        np.log(cells[:, 1, 1])
        + np.log(cells[:, 0, 0])
        - np.log(cells[:, 0, 1])
        - np.log(cells[:, 1, 0])
    )
    return logs


def _cells(true: AnyArray, guessed: AnyArray, k: int) -> FloatArray:
    """(cases, classes * classes): 1 in the cell of the confusion matrix a case falls in."""
    cell = np.zeros((len(true), k * k))
    cell[np.arange(len(true)), true * k + guessed] = 1
    return cell


def _matrix_names(classes: Sequence[str]) -> list[str]:
    return [*OVERALL, *(f"{metric}: {name}" for metric in PER_CLASS for name in classes)]


def _key(name: str) -> str:
    metric, _, of = name.partition(": ")
    key = metric.replace(" ", "_").lower()
    return f"{key}:{of}" if of else key


def _or_undefined(name: str, make: Callable[[], Estimate], one: Answers, level: float) -> Estimate:
    try:
        return make()
    except ContentError as error:
        return _undefined(name, str(error), one, level)


def _undefined(name: str, why: str, one: Answers, level: float) -> Estimate:
    n, nan = len(set(one.patients)), math.nan
    method = f"{name} is not defined on these cases: {why}"
    return Estimate(value=nan, low=nan, high=nan, n=n, level=level, method=method)
