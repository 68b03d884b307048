"""The page of one comparison: which arm, by how much, how sure, and every case behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from onkos.core.reading import ArmResult, CaseScore, Comparison
from onkos.core.source import PHANTOM
from onkos.report import page, words
from onkos.report.arm_tables import arm_tables
from onkos.report.checklist import checklist
from onkos.report.class_figures import class_figures
from onkos.report.gallery import Shot, hardest
from onkos.report.paired import paired_tests
from onkos.report.plot import Plot, Series, dots
from onkos.report.published import published
from onkos.report.reliance import features
from onkos.report.repeats import spread_rows
from onkos.report.strata import strata
from onkos.report.verdict import answer, leading_arm, main_metrics, ranked

_OWN_CLASS = "own class"


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
    fold: int
    values: tuple[str, ...]


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
    arms = comparison.arms
    main = main_metrics(comparison)
    leading = leading_arm(comparison)
    tables = arm_tables(comparison)
    return page.fill(
        "comparison.html.j2",
        style=("page.css", "comparison.css"),
        title=f"{'Phantom: ' if phantom else ''}Comparison on {comparison.cohort}",
        comparison=comparison,
        phantom=phantom,
        setting=_setting(comparison, phantom=phantom),
        answer=answer(comparison),
        caveats=[caveat for caveat in comparison.caveats if caveat.code != PHANTOM.code],
        plots=[_plot(arms, name) for name in main],
        leading=leading.name if leading else "",
        drawings=class_figures(comparison),
        tables=tables,
        published=published(comparison, [column.metric for column in tables.columns]),
        spread=spread_rows(comparison),
        tests=paired_tests(comparison),
        strata=strata(comparison),
        features=features(comparison, leading),
        hardest=hardest(comparison),
        shots=shots,
        times=[_time(arm, comparison.repeats) for arm in arms],
        cases=_every_case(comparison, main),
        asked=checklist(comparison),
        facts=page.said(comparison.provenance, {"Cohort": comparison.cohort}),
    )


def _setting(comparison: Comparison, *, phantom: bool) -> str:
    """What was compared on what."""
    patients = words.counted(comparison.patients, "phantom patient" if phantom else "patient")
    return (
        f"{words.counted(len(comparison.arms), 'arm')} on {patients} of {comparison.cohort} "
        f"({words.counted(comparison.cases, 'case')}), each held out once in "
        f"{_split(comparison)} split by patient."
    )


def _split(comparison: Comparison) -> str:
    folds = words.counted(comparison.folds, "fold")
    if comparison.repeats == 1:
        return folds
    return f"each of {comparison.repeats} repeats of {folds}"


def _plot(arms: Sequence[ArmResult], metric: str) -> Plot:
    series = [
        Series(
            name=arm.name,
            estimate=arm.metrics[metric],
            cases=tuple(score.metrics.get(metric, math.nan) for score in arm.scores),
        )
        for arm in arms
        if metric in arm.metrics
    ]
    return dots(metric, series)


def _time(arm: ArmResult, repeats: int) -> Time:
    cases = len(arm.scores) * repeats
    return Time(
        arm=arm.name,
        fit=words.seconds(arm.fit_seconds),
        predict=words.seconds(arm.predict_seconds),
        a_case=words.seconds(arm.predict_seconds / cases) if cases else "no cases",
    )


def _every_case(comparison: Comparison, main: Sequence[str]) -> list[tuple[str, list[CaseRow]]]:
    """Tables of single cases: one a main metric, or the probability of each case's own class."""
    if comparison.classes:
        return [("Probability of the reference class", _cases(comparison.arms, _OWN_CLASS))]
    return [(words.metric(name), _cases(comparison.arms, name)) for name in main]


def _cases(arms: Sequence[ArmResult], metric: str) -> list[CaseRow]:
    """Every held-out case, worst arm's misses included."""
    by_arm = [{(score.case, score.patient): score for score in arm.scores} for arm in arms]
    keys = dict.fromkeys(key for scores in by_arm for key in scores)
    rows = []
    for key in keys:
        found = [scores.get(key) for scores in by_arm]
        fold = next(score.fold for score in found if score is not None)
        rows.append(
            CaseRow(
                case=key[0],
                patient=key[1],
                fold=fold + 1,
                values=tuple(_value(score, metric) for score in found),
            )
        )
    return rows


def _value(score: CaseScore | None, metric: str) -> str:
    if score is None:
        return "not run"
    if metric == _OWN_CLASS:
        own = score.classes.get(score.target, 0.0)
        wrong = own < max(score.classes.values(), default=0.0)
        return f"{own:.2f}, wrong" if wrong else f"{own:.2f}"
    value = words.number(score.metrics.get(metric, math.nan))
    return f"{value}, missed" if metric.partition(":")[2] in score.missed else value
