"""Agreement of two readers on categories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onkos.core.errors import ContentError
from onkos.stats.agreement.chance import (
    Weights,
    complete,
    conger_kernel,
    fleiss_kernel,
)
from onkos.stats.agreement.coefficient import Agreement, Kernel, estimate_agreement
from onkos.stats.agreement.ratings import Ratings


def cohen_kappa(
    ratings: Ratings,
    *,
    weights: Weights = "identity",
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Agreement:
    """Cohen's kappa: agreement of two readers beyond chance, each with their own habits.

    Parameters
    ----------
    ratings
        Of exactly two readers; cases that one of them did not rate are left out, and the method
        of the estimate says how many.
    weights
        ``"identity"``, ``"linear"``, ``"quadratic"``, another weighting, or a matrix.
    rng
        If given, the interval is the percentile bootstrap by patient (by case without
        patients); else the asymptotic one of Fleiss, Cohen and Everitt with Student's t, summed
        by patient where patients are named. ``.normal()`` of the result gives it with normal
        quantiles.
    level
        Confidence level.

    Raises
    ------
    ContentError
        If there are not two readers, or no case that both rated.

    References
    ----------
    Cohen J. Weighted kappa. Psychol Bull 1968;70:213-220. doi:10.1037/h0026256
    Fleiss JL, Cohen J, Everitt BS. Large sample standard errors of kappa and weighted kappa.
    Psychol Bull 1969;72:323-327. doi:10.1037/h0028106
    """
    kernel = conger_kernel(*_both(ratings, weights), name="Cohen's kappa")
    return estimate_agreement(_two(kernel, ratings), level=level, rng=rng)


def scott_pi(
    ratings: Ratings,
    *,
    weights: Weights = "identity",
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Agreement:
    """Scott's pi: agreement of two readers beyond chance, taken to have the same habits.

    Parameters and errors as :func:`cohen_kappa`.

    References
    ----------
    Scott WA. Reliability of content analysis. Public Opin Q 1955;19:321-325. doi:10.1086/266577
    """
    kernel = fleiss_kernel(*_both(ratings, weights), name="Scott's pi")
    return estimate_agreement(_two(kernel, ratings), level=level, rng=rng)


def _both(ratings: Ratings, weights: Weights) -> tuple[Ratings, Weights]:
    if ratings.readers != 2:
        raise ContentError(
            f"{ratings.readers} readers; expected two. For more use fleiss_kappa, conger_kappa, "
            "gwet_ac or krippendorff_alpha"
        )
    pairs = complete(ratings)
    if pairs.cases == 0:
        raise ContentError("no case was rated by both readers; agreement needs pairs of ratings")
    return pairs, weights


def _two(kernel: Kernel, ratings: Ratings) -> Kernel:
    """Multinomial variance, and a note of the cases left out."""
    left = ratings.cases - kernel.ratings.cases
    notes = (f"{left} cases of one reader left out",) if left else ()
    return replace(kernel, multinomial=True, notes=notes)
