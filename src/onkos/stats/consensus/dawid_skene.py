"""Dawid and Skene: the likely true class of each case, from readers of unlike skill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.consensus.confusion import diagonal, fit_confusion


@dataclass(frozen=True, slots=True, kw_only=True)
class DawidSkene:
    """Consensus of class labels.

    Parameters
    ----------
    labels
        Likeliest category of each row of the ratings (cases that nobody rated have none;
        ``ratings.rows`` says which rows of the input they are).
    probability
        (rows, categories).
    prevalence
        (categories,): estimated share of each.
    confusion
        (readers, truth, given).
    sensitivity
        By category, one a reader.
    iterations, converged
        Of the EM algorithm.
    """

    labels: tuple[Any, ...]
    probability: FloatArray
    prevalence: FloatArray
    confusion: FloatArray
    sensitivity: Mapping[Any, tuple[Estimate, ...]]
    iterations: int
    converged: bool


def dawid_skene(ratings: Ratings, *, tolerance: float = 1e-8, most: int = 5000) -> DawidSkene:
    """Estimate true classes, their prevalence and each reader's confusion, by EM.

    Started at the shares of votes. Missing ratings are left out of the likelihood.

    Parameters
    ----------
    ratings
        Cases by readers.
    tolerance, most
        Largest change of a confusion at which the iteration ends; iterations at most.

    Raises
    ------
    ContentError
        If readers are not told apart.

    References
    ----------
    Dawid AP, Skene AM. Maximum likelihood estimation of observer error-rates using the EM
    algorithm. Appl Stat 1979;28:20-28. doi:10.2307/2346806
    """
    if ratings.codes is None or ratings.readers < 2:
        raise ContentError("expected two readers or more that are told apart, not counts")
    fit = fit_confusion(
        ratings.codes,
        ratings.frequency,
        labels=len(ratings.categories),
        prior=None,
        tolerance=tolerance,
        most=most,
    )
    found = diagonal(fit, ratings.frequency, ratings.codes)
    names = ratings.categories
    return DawidSkene(
        labels=tuple(names[label] for label in np.argmax(fit.posterior, axis=1)),
        probability=fit.posterior,
        prevalence=fit.prior,
        confusion=fit.given,
        sensitivity={name: tuple(found[label]) for label, name in enumerate(names)},
        iterations=fit.iterations,
        converged=fit.converged,
    )
