"""How much the main metrics depend on how patients were assigned to folds."""

from __future__ import annotations

from dataclasses import dataclass

from onkos.core.comparison import Comparison
from onkos.report import measures, words


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadRow:
    """An arm's metric in words: mean, standard deviation, lowest and highest of the repeats."""

    arm: str
    metric: str
    mean: str
    sd: str
    range: str


def spread_rows(comparison: Comparison) -> tuple[SpreadRow, ...]:
    """Lay out the spread between repeats; empty where folds were drawn once."""
    return tuple(
        SpreadRow(
            arm=arm.name,
            metric=measures.named(name),
            mean=words.number(sum(found.values) / len(found.values)),
            sd=words.number(found.sd),
            range=f"{words.number(found.low)} to {words.number(found.high)}",
        )
        for arm in comparison.arms
        for name, found in arm.judgement.spread.items()
    )
