"""Calibration in the large, calibration intercept and slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.calibration.forecast import Forecast
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import Clusters
from onkos.stats.significance import Wald

STEPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationLine:
    """Intercept (0 is right) and slope (1 is right; below 1 too extreme), fitted together."""

    intercept: Estimate
    slope: Estimate


def in_the_large(forecast: Forecast, *, level: float = 0.95) -> Estimate:
    """Estimate calibration in the large, in log odds.

    The intercept of a logistic model with the predicted log odds as offset (slope fixed at 1):
    0 is right, above 0 the outcome happened more often than was predicted.

    Raises
    ------
    ContentError
        If a probability is exactly 0 or 1, or only one class is there.

    References
    ----------
    Cox DR. Two further applications of a model for binary regression. Biometrika
    1958;45:562-565. doi:10.1093/biomet/45.3-4.562
    Van Calster B, McLernon DJ, van Smeden M, et al. Calibration: the Achilles heel of
    predictive analytics. BMC Med 2019;17:230. doi:10.1186/s12916-019-1466-7
    """
    forecast.require_both()
    design = np.ones((forecast.cases, 1))
    beta, covariance = logistic_fit(
        design, forecast.truth, forecast.clusters, offset=forecast.logits
    )
    return _wald(beta, covariance, 0, forecast, "calibration in the large", level)


def calibration_line(forecast: Forecast, *, level: float = 0.95) -> CalibrationLine:
    """Estimate the calibration intercept and slope.

    A logistic model of the outcome on the predicted log odds. Intervals are Wald's; where
    patients have several cases the variance is the sandwich by patient.

    Raises
    ------
    ContentError
        If a probability is exactly 0 or 1, all are equal, only one class is there, or the
        predictions separate the classes completely (the slope is then infinite).

    References
    ----------
    As of :func:`in_the_large`.
    """
    forecast.require_both()
    logits = forecast.logits
    if np.ptp(logits) == 0:
        raise ContentError(f"all {forecast.cases} probabilities are equal: no slope exists")
    design = np.column_stack([np.ones(forecast.cases), logits])
    beta, covariance = logistic_fit(design, forecast.truth, forecast.clusters)
    return CalibrationLine(
        intercept=_wald(beta, covariance, 0, forecast, "calibration intercept", level),
        slope=_wald(beta, covariance, 1, forecast, "calibration slope", level),
    )


def logistic_fit(
    design: FloatArray,
    truth: FloatArray | BoolArray,
    clusters: Clusters,
    *,
    offset: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Fit a logistic model by Newton's method; coefficients and their covariance.

    ``truth`` may be shares between 0 and 1. The covariance is the model's, or the sandwich by
    patient (times G / (G - 1)) where patients have several cases.

    Raises
    ------
    ContentError
        If the likelihood has no maximum: the classes are separated completely.
    """
    y = truth.astype(np.float64)
    base = np.zeros(y.size) if offset is None else offset
    beta = np.zeros(design.shape[1])
    for _ in range(STEPS):
        mean = expit(design @ beta + base)
        information = (design * (mean * (1 - mean))[:, None]).T @ design
        score = design.T @ (y - mean)
        if np.linalg.cond(information) > 1e14:
            break
        newton = np.asarray(np.linalg.solve(information, score), dtype=np.float64)
        step = _damped(design, y, base, beta, newton)
        beta = beta + step
        if np.abs(step).max() < 1e-12 * max(1.0, np.abs(beta).max()):
            return beta, _covariance(design, y, base, beta, clusters)
    raise ContentError(
        "the logistic model has no finite solution: the predictions part the outcomes without "
        "overlap, or do not vary; use the Brier score or more cases"
    )


def _damped(
    design: FloatArray, y: FloatArray, base: FloatArray, beta: FloatArray, step: FloatArray
) -> FloatArray:
    """Halve the step until the likelihood does not fall."""

    def loss(at: FloatArray) -> float:
        eta = design @ at + base
        return float(np.sum(np.logaddexp(0, eta) - y * eta))

    now = loss(beta)
    for _ in range(30):
        if loss(beta + step) <= now + 1e-12 * abs(now):
            break
        step = step / 2
    return step


def _covariance(
    design: FloatArray, y: FloatArray, base: FloatArray, beta: FloatArray, clusters: Clusters
) -> FloatArray:
    mean = expit(design @ beta + base)
    bread = np.asarray(np.linalg.inv((design * (mean * (1 - mean))[:, None]).T @ design))
    if clusters.count == y.size:
        return bread.astype(np.float64)
    scores = clusters.sums(design * (y - mean)[:, None])
    scale = clusters.count / max(1, clusters.count - 1)
    covariance: FloatArray = scale * bread @ (scores.T @ scores) @ bread
    return covariance


def _wald(
    beta: FloatArray,
    covariance: FloatArray,
    place: int,
    forecast: Forecast,
    what: str,
    level: float,
) -> Estimate:
    alone = forecast.patients == forecast.cases
    kind = "Wald interval" if alone else "Wald interval, sandwich variance by patient"
    return Wald(
        error=float(np.sqrt(covariance[place, place])),
        n=forecast.patients,
        level=level,
        method=Method(what=what, by=kind, notes=(forecast.words,)),
    ).estimate(float(beta[place]))
