"""The page of one comparison: which arm, by how much, how sure, and every case behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.reading import ArmResult, CaseScore, Comparison, PairedTest
from onkos.core.source import PHANTOM
from onkos.report import page, words
from onkos.report.plot import Plot, Series, dots
from onkos.report.words import Shown

ALPHA = 0.05


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
    main = [name for name in metrics if name.startswith("dice:")] or metrics
    methods: list[str] = []
    return page.fill(
        "comparison.html.j2",
        style=("page.css",),
        title=f"{'Phantom: ' if phantom else ''}Comparison on {comparison.cohort}",
        comparison=comparison,
        phantom=phantom,
        setting=_setting(comparison, phantom=phantom),
        answer=_answer(comparison, main),
        caveats=[caveat for caveat in comparison.caveats if caveat.code != PHANTOM.code],
        plots=[_plot(arms, name) for name in main],
        rows=[
            (words.metric(name), [_cell(arm, name, methods) for arm in arms]) for name in metrics
        ],
        methods=methods,
        tests=[_test(test, len(comparison.tests)) for test in _by_metric(comparison, metrics)],
        test_methods=list(dict.fromkeys(test.difference.method for test in comparison.tests)),
        times=[_time(arm) for arm in arms],
        cases=[(words.metric(name), _cases(arms, name)) for name in main],
        facts=page.said(comparison.provenance, {"Cohort": comparison.cohort}),
    )


def verdict(test: PairedTest, tests: int) -> str:
    """Say what a paired test shows; never that two arms are equal."""
    difference = test.difference
    a, b = test.a, test.b
    if not (math.isfinite(difference.low) and math.isfinite(difference.high)):
        return f"too few patients to tell {a} and {b} apart"
    if difference.low <= 0 <= difference.high:
        return f"{a} and {b} are not shown to differ"
    if not _shown_to_differ(test):
        allowed = f"once all {tests} tests are allowed for"
        return f"{a} and {b} are not shown to differ {allowed}"
    higher, lower = (a, b) if difference.value > 0 else (b, a)
    return f"{higher} is higher than {lower}"


def _shown_to_differ(test: PairedTest) -> bool:
    """Both the interval and the p-value adjusted for all tests must say so."""
    low, high = test.difference.low, test.difference.high
    if not (math.isfinite(low) and math.isfinite(high)):
        return False
    return not low <= 0 <= high and test.p_adjusted < ALPHA


def _setting(comparison: Comparison, *, phantom: bool) -> str:
    """What was compared on what."""
    patients = words.counted(comparison.patients, "phantom patient" if phantom else "patient")
    return (
        f"{words.counted(len(comparison.arms), 'arm')} on {patients} of {comparison.cohort} "
        f"({words.counted(comparison.cases, 'case')}), each held out once in "
        f"{words.counted(comparison.folds, 'fold')} split by patient."
    )


def _answer(comparison: Comparison, main: Sequence[str]) -> str:
    """The result of the main metric in one sentence."""
    metric = "dice:tumour" if "dice:tumour" in main else next(iter(main), "")
    judged = [
        arm
        for arm in comparison.arms
        if metric in arm.metrics and not math.isnan(arm.metrics[metric].value)
    ]
    if not judged:
        return "No metric could be estimated."
    name = words.metric(metric)
    if len(judged) == 1 or not metric.startswith("dice:"):
        each = [f"{arm.name} {words.estimated(arm.metrics[metric])}" for arm in judged]
        return f"{name}, with 95 % intervals: {'; '.join(each)}."
    best = max(judged, key=lambda arm: arm.metrics[metric].value)
    mine = [
        test for test in comparison.tests if test.metric == metric and best.name in (test.a, test.b)
    ]
    beaten: list[str] = []
    undecided: list[str] = []
    for test in mine:
        other = test.b if test.a == best.name else test.a
        (beaten if _shown_to_differ(test) else undecided).append(other)
    shown = words.estimated(best.metrics[metric])
    interval = shown.interval if shown.interval == words.NO_INTERVAL else f"95 % {shown.interval}"
    parts = [f"{best.name} has the highest {name}: {shown.value} ({interval})"]
    if beaten:
        parts.append(f"shown to be higher than {words.listed(beaten)}")
    if undecided:
        parts.append(f"not shown to differ from {words.listed(undecided)}")
    return "; ".join(parts) + "."


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
    value = words.number(score.metrics.get(metric, math.nan))
    return f"{value}, missed" if metric.partition(":")[2] in score.missed else value
