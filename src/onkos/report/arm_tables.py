"""Tables of a comparison's metrics: the main ones side by side, all the others one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.estimate import Estimate
from onkos.core.reading import ArmResult, Comparison
from onkos.report import words
from onkos.report.words import Shown

_TWO_CLASSES = (
    "auc",
    "average_precision",
    "brier",
    "sensitivity",
    "specificity",
    "calibration_slope",
)
_MORE_CLASSES = ("auc", "brier", "accuracy", "balanced_accuracy", "f1_macro", "kappa")
_OF_OUTLINES = ("dice", "sensitivity")
_MOST_COLUMNS = 6
_SHARE = re.compile(r"(\d+ of \d+(?: cases)?); (.+)")  # proportions differ in their counts alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An estimate in a table; ``note`` numbers the method, ``count`` is empty if in the head.

    ``share`` are the cases behind a proportion, e.g. ``151 of 189 cases``, else empty.
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
            Column(metric=name, name=words.metric(name), count=count)
            for name, count in zip(main, counts, strict=True)
        ),
        rows=rows,
        others=others,
        methods=tuple(methods),
    )


def _main(comparison: Comparison, names: Sequence[str]) -> list[str]:
    """Metrics that stand beside each other; the first ones there are if none is known."""
    if comparison.classes:
        known = _TWO_CLASSES if len(comparison.classes) == 2 else _MORE_CLASSES
        main = [name for name in known if name in names]
    else:
        kinds = [[name for name in names if name.startswith(f"{kind}:")] for kind in _OF_OUTLINES]
        both = [name for kind in kinds for name in kind]
        main = both if len(both) <= _MOST_COLUMNS else kinds[0]
    return main or list(names[:_MOST_COLUMNS])


def _others(
    arms: Sequence[ArmResult], names: Sequence[str], methods: list[str]
) -> tuple[OtherRow, ...]:
    rows = []
    for name in names:
        having = [arm for arm in arms if name in arm.metrics]
        rows += [
            OtherRow(
                metric=words.metric(name),
                arm=arm.name,
                cell=_cell(arm.metrics[name], methods, counted=True),
                first=arm is having[0],
            )
            for arm in having
        ]
    return tuple(rows)


def _cell(estimate: Estimate, methods: list[str], *, counted: bool) -> Cell:
    found = _SHARE.fullmatch(estimate.method)
    share, method = found.groups() if found else ("", estimate.method)
    if method not in methods:
        methods.append(method)
    return Cell(
        shown=words.estimated(estimate),
        share=share,
        count=_count(estimate) if counted else "",
        note=methods.index(method) + 1,
    )


def _shared_count(arms: Sequence[ArmResult], name: str) -> str:
    """Count of a metric where it is the same for every arm, else empty."""
    counts = {_count(arm.metrics[name]) for arm in arms if name in arm.metrics}
    return counts.pop() if len(counts) == 1 else ""


def _count(estimate: Estimate) -> str:
    return f"n {estimate.n}, missed {estimate.missed}"
