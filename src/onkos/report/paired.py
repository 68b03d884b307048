"""Paired tests on the page: those that answer the question first, the others folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from onkos.core.comparison import Comparison
from onkos.core.judgement import PairedTest
from onkos.report import measures, words
from onkos.report.verdict import deciding_metric, floor_arm, leading_arm, verdict
from onkos.report.words import Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRow:
    """A paired test in numbers and in words."""

    __test__ = False

    metric: str
    pair: str
    shown: Shown
    n: int
    p: str
    adjusted: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTests:
    """Tests of every arm against ``against`` on the deciding metric, all others, and the methods.

    ``why`` says what that arm is.
    """

    against: str
    why: str
    metric: str
    first: tuple[TestRow, ...]
    others: tuple[TestRow, ...]
    methods: tuple[str, ...]

    @property
    def count(self) -> int:
        """All tests, which the adjustment allows for."""
        return len(self.first) + len(self.others)


def paired_tests(comparison: Comparison) -> PairedTests:
    """Sort the tests: each arm against the best trivial one, or against the best arm."""
    metric = deciding_metric(comparison)
    floor = floor_arm(comparison)
    reference = floor or leading_arm(comparison)
    against = reference.name if reference else ""
    order = {
        name: number
        for number, name in enumerate(name for arm in comparison.arms for name in arm.metrics)
    }
    tests = sorted(comparison.tests, key=lambda test: order.get(test.metric, len(order)))
    first = [test for test in tests if test.metric == metric and _is_against(test, against)]
    others = [test for test in tests if test not in first]
    return PairedTests(
        against=against,
        why="the best trivial arm" if floor else "the best arm",
        metric=measures.named(metric),
        first=tuple(_row(_turned(test, against), len(tests)) for test in first),
        others=tuple(_row(test, len(tests)) for test in others),
        methods=_methods(tests),
    )


def _is_against(test: PairedTest, name: str) -> bool:
    return test.a != test.b and name in (test.a, test.b)


def _turned(test: PairedTest, against: str) -> PairedTest:
    """Make the reference the one that is subtracted."""
    if test.a != against:
        return test
    was = test.difference
    turned = replace(was, value=-was.value, low=-was.high, high=-was.low)
    return replace(test, a=test.b, b=test.a, difference=turned)


def _row(test: PairedTest, tests: int) -> TestRow:
    return TestRow(
        metric=measures.named(test.metric),
        pair=f"{test.a} − {test.b}",
        shown=words.estimated(test.difference),
        n=test.difference.n,
        p=words.p_value(test.p),
        adjusted=words.p_value(test.p_adjusted),
        verdict=verdict(test, tests),
    )


def _methods(tests: Sequence[PairedTest]) -> tuple[str, ...]:
    """For each metric how its difference and its p were made; the same words once."""
    said: dict[str, list[str]] = {}
    for test in tests:
        metrics = said.setdefault(words.method(test.difference.method), [])
        if measures.named(test.metric) not in metrics:
            metrics.append(measures.named(test.metric))
    return tuple(f"{words.listed(metrics)}: {how}" for how, metrics in said.items())
