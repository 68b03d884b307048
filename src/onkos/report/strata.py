"""Subgroups on the page: the leading arm's main metric by site, sex and age."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onkos.arms.subgrouping import interactions
from onkos.core.estimate import Estimate
from onkos.core.reading import Comparison
from onkos.report import words
from onkos.report.verdict import deciding_metric, leading_arm
from onkos.report.words import Shown
from onkos.stats.subgroups import Subgroups

WIDTH = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An estimate drawn between 0 and 1; None where it cannot be."""

    x: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumRow:
    """A subgroup, or everybody."""

    name: str
    shown: Shown
    count: str
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """What divides the cohort, its subgroups, and in words whether they differ."""

    name: str
    test: str
    rows: tuple[StratumRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """Everything the template shows of subgroups."""

    arm: str
    metric: str
    all: StratumRow
    attributes: tuple[Attribute, ...]
    methods: tuple[str, ...]

    @property
    def width(self) -> float:
        """Width of the drawn marks."""
        return WIDTH


def strata(comparison: Comparison) -> Strata | None:
    """Lay out the leading arm's subgroups; None where the cohort was not divided."""
    arm = leading_arm(comparison)
    if arm is None or not arm.subgroups:
        return None
    metric = deciding_metric(comparison)
    tests = interactions(arm.subgroups)
    return Strata(
        arm=arm.name,
        metric=words.metric(metric),
        all=_row("all", arm.metrics[metric]),
        attributes=tuple(
            Attribute(
                name=name,
                test=_tested(tests[name], len(tests)),
                rows=tuple(_row(value, estimate) for value, estimate in groups.items()),
            )
            for name, groups in arm.subgroups.items()
        ),
        methods=tuple(
            dict.fromkeys(
                estimate.method for groups in arm.subgroups.values() for estimate in groups.values()
            )
        ),
    )


def _tested(test: Subgroups, tests: int) -> str:
    if math.isnan(test.p):
        return f"not tested: {test.method}"
    adjusted = f", {words.p_value(test.p_adjusted)} adjusted by Holm" if tests > 1 else ""
    differs = "shown to differ" if test.p_adjusted < 0.05 else "not shown to differ"
    return f"{differs} (interaction p {words.p_value(test.p)}{adjusted}; {test.method})"


def _row(name: str, estimate: Estimate) -> StratumRow:
    return StratumRow(
        name=name,
        shown=words.estimated(estimate),
        count=f"n {estimate.n}, missed {estimate.missed}",
        mark=Mark(
            x=_across(estimate.value), low=_across(estimate.low), high=_across(estimate.high)
        ),
    )


def _across(value: float) -> float | None:
    return WIDTH * min(max(value, 0.0), 1.0) if math.isfinite(value) else None
