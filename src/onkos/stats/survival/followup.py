"""Right-censored follow-up of patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import CohortError, ContentError, UsageError
from onkos.core.geometry import FloatArray
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FollowUp:
    """Right-censored follow-up, one row a patient.

    Parameters
    ----------
    time
        Time from the start (day of the scan, of the diagnosis) to the event or to the last day
        the patient was known to be free of it, shape (patients,); finite, not negative, any one
        unit.
    event
        True where the event was observed, False where the patient was censored.
    patients
        Names of the patients, if known; they are only checked for repeats.

    Raises
    ------
    ContentError
        If a time is not finite or negative, if ``event`` holds anything but yes and no (a code
        such as 2 for a competing cause has to be decided on first), or if there is nobody.
    CohortError
        If a patient is listed twice.
    """

    time: FloatArray
    event: BoolArray
    patients: Sequence[Hashable] = ()

    def __post_init__(self) -> None:
        time = np.array(self.time, dtype=np.float64)
        if time.ndim != 1 or time.size == 0:
            raise ContentError(
                f"follow-up times of shape {time.shape}: expected one a patient, at least one"
            )
        bad = np.flatnonzero(~np.isfinite(time) | (time < 0))
        if bad.size:
            raise ContentError(
                f"follow-up times at {bad[:5].tolist()} are {time[bad[:5]].tolist()}: expected "
                "finite and not negative; correct the dates or leave these patients out by name"
            )
        event = yes_or_no(self.event, what="event", shape=time.shape)
        if len(self.patients):
            _require_distinct(self.patients, time.size)
        for array, name in ((time, "time"), (event, "event")):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def n(self) -> int:
        """Number of patients."""
        return int(self.time.size)

    @property
    def events(self) -> int:
        """Number of events seen."""
        return int(np.count_nonzero(self.event))

    @property
    def longest(self) -> float:
        """Longest follow-up of any patient."""
        return float(self.time.max())

    @property
    def order(self) -> IntArray:
        """Index that sorts the patients by time."""
        order: IntArray = np.argsort(self.time, kind="stable")
        return order

    def where(self, chosen: BoolArray) -> FollowUp:
        """Keep some of the patients."""
        return FollowUp(time=self.time[chosen], event=self.event[chosen])

    def until(self, horizon: float) -> FollowUp:
        """Censor at a horizon everybody who is still followed then."""
        return FollowUp(
            time=np.minimum(self.time, horizon), event=self.event & (self.time <= horizon)
        )

    def require_horizon(self, *horizons: float) -> None:
        """Refuse a time at which nobody is followed any more, zero, and what is no number.

        Raises
        ------
        UsageError
            If a horizon is not finite, not positive, or not before the longest follow-up.
        """
        for horizon in horizons:
            if not (np.isfinite(horizon) and 0 < horizon < self.longest):
                raise UsageError(
                    f"horizon {horizon:g}: expected more than 0 and less than the longest "
                    f"follow-up, {self.longest:g} (n = {self.n}); nothing is known beyond it"
                )


def scores(values: ArrayLike, follow: FollowUp, *, what: str) -> FloatArray:
    """One finite number a patient, e.g. a predicted risk.

    Raises
    ------
    ContentError
        If there are more or fewer than patients, or one is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape[:1] != (follow.n,):
        raise ContentError(f"{what} of shape {array.shape} for {follow.n} patients; expected one")
    if not np.isfinite(array).all():
        where = np.flatnonzero(~np.isfinite(array).reshape(follow.n, -1).all(axis=1))[:5].tolist()
        raise ContentError(
            f"{what} of patients {where} is not finite; say what such a patient is predicted to "
            "have instead of dropping them"
        )
    return array


def yes_or_no(values: ArrayLike, *, what: str, shape: tuple[int, ...]) -> BoolArray:
    """Booleans, or numbers that are all 0 or 1.

    Raises
    ------
    ContentError
        If the shape differs or another value occurs.
    """
    array = np.asarray(values)
    if array.shape != shape:
        raise ContentError(f"{what} of shape {array.shape}: expected {shape}, one each")
    if array.dtype == np.bool_:
        return array.copy()
    if array.dtype.kind not in "iuf" or not np.isin(array, (0, 1)).all():
        found = sorted({str(item) for item in array.ravel().tolist()} - {"0", "1", "0.0", "1.0"})
        raise ContentError(f"{what} holds {found[:5]}: expected only yes and no (1 and 0)")
    yes: BoolArray = array == 1
    return yes


def _require_distinct(patients: Sequence[Hashable], n: int) -> None:
    if len(patients) != n:
        raise ContentError(f"{len(patients)} names for {n} patients; expected one each")
    twice = [patient for patient, times in Counter(patients).items() if times > 1]
    if twice:
        raise CohortError(
            f"patients {twice[:5]} are listed more than once; survival is one row a patient"
        )
