"""The page of an evaluation: what predictions are worth, with figures, subgroups, every case."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from onkos.core.estimate import Estimate
from onkos.core.evaluation import Evaluation, JudgedCase
from onkos.core.source import PHANTOM
from onkos.report import measures, page, words
from onkos.report.figures import Drawing, ForestRow, Sample, forest
from onkos.report.words import Shown

TASKS = {
    "classification": "Classes",
    "segmentation": "Outlines",
    "survival": "Survival",
}
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


def render(evaluation: Evaluation, drawings: Sequence[Drawing] = ()) -> str:
    """Make the report of an evaluation: one HTML page that opens from disk without a network.

    Parameters
    ----------
    evaluation
        What was found.
    drawings
        Figures to show, in their order; a forest plot of the subgroups is added.
    """
    phantom = evaluation.simulated or page.is_phantom(evaluation.caveats)
    methods: list[str] = []
    rows = [_row(name, one, methods) for name, one in evaluation.metrics.items()]
    groups = tuple(_groups(evaluation, methods))
    return page.fill(
        "evaluation.html.j2",
        style=("page.css", "evaluation.css"),
        title=f"{'Phantom: ' if phantom else ''}Evaluation on {evaluation.cohort}",
        evaluation=evaluation,
        phantom=phantom,
        setting=_setting(evaluation, phantom=phantom),
        answer=_answer(evaluation),
        caveats=[caveat for caveat in evaluation.caveats if caveat.code != PHANTOM.code],
        drawings=[*drawings, *_forests(evaluation, phantom=phantom)],
        rows=rows,
        groups=groups,
        methods=methods,
        cases=[_cases(task, evaluation.judged) for task in evaluation.tasks],
        facts=page.said(
            evaluation.provenance,
            {"Predictions": evaluation.predictions, "Truth": evaluation.cohort},
        ),
    )


def _setting(evaluation: Evaluation, *, phantom: bool) -> str:
    """What was judged on what."""
    patients = words.counted(evaluation.patients, "phantom patient" if phantom else "patient")
    missing = len(evaluation.unanswered)
    lost = f"; {words.counted(missing, 'case')} without a prediction" if missing else ""
    what = words.listed([TASKS[task].lower() for task in evaluation.tasks])
    return (
        f"{evaluation.predictions} judged on {patients} of {evaluation.cohort} "
        f"({words.counted(evaluation.cases, 'case')}{lost}): {what}."
    )


def _answer(evaluation: Evaluation) -> str:
    """The main metric of each task in one sentence."""
    said = []
    for task in evaluation.tasks:
        name = evaluation.main[task]
        one = evaluation.metrics[name]
        shown = words.estimated(one)
        if shown.interval == words.NO_INTERVAL:
            interval = shown.interval
        else:
            interval = f"95 % interval {shown.interval}"
        missed = f", {one.missed} of {one.n} patients missed" if one.missed else ""
        of = (
            f" for {evaluation.positive}"
            if task == "classification" and evaluation.positive
            else ""
        )
        said.append(f"{measures.named(name)}{of} {shown.value} ({interval}){missed}")
    return "; ".join(said) + "."


def _row(name: str, estimate: Estimate, methods: list[str], *, label: str = "") -> Row:
    if estimate.method not in methods:
        methods.append(estimate.method)
    return Row(
        name=label or measures.named(name),
        meaning=measures.meaning(name),
        shown=words.estimated(estimate),
        n=estimate.n,
        missed=estimate.missed,
        note=methods.index(estimate.method) + 1,
    )


def _groups(evaluation: Evaluation, methods: list[str]) -> Iterator[Group]:
    """Main metrics by subgroup, each column with its test."""
    tests = {(one.column, one.metric): one for one in evaluation.interactions}
    for task in evaluation.tasks:
        metric = evaluation.main[task]
        for column, values in evaluation.subgroups.items():
            test = tests.get((column, metric))
            told = "not tested"
            if test is not None and math.isnan(test.p):
                told = test.method
            elif test is not None:
                told = (
                    f"difference between subgroups: p {words.p_value(test.p)}, "
                    f"{words.p_value(test.p_adjusted)} allowing for all columns (Holm); "
                    f"{test.method}"
                )
            yield Group(
                column=column,
                metric=measures.named(metric),
                test=told,
                rows=tuple(
                    _row(metric, metrics[metric], methods, label=value)
                    for value, metrics in values.items()
                    if metric in metrics
                ),
            )


def _forests(evaluation: Evaluation, *, phantom: bool) -> list[Drawing]:
    """Main metrics of everybody and of each subgroup."""
    drawn = []
    for task in evaluation.tasks if evaluation.subgroups else ():
        metric = evaluation.main[task]
        whole = evaluation.metrics[metric]
        rows = [ForestRow(name="all", estimate=whole)]
        for column, values in evaluation.subgroups.items():
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


def _cases(task: str, judged: Sequence[JudgedCase]) -> Cases:
    """Every case of a task, the ones without an answer first."""
    mine = sorted((one for one in judged if one.task == task), key=lambda one: one.answered)
    names = _columns(task, mine)
    shown = mine[:_MOST_CASES]
    head = ("Truth",) if task != "segmentation" else ()
    labels = [measures.named(name) if task == "segmentation" else name for name in names]
    return Cases(
        task=TASKS[task],
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


def _columns(task: str, judged: Sequence[JudgedCase]) -> list[str]:
    """Which values of single cases are shown: a few of the many of outlines."""
    names = list(dict.fromkeys(name for one in judged for name in one.values))
    if task != "segmentation":
        return names
    return [name for name in names if name.partition(":")[0] in ("dice", "hd95_mm")]


def _value(values: Mapping[str, float], name: str) -> str:
    return words.number(values.get(name, math.nan))


def _remark(one: JudgedCase) -> str:
    if not one.answered:
        return "no prediction"
    return f"missed: {words.listed(list(one.missed))}" if one.missed else ""
