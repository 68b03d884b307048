"""The empirical ROC curve, its area or part of it, and readings at a point, with intervals."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.stats.bootstrap import bootstrap_weighted
from onkos.stats.delong import Components, auc, components, paired_components
from onkos.stats.intervals import DEFAULT, Resampling
from onkos.stats.ranking import Ranking, by_class, classes, difference_of, ranked, rated
from onkos.stats.resampling import Clusters, Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class RocCurve:
    """Operating points of an empirical ROC curve, from (0, 0) to (1, 1).

    Parameters
    ----------
    false_positive_rate, true_positive_rate
        One a threshold, shape (points,); straight lines join them.
    thresholds
        A case is called diseased at or above it; descending, the first is infinite.
    positives, negatives
        How many diseased and other cases.
    """

    false_positive_rate: FloatArray
    true_positive_rate: FloatArray
    thresholds: FloatArray
    positives: int
    negatives: int

    @property
    def area(self) -> float:
        """Area under the curve (trapezoids; the Mann-Whitney statistic)."""
        return float(np.trapezoid(self.true_positive_rate, self.false_positive_rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Part of the ROC square that matters.

    Parameters
    ----------
    axis
        "specificity": the area under the curve between two specificities. "sensitivity": the
        area left over between two sensitivities, specificity being integrated.
    low, high
        The limits, 0 <= low < high <= 1.
    standardised
        McClish's: 0.5 for a test that says nothing, 1 for a perfect one.

    References
    ----------
    McClish DK. Analyzing a portion of the ROC curve. Med Decis Making 1989;9:190-195.
    doi:10.1177/0272989X8900900307
    """

    axis: Literal["specificity", "sensitivity"]
    low: float
    high: float = 1.0
    standardised: bool = False

    def __post_init__(self) -> None:
        if self.axis not in ("specificity", "sensitivity"):
            raise UsageError(f"axis {self.axis!r}: expected 'specificity' or 'sensitivity'")
        if not 0 <= self.low < self.high <= 1:
            raise UsageError(
                f"{self.axis} {self.low} to {self.high}: expected 0 <= low < high <= 1"
            )

    def scaled(self, area: FloatArray) -> FloatArray:
        """Standardise areas where asked for."""
        if not self.standardised:
            return area
        least = ((1 - self.low) ** 2 - (1 - self.high) ** 2) / 2
        share: FloatArray = (1 + (area - least) / (self.high - self.low - least)) / 2
        return share


def roc_curve(truth: ArrayLike, scores: ArrayLike) -> RocCurve:
    """Empirical ROC curve, one point a distinct score.

    Parameters
    ----------
    truth
        1 or True where diseased, shape (cases,).
    scores
        Higher means more likely diseased, shape (cases,).

    Raises
    ------
    ContentError
        If a score is NaN, shapes do not fit, or there is one class only.
    """
    positive = classes(truth)
    values = rated(scores, cases=len(positive)).ravel()
    ranking = Ranking.of(positive, values)
    ends = np.flatnonzero(np.append(True, ranking.last[:-1]))[::-1]
    hits = np.cumsum(ranking.positive[::-1])[len(positive) - 1 - ends]
    alarms = np.cumsum(~ranking.positive[::-1])[len(positive) - 1 - ends]
    return RocCurve(
        false_positive_rate=np.append(0.0, alarms / alarms[-1]),
        true_positive_rate=np.append(0.0, hits / hits[-1]),
        thresholds=np.append(np.inf, values[ranking.order[ends]]),
        positives=int(hits[-1]),
        negatives=int(alarms[-1]),
    )


def bootstrap_auc(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Area under the ROC curve with a bootstrap interval by patient, stratified by class.

    Cases are sorted once; each resample is one linear pass. Complete separation, where all
    resamples agree, gives the interval of :func:`onkos.stats.delong.auc`.

    Parameters
    ----------
    truth, scores
        One a case, shape (cases,).
    groups
        Patient of each case; each case is a patient where not given.

    Raises
    ------
    ContentError
        As :func:`roc_curve`.
    """
    positive = classes(truth)
    values = rated(scores, cases=len(positive)).ravel()
    found = components(positive, values)
    if groups is None and float(found.auc[0]) in (0.0, 1.0):
        return auc(positive, values, level=plan.level)
    ranking = Ranking.of(positive, values)
    clusters = by_class(positive, groups)
    return bootstrap_weighted(
        ranking.auc,
        clusters=clusters.take(ranking.order),
        rng=rng,
        plan=plan,
        what=f"AUC over {len(positive)} cases",
        influence=auc_influence(found, clusters, curve=0),
    )


def bootstrap_auc_difference(
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """First minus second area on the same cases, with a bootstrap interval by patient.

    Raises
    ------
    ContentError
        As :func:`roc_curve`.
    """
    positive = classes(truth)
    clusters = by_class(positive, groups)
    found = paired_components(truth, first, second)
    influence = auc_influence(found, clusters, curve=0) - auc_influence(found, clusters, curve=1)
    return bootstrap_weighted(
        difference_of(Ranking.auc, positive, first, second),
        clusters=clusters,
        rng=rng,
        plan=plan,
        what=f"difference of AUCs over the same {len(positive)} cases",
        influence=influence,
    )


def partial_auc(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    region: Region,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Area under the part of the ROC curve that matters, with a bootstrap interval by patient.

    Parameters
    ----------
    region
        Which part, e.g. ``Region(axis="specificity", low=0.9)``.

    Raises
    ------
    ContentError
        As :func:`roc_curve`.
    """
    ranking, clusters = ranked(truth, scores, groups, mirrored=region.axis == "sensitivity")
    limits = 1 - region.high, 1 - region.low
    kind = "standardised partial AUC" if region.standardised else "partial AUC"
    return bootstrap_weighted(
        lambda weights: region.scaled(ranking.partial_area(weights, *limits)),
        clusters=clusters,
        rng=rng,
        plan=plan,
        what=f"{kind}, {region.axis} {region.low:g} to {region.high:g}",
    )


def sensitivity_at(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    specificity: float,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Sensitivity where the curve has a given specificity, with a bootstrap interval by patient.

    Between operating points the curve is straight; on a vertical step the upper end counts. The
    interval takes in that the threshold was found on the same cases; for a threshold fixed
    beforehand see :mod:`onkos.stats.operating`.

    Raises
    ------
    ContentError
        As :func:`roc_curve`.
    """
    ranking, clusters = ranked(truth, scores, groups)
    return bootstrap_weighted(
        _height(ranking, specificity),
        clusters=clusters,
        rng=rng,
        plan=plan,
        what=f"sensitivity at specificity {specificity:g}",
    )


def specificity_at(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    sensitivity: float,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Specificity where the curve has a given sensitivity; see :func:`sensitivity_at`."""
    ranking, clusters = ranked(truth, scores, groups, mirrored=True)
    return bootstrap_weighted(
        _height(ranking, sensitivity),
        clusters=clusters,
        rng=rng,
        plan=plan,
        what=f"specificity at sensitivity {sensitivity:g}",
    )


def auc_influence(found: Components, clusters: Clusters, *, curve: int) -> FloatArray:
    """Influence of each patient on an area, from the structural components; (patients,)."""
    area = found.auc[curve]
    share = np.zeros(found.cases)
    share[found.positive_cases] = (found.positive[curve] - area) / len(found.positive_cases)
    share[found.negative_cases] = (found.negative[curve] - area) / len(found.negative_cases)
    total = clusters.sums(share)
    layer = clusters.stratum
    centre = np.bincount(layer, weights=total) / clusters.strata
    influence: FloatArray = (total - centre[layer]) * clusters.strata[layer]
    return influence


def _height(ranking: Ranking, known: float) -> Statistic:
    """Sensitivity where the specificity is known; the reverse of a mirrored ranking."""
    if not 0 <= known <= 1:
        raise UsageError(f"{known}: expected a sensitivity or specificity between 0 and 1")
    at = np.array([1 - known])
    return lambda weights: ranking.heights(weights, at)[:, 0]
