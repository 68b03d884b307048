"""Figures of a comparison: arms on one sheet, then the leading arm by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onkos.core.comparison import ArmResult, Comparison
from onkos.core.task import Task
from onkos.report.parts import PARTS, Drawn, sample_of
from onkos.report.verdict import deciding_metric, floor_arm, leading_arm, loss_of

MOST_CURVES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Figured:
    """A figure under its heading."""

    heading: str
    svg: str


def arm_figures(comparison: Comparison, task: Task, *, phantom: bool) -> tuple[Figured, ...]:
    """Draw what the judge kept of the best arms and the best trivial one, then of the leading one.

    Nothing where nothing could be estimated.
    """
    leading, part = leading_arm(comparison, task), PARTS[task]
    if leading is None:
        return ()
    sample = sample_of(leading.judgement, task, phantom=phantom)
    banded = (floor_arm(comparison, task), leading)
    arms = [
        Drawn(name=arm.name, judgement=arm.judgement, banded=arm in banded)
        for arm in shown_arms(comparison, task)
    ]
    together = [Figured(heading=one.title, svg=one.svg) for one in part.together(arms, sample)]
    alone = [
        Figured(heading=f"{one.title}, {leading.name}", svg=one.svg)
        for one in part.drawings(leading.judgement, sample)
    ]
    return (*together, *alone)


def shown_arms(comparison: Comparison, task: Task) -> list[ArmResult]:
    """Arms whose curves are drawn: the best ones, the best trivial one always among them."""
    metric = deciding_metric(comparison, task)
    floor = floor_arm(comparison, task)
    judged = [arm for arm in comparison.arms if math.isfinite(loss_of(arm, metric))]
    ordered = sorted(judged, key=lambda arm: (arm is not floor, loss_of(arm, metric)))
    return sorted(ordered[:MOST_CURVES], key=lambda arm: loss_of(arm, metric))
