"""Curves of predicted classes: ROC, precision-recall, reliability, decision, confusion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onkos.core.curve import Curve
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.judge.gathered import Gathered
from onkos.judge.part import Metrics
from onkos.judge.settings import LEVEL
from onkos.stats.bands import BANDS, Band, precision_recall_band, roc_band
from onkos.stats.calibration import Forecast, reliability_curve
from onkos.stats.decision import decision_curve
from onkos.stats.multiclass import confusion_matrix
from onkos.stats.precision_recall import precision_recall_curve
from onkos.stats.resampling import IntArray
from onkos.stats.roc import roc_curve

_EDGE = 1e-6
_GRID = np.arange(0.01, 1.0, 0.02)
_MOST_POINTS = 1000  # of a curve that is kept


def class_curves(said: Gathered, metrics: Metrics, *, seed: int) -> tuple[Curve, ...]:
    """Compute what the figures of an arm draw; a curve that cases do not define is left out."""
    del metrics
    if len(said.first.classes) > 2:
        wanted: list[Callable[[], Curve]] = [
            *(lambda k=k: _against_the_others(said, k) for k in range(len(said.first.classes))),
            lambda: _confusion(said),
        ]
    else:
        wanted = [
            lambda: _roc(said, seed),
            lambda: _precision_recall(said, seed),
            lambda: _reliability(said),
            lambda: _decision(said, seed),
            lambda: _confusion(said),
        ]
    return tuple(curve for make in wanted if (curve := _or_none(make)) is not None)


def comparable(score: FloatArray, truth: AnyArray, folds: IntArray) -> FloatArray:
    """Scores of different folds on one scale: the share of its fold's negatives below each.

    Models of different folds are fitted on different patients, so their scores as they are
    cannot be ranked against each other. The curve of these ranks has the area within folds.
    """
    if len(np.unique(folds)) == 1:
        return score
    placed = np.zeros(len(score))
    for fold in np.unique(folds):
        here = folds == fold
        negatives = np.sort(score[here & ~truth])
        if negatives.size:
            below = np.searchsorted(negatives, score[here], side="left")
            upto = np.searchsorted(negatives, score[here], side="right")
            placed[here] = (below + upto) / (2 * negatives.size)
    return placed


def _or_none(make: Callable[[], Curve]) -> Curve | None:
    try:
        return make()
    except ContentError:
        return None


def _roc(said: Gathered, seed: int, *, name: str = "") -> Curve:
    """ROC curve of the first repeat with its band."""
    first = said.first
    truth, groups = first.positives, _groups(said)
    score = comparable(first.score, truth, said.folds[0])
    found = roc_curve(truth, score)
    rng = np.random.default_rng(seed)
    band = roc_band(truth, score, rng=rng, groups=groups)
    return Curve(
        kind="roc",
        name=name,
        x=thinned(found.false_positive_rate),
        y=thinned(found.true_positive_rate),
        lines=_band(band),
        notes=_within(said),
    )


def _against_the_others(said: Gathered, column: int) -> Curve:
    first = said.first
    truth = np.array([true == first.classes[column] for true in first.truth])
    score = comparable(first.probabilities[:, column], truth, said.folds[0])
    found = roc_curve(truth, score)
    return Curve(
        kind="roc",
        name=first.classes[column],
        x=thinned(found.false_positive_rate),
        y=thinned(found.true_positive_rate),
        notes=_within(said),
    )


def _precision_recall(said: Gathered, seed: int) -> Curve:
    first = said.first
    truth, groups = first.positives, _groups(said)
    found = precision_recall_curve(truth, first.score)
    rng = np.random.default_rng(seed)
    band = precision_recall_band(truth, first.score, rng=rng, groups=groups)
    return Curve(
        kind="precision_recall",
        x=thinned(found.recall),
        y=thinned(found.precision),
        lines={**_band(band), "prevalence": (float(found.prevalence),)},
    )


def _reliability(said: Gathered) -> Curve:
    """Observed share in bins of predicted probability, of the cases with an answer."""
    given = np.flatnonzero(~said.lost)
    some = said.rows(given)
    first = some.first
    probability = np.clip(first.score, _EDGE, 1 - _EDGE)
    forecast = Forecast(truth=first.positives, probability=probability, groups=_groups(some))
    bins = reliability_curve(forecast, level=LEVEL)
    counts, _ = np.histogram(probability, bins=20, range=(0, 1))
    return Curve(
        kind="reliability",
        x=tuple(one.predicted for one in bins),
        y=tuple(one.observed.value for one in bins),
        low=tuple(one.observed.low for one in bins),
        high=tuple(one.observed.high for one in bins),
        lines={"histogram": tuple(float(n) for n in counts)},
        notes=(f"{len(set(some.patients))} patients with an answer",),
    )


def _decision(said: Gathered, seed: int) -> Curve:
    """Net benefit of acting on the model over thresholds, beside acting on everybody."""
    first = said.first
    probability = np.clip(first.score, _EDGE, 1 - _EDGE)
    forecast = Forecast(truth=first.positives, probability=probability, groups=_groups(said))
    points = decision_curve(forecast, _GRID, rng=np.random.default_rng(seed), plan=BANDS)
    model = [point.model for point in points]
    return Curve(
        kind="decision",
        x=tuple(point.threshold for point in points),
        y=tuple(one.value for one in model),
        low=tuple(one.low for one in model),
        high=tuple(one.high for one in model),
        lines={"all": tuple(point.treat_all.value for point in points)},
    )


def _confusion(said: Gathered) -> Curve:
    first = said.first
    table = confusion_matrix(list(first.truth), first.predicted, classes=first.classes)
    return Curve(
        kind="confusion",
        lines={
            name: tuple(float(n) for n in row)
            for name, row in zip(first.classes, np.asarray(table.counts), strict=True)
        },
    )


def thinned(values: FloatArray) -> tuple[float, ...]:
    """Points of a curve, every so many where there are very many, the first and last kept."""
    if len(values) <= _MOST_POINTS:
        return tuple(values.tolist())
    kept = np.unique(np.linspace(0, len(values) - 1, _MOST_POINTS).astype(np.intp))
    return tuple(values[kept].tolist())


def _band(band: Band) -> dict[str, tuple[float, ...]]:
    """A band over places of its own along x."""
    return {
        "band_x": tuple(band.at.tolist()),
        "band_low": tuple(band.low.tolist()),
        "band_high": tuple(band.high.tolist()),
    }


def _within(said: Gathered) -> tuple[str, ...]:
    if not said.split:
        return ()
    return ("scores of different folds brought onto one scale by their ranks within the fold",)


def _groups(said: Gathered) -> list[str] | None:
    return said.patients if said.first.several_a_patient else None
