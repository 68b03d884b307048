"""Goodness-of-fit tests of predicted probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm

from onkos.core.errors import ContentError, UsageError
from onkos.core.method import Method
from onkos.stats.calibration.bins import Bins
from onkos.stats.calibration.forecast import Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodnessOfFit:
    """Result of a test of calibration; a large p does not show that a model is calibrated."""

    statistic: float
    df: float
    p: float
    n: int
    method: Method


def spiegelhalter(forecast: Forecast) -> GoodnessOfFit:
    """Test calibration by the Brier score against its expectation under the predictions.

    Raises
    ------
    ContentError
        If patients have several cases (they are not independent), or every probability is 0,
        one half or 1, for which the score has no variance.

    References
    ----------
    Spiegelhalter DJ. Probabilistic prediction in patient management and clinical trials. Stat
    Med 1986;5:421-433. doi:10.1002/sim.4780050506
    """
    _require_independent(forecast)
    p, y = forecast.probability, forecast.truth
    variance = float(np.sum((1 - 2 * p) ** 2 * p * (1 - p)))
    if variance <= 0:
        raise ContentError("all probabilities are 0, 1/2 or 1: Spiegelhalter's z does not exist")
    z = float(np.sum((y - p) * (1 - 2 * p))) / math.sqrt(variance)
    return GoodnessOfFit(
        statistic=z,
        df=math.inf,
        p=float(2 * norm.sf(abs(z))),
        n=forecast.cases,
        method=Method(what="Spiegelhalter's z", notes=(forecast.words,)),
    )


def hosmer_lemeshow(
    forecast: Forecast, *, bins: Bins | None = None, refitted: bool = False
) -> GoodnessOfFit:
    """Test calibration by observed against expected events in bins.

    Parameters
    ----------
    forecast
        Predictions and outcomes.
    bins
        Ten of equal count if not given.
    refitted
        True if the model was fitted on these very cases: degrees of freedom are then the bins
        less two. On new cases they are the bins.

    Raises
    ------
    ContentError
        If patients have several cases, a bin expects no event or only events, or too few
        bins are left.

    References
    ----------
    Hosmer DW, Lemeshow S. Goodness of fit tests for the multiple logistic regression model.
    Commun Stat Theory Methods 1980;9:1043-1069. doi:10.1080/03610928008827941
    """
    _require_independent(forecast)
    bins = Bins() if bins is None else bins
    _, of = np.unique(bins.of(forecast.probability)[1], return_inverse=True)
    count = np.bincount(of)
    expected = np.bincount(of, weights=forecast.probability)
    observed = np.bincount(of, weights=forecast.truth)
    df = count.size - (2 if refitted else 0)
    if df < 1:
        raise UsageError(f"{count.size} bins with cases: expected 3 or more for a refitted model")
    spread = expected * (1 - expected / count)
    if np.any(spread <= 0):
        raise ContentError(
            "a bin expects no event, or nothing but events, with certainty: the test does not "
            "exist; use fewer bins"
        )
    statistic = float(np.sum((observed - expected) ** 2 / spread))
    return GoodnessOfFit(
        statistic=statistic,
        df=df,
        p=float(chi2.sf(statistic, df)),
        n=forecast.cases,
        method=Method(what="Hosmer-Lemeshow chi-square", notes=(bins.words, forecast.words)),
    )


def _require_independent(forecast: Forecast) -> None:
    if forecast.patients < forecast.cases:
        raise ContentError(
            f"{forecast.cases} cases of {forecast.patients} patients are not independent, which "
            "this test takes them for; use the calibration line with its interval by patient"
        )
