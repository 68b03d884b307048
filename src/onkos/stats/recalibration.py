"""Recalibration of predicted probabilities: fitted on one sample, applied to another."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression, minimize_scalar
from scipy.special import expit

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.core.plain import from_plain, to_plain
from onkos.stats.calibration.forecast import Forecast
from onkos.stats.calibration.line import logistic_fit
from onkos.stats.ranking import BoolArray
from onkos.stats.resampling import Clusters
from onkos.stats.survival.followup import yes_or_no


@dataclass(frozen=True, slots=True, kw_only=True)
class Platt:
    """Platt scaling, from a score of any scale: ``expit(intercept + slope * score)``.

    ``cases`` and ``events`` are those it was fitted on, as in the other recalibrations.
    """

    intercept: float
    slope: float
    cases: int
    events: int

    def apply(self, score: ArrayLike) -> FloatArray:
        """Turn scores into probabilities."""
        values = np.asarray(score, dtype=np.float64)
        if not np.isfinite(values).all():
            raise ContentError("a score is not finite; it cannot become a probability")
        return np.asarray(expit(self.intercept + self.slope * values), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """Logistic recalibration: a line in log odds. Probabilities of 0 and 1 stay what they are."""

    intercept: float
    slope: float
    cases: int
    events: int

    def apply(self, probability: ArrayLike) -> FloatArray:
        """Recalibrate probabilities."""
        odds = _log_odds(probability)
        return np.asarray(expit(self.intercept + self.slope * odds), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """One number by which log odds are divided; the order of cases and 1/2 stay."""

    temperature: float
    cases: int
    events: int

    def apply(self, probability: ArrayLike) -> FloatArray:
        """Recalibrate probabilities."""
        return np.asarray(expit(_log_odds(probability) / self.temperature), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beta:
    """Beta calibration: log odds are ``intercept + a ln p - b ln(1 - p)``, a and b >= 0."""

    intercept: float
    a: float
    b: float
    cases: int
    events: int

    def apply(self, probability: ArrayLike) -> FloatArray:
        """Recalibrate probabilities."""
        p = _checked(probability)
        with np.errstate(divide="ignore", invalid="ignore"):
            up = self.a * np.log(p) if self.a else np.zeros_like(p)
            down = self.b * np.log1p(-p) if self.b else np.zeros_like(p)
        return np.asarray(expit(self.intercept + up - down), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Isotonic:
    """A rising curve through ``knots``; straight between them, level beyond."""

    knots: tuple[float, ...]
    values: tuple[float, ...]
    cases: int
    events: int

    def __post_init__(self) -> None:
        rising = len(self.knots) == len(self.values) > 0 and all(
            np.all(np.diff(side) >= 0) for side in (self.knots, self.values)
        )
        if not rising:
            raise ContentError("isotonic recalibration: expected knots and values that both rise")

    def apply(self, probability: ArrayLike) -> FloatArray:
        """Recalibrate probabilities."""
        return np.interp(_checked(probability), self.knots, self.values)


Recalibration = Platt | Logistic | Temperature | Beta | Isotonic
KINDS: dict[str, type[Recalibration]] = {
    "platt": Platt,
    "logistic": Logistic,
    "temperature": Temperature,
    "beta": Beta,
    "isotonic": Isotonic,
}


def fit_platt(truth: ArrayLike, score: ArrayLike) -> Platt:
    """Fit Platt's scaling of a score, with his targets that keep away from 0 and 1.

    Raises
    ------
    ContentError
        If a score is not finite or all are equal, or only one class is there.

    References
    ----------
    Platt JC. Probabilistic outputs for support vector machines and comparisons to regularized
    likelihood methods. Advances in large margin classifiers. MIT Press 1999:61-74.
    """
    values = np.asarray(score, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or values.size == 0:
        raise ContentError(f"scores of shape {values.shape}: expected one finite number a case")
    y = yes_or_no(truth, what="truth", shape=values.shape)
    events = int(y.sum())
    if events in (0, y.size) or np.ptp(values) == 0:
        raise ContentError(
            f"{events} events in {y.size} cases: expected both classes and scores that differ"
        )
    target = np.where(y, (events + 1) / (events + 2), 1 / (y.size - events + 2))
    centre, scale = float(values.mean()), float(values.std())
    beta = _regressed(target, (values - centre) / scale)
    slope = float(beta[1]) / scale
    return Platt(
        intercept=float(beta[0]) - slope * centre, slope=slope, cases=y.size, events=events
    )


def fit_logistic(forecast: Forecast) -> Logistic:
    """Fit logistic recalibration; what it corrects is the calibration line.

    Raises
    ------
    ContentError
        As :func:`onkos.stats.calibration.calibration_line`.
    """
    forecast.require_both()
    beta = _regressed(forecast.truth, forecast.logits)
    return Logistic(
        intercept=float(beta[0]),
        slope=float(beta[1]),
        cases=forecast.cases,
        events=forecast.events,
    )


def fit_temperature(forecast: Forecast) -> Temperature:
    """Fit the temperature that makes the outcomes most likely.

    Raises
    ------
    ContentError
        If a probability is exactly 0 or 1, only one class is there, or no positive and finite
        temperature is best (the predictions are perfect, or worse than chance).

    References
    ----------
    Guo C, Pleiss G, Sun Y, Weinberger KQ. On calibration of modern neural networks. ICML 2017.
    doi:10.48550/arXiv.1706.04599
    """
    forecast.require_both()
    logits, y = forecast.logits, forecast.truth.astype(np.float64)

    def loss(log_temperature: float) -> float:
        eta = logits * math.exp(-log_temperature)
        return float(np.mean(np.logaddexp(0, eta) - y * eta))

    found = minimize_scalar(loss, bounds=(-8.0, 8.0), method="bounded", options={"xatol": 1e-10})
    if abs(found.x) > 7.9:
        raise ContentError(
            f"{forecast.words}: no finite temperature is best; the predictions are perfect here, "
            "or no better than chance"
        )
    return Temperature(temperature=math.exp(found.x), cases=forecast.cases, events=forecast.events)


def fit_beta(forecast: Forecast) -> Beta:
    """Fit beta calibration; a coefficient that would be negative is held at zero.

    Raises
    ------
    ContentError
        As :func:`fit_logistic`.

    References
    ----------
    Kull M, Silva Filho T, Flach P. Beyond sigmoids: how to obtain well-calibrated probabilities
    from binary classifiers with beta calibration. Electron J Stat 2017;11:5052-5080.
    doi:10.1214/17-EJS1338SI
    """
    forecast.require_both()
    _ = forecast.logits
    columns = {"a": np.log(forecast.probability), "b": -np.log1p(-forecast.probability)}
    kept = [name for name in columns if np.ptp(columns[name]) > 0]
    while True:
        beta = _regressed(forecast.truth, *(columns[name] for name in kept))
        found = dict(zip(kept, beta[1:].tolist(), strict=True))
        if all(value >= 0 for value in found.values()):
            break
        kept.remove(min(found, key=lambda name: found[name]))
    return Beta(
        intercept=float(beta[0]),
        a=found.get("a", 0.0),
        b=found.get("b", 0.0),
        cases=forecast.cases,
        events=forecast.events,
    )


def fit_isotonic(forecast: Forecast) -> Isotonic:
    """Fit the rising step curve of least squares; needs many cases, and ties many of them.

    Raises
    ------
    ContentError
        If only one class is there.

    References
    ----------
    Zadrozny B, Elkan C. Transforming classifier scores into accurate multiclass probability
    estimates. KDD 2002:694-699. doi:10.1145/775047.775151
    """
    forecast.require_both()
    knots, where = np.unique(forecast.probability, return_inverse=True)
    count = np.bincount(where).astype(np.float64)
    share = np.bincount(where, weights=forecast.truth) / count
    values = isotonic_regression(share, weights=count).x
    edge = np.ones(knots.size, dtype=bool)
    edge[1:-1] = (values[1:-1] != values[:-2]) | (values[1:-1] != values[2:])
    return Isotonic(
        knots=tuple(knots[edge].tolist()),
        values=tuple(np.clip(values[edge], 0.0, 1.0).tolist()),
        cases=forecast.cases,
        events=forecast.events,
    )


def recalibration_to_plain(recalibration: Recalibration) -> dict[str, Any]:
    """Turn a recalibration into a dict for JSON, with its kind."""
    (kind,) = [name for name, cls in KINDS.items() if type(recalibration) is cls]
    return {"kind": kind, **to_plain(recalibration)}


def recalibration_from_plain(plain: Any) -> Recalibration:
    """Build a recalibration from what :func:`recalibration_to_plain` made of it.

    Raises
    ------
    ContentError
        If the kind is unknown, or a number is missing, unknown, of the wrong type or not finite.
    """
    kind = plain.get("kind") if isinstance(plain, dict) else None
    if kind not in KINDS:
        raise ContentError(f"recalibration of kind {kind!r}: expected one of {sorted(KINDS)}")
    built = from_plain(KINDS[kind], {key: plain[key] for key in plain if key != "kind"})
    numbers = [getattr(built, field.name) for field in fields(built)]
    if not all(np.isfinite(number).all() for number in numbers):
        raise ContentError(f"recalibration {plain}: expected finite numbers")
    return built


def _regressed(y: FloatArray | BoolArray, *columns: FloatArray) -> FloatArray:
    """Intercept and slopes of a logistic regression."""
    design = np.column_stack([np.ones(y.size), *columns])
    return logistic_fit(design, y, Clusters.of(y.size))[0]


def _checked(probability: ArrayLike) -> FloatArray:
    p = np.asarray(probability, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ContentError("recalibration of a number that is no probability; expected 0 to 1")
    return p


def _log_odds(probability: ArrayLike) -> FloatArray:
    p = _checked(probability)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float64)
