"""Cox's proportional hazards model."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2, norm

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.estimates import transformed
from onkos.stats.resampling import IntArray
from onkos.stats.significance import Wald
from onkos.stats.survival.followup import FollowUp, scores
from onkos.stats.survival.logrank import labels
from onkos.stats.survival.partial import Partial, Sorted, Ties, partial_likelihood

STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxOptions:
    """How Cox's model is fitted.

    Parameters
    ----------
    ties
        ``efron`` (closer to the exact likelihood) or ``breslow``.
    ridge
        Penalty: half of this times the sum of squared coefficients is taken from the
        log-likelihood. Penalised coefficients are shrunk on purpose, and their intervals are
        around the shrunken value.
    robust
        Take Lin and Wei's sandwich variance, which holds where the model does not.
    """

    ties: Ties = "efron"
    ridge: float = 0.0
    robust: bool = False

    def __post_init__(self) -> None:
        if self.ties not in get_args(Ties):
            raise UsageError(f"ties {self.ties!r}: expected one of {get_args(Ties)}")
        if not (math.isfinite(self.ridge) and self.ridge >= 0):
            raise UsageError(f"ridge {self.ridge}: expected a finite penalty, not negative")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoxFit:
    """A fitted Cox model.

    Parameters
    ----------
    names
        One a covariate.
    coefficients, covariance
        Log hazard ratios, and their covariance.
    log_likelihood, log_likelihood_null
        Of the fit, and without covariates.
    strata
        Names of the strata, each with a baseline hazard of its own.
    patients, partial
        What it was fitted on, sorted, and the likelihood at the coefficients.
    level, method
        As of an :class:`~onkos.core.estimate.Estimate`.
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    log_likelihood: float
    log_likelihood_null: float
    strata: tuple[Hashable, ...]
    patients: Sorted
    partial: Partial
    level: float
    method: Method

    @property
    def n(self) -> int:
        """Number of patients."""
        return int(self.patients.time.size)

    @property
    def standard_errors(self) -> FloatArray:
        """Of the coefficients."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def p(self) -> FloatArray:
        """Two-sided p of each coefficient (Wald)."""
        found: FloatArray = 2 * norm.sf(np.abs(self.coefficients / self.standard_errors))
        return found

    @property
    def likelihood_ratio(self) -> tuple[float, float]:
        """Chi-square of all covariates together, and its p."""
        value = 2 * (self.log_likelihood - self.log_likelihood_null)
        return value, float(chi2.sf(value, len(self.names)))

    @property
    def log_hazard_ratios(self) -> tuple[Estimate, ...]:
        """Coefficients with their intervals."""
        return tuple(
            Wald(error=error, n=self.n, level=self.level, method=self.method).estimate(beta)
            for beta, error in zip(
                self.coefficients.tolist(), self.standard_errors.tolist(), strict=True
            )
        )

    @property
    def hazard_ratios(self) -> tuple[Estimate, ...]:
        """Factor on the hazard for each unit of a covariate, the others held fixed."""
        return tuple(
            transformed(log, math.exp, what="hazard ratio") for log in self.log_hazard_ratios
        )

    def risk(self, covariates: ArrayLike) -> FloatArray:
        """Log hazard ratio of patients against one with all covariates zero."""
        return _covariates(covariates, len(self.names)) @ self.coefficients

    def survival(
        self, covariates: ArrayLike, times: Sequence[float], *, stratum: Hashable = 0
    ) -> FloatArray:
        """Predict the chance to be free of the event, shape (patients, times).

        With Breslow's baseline hazard of the stratum.

        Raises
        ------
        UsageError
            If the stratum is unknown, or a time lies beyond its follow-up.

        References
        ----------
        Breslow N. Discussion of Professor Cox's paper. J R Stat Soc B 1972;34:216-217.
        """
        if stratum not in self.strata:
            raise UsageError(f"stratum {stratum!r}: the model has {self.strata}")
        within = self.patients.stratum == self.strata.index(stratum)
        asked = np.asarray(times, dtype=np.float64)
        longest = self.patients.time[within].max()
        if not np.isfinite(asked).all() or asked.max(initial=0.0) > longest:
            raise UsageError(
                f"survival asked at {asked.max():g}: the longest follow-up is {longest:g}"
            )
        moments, first = np.unique(self.patients.moment[within], return_index=True)
        known = self.patients.time[within][first]
        steps = self.partial.deaths[moments] / self.partial.at_risk[moments]
        hazard = np.append(0.0, np.cumsum(steps))[np.searchsorted(known, asked, side="right")]
        survival: FloatArray = np.exp(-np.outer(np.exp(self.risk(covariates)), hazard))
        return survival


def cox(
    follow: FollowUp,
    covariates: ArrayLike,
    *,
    names: Sequence[str],
    strata: Sequence[Hashable] | None = None,
    options: CoxOptions | None = None,
    level: float = 0.95,
) -> CoxFit:
    """Fit Cox's proportional hazards model.

    Parameters
    ----------
    follow
        The patients.
    covariates
        Shape (patients, covariates), finite; categories as 0/1 columns without the reference.
    names
        One a covariate.
    strata
        Stratum of each patient: a baseline hazard of its own, common coefficients.
    options
        Ties, penalty, robust variance.
    level
        Confidence level of the (Wald) intervals.

    Raises
    ------
    ContentError
        If a value is not finite, there is no event, a column is constant or a linear function
        of others, or the likelihood has no maximum (a covariate separates the events).

    References
    ----------
    Cox DR. Regression models and life-tables. J R Stat Soc B 1972;34:187-220.
    doi:10.1111/j.2517-6161.1972.tb00899.x
    Lin DY, Wei LJ. The robust inference for the Cox proportional hazards model. J Am Stat Assoc
    1989;84:1074-1078. doi:10.1080/01621459.1989.10478874
    """
    options = CoxOptions() if options is None else options
    x = _covariates(scores(covariates, follow, what="covariates"), len(names))
    if follow.events == 0:
        raise ContentError(f"Cox model without a single event (n = {follow.n})")
    strata_names, stratum = _strata(strata, follow)
    centre = x.mean(axis=0)
    centred = Sorted.of(follow, x - centre, stratum, options.ties)
    _require_rank(centred, names, options.ridge)
    beta, null = _newton(centred, options.ridge)
    patients = Sorted.of(follow, x, stratum, options.ties)
    partial = partial_likelihood(patients, beta)
    information = partial.information + options.ridge * np.eye(len(names))
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    if options.robust:
        meat = partial.residuals.T @ partial.residuals
        covariance = covariance @ meat @ covariance
    kind = "sandwich" if options.robust else "Wald"
    stratified = () if strata is None else (f"{len(strata_names)} strata",)
    penalised = (f"ridge {options.ridge:g}",) if options.ridge else ()
    return CoxFit(
        names=tuple(names),
        coefficients=beta,
        covariance=covariance,
        log_likelihood=partial.log_likelihood,
        log_likelihood_null=null,
        strata=strata_names,
        patients=patients,
        partial=partial,
        level=level,
        method=Method(
            what="log hazard ratio",
            by=f"Cox model, {options.ties} ties, {kind} interval",
            notes=(*stratified, *penalised, f"{follow.events} events"),
        ),
    )


def _strata(
    strata: Sequence[Hashable] | None, follow: FollowUp
) -> tuple[tuple[Hashable, ...], IntArray]:
    if strata is None:
        return (0,), np.zeros(follow.n, dtype=np.intp)
    return labels(strata, follow.n, what="stratum")


def _covariates(covariates: ArrayLike, count: int) -> FloatArray:
    x = np.asarray(covariates, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != count or count == 0:
        raise ContentError(f"covariates of shape {x.shape} with {count} names; expected a column")
    return x


def _require_rank(patients: Sorted, names: Sequence[str], ridge: float) -> None:
    """Refuse columns that are constant among patients at risk, or collinear."""
    if ridge > 0:
        return
    information = partial_likelihood(patients, np.zeros(len(names))).information
    scale = np.sqrt(np.diag(information))
    flat = [name for name, size in zip(names, scale, strict=True) if not size > 0]
    if flat:
        raise ContentError(f"covariates {flat} do not vary among patients at risk; leave them out")
    if np.linalg.cond(information / np.outer(scale, scale)) > 1e12:
        raise ContentError(f"covariates {list(names)} follow from each other; leave some out")


def _newton(patients: Sorted, ridge: float) -> tuple[FloatArray, float]:
    """Maximise by Newton's method with halved steps; also the likelihood at zero."""
    beta = np.zeros(patients.x.shape[1])
    now = partial_likelihood(patients, beta)
    null = now.log_likelihood
    for _ in range(STEPS):
        slope = now.score - ridge * beta
        step = np.linalg.solve(now.information + ridge * np.eye(beta.size), slope)
        if slope @ step < 1e-18 * max(1.0, abs(now.log_likelihood)):
            return beta + step, null
        slack = 1e-12 * abs(null)
        height = now.log_likelihood - ridge / 2 * beta @ beta
        then = partial_likelihood(patients, beta + step)
        while then.log_likelihood - ridge / 2 * np.sum((beta + step) ** 2) < height - slack:
            step = step / 2
            if np.abs(step).max() < 1e-14:
                return beta, null
            then = partial_likelihood(patients, beta + step)
        beta, now = beta + step, then
        spread = np.abs(patients.x @ beta).max()
        if not math.isfinite(now.log_likelihood) or spread > 200:
            break
    raise ContentError(
        "the partial likelihood has no maximum: a covariate (or a sum of some) tells all events "
        "from those at risk; leave it out or set a ridge"
    )
