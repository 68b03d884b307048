"""STAPLE: the likely true outline and how well each reader drew it, estimated together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from scipy import stats
from scipy.special import expit, logit

from onkos.core.errors import ContentError, GeometryError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.mask import Mask
from onkos.core.method import Method
from onkos.stats.consensus.patterns import Patterns, binary_patterns
from onkos.stats.estimates import bracketed

START = 0.99999
Prior = float | FloatArray | Literal["readings", "estimated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Staple:
    """Consensus of outlines of one region.

    Parameters
    ----------
    mask
        Voxels that belong to the region with a probability of one half at least.
    probability
        Probability of each voxel, shape of the grid.
    sensitivity, specificity
        One a reader, against the unknown truth. Their intervals take voxels for independent;
        neighbours are not, so they are too narrow, and are about this image only.
    prior
        Share of the region before looking at who said what (its mean if it varies).
    iterations, converged
        Of the EM algorithm; a result that did not converge is not to be used as it stands.
    upside_down
        Readers that were right less often than a coin: sensitivity + specificity below 1. Then
        the readers do not see one thing, and the consensus means little.
    """

    mask: Mask
    probability: FloatArray
    sensitivity: tuple[Estimate, ...]
    specificity: tuple[Estimate, ...]
    prior: float
    iterations: int
    converged: bool
    upside_down: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """State of the EM algorithm on patterns.

    ``inside`` and ``squared`` are sums over the voxels of each pattern of the probability and
    of its square.
    """

    p: FloatArray
    q: FloatArray
    prior: float | FloatArray
    inside: FloatArray
    squared: FloatArray
    iterations: int
    converged: bool


def staple(
    readings: Sequence[Mask],
    *tissues: str,
    prior: Prior = "readings",
    within: AnyArray | None = None,
    tolerance: float = 1e-10,
    most: int = 5000,
) -> Staple:
    """Estimate the true outline of a region and each reader's sensitivity and specificity.

    Parameters
    ----------
    readings
        Outlines by two readers or more, on one grid. With two, the data cannot tell which of
        them is right: three at least are to be wished for.
    tissues
        Names whose union is the region; all tissues without a name.
    prior
        Share of the region: ``"readings"`` (the share over all readings, as in the paper, too
        large for a small region that some readers mark all over), ``"estimated"`` (with the
        rest), a number, or an array of the grid's shape (an atlas, say).
    within
        Boolean array: where to look. A large empty surrounding drives specificity to 1 and the
        prior to 0; a box around all readings is often fairer. Outside the probability is 0.
    tolerance
        Largest change of a sensitivity or specificity at which the iteration ends.
    most
        Iterations at most.

    Raises
    ------
    ContentError
        If there are fewer than two readings, nobody outlined anything or everybody everything,
        a tissue is unknown, or a prior is not a probability.
    GeometryError
        If the grids differ.

    Notes
    -----
    Started at sensitivity = specificity = 0.99999. The Markov random field of the paper's
    section on spatial homogeneity is not included.

    References
    ----------
    Warfield SK, Zou KH, Wells WM. Simultaneous truth and performance level estimation (STAPLE).
    IEEE Trans Med Imaging 2004;23:903-921. doi:10.1109/TMI.2004.828354
    Louis TA. Finding the observed information matrix when using the EM algorithm. J R Stat Soc B
    1982;44:226-233. doi:10.1111/j.2517-6161.1982.tb01203.x
    """
    patterns = binary_patterns(readings, tissues, within=within)
    start = _prior(patterns, prior)
    free = isinstance(prior, str) and prior == "estimated"
    fit = fit_staple(patterns, start, free=free, tolerance=tolerance, most=most)
    probability = _probabilities(patterns, fit)
    names = {1: patterns.names[1]}
    geometry = patterns.geometry
    errors = _standard_errors(patterns, fit)
    readers = patterns.readers
    inside = float(fit.inside.sum())
    outside = float(patterns.counts.sum()) - inside
    field = fit.prior
    mean = field if isinstance(field, float) else float(field[patterns.where >= 0].mean())
    return Staple(
        mask=Mask(labels=probability >= 0.5, geometry=geometry, names=names),
        probability=probability,
        sensitivity=tuple(
            _share(fit.p[r], errors[r], inside, "sensitivity") for r in range(readers)
        ),
        specificity=tuple(
            _share(fit.q[r], errors[readers + r], outside, "specificity") for r in range(readers)
        ),
        prior=mean,
        iterations=fit.iterations,
        converged=fit.converged,
        upside_down=tuple(int(r) for r in np.flatnonzero(fit.p + fit.q < 1)),
    )


def fit_staple(
    patterns: Patterns,
    prior: float | FloatArray,
    *,
    free: bool = False,
    tolerance: float = 1e-10,
    most: int = 5000,
) -> Fit:
    """Run the EM algorithm on patterns until sensitivities and specificities stand still.

    ``free``: the prior is estimated too.
    """
    seen = patterns.rows.astype(np.float64)
    if seen.sum() == 0 or seen.min() == 1:
        raise ContentError(
            "the readers outlined nothing, or everything; a consensus needs both inside and "
            "outside. Choose the region to look at (within) or leave the case out by name"
        )
    p = np.full(patterns.readers, START)
    q = np.full(patterns.readers, START)
    total = patterns.counts
    iterations, change = 0, math.inf
    while iterations < most and change >= tolerance:
        iterations += 1
        inside, _ = _expected(patterns, seen, p, q, prior)
        outside = total - inside
        if inside.sum() <= 0 or outside.sum() <= 0:
            raise ContentError(
                "the prior leaves no doubt anywhere; expected probabilities between 0 and 1"
            )
        new_p = (inside @ seen) / inside.sum()
        new_q = (outside @ (1 - seen)) / outside.sum()
        change = max(float(np.abs(new_p - p).max()), float(np.abs(new_q - q).max()))
        p, q = new_p, new_q
        prior = float(inside.sum() / total.sum()) if free else prior
    inside, squared = _expected(patterns, seen, p, q, prior)
    return Fit(
        p=p,
        q=q,
        prior=prior,
        inside=inside,
        squared=squared,
        iterations=iterations,
        converged=change < tolerance,
    )


def share_outlined(patterns: Patterns) -> float:
    """Share of the region over all readings and voxels."""
    return float(patterns.counts @ patterns.rows.mean(axis=1) / patterns.counts.sum())


def odds(seen: FloatArray, p: FloatArray, q: FloatArray) -> FloatArray:
    """Log likelihood ratio of inside to outside of each pattern."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(seen == 1, np.log(p), np.log1p(-p)).sum(axis=1)
        outside = np.where(seen == 1, np.log1p(-q), np.log(q)).sum(axis=1)
        ratio: FloatArray = inside - outside
    return np.where(np.isnan(ratio), 0.0, ratio)


def _prior(patterns: Patterns, prior: Prior) -> float | FloatArray:
    if isinstance(prior, str):
        if prior not in ("readings", "estimated"):
            raise UsageError(f"prior {prior!r}: expected readings, estimated, or probabilities")
        return share_outlined(patterns)
    if np.ndim(prior) == 0:
        value = float(np.asarray(prior))
        if not 0 < value < 1:
            raise ContentError(f"prior {value}: expected a number between 0 and 1")
        return value
    field = np.asarray(prior, dtype=np.float64)
    if field.shape != patterns.geometry.shape:
        raise GeometryError(f"prior of shape {field.shape} on a grid of {patterns.geometry.shape}")
    if not np.isfinite(field).all() or field.min() < 0 or field.max() > 1:
        raise ContentError("prior: expected probabilities from 0 to 1 at every voxel")
    return np.ascontiguousarray(field).reshape(-1)


def _expected(
    patterns: Patterns,
    seen: FloatArray,
    p: FloatArray,
    q: FloatArray,
    prior: float | FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Sums of the probability, and of its square, over the voxels of each pattern."""
    ratio = odds(seen, p, q)
    if isinstance(prior, float):
        probability = expit(ratio + math.log(prior / (1 - prior)))
        return patterns.counts * probability, patterns.counts * probability**2
    likelihood = np.exp(np.clip(ratio, -700, 700))
    found = _voxelwise(patterns.where, prior, likelihood)
    return found[0], found[1]


def _probabilities(patterns: Patterns, fit: Fit) -> FloatArray:
    prior = fit.prior
    ratio = odds(patterns.rows.astype(np.float64), fit.p, fit.q)
    if isinstance(prior, float):
        painted: FloatArray = patterns.paint(expit(ratio + math.log(prior / (1 - prior))))
        return painted
    likelihood = patterns.paint(np.exp(np.clip(ratio, -700, 700)))
    field = prior.reshape(patterns.geometry.shape)
    up, down = field * likelihood, 1 - field
    value: FloatArray = np.where(up > 0, up / np.where(up > 0, up + down, 1), 0.0)
    return value


@njit(cache=True)
def _voxelwise(where: AnyArray, prior: FloatArray, likelihood: FloatArray) -> FloatArray:
    sums = np.zeros((2, likelihood.size))
    for voxel in range(where.size):
        at = where[voxel]
        if at >= 0:
            up = prior[voxel] * likelihood[at]
            probability = up / (up + 1.0 - prior[voxel])
            sums[0, at] += probability
            sums[1, at] += probability * probability
    return sums


def _standard_errors(patterns: Patterns, fit: Fit) -> FloatArray:
    """Of sensitivities, then specificities, by Louis' observed information; NaN at the border."""
    seen = patterns.rows.astype(np.float64)
    theta = np.concatenate([fit.p, fit.q])
    free = np.flatnonzero((theta > 1e-9) & (theta < 1 - 1e-9))
    errors = np.full(len(theta), np.nan)
    if not len(free):
        return errors
    right = np.concatenate([seen, 1 - seen], axis=1)[:, free]
    at = theta[free]
    expected = np.stack([fit.inside, patterns.counts - fit.inside], axis=1)
    side = free // patterns.readers  # 0 for a sensitivity, 1 for a specificity
    bend = right / at**2 + (1 - right) / (1 - at) ** 2
    complete = np.sum(expected[:, side] * bend, axis=0)
    score = (right - at) / (at * (1 - at)) * np.where(side == 0, 1.0, -1.0)
    doubt = fit.inside - fit.squared
    information = np.diag(complete) - score.T @ (doubt[:, None] * score)
    try:
        variance = np.diag(np.linalg.inv(information))
    except np.linalg.LinAlgError:
        return errors
    errors[free] = np.sqrt(np.where(variance > 0, variance, np.nan))
    return errors


def _share(value: float, error: float, n: float, name: str, level: float = 0.95) -> Estimate:
    """Interval on the logit scale; at the border the exact binomial limit."""
    size = max(round(n), 1)
    by, notes = "", [f"{round(n)} voxels taken for independent, too narrow"]
    low, high = 0.0, 1.0
    if n < 0.5:
        notes.append("no voxel is likely to be of this kind")
    elif math.isfinite(error):
        centre = float(logit(value))
        half = float(stats.norm.ppf((1 + level) / 2)) * error / (value * (1 - value))
        low, high = float(expit(centre - half)), float(expit(centre + half))
        by = f"standard error {error:.3g} by observed information, logit scale"
    else:
        by = "exact binomial limit"
        limit = ((1 - level) / 2) ** (1 / size)
        low, high = (limit, 1.0) if value > 0.5 else (0.0, 1 - limit)
    method = Method(what=f"STAPLE {name}", by=by, notes=tuple(notes))
    return bracketed(float(value), (low, high), n=round(n), level=level, method=method)
