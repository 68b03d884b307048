"""The page of an evaluation: what predictions are worth, with figures, subgroups, every case."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onkos.core.comparison import Evaluation
from onkos.core.estimate import Estimate
from onkos.core.judgement import JudgedCase, Judgement
from onkos.core.source import PHANTOM
from onkos.core.task import Task
from onkos.report import measures, page, words
from onkos.report.figures import Drawing, ForestRow, Sample, forest
from onkos.report.parts import PARTS, sample_of
from onkos.report.strata import tested
from onkos.report.words import Shown

_MOST_CASES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An estimate in a table; ``note`` numbers the method below."""

    name: str
    meaning: str
    shown: Shown
    n: int
    missed: int
    note: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One column of subgroups: its name, its test in words, the rows of its values."""

    column: str
    metric: str
    test: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Every case of one task: headings, and a row a case."""

    task: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int


def render(evaluation: Evaluation) -> str:
    """Make the report of an evaluation: one HTML page that opens from disk without a network."""
    judgement = evaluation.judgement
    caveats = tuple(dict.fromkeys((*evaluation.caveats, *judgement.caveats)))
    phantom = evaluation.simulated or page.is_phantom(caveats)
    methods: list[str] = []
    rows = [_row(name, one, methods) for name, one in judgement.metrics.items()]
    groups = tuple(_groups(judgement, methods))
    return page.fill(
        "evaluation.html.j2",
        style=("page.css", "evaluation.css"),
        title=f"{'Phantom: ' if phantom else ''}Evaluation on {evaluation.cohort}",
        evaluation=evaluation,
        phantom=phantom,
        setting=_setting(evaluation, phantom=phantom),
        answer=_answer(judgement),
        caveats=[caveat for caveat in caveats if caveat.code != PHANTOM.code],
        drawings=[*_drawings(judgement, phantom=phantom), *_forests(judgement, phantom=phantom)],
        rows=rows,
        groups=groups,
        methods=methods,
        cases=[_cases(task, judgement) for task in judgement.tasks],
        facts=page.said(
            evaluation.provenance,
            {"Predictions": evaluation.predictions, "Truth": evaluation.cohort},
        ),
    )


def _drawings(judgement: Judgement, *, phantom: bool) -> list[Drawing]:
    """Figures of every task."""
    return [
        drawing
        for task in judgement.tasks
        for drawing in PARTS[task].drawings(judgement, sample_of(judgement, task, phantom=phantom))
    ]


def _setting(evaluation: Evaluation, *, phantom: bool) -> str:
    """What was judged on what."""
    patients = words.counted(evaluation.patients, "phantom patient" if phantom else "patient")
    missing = len(evaluation.judgement.unanswered)
    lost = f"; {words.counted(missing, 'case')} without a prediction" if missing else ""
    what = words.listed([PARTS[task].title.lower() for task in evaluation.judgement.tasks])
    return (
        f"{evaluation.predictions} judged on {patients} of {evaluation.cohort} "
        f"({words.counted(evaluation.cases, 'case')}{lost}): {what}."
    )


def _answer(judgement: Judgement) -> str:
    """The main metric of each task in one sentence."""
    said = []
    for task in judgement.tasks:
        name = judgement.main[task]
        one = judgement.metrics[name]
        shown = words.estimated(one)
        if shown.interval == words.NO_INTERVAL:
            interval = shown.interval
        else:
            interval = f"95 % interval {shown.interval}"
        missed = f", {one.missed} of {one.n} patients missed" if one.missed else ""
        of = f" for {judgement.positive}" if task is Task.CLASSIFY and judgement.positive else ""
        said.append(f"{measures.named(name)}{of} {shown.value} ({interval}){missed}")
    return "; ".join(said) + "."


def _row(name: str, estimate: Estimate, methods: list[str], *, label: str = "") -> Row:
    method = words.method(estimate.method)
    if method not in methods:
        methods.append(method)
    return Row(
        name=label or measures.named(name),
        meaning=measures.meaning(name),
        shown=words.estimated(estimate),
        n=estimate.n,
        missed=estimate.missed,
        note=methods.index(method) + 1,
    )


def _groups(judgement: Judgement, methods: list[str]) -> Iterator[Group]:
    """Main metrics by subgroup, each column with its test."""
    tests = {(one.column, one.metric): one for one in judgement.interactions}
    for task in judgement.tasks:
        metric = judgement.main[task]
        for column, values in judgement.subgroups.items():
            test = tests.get((column, metric))
            yield Group(
                column=column,
                metric=measures.named(metric),
                test=tested(test),
                rows=tuple(
                    _row(metric, metrics[metric], methods, label=value)
                    for value, metrics in values.items()
                    if metric in metrics
                ),
            )


def _forests(judgement: Judgement, *, phantom: bool) -> list[Drawing]:
    """Main metrics of everybody and of each subgroup."""
    drawn = []
    for task in judgement.tasks if judgement.subgroups else ():
        metric = judgement.main[task]
        whole = judgement.metrics[metric]
        rows = [ForestRow(name="all", estimate=whole)]
        for column, values in judgement.subgroups.items():
            rows += [
                ForestRow(name=value, estimate=metrics[metric], group=column)
                for value, metrics in values.items()
                if metric in metrics
            ]
        sample = Sample(n=whole.n, missed=whole.missed, phantom=phantom)
        label = f"{measures.named(metric)} by subgroup"
        reference = whole.value if math.isfinite(whole.value) else None
        drawn.append(forest(rows, label=label, sample=sample, reference=reference))
    return drawn


def _cases(task: Task, judgement: Judgement) -> Cases:
    """Every case of a task, the ones without an answer first."""
    mine = sorted(judgement.of(task), key=lambda one: one.answered)
    names = PARTS[task].values(mine)
    shown = mine[:_MOST_CASES]
    head = ("Truth",) if any(one.truth for one in mine) else ()
    labels = [name if name in judgement.classes else measures.named(name) for name in names]
    return Cases(
        task=PARTS[task].title,
        columns=("Case", "Patient", *head, *labels, "Remark"),
        rows=tuple(
            (
                one.case,
                one.patient,
                *((one.truth,) if head else ()),
                *(_value(one.values, name) for name in names),
                _remark(one),
            )
            for one in shown
        ),
        left=len(mine) - len(shown),
    )


def _value(values: Mapping[str, float], name: str) -> str:
    return words.number(values.get(name, math.nan))


def _remark(one: JudgedCase) -> str:
    if not one.answered:
        return "no prediction"
    return f"missed: {words.listed(list(one.missed))}" if one.missed else ""
