"""The page of one comparison: which arm, by how much, how sure, and every case behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from onkos.core.comparison import ArmResult, Comparison
from onkos.core.judgement import JudgedCase
from onkos.core.task import Task
from onkos.report import page, words
from onkos.report.arm_figures import Figured, arm_figures
from onkos.report.arm_tables import arm_tables
from onkos.report.checklist import checklist
from onkos.report.gallery import Hardest, Shot, hardest
from onkos.report.limits import limits, unfinished
from onkos.report.paired import paired_tests
from onkos.report.parts import PARTS
from onkos.report.parts.part import CaseTable
from onkos.report.plot import Plot, Series, dots
from onkos.report.published import published
from onkos.report.reliance import features
from onkos.report.repeats import spread_rows
from onkos.report.strata import Strata, strata
from onkos.report.verdict import answer, asked, leading_arm, main_metrics, ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """How long an arm took."""

    arm: str
    fit: str
    predict: str
    a_case: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One held-out case with each arm's value."""

    case: str
    patient: str
    fold: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the page shows of one task; ``key`` is empty of the first and ends ids of the others.

    Parameters
    ----------
    title
        Of the task; empty where there is only one.
    leading
        The arm that is looked at more closely; empty where nothing could be estimated.
    plots, figures, strata, hardest, cases
        In the order of the page.
    folds
        What its numbers mean where cases are held out in folds.
    missed
        What is counted as missed.
    notes
        Of the curves, each once.
    """

    key: str
    title: str
    leading: str
    plots: tuple[Plot, ...]
    figures: tuple[Figured, ...]
    notes: tuple[str, ...]
    strata: Strata | None
    hardest: Hardest
    cases: tuple[tuple[str, tuple[CaseRow, ...]], ...]
    folds: str
    missed: str
    positive: str


def render(comparison: Comparison, shots: Mapping[str, Shot] = MappingProxyType({})) -> str:
    """Make the report of a comparison: one HTML page that opens from disk without a network.

    Arms stand by rank, the trivial ones first. Every number stands with its interval, the
    patients it rests on and how many were missed; a difference whose interval holds zero is said
    not to be shown.

    Parameters
    ----------
    comparison
        What was compared.
    shots
        Pictures of cases, by case, for those that every arm gets wrong.
    """
    comparison = ranked(comparison)
    phantom = comparison.simulated or page.is_phantom(comparison.caveats)
    tables = arm_tables(comparison)
    return page.fill(
        "comparison.html.j2",
        style=("page.css", "comparison.css"),
        title=f"{'Phantom: ' if phantom else ''}Comparison on {comparison.cohort}",
        comparison=comparison,
        phantom=phantom,
        setting=_setting(comparison, phantom=phantom),
        answer=answer(comparison),
        unfinished=unfinished(comparison),
        caveats=limits(comparison),
        sections=[_section(comparison, task, phantom=phantom) for task in asked(comparison)],
        tables=tables,
        published=published(comparison, [column.metric for column in tables.columns]),
        spread=spread_rows(comparison),
        tests=paired_tests(comparison),
        features=features(comparison, leading_arm(comparison)),
        shots=shots,
        times=[_time(arm, comparison) for arm in comparison.arms],
        asked=checklist(comparison),
        facts=page.said(comparison.provenance, {"Cohort": comparison.cohort}),
    )


def _section(comparison: Comparison, task: Task, *, phantom: bool) -> Section:
    """Lay out one task."""
    part, arms = PARTS[task], comparison.arms
    tasks = asked(comparison)
    leading = leading_arm(comparison, task)
    main = main_metrics(comparison, task)
    figures = arm_figures(comparison, task, phantom=phantom)
    cases = [one for arm in arms for one in arm.judgement.of(task)]
    return Section(
        key="" if task is tasks[0] else f"-{task}",
        title=part.title if len(tasks) > 1 else "",
        leading=leading.name if leading else "",
        plots=tuple(_plot(arms, name, task) for name in main),
        figures=figures,
        notes=_curve_notes(leading) if figures else (),
        strata=strata(comparison, task),
        hardest=hardest(comparison, task),
        cases=tuple(
            (table.heading, tuple(_cases(arms, table, task))) for table in part.tables(main, cases)
        ),
        folds=part.folds,
        missed=part.missed,
        positive=comparison.positive if task is Task.CLASSIFY else "",
    )


def _curve_notes(arm: ArmResult | None) -> tuple[str, ...]:
    """What to know of the ROC curves of an arm, each as a sentence."""
    if arm is None:
        return ()
    of_roc = [one for one in arm.judgement.curves if one.kind == "roc"]
    notes = dict.fromkeys(note for curve in of_roc for note in curve.notes if note)
    return tuple(f"{note[0].upper()}{note[1:]}." for note in notes)


def _setting(comparison: Comparison, *, phantom: bool) -> str:
    """What was compared on what."""
    patients = words.counted(comparison.patients, "phantom patient" if phantom else "patient")
    return (
        f"{words.counted(len(comparison.arms), 'arm')} on {patients} of {comparison.cohort} "
        f"({words.counted(comparison.cases, 'case')}), each held out once in "
        f"{_split(comparison)} split by patient. An arm is one of the methods compared, fitted "
        "anew in every fold; a trivial arm looks at nothing but size, or at nothing at all, and "
        "is what every other has to beat."
    )


def _split(comparison: Comparison) -> str:
    folds = words.counted(comparison.folds, "fold")
    if comparison.repeats == 1:
        return folds
    return f"each of {comparison.repeats} repeats of {folds}"


def _plot(arms: Sequence[ArmResult], metric: str, task: Task) -> Plot:
    series = [
        Series(
            name=arm.name,
            estimate=arm.metrics[metric],
            cases=tuple(one.values.get(metric, math.nan) for one in arm.judgement.of(task)),
        )
        for arm in arms
        if metric in arm.metrics
    ]
    return dots(metric, series)


def _time(arm: ArmResult, comparison: Comparison) -> Time:
    cases = comparison.cases * comparison.repeats
    return Time(
        arm=arm.name,
        fit=words.seconds(arm.fit_seconds),
        predict=words.seconds(arm.predict_seconds),
        a_case=words.seconds(arm.predict_seconds / cases) if cases else "no cases",
    )


def _cases(arms: Sequence[ArmResult], table: CaseTable, task: Task) -> list[CaseRow]:
    """Every held-out case, those without an answer included."""
    by_arm = [{(one.case, one.patient): one for one in arm.judgement.of(task)} for arm in arms]
    keys = dict.fromkeys(key for judged in by_arm for key in judged)
    rows = []
    for key in keys:
        found = [judged.get(key) for judged in by_arm]
        rows.append(
            CaseRow(
                case=key[0],
                patient=key[1],
                fold=_fold(found),
                values=tuple("not run" if one is None else table.value(one) for one in found),
            )
        )
    return rows


def _fold(found: Sequence[JudgedCase | None]) -> str:
    """In which fold a case was held out, as the arms that answered say."""
    return next((str(one.fold + 1) for one in found if one is not None and one.answered), "")
