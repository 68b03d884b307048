"""Cases ranked by score, and the ROC and precision-recall statistics of resamples of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.resampling import Clusters, IntArray, Multiplicities, Statistic

BoolArray = NDArray[np.bool_]


def classes(truth: ArrayLike) -> BoolArray:
    """Check a truth of one entry a case, True or 1 where diseased, shape (cases,).

    Raises
    ------
    ContentError
        If it is empty, not 0 or 1, or of one class only.
    """
    given = np.asarray(truth)
    if given.ndim != 1 or given.size == 0:
        raise ContentError(f"truth of shape {given.shape}; expected one entry a case, (cases,)")
    if not (given.dtype == bool or np.isin(given, (0, 1)).all()):
        found = sorted({str(value) for value in given.tolist()})[:5]
        raise ContentError(f"truth holds {found}; expected 0 (not diseased) and 1 (diseased) only")
    positive: BoolArray = given.astype(bool)
    if positive.all() or not positive.any():
        only = "diseased" if positive.all() else "not diseased"
        raise ContentError(
            f"all {len(positive)} cases are {only}; a ROC analysis needs cases of both classes"
        )
    return positive


def rated(scores: ArrayLike, *, cases: int) -> FloatArray:
    """Check scores, one a case along the last axis; infinite ones are allowed, NaN is not."""
    given = np.asarray(scores, dtype=np.float64)
    if given.ndim == 0 or given.shape[-1] != cases:
        raise ContentError(f"scores of shape {given.shape} for {cases} cases; expected one a case")
    if np.isnan(given).any():
        where = np.flatnonzero(np.isnan(given).reshape(-1, cases).any(axis=0))
        raise ContentError(
            f"scores of {len(where)} cases are NaN, first at {where[:5].tolist()}; say what an "
            "unread case scores (minus infinity, say) instead of dropping it"
        )
    return given


def by_class(positive: BoolArray, groups: Sequence[Hashable] | None) -> Clusters:
    """Patients in strata by which classes their cases have: resamples keep both classes."""
    if groups is None:
        return Clusters.of(len(positive), strata=positive.tolist())
    plain = Clusters.of(len(positive), groups=groups)
    some_positive = plain.sums(positive.astype(np.float64)) > 0
    some_negative = plain.sums((~positive).astype(np.float64)) > 0
    kind = some_positive + 2 * some_negative
    return Clusters.of(len(positive), groups=groups, strata=kind[plain.of_case].tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Cases in ascending order of score.

    Parameters
    ----------
    order
        Number of the case at each place.
    positive
        Whether the case at each place is diseased.
    last
        Whether it is the last of those with its score.
    """

    order: IntArray
    positive: BoolArray
    last: BoolArray

    @classmethod
    def of(cls, positive: BoolArray, scores: FloatArray) -> Ranking:
        """Sort cases by score."""
        order = np.argsort(scores, kind="stable")
        sorted_scores = scores[order]
        last = np.append(sorted_scores[1:] != sorted_scores[:-1], True)
        return cls(order=order, positive=positive[order], last=last)

    def mirrored(self) -> Ranking:
        """Same cases with classes and direction turned round: specificity against 1 - sensitivity.

        The curve of the mirrored ranking has the area of this one.
        """
        last = np.append(self.last[:-1][::-1], True)
        return Ranking(
            order=self.order[::-1].copy(), positive=~self.positive[::-1], last=last.copy()
        )

    def auc(self, weights: Multiplicities) -> FloatArray:
        """Area under the empirical ROC curve, ties counted one half; shape (resamples,).

        One linear pass a resample. ``weights``, shape (resamples, cases), are in the order of
        this ranking, as in the other methods. NaN where a class has no weight.
        """
        out = np.empty(len(weights))
        _auc(weights, self.positive, self.last, out)
        return out

    def partial_area(self, weights: Multiplicities, low: float, high: float) -> FloatArray:
        """Area under the curve between two false positive rates; shape (resamples,)."""
        out = np.empty(len(weights))
        _partial_area(weights, self.positive, self.last, (low, high), out)
        return out

    def heights(self, weights: Multiplicities, at: FloatArray) -> FloatArray:
        """True positive rate at ascending false positive rates; (resamples, rates).

        The upper end of a vertical step.
        """
        out = np.full((len(weights), len(at)), np.nan)
        _heights(weights, self.positive, self.last, at, out)
        return out

    def precisions(self, weights: Multiplicities, at: FloatArray) -> FloatArray:
        """Precision at ascending recalls; (resamples, recalls).

        That of the strictest threshold which reaches the recall.
        """
        out = np.full((len(weights), len(at)), np.nan)
        _precisions(weights, self.positive, self.last, at, out)
        return out

    def average_precision(self, weights: Multiplicities) -> FloatArray:
        """Precision averaged over the steps of recall; shape (resamples,)."""
        out = np.empty(len(weights))
        _average_precision(weights, self.positive, self.last, out)
        return out


def ranked(
    truth: ArrayLike,
    scores: ArrayLike,
    groups: Sequence[Hashable] | None,
    *,
    mirrored: bool = False,
) -> tuple[Ranking, Clusters]:
    """Rank cases by score, with the patients to resample in the order of the ranking.

    Parameters
    ----------
    truth, scores, groups
        One a case; the patient of each case may be None.
    mirrored
        Turn classes and direction round, see :meth:`Ranking.mirrored`.

    Raises
    ------
    ContentError
        As :func:`classes` and :func:`rated`.
    """
    positive = classes(truth)
    ranking = Ranking.of(positive, rated(scores, cases=len(positive)).ravel())
    if mirrored:
        ranking = ranking.mirrored()
    return ranking, by_class(positive, groups).take(ranking.order)


def difference_of(
    statistic: Callable[[Ranking, Multiplicities], FloatArray],
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
) -> Statistic:
    """First minus second of a statistic of ranked cases, as a function of multiplicities."""
    positive = classes(truth)
    a, b = (
        Ranking.of(positive, rated(scores, cases=len(positive)).ravel())
        for scores in (first, second)
    )

    def difference(weights: Multiplicities) -> FloatArray:
        gap: FloatArray = statistic(a, weights[:, a.order]) - statistic(b, weights[:, b.order])
        return gap

    return difference


@njit(cache=True, nogil=True)
def _auc(weights: Multiplicities, positive: BoolArray, last: BoolArray, out: FloatArray) -> None:
    for row in range(weights.shape[0]):
        counts = weights[row]
        negatives = positives = tied_negatives = tied_positives = twice = 0
        for place in range(counts.size):
            count = int(counts[place])
            if positive[place]:
                tied_positives += count
            else:
                tied_negatives += count
            if last[place]:
                twice += tied_positives * (2 * negatives + tied_negatives)
                negatives += tied_negatives
                positives += tied_positives
                tied_negatives = tied_positives = 0
        pairs = 2 * negatives * positives
        out[row] = twice / pairs if pairs > 0 else np.nan


@njit(cache=True, nogil=True)
def _points(
    counts: Multiplicities, positive: BoolArray, last: BoolArray, points: IntArray
) -> tuple[int, int, int]:
    """Cases without and with disease at or above each distinct score, the highest first.

    They are written into the rows of ``points``; returns how many there are, and all cases
    without and with disease.
    """
    number = alarms = hits = 0
    for place in range(counts.size - 1, -1, -1):
        if positive[place]:
            hits += int(counts[place])
        else:
            alarms += int(counts[place])
        if place == 0 or last[place - 1]:
            points[number, 0], points[number, 1] = alarms, hits
            number += 1
    return number, alarms, hits


@njit(cache=True, nogil=True)
def _partial_area(
    weights: Multiplicities,
    positive: BoolArray,
    last: BoolArray,
    limits: tuple[float, float],
    out: FloatArray,
) -> None:
    low, high = limits
    points = np.empty((positive.size, 2), dtype=np.int64)
    for row in range(weights.shape[0]):
        number, negatives, positives = _points(weights[row], positive, last, points)
        out[row] = np.nan
        if negatives == 0 or positives == 0:
            continue
        x, y, area = 0.0, 0.0, 0.0
        for point in range(number):
            right, up = points[point, 0] / negatives, points[point, 1] / positives
            start, stop = max(x, low), min(right, high)
            if stop > start:
                slope = (up - y) / (right - x)
                area += (stop - start) * (y + slope * ((start + stop) / 2 - x))
            x, y = right, up
        out[row] = area


@njit(cache=True, nogil=True)
def _heights(
    weights: Multiplicities, positive: BoolArray, last: BoolArray, at: FloatArray, out: FloatArray
) -> None:
    points = np.empty((positive.size, 2), dtype=np.int64)
    for row in range(weights.shape[0]):
        number, negatives, positives = _points(weights[row], positive, last, points)
        if negatives == 0 or positives == 0:
            continue
        x, y, k = 0.0, 0.0, 0
        for point in range(number):
            right, up = points[point, 0] / negatives, points[point, 1] / positives
            while k < at.size and right > at[k] + 1e-12:
                out[row, k] = y + (up - y) * max(0.0, at[k] - x) / (right - x)
                k += 1
            x, y = right, up
        out[row, k:] = y


@njit(cache=True, nogil=True)
def _precisions(
    weights: Multiplicities, positive: BoolArray, last: BoolArray, at: FloatArray, out: FloatArray
) -> None:
    points = np.empty((positive.size, 2), dtype=np.int64)
    for row in range(weights.shape[0]):
        number, _, positives = _points(weights[row], positive, last, points)
        k = 0
        for point in range(number):
            alarms, hits = points[point]
            while k < at.size and hits > 0 and hits / positives >= at[k] - 1e-12:
                out[row, k] = hits / (hits + alarms)
                k += 1


@njit(cache=True, nogil=True)
def _average_precision(
    weights: Multiplicities, positive: BoolArray, last: BoolArray, out: FloatArray
) -> None:
    points = np.empty((positive.size, 2), dtype=np.int64)
    for row in range(weights.shape[0]):
        number, _, positives = _points(weights[row], positive, last, points)
        total, before = 0.0, 0
        for point in range(number):
            alarms, hits = points[point]
            if hits > before:
                total += (hits - before) * (hits / (hits + alarms))
            before = hits
        out[row] = total / positives if positives > 0 else np.nan
