"""ROC areas where patients have several cases: lesions, breasts, lobes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.delong import (
    CONTRAST,
    Components,
    Scale,
    auc_interval,
    components,
    contrast_error,
    paired_components,
)
from onkos.stats.ranking import classes, rated
from onkos.stats.resampling import Clusters, IntArray
from onkos.stats.significance import Alternative, SignificanceTest, Wald


def clustered_covariance(found: Components, groups: Sequence[Hashable]) -> FloatArray:
    """Obuchowski's covariance of areas, cases of one patient being correlated; (curves, curves).

    Parameters
    ----------
    found
        Structural components of the curves.
    groups
        Patient of each case, in the order of the cases.

    Raises
    ------
    ContentError
        If fewer than two patients have a diseased, or fewer than two another case.

    References
    ----------
    Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics
    1997;53:567-578. doi:10.2307/2533958
    """
    clusters = Clusters.of(found.cases, groups=groups)
    m, n = len(found.positive_cases), len(found.negative_cases)
    auc = found.auc[:, None]
    of_positive = clusters.of_case[found.positive_cases]
    of_negative = clusters.of_case[found.negative_cases]
    ups = _sums(found.positive - auc, of_positive, clusters.count)
    downs = _sums(found.negative - auc, of_negative, clusters.count)
    with_positive, with_negative = len(set(of_positive)), len(set(of_negative))
    if min(with_positive, with_negative) < 2:
        raise ContentError(
            f"{with_positive} patients have diseased and {with_negative} other cases; a variance "
            "between patients needs at least two of each"
        )
    total = clusters.count
    crossed = total / (total - 1) * (ups @ downs.T) / (m * n)
    covariance: FloatArray = (
        with_positive / (with_positive - 1) * (ups @ ups.T) / m**2
        + with_negative / (with_negative - 1) * (downs @ downs.T) / n**2
        + crossed
        + crossed.T
    )
    return covariance


def clustered_auc(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    groups: Sequence[Hashable],
    level: float = 0.95,
    scale: Scale = "logit",
) -> Estimate:
    """Area under the ROC curve where a patient may have several cases of both classes.

    Parameters
    ----------
    truth, scores
        One a case, shape (cases,); higher scores mean more likely diseased.
    groups
        Patient of each case; ``n`` of the estimate counts patients.

    With complete separation the variance is zero: the interval is then 0 to 1, since the cases
    of a patient cannot be counted as so many patients.

    Raises
    ------
    ContentError
        As :func:`clustered_covariance`.
    """
    positive = classes(truth)
    found = components(positive, rated(scores, cases=len(positive)).ravel())
    variance = float(clustered_covariance(found, groups)[0, 0])
    value, n = float(found.auc[0]), len(set(groups))
    method = Method(what=f"AUC over {found.cases} cases")
    if variance <= 0 or not 0 < value < 1:
        known = "no variance between patients, so nothing is known of others"
        method = replace(method, notes=(known,))
        return Estimate(value=value, low=0.0, high=1.0, n=n, level=level, method=method)
    low, high = auc_interval(value, math.sqrt(variance), level=level, scale=scale)
    method = replace(method, by=f"Obuchowski's clustered variance, {scale} interval")
    return Estimate(value=value, low=low, high=high, n=n, level=level, method=method)


def clustered_paired_test(
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    groups: Sequence[Hashable],
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> SignificanceTest:
    """Test whether two areas on the same cases differ, patients having several cases.

    Raises
    ------
    ContentError
        As :func:`clustered_covariance`; if areas differ with no variance.
    """
    found = paired_components(truth, first, second)
    how = Wald(
        error=contrast_error(clustered_covariance(found, groups)),
        n=len(set(groups)),
        level=level,
        method=Method(
            what="difference of AUCs on the same patients", by="Obuchowski's clustered test"
        ),
    )
    return how.test(float(CONTRAST @ found.auc), alternative=alternative)


def _sums(values: FloatArray, cluster: IntArray, count: int) -> FloatArray:
    """Sum the values of each cluster, shape (curves, clusters)."""
    return np.stack([np.bincount(cluster, weights=row, minlength=count) for row in values])
