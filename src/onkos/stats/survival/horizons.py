"""Time horizons at which predictions are judged, weighted for censoring."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np

from onkos.core.errors import UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import IntArray
from onkos.stats.significance import SignificanceTest
from onkos.stats.survival import kernels
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.ipcw import uncensored

Found = TypeVar("Found", Estimate, SignificanceTest)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime(Generic[Found]):
    """A metric at several times, and over all of them.

    Estimates of the metric of one model, or tests of the difference of two models.
    """

    times: tuple[float, ...]
    at: tuple[Found, ...]
    overall: Found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Horizons:
    """Patients judged at certain times, weighted for those lost to follow-up before.

    Parameters
    ----------
    follow
        The patients.
    times
        Horizons, ascending; each before the longest follow-up.
    censoring
        Patients whose censoring is representative (the training set, say); the judged patients
        themselves if not given, and then estimated anew in each resample.

    Raises
    ------
    UsageError
        If a time is not positive, not ascending, or beyond the follow-up.
    ContentError
        If an event lies where nobody is uncensored.
    """

    follow: FollowUp
    times: tuple[float, ...]
    censoring: FollowUp | None = None

    def __post_init__(self) -> None:
        times = tuple(float(time) for time in self.times)
        object.__setattr__(self, "times", times)
        self.follow.require_horizon(*times)
        if not times or any(b <= a for a, b in pairwise(times)):
            raise UsageError(f"times {times}: expected at least one, ascending")
        self.weighing()

    def weighing(self) -> Weighing:
        """The patients in order of time, and how likely each was to be still followed."""
        follow, times = self.follow, np.array(self.times)
        order = follow.order
        time, event = follow.time[order], follow.event[order]
        source = follow if self.censoring is None else self.censoring
        until = np.searchsorted(time, times, side="right")
        counted = np.flatnonzero(event[: until[-1]])
        free = np.ones(follow.n)
        free[counted] = uncensored(source, time[counted])
        return Weighing(
            order=order,
            time=time,
            event=event,
            until=until,
            free=free,
            free_at=uncensored(source, times),
            own=self.censoring is None,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weighing:
    """Weights for patients lost to follow-up, given or made anew in each resample.

    ``until`` is the number of patients, in order of time, followed at most to each horizon;
    ``free`` and ``free_at`` the chance of being uncensored at each event and each horizon.
    """

    order: IntArray
    time: FloatArray
    event: BoolArray
    until: IntArray
    free: FloatArray
    free_at: FloatArray
    own: bool

    def __call__(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weigh the events, (resamples, patients), and who outlives each horizon.

        NaN where nobody of a resample was uncensored.
        """
        cases = weights * self.event
        if not self.own:
            return cases / self.free, np.tile(1 / self.free_at, (len(weights), 1))
        curves = kernels.censoring_curves(weights, self.time, self.event)
        curves[curves <= 0] = np.nan
        last = np.maximum(self.until - 1, 0)
        outliving = np.where(self.until > 0, 1 / curves[:, last], 1.0)
        return np.divide(cases, curves, out=np.zeros_like(cases), where=cases > 0), outliving
