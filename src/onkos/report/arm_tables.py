"""Tables of a comparison's metrics: the main ones side by side, all the others one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.comparison import ArmResult, Comparison
from onkos.core.estimate import Estimate
from onkos.report import measures, words
from onkos.report.parts import PARTS
from onkos.report.verdict import asked
from onkos.report.words import Shown

_MOST_COLUMNS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An estimate in a table; ``note`` numbers the method, ``count`` is empty if in the head.

    ``share`` are the cases behind a proportion, e.g. ``151 of 189``, else empty.
    """

    shown: Shown
    share: str
    count: str
    note: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A metric at the head of the main table, with the count that holds for all arms, if any."""

    metric: str
    name: str
    count: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRow:
    """An arm and its estimates; None where a metric is not defined."""

    arm: str
    family: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRow:
    """One estimate of the folded table; ``first`` where a new metric begins."""

    metric: str
    arm: str
    cell: Cell
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTables:
    """Everything the template shows of the metrics."""

    columns: tuple[Column, ...]
    rows: tuple[ArmRow, ...]
    others: tuple[OtherRow, ...]
    methods: tuple[str, ...]


def arm_tables(comparison: Comparison) -> ArmTables:
    """Lay out the metrics: arms below each other, the main ones beside each other."""
    arms = comparison.arms
    names = list(dict.fromkeys(name for arm in arms for name in arm.metrics))
    main = _main(comparison, names)
    methods: list[str] = []
    counts = [_shared_count(arms, name) for name in main]
    rows = tuple(
        ArmRow(
            arm=arm.name,
            family=arm.family,
            cells=tuple(
                _cell(arm.metrics[name], methods, counted=not count)
                if name in arm.metrics
                else None
                for name, count in zip(main, counts, strict=True)
            ),
        )
        for arm in arms
    )
    others = _others(arms, [name for name in names if name not in main], methods)
    return ArmTables(
        columns=tuple(
            Column(metric=name, name=measures.named(name), count=count)
            for name, count in zip(main, counts, strict=True)
        ),
        rows=rows,
        others=others,
        methods=tuple(methods),
    )


def _main(comparison: Comparison, names: Sequence[str]) -> list[str]:
    """Metrics that stand beside each other; the first ones there are if none is known."""
    found = [
        name
        for task in asked(comparison)
        for arm in comparison.arms
        if task in arm.judgement.tasks
        for name in PARTS[task].columns(names, arm.judgement)
    ]
    return list(dict.fromkeys(found)) or list(names[:_MOST_COLUMNS])


def _others(
    arms: Sequence[ArmResult], names: Sequence[str], methods: list[str]
) -> tuple[OtherRow, ...]:
    rows = []
    for name in names:
        having = [arm for arm in arms if name in arm.metrics]
        rows += [
            OtherRow(
                metric=measures.named(name),
                arm=arm.name,
                cell=_cell(arm.metrics[name], methods, counted=True),
                first=arm is having[0],
            )
            for arm in having
        ]
    return tuple(rows)


def _cell(estimate: Estimate, methods: list[str], *, counted: bool) -> Cell:
    method = words.without_share(estimate.method)
    if method not in methods:
        methods.append(method)
    return Cell(
        shown=words.estimated(estimate),
        share=words.share(estimate.method),
        count=_count(estimate) if counted else "",
        note=methods.index(method) + 1,
    )


def _shared_count(arms: Sequence[ArmResult], name: str) -> str:
    """Count of a metric where it is the same for every arm, else empty."""
    counts = {_count(arm.metrics[name]) for arm in arms if name in arm.metrics}
    return counts.pop() if len(counts) == 1 else ""


def _count(estimate: Estimate) -> str:
    return f"n {estimate.n}, missed {estimate.missed}"
