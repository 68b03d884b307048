"""Metrics in subgroups (site, scanner, sex, age group), and tests of their differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray
from onkos.core.method import Method
from onkos.stats.estimates import or_undefined
from onkos.stats.multiplicity import benjamini_hochberg, holm
from onkos.stats.permutation import label_test
from onkos.stats.resampling import IntArray, numbered
from onkos.stats.significance import quantile

SubgroupMetric = Callable[[IntArray], Estimate]
PERMUTATIONS = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """How differences between subgroups are tested.

    Parameters
    ----------
    test
        "wald": Cochran's Q against chi-square, for subgroups of some size. "permutation": the
        same Q with labels permuted among patients; it asks whether the label matters to the
        metric or its precision at all, and calls the metric ``permutations`` times.
    adjust
        How the p-values of several attributes are adjusted.
    rng
        Needed by permutations.
    groups, strata
        Patient of each case, and what permutations keep together (the truth, for an AUC).
    permutations
        How many.

    References
    ----------
    Cochran WG. The combination of estimates from different experiments. Biometrics
    1954;10:101-129. doi:10.2307/3001666
    """

    test: Literal["wald", "permutation"] = "wald"
    adjust: Literal["holm", "benjamini-hochberg"] = "holm"
    rng: np.random.Generator | None = None
    groups: Sequence[Hashable] | None = None
    strata: Sequence[Hashable] | None = None
    permutations: int = PERMUTATIONS

    def __post_init__(self) -> None:
        if self.test not in ("wald", "permutation"):
            raise UsageError(f"test {self.test!r}: expected 'wald' or 'permutation'")
        if self.adjust not in ("holm", "benjamini-hochberg"):
            raise UsageError(f"adjust {self.adjust!r}: expected 'holm' or 'benjamini-hochberg'")
        if self.test == "permutation" and self.rng is None:
            raise UsageError("a permutation test needs rng, a numpy.random.Generator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroups:
    """One attribute: the metric in each subgroup, and whether it differs between them.

    Parameters
    ----------
    estimates
        Subgroup to metric.
    statistic
        Cochran's Q over the subgroups whose interval is finite and not of zero width.
    p, p_adjusted
        Of the interaction, alone and adjusted for the attributes looked at; NaN where fewer
        than two subgroups can be compared.
    compared
        Those subgroups.
    method
        How the subgroups were compared, or why they could not be.
    """

    estimates: Mapping[Hashable, Estimate]
    statistic: float
    p: float
    p_adjusted: float
    compared: tuple[Hashable, ...]
    method: Method


PLAIN = Interaction()


def subgroups(
    metric: SubgroupMetric,
    attributes: Mapping[str, Sequence[Hashable]],
    *,
    interaction: Interaction = PLAIN,
) -> dict[str, Subgroups]:
    """Estimate a metric in each subgroup of each attribute, and test whether it differs.

    The standard error of an estimate is read from the width of its interval, so metrics with
    symmetric intervals (``scale="plain"``) suit the test best. A subgroup in which the metric
    cannot be estimated (one class only) is shown with NaN and the reason; it is not left out.

    Parameters
    ----------
    metric
        Takes the numbers of the cases of a subgroup, e.g. ``lambda rows: auc(truth[rows],
        scores[rows], scale="plain")``.
    attributes
        Attribute ("site", "sex") to the subgroup of each case.

    Raises
    ------
    ContentError
        If attributes differ in their number of cases, or there are none.
    """
    lengths = {name: len(labels) for name, labels in attributes.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ContentError(f"cases of the attributes: {lengths}; expected the same number, over 0")
    found = {
        name: _one(metric, np.asarray(numbered(labels)), list(dict.fromkeys(labels)), interaction)
        for name, labels in attributes.items()
    }
    tested = [name for name, each in found.items() if not math.isnan(each.p)]
    adjust = holm if interaction.adjust == "holm" else benjamini_hochberg
    for name, p in zip(tested, adjust([found[name].p for name in tested]), strict=True):
        found[name] = replace(found[name], p_adjusted=p)
    return found


def age_groups(ages_years: Sequence[float], *, edges: Sequence[float]) -> list[str]:
    """Name the age group of each case, e.g. edges (40, 65) give "< 40", "40-65" and ">= 65".

    Raises
    ------
    ContentError
        If an age is not finite.
    UsageError
        If the edges do not ascend.
    """
    ages = np.asarray(ages_years, dtype=np.float64)
    if not np.isfinite(ages).all():
        where = np.flatnonzero(~np.isfinite(ages))[:5].tolist()
        raise ContentError(f"ages of cases {where} are unknown; name such a group yourself")
    if not edges or (np.diff(np.asarray(edges)) <= 0).any():
        raise UsageError(f"edges {list(edges)}: expected at least one, ascending")
    middle = [f"{low:g}-{high:g}" for low, high in pairwise(edges)]
    names = [f"< {edges[0]:g}", *middle, f">= {edges[-1]:g}"]
    return [names[k] for k in np.searchsorted(np.asarray(edges), ages, side="right")]


def _one(
    metric: SubgroupMetric, number: IntArray, names: list[Hashable], interaction: Interaction
) -> Subgroups:
    """One attribute, its p not yet adjusted."""

    def estimated(of_case: AnyArray) -> list[Estimate]:
        rows = [np.flatnonzero(of_case == k) for k in range(len(names))]
        return [or_undefined(partial(metric, each), "metric", n=len(each)) for each in rows]

    estimates = estimated(number)
    statistic, usable = _q(estimates)
    method, p = Method(what="Cochran's Q"), math.nan
    if len(usable) > 1 and interaction.test == "wald":
        method = replace(method, by="chi-square")
        p = float(stats.chi2.sf(statistic, len(usable) - 1))
    elif len(usable) > 1 and interaction.rng is not None:
        tested = label_test(
            lambda of_case: _q(estimated(of_case))[0],
            [names[k] for k in number],
            rng=interaction.rng,
            groups=interaction.groups,
            strata=interaction.strata,
            permutations=interaction.permutations,
        )
        by = f"{tested.method.what}, {tested.method.by}"
        method, p = replace(tested.method, what=method.what, by=by), tested.p
    else:
        method = replace(method, undefined="fewer than two subgroups can be compared")
    return Subgroups(
        estimates=dict(zip(names, estimates, strict=True)),
        statistic=statistic,
        p=p,
        p_adjusted=p,
        compared=tuple(names[k] for k in usable),
        method=method,
    )


def _q(estimates: Sequence[Estimate]) -> tuple[float, list[int]]:
    """Cochran's Q, and which estimates it rests on."""
    errors = [(each.high - each.low) / (2 * quantile(each.level)) for each in estimates]
    usable = [k for k, error in enumerate(errors) if math.isfinite(error) and error > 0]
    if len(usable) < 2:
        return 0.0, usable
    weights = np.array([errors[k] ** -2 for k in usable])
    values = np.array([estimates[k].value for k in usable])
    mean = float((weights * values).sum() / weights.sum())
    return float((weights * (values - mean) ** 2).sum()), usable
