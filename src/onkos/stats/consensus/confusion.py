"""Estimation of unknown true labels and of each reader's confusion matrix, by EM."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.estimates import undefined
from onkos.stats.proportions import score_interval
from onkos.stats.significance import quantile


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReaderConfusion:
    """State of the EM algorithm.

    Parameters
    ----------
    posterior
        (rows, labels): probability of each true label.
    given
        (readers, true labels, given labels): how each reader labels each truth.
    prior
        (labels,): share of each label.
    iterations, converged
        Of the EM algorithm.
    """

    posterior: FloatArray
    given: FloatArray
    prior: FloatArray
    iterations: int
    converged: bool


def fit_confusion(
    rows: NDArray[np.intp],
    counts: FloatArray,
    *,
    labels: int,
    prior: FloatArray | None,
    tolerance: float = 1e-10,
    most: int = 5000,
) -> ReaderConfusion:
    """Estimate true labels and confusions from rows of labels given.

    Parameters
    ----------
    rows
        (rows, readers): number of the label, -1 where nothing was read.
    counts
        (rows,): how many units each row stands for.
    labels
        How many labels there are.
    prior
        Shares that are held (STAPLE); None estimates them too (Dawid and Skene).
    tolerance, most
        Largest change of a confusion at which the iteration ends; iterations at most.
    """
    chosen = (rows[:, :, None] == np.arange(labels)).astype(np.float64)
    votes = chosen.sum(axis=1)
    if not votes.sum(axis=1).all():
        raise ContentError("a row holds no label at all; leave it out")
    posterior = votes / votes.sum(axis=1, keepdims=True)
    given, share = _maximised(posterior, counts, chosen, prior, None)
    iterations, change = 0, math.inf
    while iterations < most and change >= tolerance:
        iterations += 1
        posterior = _posterior(chosen, given, share)
        last = given
        given, share = _maximised(posterior, counts, chosen, prior, last)
        change = float(np.abs(given - last).max())
    return ReaderConfusion(
        posterior=_posterior(chosen, given, share),
        given=given,
        prior=share,
        iterations=iterations,
        converged=change < tolerance,
    )


def diagonal(
    fit: ReaderConfusion, counts: FloatArray, rows: NDArray[np.intp]
) -> list[list[Estimate]]:
    """Sensitivity for each label (outer) of each reader (inner).

    The intervals are Wilson's on the expected number of units of that truth, as if the truth
    were known: too narrow, and the method says so.
    """
    found = []
    for label in range(fit.given.shape[1]):
        expected = counts * fit.posterior[:, label]
        read = [float(expected[rows[:, reader] >= 0].sum()) for reader in range(rows.shape[1])]
        found.append(
            [_wilson(float(fit.given[r, label, label]), read[r]) for r in range(len(read))]
        )
    return found


def majority_rows(counts: Sequence[Sequence[float]] | FloatArray) -> NDArray[np.intp]:
    """Label with most votes in each row of counts; -1 for a tie."""
    votes = np.asarray(counts, dtype=np.float64)
    most = votes.max(axis=1)
    tied = np.sum(votes == most[:, None], axis=1) > 1
    return np.where(tied, -1, votes.argmax(axis=1)).astype(np.intp)


def _posterior(chosen: FloatArray, given: FloatArray, share: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        log_given, log_share = np.log(given), np.log(share)
    log_given = np.maximum(log_given, -1e4)  # 0 times -inf must stay 0
    score = np.maximum(log_share, -1e6) + np.einsum("prk,rlk->pl", chosen, log_given)
    score -= score.max(axis=1, keepdims=True)
    weight = np.exp(score)
    posterior: FloatArray = weight / weight.sum(axis=1, keepdims=True)
    return posterior


def _maximised(
    posterior: FloatArray,
    counts: FloatArray,
    chosen: FloatArray,
    prior: FloatArray | None,
    last: FloatArray | None,
) -> tuple[FloatArray, FloatArray]:
    """Confusions and shares that suit the posterior best; a truth nobody met keeps the last."""
    weighted = counts[:, None] * posterior
    table = np.einsum("pl,prk->rlk", weighted, chosen)
    total = table.sum(axis=2, keepdims=True)
    fallback = np.full(table.shape, 1 / table.shape[2]) if last is None else last
    given = np.where(total > 0, table / np.where(total > 0, total, 1), fallback)
    share = weighted.sum(axis=0) / weighted.sum() if prior is None else prior
    return given, share


def _wilson(value: float, n: float, level: float = 0.95) -> Estimate:
    what = "sensitivity for the label"
    if n < 0.5:
        return undefined(what, "no unit of it", n=0, level=level)
    low, high = score_interval(value, n, quantile(level))
    by = "Wilson's interval on expected units"
    method = Method(what=what, by=by, notes=("truth taken for known: too narrow",))
    return Estimate(value=value, low=low, high=high, n=round(n), level=level, method=method)
