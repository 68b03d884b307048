"""Means over repeats of the folds, with the variance of patients who stand in all of them.

All predictions of a patient, of whatever repeat, are drawn or left out together: a repeat shows
what the draw of the folds does, it is no second sample of patients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.judgement import Spread
from onkos.stats.bootstrap import bootstrap_weighted
from onkos.stats.classification import Answers
from onkos.stats.clustered import clustered_covariance
from onkos.stats.delong import Components, Scale, auc_interval, components, newcombe_interval
from onkos.stats.intervals import Resampling
from onkos.stats.multiclass import Average, ranked_areas
from onkos.stats.resampling import Clusters, Multiplicities, Statistic, replicates
from onkos.stats.significance import SignificanceTest, Wald

Repeats = Sequence[Answers]

_RESAMPLES = 2000  # for a standard error


def joint_means(
    values: FloatArray,
    *,
    patients: Sequence[str],
    rng: np.random.Generator,
    level: float,
    missed: int,
) -> Estimate:
    """Mean over repeats of the mean over cases, patients resampled.

    Parameters
    ----------
    values
        (repeats, cases), NaN where a repeat does not define the metric of a case.
    patients
        Patient of each case.
    missed
        Passed on.
    """
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)

    def mean(weights: Multiplicities) -> FloatArray:
        drawn = weights.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            averaged: FloatArray = ((drawn @ filled.T) / (drawn @ known.T)).mean(axis=1)
        return averaged

    found = bootstrap_weighted(
        mean,
        clusters=Clusters.of(len(patients), groups=patients),
        rng=rng,
        plan=Resampling(interval="percentile", level=level),
        what=f"mean over {len(patients)} cases",
    )
    return replace(over_repeats(found, len(values)), missed=missed)


def joint_area(repeats: Repeats, *, level: float, scale: Scale = "logit") -> Estimate:
    """Mean of the areas of two classes over repeats, with the variance of all together.

    Raises
    ------
    ContentError
        If there is one class only, or fewer than two patients of one.
    """
    found, covariance = _areas(repeats, repeats)
    count = len(repeats)
    value, variance = float(found.auc[:count].mean()), float(covariance[:count, :count].mean())
    first = repeats[0]
    m, n = len(found.positive_cases), len(found.negative_cases)
    patients = len(set(first.patients))
    what = f"AUC, {m} diseased and {n} other cases"
    if variance <= 0 or not 0 < value < 1:
        low, high, how = 0.0, 1.0, "so nothing is known of other patients"
        if not first.several_a_patient:
            low, high = newcombe_interval(value, positives=m, negatives=n, level=level)
            how = "Newcombe's interval"
        method = f"{what}; no variance between patients, {how}"
    else:
        low, high = auc_interval(value, math.sqrt(variance), level=level, scale=scale)
        method = f"{what}; {_variance(first)}, {scale} interval"
    return Estimate(value=value, low=low, high=high, n=patients, level=level, method=method)


def joint_area_test(a: Repeats, b: Repeats, *, level: float) -> SignificanceTest:
    """Test the difference of two arms' mean areas on the same cases and repeats.

    Raises
    ------
    ContentError
        As :func:`joint_area`; if areas differ with no variance.
    """
    found, covariance = _areas(a, b)
    contrast = np.repeat([1.0 / len(a), -1.0 / len(b)], [len(a), len(b)])
    how = Wald(
        error=math.sqrt(max(0.0, float(contrast @ covariance @ contrast))),
        n=len(set(a[0].patients)),
        level=level,
        method=(
            f"difference of AUCs on the same patients, each the mean over {len(a)} repeats of the "
            f"folds; {_variance(a[0])}"
        ),
    )
    return how.test(float(contrast @ found.auc))


def joint_several_area(
    repeats: Repeats, average: Average, *, rng: np.random.Generator, level: float
) -> Estimate:
    """Mean over repeats of the area of several classes, patients resampled.

    Raises
    ------
    ContentError
        If a class does not occur.
    """
    first = repeats[0]
    return bootstrap_weighted(
        _several_areas(repeats, average),
        clusters=patients_of(first),
        rng=rng,
        plan=Resampling(level=level),
        what=f"AUC of {len(first.classes)} classes, {average}, {len(first.truth)} cases",
    )


def joint_several_area_test(
    a: Repeats, b: Repeats, *, rng: np.random.Generator, level: float
) -> SignificanceTest:
    """Test the difference of two arms' mean areas of several classes (Hand and Till's).

    Its standard error is that of a bootstrap in which patients are drawn with the answers of
    both arms in all repeats.

    Raises
    ------
    ContentError
        If a class does not occur, or areas differ with no variance.
    """
    require_same([*a, *b])
    first = a[0]
    mine, theirs = (_several_areas(repeats, "hand-till") for repeats in (a, b))

    def apart(weights: Multiplicities) -> FloatArray:
        return mine(weights) - theirs(weights)

    clusters = patients_of(first)
    drawn = replicates(apart, clusters=clusters, resamples=_RESAMPLES, rng=rng)
    how = Wald(
        error=float(drawn.std(ddof=1)),
        n=clusters.count,
        level=level,
        method=(
            f"difference of AUCs of {len(first.classes)} classes on the same patients, each the "
            f"mean over {len(a)} repeats of the folds; standard error of {_RESAMPLES} bootstrap "
            "resamples by patient"
        ),
    )
    once = np.ones((1, len(first.truth)), dtype=np.int32)
    return how.test(float(apart(once)[0]))


def squared_error(repeats: Repeats) -> FloatArray:
    """(cases,): squared error of the probabilities, mean over the repeats."""
    averaged: FloatArray = np.mean([one.squared_error for one in repeats], axis=0)
    return averaged


def spread(values: Sequence[float]) -> Spread:
    """Describe a metric's values of several repeats."""
    return Spread(
        values=tuple(float(value) for value in values),
        sd=float(np.std(values, ddof=1)),
        low=float(np.min(values)),
        high=float(np.max(values)),
    )


def areas_by_repeat(repeats: Repeats) -> list[float]:
    """Area of each repeat by itself; NaN where these cases do not define one."""
    try:
        if len(repeats[0].classes) == 2:
            scores = np.stack([one.score for one in repeats])
            return [float(area) for area in components(repeats[0].positives, scores).auc]
        once = np.ones((1, len(repeats[0].truth)), dtype=np.int32)
        return [float(_several_areas([one], "hand-till")(once)[0]) for one in repeats]
    except ContentError:
        return [math.nan] * len(repeats)


def patients_of(one: Answers) -> Clusters:
    """Patients, in strata by which classes their cases have."""
    classes: dict[object, set[str]] = {}
    for patient, truth in zip(one.patients, one.truth, strict=True):
        classes.setdefault(patient, set()).add(truth)
    strata = [tuple(sorted(classes[patient])) for patient in one.patients]
    return Clusters.of(len(one.truth), groups=one.patients, strata=strata)


def require_same(repeats: Repeats) -> None:
    """Refuse repeats that do not hold the same cases in the same order."""
    first = repeats[0]
    for one in repeats:
        if list(one.patients) != list(first.patients) or list(one.truth) != list(first.truth):
            raise ContentError("repeats of other cases, or in another order; expected the same")


def over_repeats(estimate: Estimate, repeats: int) -> Estimate:
    """Say in the method that it is a mean over repeats."""
    return replace(estimate, method=f"{estimate.method}; mean over {repeats} repeats of the folds")


def _areas(a: Repeats, b: Repeats) -> tuple[Components, FloatArray]:
    """Areas of all repeats of two arms, and their covariance."""
    require_same([*a, *b])
    first = a[0]
    found = components(first.positives, np.stack([one.score for one in (*a, *b)]))
    if first.several_a_patient:
        return found, clustered_covariance(found, first.patients)
    return found, found.covariance()


def _variance(one: Answers) -> str:
    if one.several_a_patient:
        return "Obuchowski's clustered variance of all repeats together"
    return "DeLong's variance of all repeats together"


def _several_areas(repeats: Repeats, average: Average) -> Statistic:
    first = repeats[0]
    number = {name: k for k, name in enumerate(first.classes)}
    true = np.array([number[name] for name in first.truth], dtype=np.intp)
    absent = sorted(set(first.classes) - set(first.truth))
    if absent:
        raise ContentError(f"classes {absent} do not occur in the truth; leave them out")
    areas = [
        one
        for each in repeats
        for one in ranked_areas(true, np.ascontiguousarray(each.probabilities.T), average)
    ]

    def mean(weights: Multiplicities) -> FloatArray:
        each = [ranking.auc(np.ascontiguousarray(weights[:, rows])) for ranking, rows in areas]
        averaged: FloatArray = np.mean(each, axis=0)
        return averaged

    return mean
