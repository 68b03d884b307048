"""Bands about curves: where the ROC, precision-recall or FROC curve of all patients may lie."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.froc import froc_curve, sensitivity_at
from onkos.stats.intervals import Resampling, widened
from onkos.stats.marks import Marks
from onkos.stats.proportions import wilson
from onkos.stats.ranking import ranked
from onkos.stats.resampling import Clusters, Statistic, replicates

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
        False: an interval at each point. True: a band that holds the whole curve, as many
        standard deviations about it as the farthest point of a resampled curve strays (sup-t).

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
    drawn = _Drawn.of(lambda weights: ranking.heights(weights, ROC_GRID), clusters, rng, plan)
    whole = np.full(ROC_GRID.size, ranking.positive.sum())
    return drawn.band(ROC_GRID, whole, simultaneous=simultaneous, what="sensitivity")


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
    drawn = _Drawn.of(lambda weights: ranking.precisions(weights, RECALL_GRID), clusters, rng, plan)
    found = np.maximum(np.ceil(RECALL_GRID * ranking.positive.sum() - 1e-9), 1)
    called = np.round(found / np.maximum(drawn.value, 1e-9))
    return drawn.band(RECALL_GRID, called, simultaneous=simultaneous, what="precision")


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Drawn:
    """Curves of the resamples, (resamples, places), and of the sample itself."""

    value: FloatArray
    curves: FloatArray
    clusters: Clusters
    plan: Resampling

    @classmethod
    def of(
        cls, statistic: Statistic, clusters: Clusters, rng: np.random.Generator, plan: Resampling
    ) -> _Drawn:
        once = np.ones((1, len(clusters.of_case)), dtype=np.int32)
        curves = replicates(
            statistic,
            clusters=clusters,
            resamples=plan.resamples,
            rng=rng,
            threads=plan.threads,
        )
        return cls(value=statistic(once)[0], curves=curves, clusters=clusters, plan=plan)

    def band(self, at: FloatArray, behind: FloatArray, *, simultaneous: bool, what: str) -> Band:
        """Band of shares that ``behind`` cases stand behind, where no resample differs."""
        low, high = self._pointwise()
        still = np.flatnonzero(high - low < 1e-12)
        patients = behind * self.clusters.count / len(self.clusters.of_case)
        for place in still.tolist():
            n = max(int(patients[place]), 1)
            alone = wilson(round(float(self.value[place]) * n), n, level=self.plan.level)
            low[place], high[place] = alone.low, alone.high
        kind = "pointwise"
        if simultaneous:
            low, high = self._simultaneous(low, high)
            kind = "simultaneous (sup-t)"
        notes = ("Wilson's interval where no resample differs",) if still.size else ()
        return Band(
            at=at,
            value=self.value,
            low=np.minimum(low, self.value),
            high=np.maximum(high, self.value),
            n=self.clusters.count,
            level=self.plan.level,
            simultaneous=simultaneous,
            method=replace(self.plan, interval="percentile").of(what, kind, *notes),
        )

    def _pointwise(self) -> tuple[FloatArray, FloatArray]:
        n = self.clusters.count
        df = max(1, n - len(self.clusters.strata))
        tail = widened((1 - self.plan.level) / 2, n=n, df=df)
        low, high = np.quantile(self.curves, [tail, 1 - tail], axis=0)
        return low, high

    def _simultaneous(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        spread = self.curves.std(axis=0)
        moving = spread > 1e-12
        if not moving.any():
            return low, high
        strays = np.abs(self.curves - self.value)[:, moving] / spread[moving]
        reach = float(np.quantile(strays.max(axis=1), self.plan.level)) * spread
        below = np.clip(self.value - reach, 0.0, 1.0)
        above = np.clip(self.value + reach, 0.0, 1.0)
        return np.minimum(low, below), np.maximum(high, above)
