"""Free-response curves: lesions found against false marks a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray, FloatArray
from onkos.stats.bootstrap import DEFAULT, Resampling, bootstrap_table, bootstrap_weighted
from onkos.stats.marks import Marks
from onkos.stats.midranks import last_of_equals
from onkos.stats.resampling import Multiplicities, Statistic

Between = Literal["step", "linear"]
CPM_POINTS = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrocCurve:
    """Operating points from the strictest threshold to the laxest; the first is (0, 0).

    Parameters
    ----------
    thresholds
        A mark counts when its score is at least so high; the first is infinite.
    false_per_case
        False marks a case at each threshold, over all cases.
    sensitivity
        Share of all lesions found at each threshold, those without a mark in the denominator.
    """

    thresholds: FloatArray
    false_per_case: FloatArray
    sensitivity: FloatArray

    def at(self, false_per_case: float, *, between: Between = "step") -> float:
        """Sensitivity at so many false marks a case; beyond the last point it stays there.

        ``"step"`` gives that of the best operating point which does not exceed them;
        ``"linear"`` goes straight from point to point, as LUNA16 and MONAI do.
        """
        x, y = self.false_per_case, self.sensitivity
        place = int(np.searchsorted(x, false_per_case, side="right")) - 1
        if place < 0:
            raise ContentError(f"{false_per_case} false marks a case: expected 0 or more")
        if between == "step" or place == len(x) - 1:
            return float(y[place])
        part = (false_per_case - x[place]) / (x[place + 1] - x[place])
        return float(y[place] + part * (y[place + 1] - y[place]))

    def area(self, *, upto: float, start: float = 0.0, between: Between = "step") -> float:
        """Area under the curve between two numbers of false marks a case (not divided)."""
        if not 0 <= start < upto < np.inf:
            raise ContentError(f"area from {start} to {upto}: expected 0 <= start < upto")
        inner = (self.false_per_case > start) & (self.false_per_case < upto)
        x = np.concatenate([[start], self.false_per_case[inner], [upto]])
        first = self.at(start, between=between)
        held = np.concatenate([[first], self.sensitivity[inner]])
        if between == "step":
            return float(np.diff(x) @ held)
        y = np.concatenate([held, [self._before(upto)]])
        return float(np.diff(x) @ (y[:-1] + y[1:]) / 2)

    def _before(self, false_per_case: float) -> float:
        """Where the straight line arrives at a number, below any rise that stands on it."""
        x, y = self.false_per_case, self.sensitivity
        place = int(np.searchsorted(x, false_per_case, side="left"))
        if place == len(x):
            return float(y[-1])
        part = (false_per_case - x[place - 1]) / (x[place] - x[place - 1])
        return float(y[place - 1] + part * (y[place] - y[place - 1]))


def froc_curve(marks: Marks) -> FrocCurve:
    """Trace the FROC curve; its bands come from :func:`sensitivity_at` on a grid.

    Raises
    ------
    ContentError
        If no case has a lesion.

    References
    ----------
    Bunch PC, et al. A free-response approach to the measurement and characterization of
    radiographic-observer performance. J Appl Photogr Eng 1978;4:166-171.
    """
    marks.require_lesions(doing="FROC")
    score, _, lesion, last = _swept(marks)
    hits, wrong = np.cumsum(lesion)[last], np.cumsum(~lesion)[last]
    return FrocCurve(
        thresholds=np.concatenate([[np.inf], score[last]]),
        false_per_case=np.concatenate([[0.0], wrong / len(marks.cases)]),
        sensitivity=np.concatenate([[0.0], hits / len(marks.lesion_case)]),
    )


def sensitivity_at(
    marks: Marks,
    false_per_case: Sequence[float],
    *,
    rng: np.random.Generator,
    between: Between = "step",
    plan: Resampling = DEFAULT,
) -> tuple[Estimate, ...]:
    """Estimate the sensitivity at given numbers of false marks a case, resampling patients.

    Parameters
    ----------
    marks
        Of one reader or algorithm on all cases.
    false_per_case
        Where to read the curve; 0 or more, at least one.
    rng
        Source of the resamples.
    between
        See :meth:`FrocCurve.at`.
    plan
        How many resamples and which interval.

    Raises
    ------
    ContentError
        If no case has a lesion, or a number is negative or not finite.

    References
    ----------
    Samuelson FW, Petrick N. Comparing image detection algorithms using resampling. IEEE ISBI
    2006:1312-1315. doi:10.1109/ISBI.2006.1625167
    """
    names = [f"sensitivity at {at:.12g} false marks a case ({between})" for at in false_per_case]
    asked = dict(zip(names, false_per_case, strict=True))
    read = _reader(marks, list(asked.values()), between)
    found = bootstrap_table(
        lambda weights: read(weights)[:, :-1],
        names=list(asked),
        clusters=marks.clusters,
        rng=rng,
        plan=plan,
    )
    return tuple(marks.told(found[name]) for name in names)


def cpm(marks: Marks, *, rng: np.random.Generator, plan: Resampling = DEFAULT) -> Estimate:
    """Competition performance metric: mean sensitivity at 1/8, 1/4, 1/2, 1, 2, 4, 8 false marks.

    Read with straight lines between operating points, as LUNA16 does.

    Raises
    ------
    ContentError
        If no case has a lesion.

    References
    ----------
    Setio AAA, et al. Validation, comparison, and combination of algorithms for automatic
    detection of pulmonary nodules in computed tomography images: the LUNA16 challenge. Med
    Image Anal 2017;42:1-13. doi:10.1016/j.media.2017.06.015
    """
    return mean_sensitivity(marks, CPM_POINTS, rng=rng, plan=plan)


def mean_sensitivity(
    marks: Marks,
    false_per_case: Sequence[float],
    *,
    rng: np.random.Generator,
    between: Between = "linear",
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Estimate the mean sensitivity over chosen numbers of false marks a case.

    Raises
    ------
    ContentError
        As :func:`sensitivity_at`.
    """
    read = _reader(marks, false_per_case, between)
    points = ", ".join(f"{number:g}" for number in false_per_case)
    found = bootstrap_weighted(
        lambda weights: read(weights)[:, :-1].mean(axis=1),
        clusters=marks.clusters,
        rng=rng,
        plan=plan,
        what=f"mean sensitivity at {points} false marks a case ({between})",
    )
    return marks.told(found)


def froc_area(
    marks: Marks,
    *,
    upto: float,
    rng: np.random.Generator,
    between: Between = "step",
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Estimate the area under the FROC curve to a limit, divided by it: a mean sensitivity.

    Raises
    ------
    ContentError
        If no case has a lesion, or the limit is not positive.
    """
    if not 0 < upto < np.inf:
        raise ContentError(f"area to {upto} false marks a case: expected a positive number")
    read = _reader(marks, [upto], between)
    found = bootstrap_weighted(
        lambda weights: read(weights)[:, -1] / upto,
        clusters=marks.clusters,
        rng=rng,
        plan=plan,
        what=f"mean sensitivity from 0 to {upto:g} false marks a case",
    )
    return marks.told(found)


def _reader(marks: Marks, false_per_case: Sequence[float], between: Between) -> Statistic:
    """Sensitivities at some numbers, in the order given, and the area up to the largest."""
    marks.require_lesions(doing="FROC")
    wanted = np.asarray(false_per_case, dtype=np.float64)
    if wanted.size == 0 or not (np.isfinite(wanted).all() and (wanted >= 0).all()):
        raise ContentError(f"{list(false_per_case)} false marks a case: expected 0 or more")
    order = np.argsort(wanted)
    back = np.concatenate([np.argsort(order), [len(wanted)]])
    _, case, lesion, last = _swept(marks)
    per_case, straight = marks.lesions_per_case, between == "linear"

    def read(weights: Multiplicities) -> FloatArray:
        swept = _sweep(weights, case, lesion, last, (per_case, wanted[order], straight))
        found: FloatArray = swept[:, back]
        return found

    return read


def _swept(marks: Marks) -> tuple[FloatArray, AnyArray, AnyArray, AnyArray]:
    """Score, case, is-a-hit and last-of-its-score of every mark, highest score first."""
    hit = ~np.isneginf(marks.lesion_score)
    score = np.concatenate([marks.lesion_score[hit], marks.false_score])
    case = np.concatenate([marks.lesion_case[hit], marks.false_case])
    lesion = np.arange(len(score)) < int(hit.sum())
    order = np.argsort(-score, kind="stable")
    return score[order], case[order], lesion[order], last_of_equals(score[order])


@njit(cache=True, nogil=True)
def _sweep(weights: Any, case: Any, lesion: Any, last: Any, asked: Any) -> Any:  # pragma: no cover
    """Read each resample's curve at rising numbers; the last column is the area up to the last."""
    per_case, wanted, straight = asked
    found = np.full((weights.shape[0], wanted.size + 1), np.nan)
    for row in range(weights.shape[0]):
        cases, lesions = 0, 0
        for number in range(per_case.size):
            cases += weights[row, number]
            lesions += weights[row, number] * per_case[number]
        if lesions == 0:
            continue
        wrong, hits, next_one = 0, 0, 0
        x, y, area, limit = 0.0, 0.0, 0.0, wanted[-1]
        for mark in range(case.size):
            if lesion[mark]:
                hits += weights[row, case[mark]]
            else:
                wrong += weights[row, case[mark]]
            if not last[mark]:
                continue
            new_x, new_y = wrong / cases, hits / lesions
            slope = (new_y - y) / (new_x - x) if straight and new_x > x else 0.0
            while next_one < wanted.size and new_x > wanted[next_one]:
                found[row, next_one] = y + slope * (wanted[next_one] - x)
                next_one += 1
            if x < limit:
                width = min(new_x, limit) - x
                area += width * (y + slope * width / 2)
            x, y = new_x, new_y
        found[row, next_one : wanted.size] = y
        found[row, wanted.size] = area + max(limit - x, 0.0) * y
    return found
