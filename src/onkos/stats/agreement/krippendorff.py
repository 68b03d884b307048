"""Krippendorff's alpha."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onkos.core.errors import ContentError, UsageError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.stats.agreement.chance import Weights, pairwise_agreement
from onkos.stats.agreement.coefficient import Agreement, Kernel, Parts, estimate_agreement
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.agreement.weights import Metric, Weighting, agreement_weights, scores

_WEIGHTING: dict[str, Weighting] = {
    "nominal": "identity",
    "interval": "quadratic",
    "ratio": "ratio",
}
_MOST = 2000


def krippendorff_alpha(
    ratings: Ratings,
    *,
    metric: Metric = "nominal",
    weights: Weights | None = None,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Agreement:
    """Krippendorff's alpha: one coefficient for any number of readers, any scale, any gaps.

    Parameters
    ----------
    ratings
        Cases by readers; cases rated once are left out, as alpha is defined on pairs.
    metric
        Scale of the ratings. ``"ordinal"`` is Krippendorff's own, whose distances depend on how
        often each category between is used; the interval allows for that.
    weights
        Agreement weights in place of the metric (``"ordinal"`` here is Gwet's, of ranks alone).
    rng
        If given, the interval is the percentile bootstrap by patient (by case without
        patients); else the linearised variance with Student's t.
    level
        Confidence level.

    Raises
    ------
    ContentError
        If no case was rated twice, or there are more than 2,000 categories.

    References
    ----------
    Krippendorff K. Content analysis. 3rd ed. Sage, 2013; chapter 12.
    Hayes AF, Krippendorff K. Answering the call for a standard reliability measure for coding
    data. Commun Methods Meas 2007;1:77-89. doi:10.1080/19312450709336664
    """
    pairs = ratings.keep(ratings.counts.sum(axis=1) >= 2)
    if pairs.cases == 0:
        raise ContentError("no case was rated by two readers; agreement needs pairs of ratings")
    if len(pairs.categories) > _MOST:
        raise ContentError(
            f"{len(pairs.categories)} different ratings; expected at most {_MOST}. Round them, or "
            "use icc for measurements"
        )
    if weights is None and metric == "ordinal":
        kernel = _ordinal(pairs)
    elif weights is None and metric == "interval" and len(pairs.categories) > 1:
        kernel = _interval(pairs)
    elif weights is None and metric not in _WEIGHTING:
        raise UsageError(f"metric {metric!r}: expected nominal, ordinal, interval or ratio")
    else:
        kernel = _weighted(pairs, _WEIGHTING[metric] if weights is None else weights)
    return estimate_agreement(kernel, level=level, rng=rng)


def _weighted(ratings: Ratings, weights: Weights) -> Kernel:
    """Alpha with distances that do not depend on the ratings."""
    matrix = agreement_weights(ratings.categories, weights)
    total = ratings.counts.sum(axis=1)
    agreeing = pairwise_agreement(ratings, matrix) * total
    ones = np.ones(len(total))
    columns = np.stack([ones, total, agreeing], axis=1)
    features = np.concatenate([columns, ratings.counts], axis=1)

    def parts(sums: AnyArray) -> Parts:
        used = sums[..., 3:] / sums[..., 1, None]
        chance = np.einsum("...k,kl,...l->...", used, matrix, used)
        return sums[..., 2] / sums[..., 1], chance, np.ones_like(chance.real)

    return _kernel(ratings, features, parts)


def _interval(ratings: Ratings) -> Kernel:
    """Alpha with squared differences: variances say it all, however many values there are."""
    values = scores(ratings.categories)
    width = float(np.ptp(values)) ** 2
    values = values - values.mean()
    counts = ratings.counts
    total = counts.sum(axis=1)
    sums, squares = counts @ values, counts @ values**2
    within = (squares - sums**2 / total) * total / (total - 1)
    features = np.stack([np.ones(len(total)), total, within, sums, squares], axis=1)

    def parts(sums: AnyArray) -> Parts:
        n = sums[..., 1]
        seen = 2 * sums[..., 2] / n
        chance = 2 * (sums[..., 4] / n - (sums[..., 3] / n) ** 2)
        return 1 - seen / width, 1 - chance / width, np.ones_like(chance.real)

    return _kernel(ratings, features, parts)


def _ordinal(ratings: Ratings) -> Kernel:
    """Alpha with Krippendorff's ordinal distances, computed from the sums themselves."""
    q = len(ratings.categories)
    counts = ratings.counts
    total = counts.sum(axis=1)
    together = counts[:, :, None] * counts[:, None, :]
    together[:, np.arange(q), np.arange(q)] -= counts
    pairs = (together / (total - 1)[:, None, None]).reshape(len(counts), q * q)
    features = np.concatenate([np.stack([np.ones(len(total)), total], axis=1), pairs], axis=1)

    def parts(sums: AnyArray) -> Parts:
        square = sums[..., 2:].reshape(*sums.shape[:-1], q, q)
        used = square.sum(axis=-1)
        n = used.sum(axis=-1)
        below = (np.cumsum(used, axis=-1) - used / 2) / n[..., None]
        apart = (below[..., :, None] - below[..., None, :]) ** 2
        share = used / n[..., None]
        seen = np.sum(square * apart, axis=(-1, -2)) / n
        chance = np.einsum("...k,...kl,...l->...", share, apart, share)
        return 1 - seen, 1 - chance, np.ones_like(chance.real)

    return _kernel(ratings, features, parts)


def _kernel(ratings: Ratings, features: FloatArray, parts: Callable[[AnyArray], Parts]) -> Kernel:
    return Kernel(
        name="Krippendorff's alpha",
        ratings=ratings,
        features=features,
        parts=parts,
        sizes=lambda sums: (sums[..., 1], sums[..., 0]),
    )
