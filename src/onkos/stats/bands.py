"""Confidence bands of ROC, precision-recall and FROC curves."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.froc import froc_curve, sensitivity_at
from onkos.stats.intervals import Draws, Resampling
from onkos.stats.marks import Marks
from onkos.stats.proportions import wilson
from onkos.stats.ranking import ranked

BANDS = Resampling(resamples=2000, interval="percentile")
ROC_GRID = np.linspace(0.0, 1.0, 101)
RECALL_GRID = np.linspace(0.01, 1.0, 100)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """A curve read at fixed places, with an interval at each.

    Parameters
    ----------
    at
        False positive rate, recall or false marks a case, ascending, shape (places,).
    value, low, high
        Height of the curve and its interval there, shape (places,).
    n
        Patients.
    level
        Confidence level: of each interval by itself, or of the whole curve.
    simultaneous
        Whether the whole curve lies within with that confidence, not only each point.
    method
        What the height is, and how the band was made.
    """

    at: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    n: int
    level: float
    simultaneous: bool
    method: Method


def roc_band(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    plan: Resampling = BANDS,
    simultaneous: bool = False,
) -> Band:
    """Sensitivity over false positive rates 0, 0.01, ... 1, with a band by patient.

    Parameters
    ----------
    truth, scores
        One a case, shape (cases,).
    groups
        Patient of each case; each case is a patient where not given.
    plan
        How many resamples and which level; bands are percentiles, widened for few patients.
    simultaneous
        False: an interval at each point. True: a band that holds the whole curve; its half width
        in standard deviations is a quantile of the largest deviation of resampled curves (sup-t).

    Raises
    ------
    ContentError
        If a score is NaN, shapes do not fit, or there is one class only.

    References
    ----------
    Montiel Olea JL, Plagborg-Moller M. Simultaneous confidence bands: theory, implementation,
    and an application to SVARs. J Appl Econom 2019;34:1-17. doi:10.1002/jae.2656
    """
    ranking, clusters = ranked(truth, scores, groups)
    draws = Draws.of(
        lambda weights: ranking.heights(weights, ROC_GRID),
        clusters=clusters,
        rng=rng,
        plan=replace(plan, interval="percentile"),
    )
    whole = np.full(ROC_GRID.size, ranking.positive.sum())
    return _band(draws, ROC_GRID, whole, simultaneous=simultaneous, what="sensitivity")


def precision_recall_band(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    plan: Resampling = BANDS,
    simultaneous: bool = False,
) -> Band:
    """Precision at recall 0.01, 0.02, ... 1, with a band by patient; see :func:`roc_band`.

    The precision at a recall is that of the strictest threshold which reaches it. Resamples keep
    the prevalence as it is.

    Raises
    ------
    ContentError
        As :func:`roc_band`.
    """
    ranking, clusters = ranked(truth, scores, groups)
    draws = Draws.of(
        lambda weights: ranking.precisions(weights, RECALL_GRID),
        clusters=clusters,
        rng=rng,
        plan=replace(plan, interval="percentile"),
    )
    found = np.maximum(np.ceil(RECALL_GRID * ranking.positive.sum() - 1e-9), 1)
    called = np.round(found / np.maximum(draws.value, 1e-9))
    return _band(draws, RECALL_GRID, called, simultaneous=simultaneous, what="precision")


def froc_band(
    marks: Marks,
    *,
    rng: np.random.Generator,
    upto: float = 8.0,
    plan: Resampling = BANDS,
) -> Band:
    """Sensitivity over false marks a case from 1/16 to ``upto``, an interval at each place.

    Raises
    ------
    ContentError
        If no case has a lesion.
    """
    places = np.geomspace(1 / 16, upto, 57)
    found = sensitivity_at(marks, places.tolist(), rng=rng, plan=plan)
    curve = froc_curve(marks)
    return Band(
        at=places,
        value=np.array([curve.at(float(place)) for place in places]),
        low=np.array([one.low for one in found]),
        high=np.array([one.high for one in found]),
        n=found[0].n,
        level=plan.level,
        simultaneous=False,
        method=plan.of("sensitivity", "pointwise"),
    )


def _band(
    draws: Draws, at: FloatArray, behind: FloatArray, *, simultaneous: bool, what: str
) -> Band:
    """Band about a curve of proportions.

    Where no resample differs it is Wilson's interval of a proportion of the ``behind`` cases
    that the curve rests on there, scaled to patients.
    """
    level, n = draws.plan.level, draws.clusters.count
    low, high = np.quantile(draws.drawn, draws.tails, axis=0)
    still = np.flatnonzero(high - low < 1e-12)
    patients = behind * n / len(draws.clusters.of_case)
    for place in still.tolist():
        count = max(int(patients[place]), 1)
        alone = wilson(round(float(draws.value[place]) * count), count, level=level)
        low[place], high[place] = alone.low, alone.high
    kind = "pointwise"
    if simultaneous:
        low, high = _simultaneous(draws, low, high)
        kind = "simultaneous (sup-t)"
    notes = ("Wilson's interval where no resample differs",) if still.size else ()
    return Band(
        at=at,
        value=draws.value,
        low=np.minimum(low, draws.value),
        high=np.maximum(high, draws.value),
        n=n,
        level=level,
        simultaneous=simultaneous,
        method=draws.plan.of(what, kind, *notes),
    )


def _simultaneous(draws: Draws, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ends of the sup-t band, or those given where they lie farther out."""
    error = draws.drawn.std(axis=0)
    moving = error > 1e-12
    if not moving.any():
        return low, high
    distances = np.abs(draws.drawn - draws.value)[:, moving] / error[moving]
    reach = float(np.quantile(distances.max(axis=1), draws.plan.level)) * error
    below = np.clip(draws.value - reach, 0.0, 1.0)
    above = np.clip(draws.value + reach, 0.0, 1.0)
    return np.minimum(low, below), np.maximum(high, above)
