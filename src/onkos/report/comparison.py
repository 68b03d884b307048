"""The page of one comparison: which arm, by how much, how sure, and every case behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.reading import ArmResult, CaseScore, Comparison, PairedTest
from onkos.core.source import PHANTOM
from onkos.report import page, words
from onkos.report.plot import Plot, Series, dots
from onkos.report.verdict import answer, main_metrics, verdict
from onkos.report.words import Shown

_OWN_CLASS = "own class"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An estimate in the table of arms; ``note`` numbers the method below."""

    shown: Shown
    count: str
    note: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRow:
    """A paired test in numbers and in words."""

    metric: str
    pair: str
    shown: Shown
    n: int
    p: str
    adjusted: str
    verdict: str


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


def render(comparison: Comparison) -> str:
    """Make the report of a comparison: one HTML page that opens from disk without a network.

    Every number stands with its interval, the patients it rests on and how many were missed;
    a difference whose interval holds zero is said not to be shown.
    """
    phantom = comparison.simulated or page.is_phantom(comparison.caveats)
    arms = comparison.arms
    metrics = list(dict.fromkeys(name for arm in arms for name in arm.metrics))
    main = main_metrics(comparison)
    methods: list[str] = []
    return page.fill(
        "comparison.html.j2",
        style=("page.css",),
        title=f"{'Phantom: ' if phantom else ''}Comparison on {comparison.cohort}",
        comparison=comparison,
        phantom=phantom,
        setting=_setting(comparison, phantom=phantom),
        answer=answer(comparison),
        caveats=[caveat for caveat in comparison.caveats if caveat.code != PHANTOM.code],
        plots=[_plot(arms, name) for name in main],
        rows=[
            (words.metric(name), [_cell(arm, name, methods) for arm in arms]) for name in metrics
        ],
        methods=methods,
        tests=[_test(test, len(comparison.tests)) for test in _by_metric(comparison, metrics)],
        test_methods=list(dict.fromkeys(test.difference.method for test in comparison.tests)),
        times=[_time(arm) for arm in arms],
        cases=_every_case(comparison, main),
        facts=page.said(comparison.provenance, {"Cohort": comparison.cohort}),
    )


def _setting(comparison: Comparison, *, phantom: bool) -> str:
    """What was compared on what."""
    patients = words.counted(comparison.patients, "phantom patient" if phantom else "patient")
    return (
        f"{words.counted(len(comparison.arms), 'arm')} on {patients} of {comparison.cohort} "
        f"({words.counted(comparison.cases, 'case')}), each held out once in "
        f"{words.counted(comparison.folds, 'fold')} split by patient."
    )


def _by_metric(comparison: Comparison, metrics: Sequence[str]) -> list[PairedTest]:
    """Tests of one metric together, in the order of the metrics."""
    order = {name: number for number, name in enumerate(metrics)}
    return sorted(comparison.tests, key=lambda test: order.get(test.metric, len(order)))


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


def _cell(arm: ArmResult, metric: str, methods: list[str]) -> Cell | None:
    if metric not in arm.metrics:
        return None
    estimate = arm.metrics[metric]
    if estimate.method not in methods:
        methods.append(estimate.method)
    return Cell(
        shown=words.estimated(estimate),
        count=f"n {estimate.n}, missed {estimate.missed}",
        note=methods.index(estimate.method) + 1,
    )


def _test(test: PairedTest, tests: int) -> TestRow:
    return TestRow(
        metric=words.metric(test.metric),
        pair=f"{test.a} − {test.b}",
        shown=words.estimated(test.difference),
        n=test.difference.n,
        p=words.p_value(test.p),
        adjusted=words.p_value(test.p_adjusted),
        verdict=verdict(test, tests),
    )


def _time(arm: ArmResult) -> Time:
    cases = len(arm.scores)
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
