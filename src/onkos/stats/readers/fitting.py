"""Smooth ROC curves fitted to ratings by maximum likelihood.

Three models of what a reader does: binormal (ratings of normal and abnormal cases are normally
distributed), contaminated binormal (some lesions are invisible), and the radiological search
model (latent marks, false and true, of which the highest decides).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import integrate, optimize
from scipy.special import expit, logit, ndtr, ndtri

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.readers.foms import CurveMerit

Model = Literal["binormal", "contaminated binormal", "search model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedCurve:
    """A fitted ROC curve.

    ``parameters`` are a and b (binormal), mu and alpha (contaminated binormal), or mu, lambda
    and nu (search model, one lesion a case); ``thresholds`` separate the rating levels, lowest
    first.
    """

    model: Model
    parameters: tuple[float, ...]
    thresholds: tuple[float, ...]
    auc: float
    negative_log_likelihood: float


def fit(normal: FloatArray, abnormal: FloatArray, *, model: Model = "binormal") -> FittedCurve:
    """Fit a curve to the numbers of normal and abnormal cases at each rating level.

    Parameters
    ----------
    normal, abnormal
        Counts at each level, lowest level first, shape (levels,).
    model
        Which model.

    Raises
    ------
    ContentError
        If there are fewer than two levels in use, or one class is absent.

    References
    ----------
    Dorfman DD, Alf E. J Math Psychol 1969;6:487-496. doi:10.1016/0022-2496(69)90019-4.
    Dorfman DD, Berbaum KS. Acad Radiol 2000;7:427-437. doi:10.1016/S1076-6332(00)80383-9.
    Chakraborty DP. Phys Med Biol 2006;51:3449-3462. doi:10.1088/0031-9155/51/14/012
    """
    used = (normal + abnormal) > 0
    low, high = np.asarray(normal[used], float), np.asarray(abnormal[used], float)
    if low.sum() <= 0 or high.sum() <= 0 or len(low) < 2:
        raise ContentError(
            f"fit: {int(low.sum())} normal and {int(high.sum())} abnormal cases on {len(low)} "
            "rating levels; expected both classes and at least two levels"
        )
    owns, gaps = _start(low, high, model)
    best = min(
        (_minimum(low, high, np.concatenate([own, gaps]), model) for own in owns),
        key=lambda found: float(found.fun),
    )
    count = len(owns[0])
    own, cuts = _unpack(np.asarray(best.x), count)
    return FittedCurve(
        model=model,
        parameters=_named(own, model),
        thresholds=tuple(float(c) for c in cuts),
        auc=_area(own, model),
        negative_log_likelihood=float(best.fun),
    )


def negative_log_likelihood(
    normal: FloatArray,
    abnormal: FloatArray,
    *,
    model: Model,
    parameters: Sequence[float],
    thresholds: Sequence[float],
) -> float:
    """Minus the log-likelihood of given parameters, in the order :class:`FittedCurve` has them."""
    value, _ = _loss(_free(parameters, thresholds, model), normal, abnormal, model)
    return value


def standard_error(fitted: FittedCurve, normal: FloatArray, abnormal: FloatArray) -> float:
    """Standard error of the area, from the observed information; NaN of a flat likelihood.

    ``normal`` and ``abnormal`` are the counts that were fitted.
    """
    used = (normal + abnormal) > 0
    low, high = np.asarray(normal[used], float), np.asarray(abnormal[used], float)
    free = _free(fitted.parameters, fitted.thresholds, fitted.model)
    count = len(fitted.parameters)
    step = 1e-5

    def moved(k: int, by: float) -> FloatArray:
        return np.asarray(free + by * (np.arange(len(free)) == k))

    information = np.array(
        [
            (_loss(moved(k, step), low, high, fitted.model)[1]
             - _loss(moved(k, -step), low, high, fitted.model)[1]) / (2 * step)
            for k in range(len(free))
        ]
    )  # fmt: skip
    slope = np.zeros(len(free))
    for k in range(count):
        up, down = (_area(moved(k, by)[:count], fitted.model) for by in (step, -step))
        slope[k] = (up - down) / (2 * step)
    if np.linalg.cond(information) > 1e12:
        return math.nan
    variance = float(slope @ np.linalg.solve((information + information.T) / 2, slope))
    return math.sqrt(variance) if variance >= 0 else math.nan


def _binormal_area(normal: FloatArray, abnormal: FloatArray, _: float) -> float:
    """Area under the binormal curve; of separated classes 1 (or 0)."""
    used = (normal + abnormal) > 0
    low, high = normal[used], abnormal[used]
    if high @ np.concatenate([np.cumsum(low[::-1])[::-1], [0]])[: len(low)] == 0:
        return 1.0
    return fit(low, high).auc


BINORMAL_AUC = CurveMerit(name="binormal AUC", kinds=("ROC", "FROC"), of_counts=_binormal_area)


@dataclass(frozen=True, slots=True)
class _Chances:
    """Chance to be rated above each cut, of normal and abnormal cases, with derivatives.

    ``by_own`` has one row a model parameter, ``by_cut`` is along the cuts.
    """

    false: FloatArray
    true: FloatArray
    false_by_own: FloatArray
    true_by_own: FloatArray
    false_by_cut: FloatArray
    true_by_cut: FloatArray


def _binormal(own: FloatArray, cuts: FloatArray) -> _Chances:
    b = math.exp(own[1])
    at = own[0] - b * cuts
    none = np.zeros((2, len(cuts)))
    return _Chances(
        ndtr(-cuts), ndtr(at), none, _bell(at) * np.array([np.ones_like(cuts), -b * cuts]),
        -_bell(cuts), -b * _bell(at),
    )  # fmt: skip


def _contaminated(own: FloatArray, cuts: FloatArray) -> _Chances:
    mu, visible = math.exp(own[0]), float(expit(own[1]))
    false, seen = ndtr(-cuts), ndtr(mu - cuts)
    by_own = np.array([visible * mu * _bell(mu - cuts), visible * (1 - visible) * (seen - false)])
    return _Chances(
        false, (1 - visible) * false + visible * seen, np.zeros((2, len(cuts))), by_own,
        -_bell(cuts), -(1 - visible) * _bell(cuts) - visible * _bell(mu - cuts),
    )  # fmt: skip


def _search(own: FloatArray, cuts: FloatArray) -> _Chances:
    mu, rate, found = math.exp(own[0]), math.exp(own[1]), float(expit(own[2]))
    none, seen = np.exp(-rate * ndtr(-cuts)), ndtr(mu - cuts)
    missed = 1 - found * seen
    by_rate, zero = none * rate * ndtr(-cuts), np.zeros_like(cuts)
    by_mu, by_found = none * found * mu * _bell(mu - cuts), none * found * (1 - found) * seen
    return _Chances(
        1 - none, 1 - none * missed, np.array([zero, by_rate, zero]),
        np.array([by_mu, by_rate * missed, by_found]), -none * rate * _bell(cuts),
        -none * (rate * _bell(cuts) * missed + found * _bell(mu - cuts)),
    )  # fmt: skip


_MODELS: dict[Model, Callable[[FloatArray, FloatArray], _Chances]] = {
    "binormal": _binormal,
    "contaminated binormal": _contaminated,
    "search model": _search,
}


def _bell(x: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))


def _start(low: FloatArray, high: FloatArray, model: Model) -> tuple[list[FloatArray], FloatArray]:
    """Parameters to start from, and cuts at the normal cases' own quantiles."""
    above = (low.sum() - np.cumsum(low)[:-1] + 0.5) / (low.sum() + 1)
    cuts = ndtri(1 - np.clip(above, 0.02, 0.98))
    cuts = np.maximum.accumulate(cuts + 1e-3 * np.arange(len(cuts)))
    gaps = np.concatenate([cuts[:1], np.log(np.maximum(np.diff(cuts), 1e-3))])
    owns = {
        "binormal": [np.array([1.5, -0.5]), np.array([0.5, 0.0])],
        "contaminated binormal": [np.array([1.0, 1.5]), np.array([0.5, 0.0])],
        "search model": [np.array([1.0, 0.0, 1.0]), np.array([0.8, -1.0, 2.0])],
    }[model]
    return owns, gaps


def _unpack(free: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Model parameters, and cuts in rising order."""
    gaps = free[count:]
    steps = np.exp(np.clip(gaps[1:], -30, 5))
    return free[:count], np.cumsum(np.concatenate([gaps[:1], steps]))


def _loss(
    free: FloatArray, low: FloatArray, high: FloatArray, model: Model
) -> tuple[float, FloatArray]:
    """Negative log-likelihood and its gradient."""
    count = len(free) - len(low) + 1
    own, cuts = _unpack(free, count)
    chance = _MODELS[model](own, cuts)
    value, by_false = _multinomial(low, chance.false)
    other, by_true = _multinomial(high, chance.true)
    by_own = chance.false_by_own @ by_false + chance.true_by_own @ by_true
    by_cut = chance.false_by_cut * by_false + chance.true_by_cut * by_true
    tails = np.cumsum(by_cut[::-1])[::-1]
    steps = np.concatenate([[1.0], np.diff(cuts)])
    return value + other, np.concatenate([by_own, tails * steps])


def _multinomial(counts: FloatArray, above: FloatArray) -> tuple[float, FloatArray]:
    """Negative log-likelihood of counts by level, and its derivative by each chance ``above``."""
    levels = np.maximum(-np.diff(np.concatenate([[1.0], above, [0.0]])), 1e-300)
    pull = np.where(counts > 0, counts / levels, 0.0)
    return -float(counts @ np.log(levels)), np.asarray(pull[:-1] - pull[1:])


def _minimum(
    low: FloatArray, high: FloatArray, start: FloatArray, model: Model
) -> optimize.OptimizeResult:
    """Minimum of the negative log-likelihood by a quasi-Newton method."""
    return optimize.minimize(
        _loss,
        start,
        args=(low, high, model),
        jac=True,
        method="BFGS",
        options={"gtol": 1e-6, "maxiter": 300},
    )


def _free(parameters: Sequence[float], thresholds: Sequence[float], model: Model) -> FloatArray:
    """Free parameters of named ones; the inverse of :func:`_named` and :func:`_unpack`."""
    own = np.array(parameters, dtype=np.float64)
    if model == "binormal":
        own[1:] = np.log(own[1:])  # a itself may be negative
    else:
        own[:-1], own[-1] = np.log(own[:-1]), logit(own[-1])
    return np.concatenate([own, thresholds[:1], np.log(np.diff(thresholds))])


def _named(own: FloatArray, model: Model) -> tuple[float, ...]:
    if model == "binormal":
        return float(own[0]), math.exp(own[1])
    if model == "contaminated binormal":
        return math.exp(own[0]), float(expit(own[1]))
    return math.exp(own[0]), math.exp(own[1]), float(expit(own[2]))


def _area(own: FloatArray, model: Model) -> float:
    if model == "binormal":
        return float(ndtr(own[0] / math.hypot(1, math.exp(own[1]))))
    if model == "contaminated binormal":
        visible = float(expit(own[1]))
        return (1 - visible) / 2 + visible * float(ndtr(math.exp(own[0]) / math.sqrt(2)))
    return search_area(*_named(own, model))


def search_area(mu: float, false_marks: float, found: float) -> float:
    """Area under the ROC curve of the search model with one lesion a case.

    The curve ends at the most lenient threshold; from there a straight line runs to (1, 1).
    """
    own = np.array([math.log(mu), math.log(false_marks), math.log(found) - math.log1p(-found)])

    def density(cut: float) -> float:
        chance = _search(own, np.array([cut]))
        return float(-chance.true[0] * chance.false_by_cut[0])

    inside = integrate.quad(density, -12, 12 + mu, epsabs=1e-12, limit=200)[0]
    end_false = 1 - math.exp(-false_marks)
    end_true = 1 - math.exp(-false_marks) * (1 - found)
    return float(inside + (1 - end_false) * (1 + end_true) / 2)
