"""The precision-recall curve and average precision."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.bootstrap import bootstrap_weighted
from onkos.stats.intervals import DEFAULT, Resampling
from onkos.stats.ranking import BoolArray, Ranking, by_class, classes, difference_of, ranked
from onkos.stats.roc import roc_curve


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionRecallCurve:
    """Precision and recall at each threshold, one a distinct score, descending.

    Parameters
    ----------
    precision, recall, thresholds
        A case is called diseased at or above the threshold; shape (points,).
    prevalence
        Share of diseased cases: the precision of a test that says nothing.
    """

    precision: FloatArray
    recall: FloatArray
    thresholds: FloatArray
    prevalence: float


def precision_recall_curve(truth: ArrayLike, scores: ArrayLike) -> PrecisionRecallCurve:
    """Empirical precision-recall curve.

    Points must not be joined by straight lines (Davis and Goadrich): precision is not linear in
    recall.

    Raises
    ------
    ContentError
        If a score is NaN, shapes do not fit, or there is one class only.

    References
    ----------
    Davis J, Goadrich M. The relationship between precision-recall and ROC curves. ICML
    2006:233-240. doi:10.1145/1143844.1143874
    """
    curve = roc_curve(truth, scores)
    hits = curve.true_positive_rate[1:] * curve.positives
    alarms = curve.false_positive_rate[1:] * curve.negatives
    return PrecisionRecallCurve(
        precision=hits / (hits + alarms),
        recall=curve.true_positive_rate[1:],
        thresholds=curve.thresholds[1:],
        prevalence=curve.positives / (curve.positives + curve.negatives),
    )


def average_precision(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Average precision (steps, not interpolated), with a bootstrap interval by patient.

    It depends on how common the disease is among the cases; resamples keep that as it is.

    Parameters
    ----------
    truth, scores
        One a case, shape (cases,).
    groups
        Patient of each case; each case is a patient where not given.

    Raises
    ------
    ContentError
        As :func:`precision_recall_curve`.
    """
    ranking, clusters = ranked(truth, scores, groups)
    return bootstrap_weighted(
        ranking.average_precision,
        clusters=clusters,
        rng=rng,
        plan=plan,
        what=Method(what="average precision", notes=_prevalence(ranking.positive)),
    )


def average_precision_difference(
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """First minus second average precision on the same cases; see :func:`average_precision`."""
    positive = classes(truth)
    return bootstrap_weighted(
        difference_of(Ranking.average_precision, positive, first, second),
        clusters=by_class(positive, groups),
        rng=rng,
        plan=plan,
        what=Method(what="difference of average precisions", notes=_prevalence(positive)),
    )


def _prevalence(positive: BoolArray) -> tuple[str, ...]:
    return (f"at a prevalence of {positive.mean():.3g}",)
