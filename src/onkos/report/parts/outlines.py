"""Outlining tissue: overlap, surfaces and lesions, the values of single cases drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from onkos.core.judgement import JudgedCase, Judgement
from onkos.core.task import Task
from onkos.report import figures, measures
from onkos.report.figures import Drawing, Sample, Spread
from onkos.report.parts.part import (
    MOST_COLUMNS,
    CaseTable,
    Part,
    Wrong,
    all_values,
    value_of,
)

POOR_DICE = 0.5
_MAIN = ("dice", "sensitivity")
_DRAWN = ("dice", "hd95_mm")


def _columns(names: Sequence[str], judgement: Judgement) -> list[str]:
    """Dice and sensitivity of every tissue; of very many tissues Dice alone."""
    del judgement
    kinds = [[name for name in names if name.startswith(f"{kind}:")] for kind in _MAIN]
    both = [name for kind in kinds for name in kind]
    return both if len(both) <= MOST_COLUMNS else kinds[0]


def _drawings(judgement: Judgement, sample: Sample) -> list[Drawing]:
    """Draw values of single cases, a figure a metric."""
    cases = judgement.of(Task.SEGMENT)
    drawn = []
    for kind in _DRAWN:
        names = [name for name in judgement.metrics if name.startswith(f"{kind}:")]
        spreads = [one for name in names if (one := _spread(name, judgement, cases)) is not None]
        if spreads:
            drawn.append(figures.distribution(spreads, label=measures.named(kind), sample=sample))
    return drawn


def _spread(name: str, judgement: Judgement, cases: Sequence[JudgedCase]) -> Spread | None:
    """Values of a metric over the cases that define it; None where none does."""
    defined = [one for one in cases if math.isfinite(one.values.get(name, math.nan))]
    if not defined:
        return None
    tissue = name.partition(":")[2]
    return Spread(
        name=tissue,
        values=np.array([one.values[name] for one in defined]),
        missed=np.array([tissue in one.missed for one in defined]),
        estimate=judgement.metrics[name],
    )


def _tables(names: Sequence[str], cases: Sequence[JudgedCase]) -> list[CaseTable]:
    """One table a main metric that the cases have."""
    had = set(all_values(cases))
    return [
        CaseTable(heading=measures.named(name), value=partial(value_of, name=name))
        for name in names
        if name in had
    ]


def _values(cases: Sequence[JudgedCase]) -> list[str]:
    """Few of the many: overlap and surface distance."""
    return [name for name in all_values(cases) if name.partition(":")[0] in _DRAWN]


def _found(one: JudgedCase, metric: str) -> tuple[bool, float]:
    value = one.values.get(metric, math.nan)
    return metric.startswith("dice:") and value < POOR_DICE, value


OUTLINES = Part(
    title="Outlines",
    missed="patients in whom none of the tissue was found; they count in the mean",
    columns=_columns,
    drawings=_drawings,
    tables=_tables,
    values=_values,
    wrong=Wrong(
        when=lambda metric: f"{measures.named(metric)} is below {POOR_DICE}",
        found=_found,
        said=lambda one, metric: f"{measures.named(metric)} {value_of(one, metric)}",
    ),
)
