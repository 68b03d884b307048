"""Cox's partial likelihood, its derivatives and residuals, over sorted patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit

from onkos.core.geometry import AnyArray, FloatArray
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import IntArray
from onkos.stats.survival.followup import FollowUp

Ties = Literal["efron", "breslow"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sorted:
    """Patients in order of stratum and time, with their covariates.

    ``moment`` numbers the distinct (stratum, time).
    """

    order: IntArray
    x: FloatArray
    time: FloatArray
    event: BoolArray
    stratum: IntArray
    moment: IntArray
    efron: bool

    @classmethod
    def of(cls, follow: FollowUp, x: FloatArray, stratum: IntArray, ties: Ties) -> Sorted:
        """Sort the patients."""
        order = np.lexsort((follow.time, stratum))
        time, strata = follow.time[order], stratum[order]
        fresh = (np.diff(strata) != 0) | (np.diff(time) != 0)
        return cls(
            order=order,
            x=np.ascontiguousarray(x[order]),
            time=time,
            event=follow.event[order],
            stratum=strata,
            moment=np.append(0, np.cumsum(fresh)).astype(np.intp),
            efron=ties == "efron",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Partial:
    """The partial likelihood at some coefficients, and its pieces at each distinct moment.

    ``deaths`` (moments,), ``at_risk`` the summed hazard ratios of those at risk, ``schoenfeld``
    (moments, covariates) the covariates of the dead minus those expected, summed, and
    ``variance`` (moments, covariates, covariates) its variance.
    """

    log_likelihood: float
    deaths: FloatArray
    at_risk: FloatArray
    schoenfeld: FloatArray
    variance: FloatArray
    residuals: FloatArray

    @property
    def score(self) -> FloatArray:
        """First derivative of the log-likelihood."""
        total: FloatArray = self.schoenfeld.sum(axis=0)
        return total

    @property
    def information(self) -> FloatArray:
        """Minus the second derivative."""
        total: FloatArray = self.variance.sum(axis=0)
        return total


def partial_likelihood(patients: Sorted, beta: FloatArray) -> Partial:
    """Evaluate the partial likelihood; ``residuals`` are the score residuals of the patients.

    References
    ----------
    Efron B. The efficiency of Cox's likelihood function for censored data. J Am Stat Assoc
    1977;72:557-565. doi:10.1080/01621459.1977.10480613
    """
    eta = patients.x @ beta
    top = float(eta.max())
    ratio = np.exp(eta - top)
    z = np.column_stack([np.ones(eta.size), patients.x])
    at_risk, dying, dead = _sums(z, ratio, patients.moment, patients.stratum, patients.event)
    value, schoenfeld, variance, hazard = _moments(
        at_risk, dying, dead, 1.0 if patients.efron else 0.0
    )
    return Partial(
        log_likelihood=float((eta - top)[patients.event].sum() + value),
        deaths=dead[:, 0],
        at_risk=at_risk[:, 0, 0] * np.exp(top),
        schoenfeld=schoenfeld,
        variance=variance,
        residuals=_score_residuals(patients, ratio, dead, (schoenfeld, hazard)),
    )


@njit(cache=True, nogil=True)
def _sums(
    z: FloatArray, ratio: FloatArray, moment: AnyArray, stratum: AnyArray, event: AnyArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weighted products of the covariates of those at risk and of the dead, and counts.

    The first column of ``z`` is one, so that a product holds the sum, the mean and the square.
    """
    n, columns = z.shape
    moments = moment[n - 1] + 1
    at_risk = np.zeros((moments, columns, columns))
    dying = np.zeros((moments, columns, columns))
    dead = np.zeros((moments, columns))
    for i in range(n - 1, -1, -1):
        k = moment[i]
        if i < n - 1 and moment[i + 1] != k and stratum[i + 1] == stratum[i]:
            at_risk[k] = at_risk[k + 1]
        product = ratio[i] * np.outer(z[i], z[i])
        at_risk[k] += product
        if event[i]:
            dying[k] += product
            dead[k] += z[i]
    return at_risk, dying, dead


@njit(cache=True, nogil=True)
def _moments(
    at_risk: FloatArray, dying: FloatArray, dead: FloatArray, thinning: float
) -> tuple[float, FloatArray, FloatArray, FloatArray]:
    """Likelihood of each moment's deaths, what was expected of them, and hazards.

    ``thinning`` is 1 for Efron's ties (the dead leave bit by bit) and 0 for Breslow's. The
    hazard, for those who live on (0) and for the dead (1), comes with the means it weighs.
    """
    moments, columns = dead.shape
    value = 0.0
    schoenfeld, hazard = dead[:, 1:].copy(), np.zeros((moments, 2, columns))
    variance = np.zeros((moments, columns - 1, columns - 1))
    for k in range(moments):
        deaths = int(dead[k, 0])
        for death in range(deaths):
            share = thinning * death / deaths
            left = at_risk[k] - share * dying[k]
            value -= np.log(left[0, 0])
            mean = left[0] / left[0, 0]
            schoenfeld[k] -= mean[1:]
            variance[k] += left[1:, 1:] / left[0, 0] - np.outer(mean[1:], mean[1:])
            hazard[k, 0] += mean / left[0, 0]
            hazard[k, 1] += (1 - share) * mean / left[0, 0]
    return value, schoenfeld, variance, hazard


def _score_residuals(
    patients: Sorted,
    ratio: FloatArray,
    dead: FloatArray,
    pieces: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """What each patient adds to the first derivative, given all others (Lin and Wei)."""
    schoenfeld, hazard = pieces
    moment, x, event = patients.moment, patients.x, patients.event
    _, first = np.unique(moment, return_index=True)
    total = np.cumsum(hazard[:, 0], axis=0)
    head = np.searchsorted(patients.stratum[first], patients.stratum[first], side="left")
    before = total - hazard[:, 0] - (total - hazard[:, 0])[head]
    met = before[moment] + hazard[moment, event.astype(np.intp)]
    expected = (dead[:, 1:] - schoenfeld) / np.maximum(dead[:, :1], 1)
    residuals: FloatArray = np.where(event[:, None], x - expected[moment], 0.0)
    return residuals - ratio[:, None] * (x * met[:, :1] - met[:, 1:])
