"""Subgroups on the page: the leading arm's main metric by site, sex, age and other columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onkos.core.comparison import Comparison
from onkos.core.estimate import Estimate
from onkos.core.judgement import Interaction
from onkos.core.task import Task
from onkos.report import measures, words
from onkos.report.verdict import deciding_metric, leading_arm
from onkos.report.words import Shown

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


def strata(comparison: Comparison, task: Task) -> Strata | None:
    """Lay out the leading arm's subgroups; None where the cohort was not divided."""
    arm = leading_arm(comparison, task)
    metric = deciding_metric(comparison, task)
    if arm is None:
        return None
    of_column = {
        column: {name: found[metric] for name, found in groups.items() if metric in found}
        for column, groups in arm.judgement.subgroups.items()
    }
    shown = {column: groups for column, groups in of_column.items() if groups}
    if not shown:
        return None
    tests = {one.column: one for one in arm.judgement.interactions if one.metric == metric}
    return Strata(
        arm=arm.name,
        metric=measures.named(metric),
        all=_row("all", arm.metrics[metric]),
        attributes=tuple(
            Attribute(
                name=column,
                test=tested(tests.get(column)),
                rows=tuple(_row(name, estimate) for name, estimate in groups.items()),
            )
            for column, groups in shown.items()
        ),
        methods=tuple(
            dict.fromkeys(
                words.method(estimate.method)
                for groups in shown.values()
                for estimate in groups.values()
            )
        ),
    )


def tested(test: Interaction | None) -> str:
    """Say whether subgroups are shown to differ, and how that was tested."""
    if test is None:
        return "not tested"
    how = words.method(test.method)
    if math.isnan(test.p):
        return f"not tested: {how}"
    adjusted = ""
    if test.p_adjusted != test.p:
        adjusted = f", {words.p_value(test.p_adjusted)} adjusted by Holm"
    differs = "shown to differ" if test.p_adjusted < 0.05 else "not shown to differ"
    return f"{differs} (interaction p {words.p_value(test.p)}{adjusted}; {how})"


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
