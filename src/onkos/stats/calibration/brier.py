"""Brier score and its decomposition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.calibration.bins import Bins
from onkos.stats.calibration.forecast import Forecast
from onkos.stats.intervals import DEFAULT, Resampling
from onkos.stats.resampled import resampled, resampled_differences
from onkos.stats.resampling import Multiplicities, Statistic
from onkos.stats.significance import SignificanceTest


@dataclass(frozen=True, slots=True, kw_only=True)
class MurphyParts:
    """Brier score = reliability - resolution + uncertainty + within.

    Parameters
    ----------
    brier
        Mean squared error of the probabilities; 0 is perfect.
    reliability
        Squared distance of predicted from observed shares, over bins; 0 is perfect.
    resolution
        How far the observed shares of the bins lie apart; more is better.
    uncertainty
        Of the outcome itself: prevalence times one minus it.
    within
        Rest that comes from different predictions in one bin (their variance, less twice their
        covariance with the outcome); 0 where each bin holds one distinct prediction.
    """

    brier: Estimate
    reliability: Estimate
    resolution: Estimate
    uncertainty: Estimate
    within: Estimate


def brier(
    forecast: Forecast,
    *,
    rng: np.random.Generator,
    bins: Bins | None = None,
    plan: Resampling = DEFAULT,
) -> MurphyParts:
    """Estimate the Brier score and Murphy's parts of it.

    Parameters
    ----------
    forecast
        Predictions and outcomes.
    rng, plan
        Of the bootstrap by patient; the bins stay those of the sample.
    bins
        How predictions are binned for the parts; each distinct prediction its own bin if not
        given, which is exact but needs repeated predictions to say anything.

    References
    ----------
    Murphy AH. A new vector partition of the probability score. J Appl Meteorol
    1973;12:595-600. doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2
    Stephenson DB, Coelho CAS, Jolliffe IT. Two extra components in the Brier score
    decomposition. Weather Forecast 2008;23:752-757. doi:10.1175/2007WAF2006116.1
    """
    p, y = forecast.probability, forecast.truth.astype(np.float64)
    if bins is None:
        of = np.unique(p, return_inverse=True)[1]
        said = "a bin a prediction"
    else:
        of, said = bins.of(p)[1], bins.words
    _, of = np.unique(of, return_inverse=True)
    inside = np.eye(int(of.max()) + 1)[of] if of.max() < 200 else None
    first = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[first], np.arange(int(of.max()) + 1))

    def by_bin(values: FloatArray) -> FloatArray:
        if inside is not None:
            return np.asarray(values @ inside, dtype=np.float64)
        return np.add.reduceat(values[:, first], starts, axis=1)

    def statistic(weights: Multiplicities) -> FloatArray:
        w = weights.astype(np.float64)
        total = w.sum(axis=1)
        count = by_bin(w)
        filled = np.maximum(count, 1)
        predicted, observed = by_bin(w * p) / filled, by_bin(w * y) / filled
        share, prevalence = count / total[:, None], w @ y / total
        score = w @ (p - y) ** 2 / total
        reliability = (share * (predicted - observed) ** 2).sum(axis=1)
        resolution = (share * (observed - prevalence[:, None]) ** 2).sum(axis=1)
        uncertainty = prevalence * (1 - prevalence)
        within = score - reliability + resolution - uncertainty
        return np.column_stack([score, reliability, resolution, uncertainty, within])

    parts = ("Brier score", "reliability", "resolution", "uncertainty", "variance within bins")
    found = resampled(
        statistic,
        names=[
            Method(what=part, notes=(forecast.words, *((said,) if k else ())))
            for k, part in enumerate(parts)
        ],
        clusters=forecast.clusters,
        rng=rng,
        plan=plan,
    )
    return MurphyParts(
        brier=found[0],
        reliability=found[1],
        resolution=found[2],
        uncertainty=found[3],
        within=found[4],
    )


def brier_difference(
    a: Forecast, b: Forecast, *, rng: np.random.Generator, plan: Resampling = DEFAULT
) -> SignificanceTest:
    """Estimate and test the Brier score of ``a`` minus that of ``b`` on the same cases.

    Raises
    ------
    ContentError
        If the two do not have the same outcomes and patients in the same order.
    """
    require_same(a, b)

    def score(forecast: Forecast) -> Statistic:
        errors = (forecast.probability - forecast.truth) ** 2

        def mean(weights: Multiplicities) -> FloatArray:
            means: FloatArray = weights @ errors / weights.sum(axis=1)
            return means[:, None]

        return mean

    (found,) = resampled_differences(
        (score(a), score(b)),
        names=[Method(what="Brier score", notes=(a.words,))],
        clusters=a.clusters,
        rng=rng,
        plan=plan,
    )
    return found


def require_same(a: Forecast, b: Forecast) -> None:
    """Refuse to compare two models on different cases.

    Raises
    ------
    ContentError
        If outcomes or patients differ.
    """
    same = a.cases == b.cases and np.array_equal(a.truth, b.truth)
    if not same or not np.array_equal(a.clusters.of_case, b.clusters.of_case):
        raise ContentError(
            f"paired comparison: {a.words} against {b.words}; expected the same cases of the "
            "same patients in the same order"
        )
