"""Preparation of a feature table (imputation, scaling, selection), fitted on training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from onkos.classic.learning import Bools, IntArray
from onkos.classic.selection import by_lasso, by_relevance, by_relevance_and_redundancy, relevance
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray

Scaling = Literal["robust", "rank-normal", "common"]
Selection = Literal["none", "anova", "mrmr", "l1"]

_KNOTS = 129
_MOST = 2000  # most relevant columns, which enter the correlation filter
_FURTHEST = 10.0  # scaled values are clipped here


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """How a feature table is prepared.

    Constant columns are dropped, missing values are imputed by the training median, columns are
    scaled, of highly correlated columns the less relevant is dropped, and features are selected.
    Only ``common`` scaling depends on the units of a column.

    Parameters
    ----------
    scaling
        ``robust``: median and interquartile range, clipped at 10. ``rank-normal``: the normal
        quantile of the rank among training rows; values beyond them are clipped. ``common``:
        one scale for all columns, their root mean variance, which keeps distances between rows
        (shares of visual words) and requires a common unit; clipped at 10.
    correlation
        Absolute correlation above which the less relevant of two columns is dropped.
    selection
        ``anova`` by F statistic, ``mrmr`` by relevance and redundancy, ``l1`` by the lasso.
    keep
        Maximum number of columns selected.
    """

    scaling: Scaling = "rank-normal"
    correlation: float = 0.95
    selection: Selection = "none"
    keep: int = 30

    def fit(self, x: FloatArray, y: IntArray) -> FittedPreparation:
        """Fit the preparation.

        Parameters
        ----------
        x
            (rows, features), NaN where missing.
        y
            Number of each row's class.

        Raises
        ------
        ContentError
            If no column has two different values.
        """
        varied = _varied(x)
        if not varied.any():
            raise ContentError(
                f"feature table of {x.shape[1]} columns: none has two different values among "
                f"{len(x)} training rows; expected at least one feature that varies"
            )
        raw = FittedPreparation(
            kept=np.flatnonzero(varied),
            knots=_knots(x[:, varied], self.scaling),
            features=np.array(x.shape[1]),
        )
        scaled = raw.transform(x)
        chosen = self._chosen(scaled, y)
        return FittedPreparation(
            kept=raw.kept[chosen], knots=raw.knots[:, chosen], features=raw.features
        )

    def _chosen(self, scaled: FloatArray, y: IntArray) -> IntArray:
        """Columns kept, in the table's order."""
        f = relevance(scaled, y)
        alone = pruned(scaled, f, self.correlation)
        if self.selection == "none" or len(alone) <= self.keep:
            return np.sort(alone)
        part, its = scaled[:, alone], f[alone]
        if self.selection == "anova":
            chosen = by_relevance(its, self.keep)
        elif self.selection == "mrmr":
            chosen = by_relevance_and_redundancy(part, y, self.keep)
        else:
            chosen = by_lasso(part, y, self.keep)
        return np.sort(alone[chosen])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedPreparation:
    """A preparation fitted to training rows.

    Parameters
    ----------
    kept
        Which columns of the table are used.
    knots
        ``rank-normal``: (129, kept) quantiles; else (2, kept) middle and scale.
    features
        How many columns the table has.
    """

    kept: AnyArray
    knots: AnyArray
    features: AnyArray

    def __post_init__(self) -> None:
        wide = self.knots.ndim == 2 and self.knots.shape[1] == len(self.kept)
        if not wide or self.kept.min(initial=0) < 0 or self.kept.max(initial=0) >= self.features:
            raise ContentError(
                f"preparation of {self.features} features: {len(self.kept)} columns kept and knots "
                f"of shape {self.knots.shape} do not fit"
            )

    def same_as(self, other: FittedPreparation) -> bool:
        """Whether both prepare every table identically."""
        return np.array_equal(self.kept, other.kept) and np.array_equal(self.knots, other.knots)

    def transform(self, x: FloatArray) -> FloatArray:
        """Prepared rows, (rows, kept): finite, a missing value at its training median."""
        values = x[:, self.kept]
        if len(self.knots) == 2:
            scaled = np.clip((values - self.knots[0]) / self.knots[1], -_FURTHEST, _FURTHEST)
        else:
            scaled = _ranked(values, self.knots)
        return np.where(np.isnan(values), 0.0, scaled)


def pruned(x: FloatArray, f: FloatArray, most: float) -> IntArray:
    """Columns left when, of two correlated beyond ``most``, the less relevant is dropped."""
    order = np.argsort(-f, kind="stable")[:_MOST]
    centred = x[:, order] - x[:, order].mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(length > 0, length, 1.0)
    alike = np.abs(unit.T @ unit)
    dropped = np.zeros(len(order), dtype=np.bool_)
    for place in range(len(order)):
        if not dropped[place]:
            dropped[place + 1 :] |= alike[place, place + 1 :] > min(most, 1 - 1e-9)
    return order[~dropped]


def _varied(x: FloatArray) -> Bools:
    """Columns with two different values."""
    low = np.min(x, axis=0, where=~np.isnan(x), initial=np.inf)
    high = np.max(x, axis=0, where=~np.isnan(x), initial=-np.inf)
    varied: Bools = high > low
    return varied


def _knots(x: FloatArray, scaling: Scaling) -> FloatArray:
    if scaling == "rank-normal":
        return _quantiles(x, np.linspace(0, 1, _KNOTS))
    if scaling == "common":
        scale = np.sqrt(np.nanvar(x, axis=0).mean())
        return np.stack([np.nanmean(x, axis=0), np.full(x.shape[1], scale)])
    lower, median, upper = _quantiles(x, np.array([0.25, 0.5, 0.75]))
    scale = (upper - lower) / 1.349  # the standard deviation of a normal distribution
    return np.stack([median, np.where(scale > 0, scale, np.nanstd(x, axis=0))])


def _quantiles(x: FloatArray, levels: FloatArray) -> FloatArray:
    """(levels, columns): quantiles of the values present; complete columns are done together."""
    found = np.empty((len(levels), x.shape[1]))
    gaps = np.isnan(x).any(axis=0)
    found[:, ~gaps] = np.quantile(x[:, ~gaps], levels, axis=0)
    found[:, gaps] = np.nanquantile(x[:, gaps], levels, axis=0)
    return found


def _ranked(values: FloatArray, knots: FloatArray) -> FloatArray:
    """Normal quantile of each value's rank; tied values share the middle of their ranks."""
    levels = np.linspace(0, 1, len(knots))
    ranks = np.empty_like(values)
    for column, own in enumerate(knots.T):
        upper = np.interp(values[:, column], own, levels)
        lower = -np.interp(-values[:, column], -own[::-1], -levels[::-1])
        ranks[:, column] = (upper + lower) / 2
    edge = 0.5 / len(knots)
    scaled: FloatArray = ndtri(np.clip(ranks, edge, 1 - edge))
    middle = ndtri(np.clip(0.5, edge, 1 - edge))
    return np.asarray(scaled - middle)
