"""Means over repeats of the folds, with the variance of patients who stand in all of them.

All predictions of a patient, of whatever repeat, are drawn or left out together: a repeat shows
what the draw of the folds does, it is no second sample of patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.judgement import Spread
from onkos.stats.bootstrap import bootstrap_weighted
from onkos.stats.classification import Answers
from onkos.stats.estimates import described
from onkos.stats.intervals import Resampling
from onkos.stats.resampling import Clusters, Multiplicities

Repeats = Sequence[Answers]

_RESAMPLES = 2000  # for a standard error


def joint_means(
    values: FloatArray,
    *,
    patients: Sequence[str],
    rng: np.random.Generator,
    level: float,
    missed: int,
) -> Estimate:
    """Mean over repeats of the mean over cases, patients resampled.

    Parameters
    ----------
    values
        (repeats, cases), NaN where a repeat does not define the metric of a case.
    patients
        Patient of each case.
    missed
        Passed on.
    """
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)

    def mean(weights: Multiplicities) -> FloatArray:
        drawn = weights.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            averaged: FloatArray = ((drawn @ filled.T) / (drawn @ known.T)).mean(axis=1)
        return averaged

    found = bootstrap_weighted(
        mean,
        clusters=Clusters.of(len(patients), groups=patients),
        rng=rng,
        plan=Resampling(interval="percentile", level=level),
        what=f"mean over {len(patients)} cases",
    )
    return replace(over_repeats(found, len(values)), missed=missed)


def squared_error(repeats: Repeats) -> FloatArray:
    """(cases,): squared error of the probabilities, mean over the repeats."""
    averaged: FloatArray = np.mean([one.squared_error for one in repeats], axis=0)
    return averaged


def spread(values: Sequence[float]) -> Spread:
    """Describe a metric's values of several repeats."""
    return Spread(
        values=tuple(float(value) for value in values),
        sd=float(np.std(values, ddof=1)),
        low=float(np.min(values)),
        high=float(np.max(values)),
    )


def patients_of(one: Answers) -> Clusters:
    """Patients, in strata by which classes their cases have."""
    classes: dict[object, set[str]] = {}
    for patient, truth in zip(one.patients, one.truth, strict=True):
        classes.setdefault(patient, set()).add(truth)
    strata = [tuple(sorted(classes[patient])) for patient in one.patients]
    return Clusters.of(len(one.truth), groups=one.patients, strata=strata)


def require_same(repeats: Repeats) -> None:
    """Refuse repeats that do not hold the same cases in the same order."""
    first = repeats[0]
    for one in repeats:
        if list(one.patients) != list(first.patients) or list(one.truth) != list(first.truth):
            raise ContentError("repeats of other cases, or in another order; expected the same")


def over_repeats(estimate: Estimate, repeats: int) -> Estimate:
    """Say in the method that it is a mean over repeats."""
    return replace(estimate, method=replace(described(estimate.method), repeats=repeats))
