"""Agreement of any number of readers on categories, beyond chance, with missing ratings."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.stats.agreement.coefficient import Agreement, Kernel, Parts, estimate_agreement
from onkos.stats.agreement.ratings import MISSING, Ratings
from onkos.stats.agreement.weights import Weighting, agreement_weights

Weights = Weighting | ArrayLike


def fleiss_kappa(
    ratings: Ratings,
    *,
    weights: Weights = "identity",
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Agreement:
    """Fleiss' kappa: agreement of several readers, chance from how often categories are used.

    Parameters
    ----------
    ratings
        Cases by readers; a case with one rating helps to tell chance only.
    weights
        Credit for near misses, see :func:`onkos.stats.agreement.weights.agreement_weights`.
    rng
        If given, the interval is the percentile bootstrap by patient (by case without
        patients); else Gwet's linearised variance with Student's t.
    level
        Confidence level.

    Raises
    ------
    ContentError
        If no case was rated twice.

    References
    ----------
    Fleiss JL. Measuring nominal scale agreement among many raters. Psychol Bull 1971;76:378-382.
    doi:10.1037/h0031619
    Gwet KL. Computing inter-rater reliability and its variance in the presence of high
    agreement. Br J Math Stat Psychol 2008;61:29-48. doi:10.1348/000711006X126600
    """
    kernel = fleiss_kernel(ratings, weights, name="Fleiss' kappa")
    return estimate_agreement(kernel, level=level, rng=rng)


def gwet_ac(
    ratings: Ratings,
    *,
    weights: Weights = "identity",
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Agreement:
    """Gwet's AC1 (AC2 with weights): stays sensible where one category is rare.

    Kappa can be low though readers nearly always agree, when nearly all cases are alike; AC1
    counts chance only on cases that are hard to rate. Parameters and errors as
    :func:`fleiss_kappa`.

    References
    ----------
    Gwet KL. Computing inter-rater reliability and its variance in the presence of high
    agreement. Br J Math Stat Psychol 2008;61:29-48. doi:10.1348/000711006X126600
    """
    matrix = agreement_weights(ratings.categories, weights)
    q = len(matrix)
    scale = matrix.sum() / (q * (q - 1)) if q > 1 else np.nan

    def parts(sums: AnyArray) -> Parts:
        observed, share, used = _base(sums)
        return observed, scale * np.sum(used * (1 - used), axis=-1), share

    name = "Gwet's AC1" if np.array_equal(matrix, np.eye(q)) else "Gwet's AC2"
    kernel = Kernel(name=name, ratings=ratings, features=_shares(ratings, matrix), parts=parts)
    return estimate_agreement(kernel, level=level, rng=rng)


def brennan_prediger(
    ratings: Ratings,
    *,
    weights: Weights = "identity",
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Agreement:
    """Brennan and Prediger's coefficient: by chance every category is as likely as another.

    Parameters and errors as :func:`fleiss_kappa`.

    References
    ----------
    Brennan RL, Prediger DJ. Coefficient kappa: some uses, misuses, and alternatives. Educ
    Psychol Meas 1981;41:687-699. doi:10.1177/001316448104100307
    """
    matrix = agreement_weights(ratings.categories, weights)
    constant = matrix.mean()

    def parts(sums: AnyArray) -> Parts:
        observed, share, _ = _base(sums)
        return observed, constant + 0 * observed, share

    features = _shares(ratings, matrix)
    kernel = Kernel(name="Brennan-Prediger", ratings=ratings, features=features, parts=parts)
    return estimate_agreement(kernel, level=level, rng=rng)


def percent_agreement(
    ratings: Ratings,
    *,
    weights: Weights = "identity",
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Agreement:
    """Share of pairs of ratings of a case that agree; nothing is taken off for chance.

    Parameters and errors as :func:`fleiss_kappa`.
    """
    matrix = agreement_weights(ratings.categories, weights)

    def parts(sums: AnyArray) -> Parts:
        observed, share, _ = _base(sums)
        return observed, 0 * observed, share

    features = _shares(ratings, matrix)
    kernel = Kernel(name="percent agreement", ratings=ratings, features=features, parts=parts)
    return estimate_agreement(kernel, level=level, rng=rng)


def conger_kappa(
    ratings: Ratings,
    *,
    weights: Weights = "identity",
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Agreement:
    """Conger's kappa: Cohen's for several readers, each with habits of their own.

    Parameters and errors as :func:`fleiss_kappa`; the readers must be told apart.

    References
    ----------
    Conger AJ. Integration and generalization of kappas for multiple raters. Psychol Bull
    1980;88:322-328. doi:10.1037/0033-2909.88.2.322
    """
    kernel = conger_kernel(ratings, weights, name="Conger's kappa")
    return estimate_agreement(kernel, level=level, rng=rng)


def fleiss_kernel(ratings: Ratings, weights: Weights, *, name: str) -> Kernel:
    """Fleiss' kappa (Scott's pi for two readers) as a function of sums."""
    matrix = agreement_weights(ratings.categories, weights)

    def parts(sums: AnyArray) -> Parts:
        observed, share, used = _base(sums)
        return observed, np.einsum("...k,kl,...l->...", used, matrix, used), share

    return Kernel(name=name, ratings=ratings, features=_shares(ratings, matrix), parts=parts)


def conger_kernel(ratings: Ratings, weights: Weights, *, name: str) -> Kernel:
    """Conger's kappa (Cohen's for two readers) as a function of sums."""
    matrix = agreement_weights(ratings.categories, weights)
    if ratings.codes is None or ratings.readers < 2:
        raise ContentError(
            f"{name}: expected at least two readers that are told apart; give ratings by reader, "
            "not counts"
        )
    q, r = len(matrix), ratings.readers
    chosen = (ratings.codes[:, :, None] == np.arange(q)).reshape(len(ratings.codes), r * q)
    features = np.concatenate([_pairs(ratings, matrix), chosen.astype(np.float64)], axis=1)

    def parts(sums: AnyArray) -> Parts:
        observed, share, _ = _base(sums)
        used = sums[..., 3:].reshape(*sums.shape[:-1], r, q)
        used = used / used.sum(axis=-1, keepdims=True)
        whole = used.sum(axis=-2)
        both = np.einsum("...k,kl,...l->...", whole, matrix, whole)
        same = np.einsum("...gk,kl,...gl->...", used, matrix, used)
        return observed, (both - same) / (r * (r - 1)), share

    return Kernel(name=name, ratings=ratings, features=features, parts=parts)


def pairwise_agreement(ratings: Ratings, matrix: FloatArray) -> FloatArray:
    """Weighted share of the pairs of ratings of each case that agree; 0 without a pair."""
    total = ratings.counts.sum(axis=1)
    pairs = total * (total - 1)
    agreeing = np.sum(ratings.counts * (ratings.counts @ matrix.T - 1), axis=1)
    share: FloatArray = np.where(pairs > 0, agreeing / np.where(pairs > 0, pairs, 1), 0.0)
    return share


def _pairs(ratings: Ratings, matrix: FloatArray) -> FloatArray:
    """Agreement of a case, whether it has a pair of ratings, and one."""
    paired = ratings.counts.sum(axis=1) >= 2
    if not paired.any():
        raise ContentError("no case was rated by two readers; agreement needs pairs of ratings")
    columns = [pairwise_agreement(ratings, matrix), paired, np.ones(len(paired))]
    return np.stack(columns, axis=1).astype(np.float64)


def _shares(ratings: Ratings, matrix: FloatArray) -> FloatArray:
    """As :func:`_pairs`, and the share of the case's ratings in each category."""
    shares = ratings.counts / ratings.counts.sum(axis=1, keepdims=True)
    return np.concatenate([_pairs(ratings, matrix), shares], axis=1)


def _base(sums: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Agreement seen, share of cases with a pair, and what else was summed, per case."""
    agreement, paired, n = sums[..., 0], sums[..., 1], sums[..., 2]
    return agreement / paired, paired / n, sums[..., 3:] / n[..., None]


def complete(ratings: Ratings) -> Ratings:
    """Only the cases that every reader rated."""
    if ratings.codes is None:
        raise ContentError("counts do not tell readers apart; give ratings by reader")
    return ratings.keep((ratings.codes != MISSING).all(axis=1))
