"""Concordance of predicted risk and observed survival: Harrell's and Uno's C."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.intervals import DEFAULT, Resampling
from onkos.stats.resampled import resampled, resampled_differences
from onkos.stats.resampling import Clusters, IntArray, Multiplicities, Statistic
from onkos.stats.significance import SignificanceTest
from onkos.stats.survival import kernels
from onkos.stats.survival.followup import FollowUp, scores
from onkos.stats.survival.ipcw import uncensored
from onkos.stats.survival.logrank import labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Harrell:
    """Harrell's C: every comparable pair counts the same.

    With many censored patients it depends on the distribution of censoring; Uno's does not.

    Parameters
    ----------
    strata
        Stratum of each patient (site, say): pairs are formed within strata only.

    References
    ----------
    Harrell FE, Lee KL, Mark DB. Multivariable prognostic models. Stat Med 1996;15:361-387.
    doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4
    """

    strata: Sequence[Hashable] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uno:
    """Uno's C: pairs are weighted for the patients lost to follow-up.

    Parameters
    ----------
    tau
        Only events before this time are counted; all if not given. The last events weigh the
        most and rest on the fewest patients, so a tau is advised.
    censoring
        Patients whose censoring is representative (the training set, say); the judged patients
        themselves if not given, and then estimated anew in each resample.

    References
    ----------
    Uno H, Cai T, Pencina MJ, D'Agostino RB, Wei LJ. On the C-statistics for evaluating overall
    adequacy of risk prediction procedures with censored survival data. Stat Med
    2011;30:1105-1117. doi:10.1002/sim.4154
    """

    tau: float | None = None
    censoring: FollowUp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPairs:
    """Pairs of patients of whom one is known to have had the event earlier.

    ``tied_time`` are those among them in which the other was censored at the same time.
    """

    concordant: int
    discordant: int
    tied_risk: int
    tied_time: int

    @property
    def comparable(self) -> int:
        """All pairs that were compared."""
        return self.concordant + self.discordant + self.tied_risk


def pairs(
    follow: FollowUp, risk: ArrayLike, *, strata: Sequence[Hashable] | None = None
) -> RiskPairs:
    """Count concordant, discordant and tied pairs.

    A patient with an event is compared with all who were followed longer, and with those
    censored at the same time; two events at the same time are not compared. Concordant: the
    earlier event had the higher risk. Risks tie where they are equal to the last digit.
    """
    comparison = _Comparison.of(follow, Harrell(strata=strata))
    found = comparison.pairs(np.ones((1, follow.n), dtype=np.int32), _risk(risk, follow))[0]
    events = np.bincount(comparison.moment, weights=comparison.event)
    censored = np.bincount(comparison.moment) - events
    return RiskPairs(
        concordant=int(found[0]),
        discordant=int(found[1]),
        tied_risk=int(found[2]),
        tied_time=int(events @ censored),
    )


def concordance(
    follow: FollowUp,
    risk: ArrayLike,
    *,
    kind: Harrell | Uno,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Estimate the chance that of two patients the one at higher predicted risk fails first.

    Risks that tie count one half.

    Parameters
    ----------
    follow
        The patients.
    risk
        Higher means an earlier event, shape (patients,); any scale. A predicted survival time
        is turned round first (its negative).
    kind
        :class:`Harrell` or :class:`Uno`.
    rng
        Source of the resamples of patients.
    plan
        How many resamples, which interval, which level.

    Raises
    ------
    ContentError
        If a risk is not finite, no pair of patients can be compared (no event, say), or an
        event lies where nobody is uncensored.
    UsageError
        If tau is not positive.
    """
    comparison = _Comparison.of(follow, kind)
    values = _risk(risk, follow)
    (found,) = resampled(
        lambda weights: comparison.c(weights, values),
        names=[comparison.what],
        clusters=Clusters.of(follow.n),
        rng=rng,
        plan=plan,
    )
    if math.isnan(found.value):
        raise ContentError(_incomparable(follow))
    return found


def concordance_difference(
    follow: FollowUp,
    a: ArrayLike,
    b: ArrayLike,
    *,
    kind: Harrell | Uno,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
) -> SignificanceTest:
    """Estimate the C of model ``a`` minus that of ``b`` on the same patients, and test it.

    Both are computed on the same resamples of patients.

    Raises
    ------
    ContentError
        As :func:`concordance`.
    """
    comparison = _Comparison.of(follow, kind)
    first, second = _risk(a, follow), _risk(b, follow)
    (found,) = resampled_differences(
        (lambda w: comparison.c(w, first), lambda w: comparison.c(w, second)),
        names=[comparison.what],
        clusters=Clusters.of(follow.n),
        rng=rng,
        plan=plan,
    )
    if math.isnan(found.difference.value):
        raise ContentError(_incomparable(follow))
    return found


def concordance_statistic(
    follow: FollowUp, risk: ArrayLike, *, kind: Harrell | Uno
) -> tuple[Method, Statistic]:
    """C of :func:`concordance` as a function of how often each patient counts, and its name.

    It takes multiplicities (resamples, patients) and gives (resamples, 1): what a bootstrap of
    several models, or of several draws of the folds, evaluates on the same resamples.

    Raises
    ------
    ContentError, UsageError
        As :func:`concordance`; where no pair can be compared it gives NaN.
    """
    comparison = _Comparison.of(follow, kind)
    values = _risk(risk, follow)
    return comparison.what, lambda weights: comparison.c(weights, values)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Comparison:
    """Patients in order of stratum and time, with the weight of each event."""

    order: IntArray
    moment: IntArray
    event: IntArray
    stratum: IntArray
    factor: FloatArray
    own: bool
    what: Method

    @classmethod
    def of(cls, follow: FollowUp, kind: Harrell | Uno) -> _Comparison:
        strata = [0] * follow.n
        if isinstance(kind, Harrell) and kind.strata is not None:
            strata = list(labels(kind.strata, follow.n, what="stratum")[1])
        stratum = np.array(strata, dtype=np.intp)
        order = np.lexsort((follow.time, stratum))
        fresh = (np.diff(stratum[order]) != 0) | (np.diff(follow.time[order]) != 0)
        factor, own = np.ones(follow.n), False
        what = Method(what="Harrell's C", notes=(f"{follow.events} events",))
        if isinstance(kind, Uno):
            factor, own = _uno_weights(follow, kind)
            until = "" if kind.tau is None else f" before {kind.tau:g}"
            events = f"{int(np.count_nonzero(factor))} events{until}"
            what = Method(what="Uno's C", notes=(events,))
        return cls(
            order=order,
            moment=np.append(0, np.cumsum(fresh)).astype(np.intp),
            event=follow.event[order].astype(np.intp),
            stratum=stratum[order],
            factor=factor[order],
            own=own,
            what=what,
        )

    def pairs(self, weights: Multiplicities, risk: FloatArray) -> FloatArray:
        """Weighted concordant, discordant and tied pairs of each resample."""
        _, rank = np.unique(risk, return_inverse=True)
        columns = (self.moment, self.event, self.stratum, rank[self.order])
        table = np.stack(columns, axis=1).astype(np.int64)
        found: FloatArray = kernels.concordance(
            weights[:, self.order].astype(np.float64), table, self.factor, self.own
        )
        return found

    def c(self, weights: Multiplicities, risk: FloatArray) -> FloatArray:
        """C of each resample, shape (resamples, 1); NaN without a comparable pair."""
        found = self.pairs(weights, risk)
        total = found.sum(axis=1)
        won = found[:, 0] + found[:, 2] / 2
        c: FloatArray = np.divide(won, total, out=np.full_like(total, math.nan), where=total > 0)
        return c[:, None]


def _uno_weights(follow: FollowUp, kind: Uno) -> tuple[FloatArray, bool]:
    """Factor of each patient's event, and whether the resamples weigh by their own censoring."""
    if kind.tau is not None and not kind.tau > 0:
        raise UsageError(f"tau {kind.tau}: expected a positive time")
    counted = follow.event & (follow.time < (math.inf if kind.tau is None else kind.tau))
    source = follow if kind.censoring is None else kind.censoring
    factor = counted.astype(np.float64)
    free = uncensored(source, follow.time[counted])
    if kind.censoring is None:
        return factor, True
    factor[counted] = free**-2.0
    return factor, False


def _risk(risk: ArrayLike, follow: FollowUp) -> FloatArray:
    values = scores(risk, follow, what="risk")
    if values.ndim != 1:
        raise ContentError(f"risk of shape {values.shape}: expected one number a patient")
    return values


def _incomparable(follow: FollowUp) -> str:
    return (
        f"no two of {follow.n} patients can be compared ({follow.events} events): C does not "
        "exist; it needs an event while somebody else is still followed"
    )
