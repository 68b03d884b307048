"""Every metric of a classifier as its mean over repeats of the folds, with intervals by patient."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import expit

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.method import Method
from onkos.stats.bootstrap import bootstrap_mean, bootstrap_table
from onkos.stats.calibration import Forecast, expected_calibration_error
from onkos.stats.calibration.line import logistic_fit
from onkos.stats.classification import Answers, accuracy
from onkos.stats.estimates import described
from onkos.stats.intervals import Resampling
from onkos.stats.joint import (
    Repeats,
    over_repeats,
    patients_of,
    require_same,
    squared_error,
)
from onkos.stats.multiclass import (
    OVERALL,
    PER_CLASS,
    class_shares,
    matrix_metrics,
)
from onkos.stats.operating import odds_ratio
from onkos.stats.proportions import share
from onkos.stats.ranking import Ranking
from onkos.stats.resampling import Clusters, Multiplicities, Statistic
from onkos.stats.significance import Wald

Made = Callable[[], Estimate]

_EDGE = 1e-6  # log odds need probabilities off 0 and 1 by as much
_TWO = ("average precision", "balanced accuracy")
_ORDER = (
    "average_precision",
    "calibration_in_the_large",
    "calibration_slope",
    "ece",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "odds_ratio",
    "balanced_accuracy",
)


def joint_metrics(
    repeats: Repeats, *, rng: np.random.Generator, level: float = 0.95
) -> dict[str, Estimate]:
    """Judge a classifier by the mean of each metric over repeats, with intervals by patient.

    The metrics are those of :func:`onkos.stats.classification.classification_metrics`. The area
    of two classes has DeLong's joint variance of all repeats (Obuchowski's where patients have
    several cases), calibration the joint sandwich by patient. Shares of cases, of a class or of
    calls (accuracy, sensitivity, PPV), the odds ratio (a geometric mean) and ECE have the mean of
    the ends of their repeats' intervals, as if the repeats agreed entirely: too wide rather than
    too narrow.
    The others have a bootstrap in which a patient is drawn with the answers of all repeats.

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
    found["accuracy"] = _ends([accuracy(one, level) for one in repeats])
    found["brier"] = bootstrap_mean(
        squared_error(repeats), groups=repeats[0].patients, rng=rng, level=level
    )
    return {name: over_repeats(estimate, len(repeats)) for name, estimate in found.items()}


def _binary(repeats: Repeats, rng: np.random.Generator, level: float) -> dict[str, Estimate]:
    first = repeats[0]
    truth = first.positives
    groups = list(first.patients) if first.several_a_patient else None
    calls = [np.array([name == first.positive for name in one.predicted]) for one in repeats]

    def shares(hits: Callable[[AnyArray], AnyArray], among: Callable[[AnyArray], AnyArray]) -> Made:
        return lambda: _ends(
            [share(hits(called), among(called), groups=groups, level=level) for called in calls]
        )

    made: dict[str, Made] = {
        "calibration_in_the_large": lambda: _calibrated(repeats, level, sloped=False),
        "calibration_slope": lambda: _calibrated(repeats, level, sloped=True),
        "ece": lambda: _ends([_ece(one, groups, rng, level) for one in repeats]),
        "sensitivity": shares(lambda called: called, lambda _called: truth),
        "specificity": shares(lambda called: ~called, lambda _called: ~truth),
        "ppv": shares(lambda _called: truth, lambda called: called),
        "npv": shares(lambda _called: ~truth, lambda called: ~called),
        "odds_ratio": lambda: _ends(
            [odds_ratio(truth, called, groups=groups, level=level) for called in calls], log=True
        ),
    }
    found = {name: _or_undefined(name, make, first, level) for name, make in made.items()}
    table = bootstrap_table(
        _binary_statistic(repeats, calls),
        names=_TWO,
        clusters=patients_of(first),
        rng=rng,
        plan=Resampling(level=level),
    )
    found |= {_key(name): one for name, one in table.items()}
    return {name: found[name] for name in _ORDER}


def _binary_statistic(repeats: Repeats, calls: Sequence[AnyArray]) -> Statistic:
    """Columns of ``_TWO``, mean over repeats, by how often each case counts."""
    positive = repeats[0].positives
    rankings = [Ranking.of(positive, one.score) for one in repeats]
    cells = [_cells(positive.astype(np.intp), called.astype(np.intp), 2) for called in calls]
    balanced = OVERALL.index(_TWO[1])

    def statistic(weights: Multiplicities) -> FloatArray:
        drawn = weights.astype(np.float64)
        parts = []
        for ranking, cell in zip(rankings, cells, strict=True):
            table = matrix_metrics((drawn @ cell).reshape(-1, 2, 2))
            ordered = np.ascontiguousarray(weights[:, ranking.order])
            precise = ranking.average_precision(ordered)
            parts.append([precise, table[:, balanced]])
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

    found: dict[str, Estimate] = {}
    table = bootstrap_table(
        statistic,
        names=_matrix_names(first.classes),
        clusters=patients_of(first),
        rng=rng,
        plan=Resampling(level=level),
    )
    found |= {_key(name): one for name, one in table.items()}
    groups = list(first.patients) if first.several_a_patient else None
    shares = [class_shares(true, guessed, k, groups=groups, level=level) for guessed in said]
    for metric, code in shares[0]:
        name = f"{metric.lower()}:{first.classes[code]}"
        if not math.isnan(found[name].value):
            found[name] = _ends([one[metric, code] for one in shares])
    return found


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
        method=Method(
            what=what, by="Wald interval, sandwich variance by patient of all repeats together"
        ),
    ).estimate(float(np.mean(values)))


def _ece(
    one: Answers, groups: Sequence[Hashable] | None, rng: np.random.Generator, level: float
) -> Estimate:
    probability = np.clip(one.score, _EDGE, 1 - _EDGE)
    forecast = Forecast(truth=one.positives, probability=probability, groups=groups)
    return expected_calibration_error(forecast, rng=rng, plan=Resampling(level=level))


def _ends(found: Sequence[Estimate], *, log: bool = False) -> Estimate:
    """Mean of the values and of the ends of intervals, on the scale of logarithms if asked.

    NaN where a repeat does not define it; ``n`` is the least of the repeats.
    """
    table = np.array([[one.value, one.low, one.high] for one in found])
    value, low, high = np.exp(np.log(table).mean(axis=0)) if log else table.mean(axis=0)
    known = described(found[0].method)
    note = "mean of the ends of the repeats' intervals, as if they agreed entirely"
    n = min(one.n for one in found)
    return replace(
        found[0],
        value=float(value),
        low=min(float(low), float(value)),
        high=max(float(high), float(value)),
        n=n,
        method=replace(known, share=None, notes=(*known.notes, note)),
    )


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


def _or_undefined(name: str, make: Made, one: Answers, level: float) -> Estimate:
    try:
        return make()
    except ContentError as error:
        return _undefined(name, str(error), one, level)


def _undefined(name: str, why: str, one: Answers, level: float) -> Estimate:
    n, nan = len(set(one.patients)), math.nan
    method = Method(what=name, undefined=why)
    return Estimate(value=nan, low=nan, high=nan, n=n, level=level, method=method)
