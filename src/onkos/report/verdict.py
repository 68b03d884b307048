"""What a comparison shows, in sentences: never more than its tests do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from onkos.core.reading import ArmResult, Comparison, PairedTest
from onkos.report import words

ALPHA = 0.05
_TRIVIAL = "trivial"
_NAMED_TESTS = ("Obuchowski", "DeLong")
_ERRORS = ("brier", "balanced_error")  # metrics of which less is better


def main_metrics(comparison: Comparison) -> list[str]:
    """Metrics that decide: the areas and Brier's score of classes, else every Dice."""
    names = dict.fromkeys(name for arm in comparison.arms for name in arm.metrics)
    if comparison.classes:
        return [name for name in ("auc", "brier") if name in names]
    return [name for name in names if name.startswith("dice:")] or list(names)


def deciding_metric(comparison: Comparison) -> str:
    """The one metric the answer speaks of; empty where nothing was measured."""
    main = main_metrics(comparison)
    return "dice:tumour" if "dice:tumour" in main else next(iter(main), "")


def answer(comparison: Comparison) -> str:
    """The result in one sentence, the trivial arm first where others do not beat it."""
    metric = deciding_metric(comparison)
    judged = [
        arm
        for arm in comparison.arms
        if metric in arm.metrics and not math.isnan(arm.metrics[metric].value)
    ]
    if not judged:
        return "No metric could be estimated."
    name = words.metric(metric)
    if len(judged) == 1 or metric not in main_metrics(comparison):
        each = [f"{arm.name} {words.estimated(arm.metrics[metric])}" for arm in judged]
        return f"{name}, with 95 % intervals: {'; '.join(each)}."
    floor = unbeaten(comparison, metric)
    best = max(judged, key=lambda arm: arm.metrics[metric].value)
    sentence = _best(best, comparison, metric, name)
    return f"{floor} {sentence}" if floor else sentence


def floor_arm(comparison: Comparison) -> ArmResult | None:
    """The best trivial arm on the deciding metric; None where there is none."""
    metric = deciding_metric(comparison)
    return _highest([arm for arm in comparison.arms if is_trivial(arm)], metric)


def leading_arm(comparison: Comparison) -> ArmResult | None:
    """The arm a page looks at more closely: the best one that is not trivial, else the best.

    None where nothing could be estimated.
    """
    metric = deciding_metric(comparison)
    serious = [arm for arm in comparison.arms if not is_trivial(arm)]
    return _highest(serious, metric) or _highest(comparison.arms, metric)


def ranked(comparison: Comparison) -> Comparison:
    """Put the trivial arms first, then the others, each the best first; unknown values last."""
    metric = deciding_metric(comparison)

    def place(arm: ArmResult) -> tuple[bool, float]:
        value = arm.metrics[metric].value if metric in arm.metrics else math.nan
        return not is_trivial(arm), -value if math.isfinite(value) else math.inf

    return replace(comparison, arms=tuple(sorted(comparison.arms, key=place)))


def is_trivial(arm: ArmResult) -> bool:
    """Tell whether an arm looks at nothing but size, or at nothing at all."""
    return arm.family == _TRIVIAL


def unbeaten(comparison: Comparison, metric: str) -> str:
    """Say which arms are not shown to beat the best trivial one; empty where all are."""
    floor = _highest([arm for arm in comparison.arms if is_trivial(arm)], metric)
    others = [a for a in comparison.arms if not is_trivial(a) and metric in a.metrics]
    if floor is None or not others:
        return ""
    fail = [arm.name for arm in others if not _beats(arm, floor, comparison, metric)]
    if not fail:
        return ""
    shown = f"{floor.name} ({words.metric(metric)} {words.estimated(floor.metrics[metric])})"
    if len(fail) == len(others):
        return f"No arm is shown to beat the trivial one, {shown}."
    return f"Not shown to beat the trivial {shown}: {words.listed(fail)}."


def verdict(test: PairedTest, tests: int) -> str:
    """Say what a paired test shows; never that two arms are equal."""
    difference = test.difference
    a, b = test.a, test.b
    if not (math.isfinite(difference.low) and math.isfinite(difference.high)):
        return f"too few patients to tell {a} and {b} apart"
    if difference.low <= 0 <= difference.high:
        return f"{a} and {b} are not shown to differ"
    if not shown_to_differ(test):
        allowed = f"once all {tests} tests are allowed for"
        return f"{a} and {b} are not shown to differ {allowed}"
    higher, lower = (a, b) if difference.value > 0 else (b, a)
    if test.metric in _ERRORS:
        return f"{lower} errs less than {higher}"
    return f"{higher} is higher than {lower}"


def tested_by(test: PairedTest) -> str:
    """Name the test behind a p-value."""
    method = test.difference.method
    named = [name for name in _NAMED_TESTS if name in method]
    if "standard error of" in method and "bootstrap" in method:
        return "the bootstrap's standard error of the difference of two areas, by patient"
    if named:
        return f"{named[0]}'s test of two areas on the same patients"
    return "flipping the sign of each patient's difference"


def shown_to_differ(test: PairedTest) -> bool:
    """Both the interval and the p-value adjusted for all tests must say so."""
    low, high = test.difference.low, test.difference.high
    if not (math.isfinite(low) and math.isfinite(high)):
        return False
    return not low <= 0 <= high and test.p_adjusted < ALPHA


def _highest(arms: Sequence[ArmResult], metric: str) -> ArmResult | None:
    judged = [
        arm for arm in arms if metric in arm.metrics and not math.isnan(arm.metrics[metric].value)
    ]
    return max(judged, key=lambda arm: arm.metrics[metric].value, default=None)


def _beats(arm: ArmResult, floor: ArmResult, comparison: Comparison, metric: str) -> bool:
    """Higher, and shown to be; by Brier's score where the areas could not be tested."""
    if not arm.metrics[metric].value > floor.metrics[metric].value:
        return False
    pair = {arm.name, floor.name}
    tests = [t for t in comparison.tests if {t.a, t.b} == pair]
    on_metric = [t for t in tests if t.metric == metric]
    if on_metric:
        return any(shown_to_differ(t) for t in on_metric)
    return any(
        shown_to_differ(t) and (t.difference.value > 0) == (t.b == arm.name)
        for t in tests
        if t.metric in _ERRORS
    )


def _best(best: ArmResult, comparison: Comparison, metric: str, name: str) -> str:
    beaten: list[str] = []
    undecided: list[str] = []
    for test in comparison.tests:
        if test.metric == metric and best.name in (test.a, test.b):
            other = test.b if test.a == best.name else test.a
            (beaten if shown_to_differ(test) else undecided).append(other)
    shown = words.estimated(best.metrics[metric])
    interval = shown.interval if shown.interval == words.NO_INTERVAL else f"95 % {shown.interval}"
    parts = [f"{best.name} has the highest {name}: {shown.value} ({interval})"]
    if beaten:
        parts.append(f"shown to be higher than {words.listed(beaten)}")
    if undecided:
        parts.append(f"not shown to differ from {words.listed(undecided)}")
    return "; ".join(parts) + "."
