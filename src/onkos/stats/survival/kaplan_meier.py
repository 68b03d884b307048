"""Kaplan-Meier survival and Nelson-Aalen cumulative hazard."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, TypedDict, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from onkos.core.errors import UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.survival.followup import FollowUp

CurveScale = Literal["log-log", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurvivalCurve:
    """A step function of time with pointwise intervals.

    Parameters
    ----------
    times
        Distinct times of events and censorings, ascending.
    at_risk, events, censored
        Patients followed until just before each time, and what became of them at it.
    value, low, high
        The curve just after each time, and its interval.
    n, level, method
        As of an :class:`~onkos.core.estimate.Estimate`.
    start
        The curve before the first time: 1 for survival, 0 for a cumulative hazard.
    """

    times: FloatArray
    at_risk: FloatArray
    events: FloatArray
    censored: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    n: int
    level: float
    method: Method
    start: float

    def at(self, time: float) -> Estimate:
        """Read the curve at a time.

        Raises
        ------
        UsageError
            If the time is negative, not finite, or later than the longest follow-up while
            somebody was still free of the event: nothing is known there.
        """
        if not (math.isfinite(time) and time >= 0):
            raise UsageError(f"curve asked at time {time}: expected a finite time, not negative")
        ended = self.start == 1 and self.value[-1] == 0
        if time > self.times[-1] and not ended:
            raise UsageError(
                f"curve asked at time {time:g}: the longest follow-up is {self.times[-1]:g} "
                f"(n = {self.n}); nothing is known beyond it"
            )
        k = int(np.searchsorted(self.times, time, side="right")) - 1
        if k < 0:
            low, high = _without_event(self.start, self.n, self.level)
            value = self.start
        else:
            value, low, high = (float(a[k]) for a in (self.value, self.low, self.high))
        return Estimate(
            value=value, low=low, high=high, n=self.n, level=self.level, method=self.method
        )

    def numbers_at_risk(self, times: ArrayLike) -> FloatArray:
        """Patients still followed just before each time, as printed under a curve."""
        asked = np.asarray(times, dtype=np.float64)
        if not np.isfinite(asked).all():
            raise UsageError("numbers at risk asked at a time that is not finite")
        k = np.searchsorted(self.times, asked, side="left")
        return np.append(self.at_risk, 0.0)[k]

    def quantile(self, share: float = 0.5) -> Estimate:
        """Time by which this share of the patients had the event: the median by default.

        The first time at which survival is at most ``1 - share``; infinity where it was not
        reached. The interval inverts the curve's band (Brookmeyer and Crowley).

        Raises
        ------
        UsageError
            If the share is not between 0 and 1, or this is not a survival curve.

        References
        ----------
        Brookmeyer R, Crowley J. A confidence interval for the median survival time. Biometrics
        1982;38:29-41. doi:10.2307/2530286
        """
        if not 0 < share < 1 or self.start != 1:
            raise UsageError(
                f"quantile {share}: expected a share between 0 and 1 of a survival curve"
            )
        return Estimate(
            value=self._first(self.value, 1 - share),
            low=self._first(self.low, 1 - share),
            high=self._first(self.high, 1 - share),
            n=self.n,
            level=self.level,
            method=replace(
                self.method,
                what=f"time to {share:g} of events, infinite if not reached",
                by=f"inverts {self.method.what}, {self.method.by}",
            ),
        )

    def _first(self, curve: FloatArray, bound: float) -> float:
        reached = np.flatnonzero(curve <= bound + 1e-12)
        return float(self.times[reached[0]]) if reached.size else math.inf


def kaplan_meier(
    follow: FollowUp, *, level: float = 0.95, band: CurveScale = "log-log"
) -> SurvivalCurve:
    """Estimate survival with Kaplan and Meier's product and Greenwood's variance.

    Patients censored at the time of an event count as at risk for it. Before the first event
    the interval is the exact binomial one of the patients at risk; once the curve has reached
    zero the upper limit is carried forward from the step before.

    Parameters
    ----------
    follow
        The patients.
    level
        Confidence level of the pointwise intervals.
    band
        ``log-log`` keeps the interval within 0 and 1; ``plain`` is symmetric, and cut there.

    Raises
    ------
    UsageError
        If ``band`` is neither of the two.

    References
    ----------
    Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat Assoc
    1958;53:457-481. doi:10.1080/01621459.1958.10501452
    Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data. Wiley 2002.
    doi:10.1002/9781118032985
    """
    if band not in get_args(CurveScale):
        raise UsageError(f"band {band!r}: expected one of {get_args(CurveScale)}")
    counts = _counts(follow)
    at_risk, events = counts["at_risk"], counts["events"]
    value = np.asarray(np.cumprod(1 - events / at_risk), dtype=np.float64)
    left = at_risk - events
    terms = np.divide(events, at_risk * left, out=np.zeros_like(left), where=left > 0)
    low, high = _band(value, np.cumsum(terms), norm.ppf((1 + level) / 2), band)
    whole = events.cumsum() == 0
    low[whole], high[whole] = ((1 - level) / 2) ** (1 / at_risk[whole]), 1.0
    if value[-1] == 0:
        last = int(np.flatnonzero(value == 0)[0])
        low[last:], high[last:] = 0.0, (high[last - 1] if last else 1.0)
    return SurvivalCurve(
        **counts,
        value=value,
        low=low,
        high=high,
        level=level,
        method=_method(follow, "Kaplan-Meier survival", f"Greenwood's variance, {band} interval"),
        start=1.0,
    )


def nelson_aalen(follow: FollowUp, *, level: float = 0.95) -> SurvivalCurve:
    """Estimate the cumulative hazard: the sum of events over patients at risk.

    The interval is log-normal; while there is no event its upper end is the exact binomial one
    of the patients at risk.

    References
    ----------
    Aalen O. Nonparametric inference for a family of counting processes. Ann Stat
    1978;6:701-726. doi:10.1214/aos/1176344247
    """
    counts = _counts(follow)
    at_risk, events = counts["at_risk"], counts["events"]
    value: FloatArray = (events / at_risk).cumsum()
    variance = (events / at_risk**2).cumsum()
    some = value > 0
    spread = np.sqrt(variance[some]) / value[some] * norm.ppf((1 + level) / 2)
    low, high = np.zeros_like(value), -np.log((1 - level) / 2) / at_risk
    low[some], high[some] = value[some] * np.exp(-spread), value[some] * np.exp(spread)
    return SurvivalCurve(
        **counts,
        value=value,
        low=low,
        high=high,
        level=level,
        method=_method(follow, "Nelson-Aalen cumulative hazard", "log-normal interval"),
        start=0.0,
    )


def _method(follow: FollowUp, what: str, by: str) -> Method:
    return Method(what=what, by=by, notes=(f"{follow.events} events",))


class _Counts(TypedDict):
    times: FloatArray
    at_risk: FloatArray
    events: FloatArray
    censored: FloatArray
    n: int


def _counts(follow: FollowUp) -> _Counts:
    """Distinct times, patients at risk, events and censorings at each."""
    times, where = np.unique(follow.time, return_inverse=True)
    events = np.bincount(where[follow.event], minlength=times.size).astype(np.float64)
    everyone = np.bincount(where, minlength=times.size).astype(np.float64)
    at_risk: FloatArray = everyone[::-1].cumsum()[::-1]
    return _Counts(
        times=times, at_risk=at_risk, events=events, censored=everyone - events, n=follow.n
    )


def _band(
    value: FloatArray, terms: FloatArray, z: float, band: CurveScale
) -> tuple[FloatArray, ...]:
    """Both ends of the interval; meaningless where the value is 0 or 1."""
    if band == "plain":
        half = z * value * np.sqrt(terms)
        return np.maximum(value - half, 0.0), np.minimum(value + half, 1.0)
    inner = np.clip(value, 1e-300, 1 - 1e-16)
    log = np.log(inner)
    spread = z * np.sqrt(terms) / -log
    return np.exp(log * np.exp(spread)), np.exp(log * np.exp(-spread))


def _without_event(start: float, n: int, level: float) -> tuple[float, float]:
    """Exact interval of a curve before the first observed time."""
    tail = (1 - level) / 2
    return (tail ** (1 / n), 1.0) if start == 1 else (0.0, -math.log(tail) / n)
