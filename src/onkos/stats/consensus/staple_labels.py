"""STAPLE of several tissues at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.mask import Mask
from onkos.stats.consensus.confusion import diagonal, fit_confusion
from onkos.stats.consensus.patterns import Patterns, label_patterns

LabelPrior = Mapping[str, float] | Literal["readings", "estimated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStaple:
    """Consensus of outlines of several tissues.

    Parameters
    ----------
    mask
        Likeliest tissue of each voxel.
    names
        Rows and columns of ``confusion``; the first is no tissue.
    confusion
        (readers, truth, given): share of each true tissue that a reader called each tissue.
    sensitivity
        By tissue, one a reader: the diagonal of ``confusion`` with intervals.
    prior
        Share of each label, held or estimated.
    iterations, converged
        Of the EM algorithm.
    """

    mask: Mask
    names: tuple[str, ...]
    confusion: FloatArray
    sensitivity: Mapping[str, tuple[Estimate, ...]]
    prior: FloatArray
    iterations: int
    converged: bool


def staple_labels(
    readings: Sequence[Mask],
    *,
    prior: LabelPrior = "readings",
    within: AnyArray | None = None,
    tolerance: float = 1e-10,
    most: int = 5000,
) -> LabelStaple:
    """Estimate the true label map and each reader's confusion of tissues.

    Parameters
    ----------
    readings
        Label maps by two readers or more, on one grid; tissues are matched by name.
    prior
        ``"readings"`` (the shares over all readings, as in the paper), ``"estimated"`` (with
        the rest), or the share of each tissue; no tissue has what remains. A small tissue that
        some readers mark all over gets far too large a share from the readings, and so too
        large an outline: then ``"estimated"`` is much nearer the truth.
    within, tolerance, most
        As in :func:`onkos.stats.consensus.staple.staple`.

    Raises
    ------
    ContentError
        If there are fewer than two readings, nobody labelled anything, or a prior is no share.
    GeometryError
        If the grids differ.

    References
    ----------
    Warfield SK, Zou KH, Wells WM. Simultaneous truth and performance level estimation (STAPLE).
    IEEE Trans Med Imaging 2004;23:903-921. doi:10.1109/TMI.2004.828354
    """
    patterns = label_patterns(readings, within=within)
    if not patterns.rows.any():
        raise ContentError("no reader labelled anything; a consensus needs something to agree on")
    shares = None if prior == "estimated" else _shares(patterns, prior)
    fit = fit_confusion(
        patterns.rows,
        patterns.counts,
        labels=len(patterns.names),
        prior=shares,
        tolerance=tolerance,
        most=most,
    )
    found = diagonal(fit, patterns.counts, patterns.rows)
    return LabelStaple(
        mask=patterns.mask(fit.posterior.argmax(axis=1)),
        names=patterns.names,
        confusion=fit.given,
        sensitivity={
            name: tuple(found[label]) for label, name in enumerate(patterns.names) if label
        },
        prior=fit.prior,
        iterations=fit.iterations,
        converged=fit.converged,
    )


def _shares(patterns: Patterns, prior: LabelPrior) -> FloatArray:
    names = patterns.names
    if isinstance(prior, str):
        if prior != "readings":
            raise UsageError(f"prior {prior!r}: expected readings, estimated, or shares")
        chosen = patterns.rows[:, :, None] == np.arange(len(names))
        share: FloatArray = patterns.counts @ chosen.mean(axis=1) / patterns.counts.sum()
        return share
    if set(prior) != set(names[1:]):
        raise ContentError(f"prior of {sorted(prior)}; expected a share of each of {names[1:]}")
    given = np.array([prior[name] for name in names[1:]], dtype=np.float64)
    if not np.isfinite(given).all() or given.min() <= 0 or given.sum() >= 1:
        raise ContentError(f"prior {dict(prior)}: expected shares above 0 with a sum below 1")
    return np.concatenate([[1 - given.sum()], given])
