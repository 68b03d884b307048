"""What a page needs to know of a task: its words, its figures, its tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from onkos.core.judgement import JudgedCase, Judgement
from onkos.core.task import Task
from onkos.report import measures, words
from onkos.report.figures import Drawing, Sample

MOST_COLUMNS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """An arm on a sheet with others; ``banded`` where its curve is drawn with a band."""

    name: str
    judgement: Judgement
    banded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTable:
    """A table of single cases: its heading, and what it shows of a case."""

    heading: str
    value: Callable[[JudgedCase], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """When an answer counts as wrong.

    Parameters
    ----------
    when
        In words, of a metric: "Dice is below 0.5".
    found
        Whether a case is wrong, and how right its answer is: less is worse.
    said
        What was answered, in a few words.
    """

    when: Callable[[str], str]
    found: Callable[[JudgedCase, str], tuple[bool, float]]
    said: Callable[[JudgedCase, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a page shows of one task.

    Parameters
    ----------
    title
        Of the task, e.g. ``Outlines``.
    missed
        What is counted as missed, e.g. ``patients without an answer``.
    columns
        Of all metrics, those that stand beside each other in the main table.
    drawings
        Figures of one model.
    tables
        Tables of single cases of a comparison, given the metrics that decide.
    values
        Which values of single cases an evaluation shows.
    together
        Figures of several arms on one sheet; none for most tasks.
    folds
        A plain sentence on what its numbers mean where cases are held out in folds.
    wrong
        When a case counts as wrong; None where nothing says so.
    """

    title: str
    missed: str
    columns: Callable[[Sequence[str], Judgement], list[str]]
    drawings: Callable[[Judgement, Sample], list[Drawing]]
    tables: Callable[[Sequence[str], Sequence[JudgedCase]], list[CaseTable]]
    values: Callable[[Sequence[JudgedCase]], list[str]]
    together: Callable[[Sequence[Drawn], Sample], list[Drawing]] = lambda arms, sample: []
    folds: str = ""
    wrong: Wrong | None = None


def sample_of(judgement: Judgement, task: Task, *, phantom: bool) -> Sample:
    """Whom the figures of a task rest on."""
    cases = judgement.of(task)
    lost = {one.patient for one in cases if not one.answered}
    return Sample(n=len({one.patient for one in cases}), missed=len(lost), phantom=phantom)


def chosen(kinds: Sequence[str]) -> Callable[[Sequence[str], Judgement], list[str]]:
    """Choose the metrics of some kinds, in their order and at most six."""

    def columns(names: Sequence[str], judgement: Judgement) -> list[str]:
        del judgement
        found = [name for kind in kinds for name in names if name.partition(":")[0] == kind]
        return found[:MOST_COLUMNS]

    return columns


def every_value(names: Sequence[str], cases: Sequence[JudgedCase]) -> list[CaseTable]:
    """Give each value of a case a table of its own."""
    del names
    return [
        CaseTable(heading=measures.named(name), value=partial(value_of, name=name))
        for name in all_values(cases)
    ]


def all_values(cases: Sequence[JudgedCase]) -> list[str]:
    """Names of all values of the cases."""
    return list(dict.fromkeys(name for one in cases for name in one.values))


def value_of(one: JudgedCase, name: str) -> str:
    """One value of a case; what was not found at all, or not answered, is said beside it."""
    value = words.number(one.values.get(name, math.nan))
    if not one.answered:
        return f"{value}, no answer"
    return f"{value}, missed" if name.partition(":")[2] in one.missed else value
