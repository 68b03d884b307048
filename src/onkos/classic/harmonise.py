"""Features made comparable between sites and scanners (ComBat), learnt on training rows alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from onkos.classic.arrays import packed, unpacked
from onkos.classic.learning import IntArray
from onkos.classic.table import checked
from onkos.core.errors import CohortError, ContentError
from onkos.core.geometry import AnyArray, FloatArray

_ROUNDS = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Harmonisation:
    """Fitted ComBat: additive and multiplicative effect of each site on each feature.

    Parameters
    ----------
    sites
        (sites,): names.
    mean, spread
        (features,): mean and residual standard deviation over the pooled training rows, with
        covariates at zero.
    slopes
        (covariates, features): covariate effects, which are preserved.
    shift, stretch
        (sites, features): additive and multiplicative site effect in units of ``spread``; 0
        and 1 where a feature was not observed.
    """

    sites: AnyArray
    mean: AnyArray
    spread: AnyArray
    slopes: AnyArray
    shift: AnyArray
    stretch: AnyArray

    def __post_init__(self) -> None:
        features = len(self.mean)
        wide = (len(self.sites), features)
        fits = (
            self.spread.shape == (features,)
            and self.slopes.ndim == 2
            and self.slopes.shape[1] == features
            and self.shift.shape == self.stretch.shape == wide
        )
        if not fits:
            raise ContentError(
                f"harmonisation of {wide[0]} sites and {features} features: its arrays have other "
                f"shapes ({self.shift.shape}, {self.stretch.shape}, {self.slopes.shape})"
            )

    def to_arrays(self) -> dict[str, AnyArray]:
        """Everything learnt as named arrays of numbers and text."""
        return packed(self, "harmonisation")

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Build it back; :class:`ModelError` if an array is missing or does not fit."""
        return unpacked(cls, arrays, "harmonisation")

    def apply(
        self, x: ArrayLike, sites: Sequence[str], *, covariates: ArrayLike | None = None
    ) -> FloatArray:
        """Return the rows with the site effects removed; NaN stays NaN.

        Parameters
        ----------
        x
            (cases, features).
        sites
            Site of each case.
        covariates
            (cases, covariates), the same columns as in fitting.

        Raises
        ------
        CohortError
            If a site was not among those fitted on: how it measures is not known.
        ContentError
            If the table or the covariates have another width.
        """
        table = checked(x, features=len(self.mean))
        kept = _covariates(covariates, len(table))
        if kept.shape[1] != len(self.slopes):
            raise ContentError(
                f"{kept.shape[1]} covariates: harmonisation was fitted with {len(self.slopes)}; "
                "give the same columns"
            )
        numbers = {str(name): number for number, name in enumerate(self.sites)}
        unknown = sorted({str(site) for site in sites} - set(numbers))
        if unknown or len(sites) != len(table):
            raise CohortError(
                f"sites {unknown[:5]} of {len(sites)} cases: harmonisation knows "
                f"{list(numbers)[:10]}; fit it again with training patients of these sites, or "
                "leave their cases out"
            )
        own = np.array([numbers[str(site)] for site in sites], dtype=np.int64)
        expected = self.mean + kept @ self.slopes
        apart = (table - expected) / self.spread
        evened = (apart - self.shift[own]) / self.stretch[own]
        return np.asarray(evened * self.spread + expected)


def fit_harmonisation(
    x: ArrayLike,
    sites: Sequence[str],
    *,
    covariates: ArrayLike | None = None,
    shrink: bool = True,
) -> Harmonisation:
    """Fit ComBat: the effects of sites and scanners on features.

    Fit on training rows only and apply to all. Covariates are patient characteristics that
    differ between sites and whose effect is preserved (age, sex); they must be known of a new
    patient too, so the target itself is never one of them.

    Parameters
    ----------
    x
        (cases, features), NaN where missing.
    sites
        Site or scanner of each case.
    covariates
        (cases, covariates), finite.
    shrink
        Shrink each feature's site effect towards the site's mean effect over all features
        (parametric empirical Bayes); with fewer than three features there is no shrinkage.

    Raises
    ------
    CohortError
        If a site has fewer than two cases, or sites and covariates are collinear.
    ContentError
        If covariates are missing or not finite.

    References
    ----------
    Johnson WE, Li C, Rabinovic A. Adjusting batch effects in microarray expression data using
    empirical Bayes methods. Biostatistics 2007;8:118-127. doi:10.1093/biostatistics/kxj037
    Fortin JP et al. Harmonization of cortical thickness measurements across scanners and sites.
    NeuroImage 2018;167:104-120. doi:10.1016/j.neuroimage.2017.11.024
    """
    table = checked(x)
    kept = _covariates(covariates, len(table))
    names, own = _sites(sites, len(table))
    offset = kept.mean(axis=0) if kept.shape[1] else np.empty(0)
    design = np.concatenate([np.eye(len(names))[own], kept - offset], axis=1)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise CohortError(
            f"sites {names[:5].tolist()} and the {kept.shape[1]} covariates are collinear in these "
            "cases, so their effects cannot be told apart; leave out a covariate"
        )
    mean, spread, slopes = _pooled(table, design, own, len(names))
    mean = mean - offset @ slopes
    apart = (table - mean - kept @ slopes) / spread
    shift, stretch = _effects(apart, own, len(names), shrink=shrink and table.shape[1] >= 3)
    return Harmonisation(
        sites=names, mean=mean, spread=spread, slopes=slopes, shift=shift, stretch=stretch
    )


def _covariates(covariates: ArrayLike | None, cases: int) -> FloatArray:
    table = np.zeros((cases, 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    if table.ndim != 2 or len(table) != cases or not np.isfinite(table).all():
        raise ContentError(
            f"covariates of shape {table.shape} for {cases} cases: expected (cases, covariates), "
            "finite; fill in or leave out what is missing"
        )
    return table


def _sites(sites: Sequence[str], cases: int) -> tuple[AnyArray, IntArray]:
    if len(sites) != cases or cases == 0:
        raise ContentError(f"{len(sites)} sites for {cases} cases: expected one each")
    names, own, counts = np.unique(
        np.array([str(site) for site in sites]), return_inverse=True, return_counts=True
    )
    few = [str(name) for name, count in zip(names, counts, strict=True) if count < 2]
    if few:
        raise CohortError(
            f"sites {few[:5]} have one training case each, too few to estimate a site effect; "
            "expected two or more per site: leave these cases out or merge scanners"
        )
    return names, own


def _pooled(
    x: FloatArray, design: FloatArray, own: IntArray, sites: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean over sites, residual spread and slopes of each feature, from its observed rows."""
    mean, spread = np.zeros(x.shape[1]), np.ones(x.shape[1])
    slopes = np.zeros((design.shape[1] - sites, x.shape[1]))
    for feature, values in enumerate(x.T):
        seen = ~np.isnan(values)
        if not seen.any():
            continue
        found = np.linalg.lstsq(design[seen], values[seen], rcond=None)[0]
        share = np.bincount(own[seen], minlength=sites) / seen.sum()
        mean[feature] = share @ found[:sites]
        slopes[:, feature] = found[sites:]
        rest = float(np.sqrt(np.mean((values[seen] - design[seen] @ found) ** 2)))
        scale = float(np.abs(values[seen]).max())
        spread[feature] = rest if rest > 1e-10 * scale else 1.0
    return mean, spread, slopes


def _effects(
    apart: FloatArray, own: IntArray, sites: int, *, shrink: bool
) -> tuple[FloatArray, FloatArray]:
    """Shift and stretch of each site and feature, in units of the pooled spread."""
    shift, stretch = np.zeros((sites, apart.shape[1])), np.ones((sites, apart.shape[1]))
    for site in range(sites):
        rows = apart[own == site]
        n = (~np.isnan(rows)).sum(axis=0)
        enough = n >= 2
        part, count = rows[:, enough], n[enough]
        mean = np.nansum(part, axis=0) / count
        square = np.nansum((part - mean) ** 2, axis=0)
        variance = square / (count - 1)
        varied = variance > 1e-12  # a feature that is constant at the site is only shifted
        if shrink and varied.sum() >= 3:
            mean[varied], variance[varied] = posterior(part[:, varied], count[varied])
        shift[site, enough] = mean
        stretch[site, enough] = np.where(varied, np.sqrt(np.maximum(variance, 1e-12)), 1.0)
    return shift, stretch


def posterior(rows: FloatArray, count: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of one site's features under priors fitted to all of its features.

    A normal prior on the means, an inverse gamma prior on the variances, both by moments; the
    conditional posterior means are iterated until they agree.

    Parameters
    ----------
    rows
        (cases, features), NaN where missing.
    count
        (features,): how many are observed.
    """
    mean = np.nansum(rows, axis=0) / count
    variance = np.nansum((rows - mean) ** 2, axis=0) / (count - 1)
    centre, width = float(mean.mean()), max(float(mean.var(ddof=1)), 1e-12)
    average, scatter = float(variance.mean()), max(float(variance.var(ddof=1)), 1e-12)
    shape = (average**2 + 2 * scatter) / scatter
    scale = (average**3 + average * scatter) / scatter
    new_mean, new_variance = mean, variance
    for _ in range(_ROUNDS):
        before = (new_mean, new_variance)
        new_mean = (count * width * mean + new_variance * centre) / (count * width + new_variance)
        square = np.nansum((rows - new_mean) ** 2, axis=0)
        new_variance = (scale + square / 2) / (count / 2 + shape - 1)
        change = max(
            float(np.abs(new_mean - before[0]).max()),
            float(np.abs(new_variance / before[1] - 1).max()),
        )
        if change < 1e-10:
            break
    return new_mean, new_variance
