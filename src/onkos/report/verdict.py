"""What a comparison shows, in sentences: never more than its tests do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from onkos.core.comparison import ArmResult, Comparison
from onkos.core.judgement import PairedTest
from onkos.core.task import Task
from onkos.judge.measures import MEASURES, measure
from onkos.report import measures, words

ALPHA = 0.05
_TRIVIAL = "trivial"
_INSTEAD = {"auc": "brier"}  # what decides where areas could not be tested


def asked(comparison: Comparison) -> tuple[Task, ...]:
    """Tasks that some arm was judged at."""
    found = {task for arm in comparison.arms for task in arm.judgement.tasks}
    return tuple(task for task in Task if task in found)


def deciding_metric(comparison: Comparison, task: Task | None = None) -> str:
    """The metric that decides a task, the first one if not given; empty where nothing was asked."""
    wanted = task or next(iter(asked(comparison)), None)
    mains = (arm.judgement.main.get(wanted, "") for arm in comparison.arms if wanted)
    return next((name for name in mains if name), "")


def main_metrics(comparison: Comparison, task: Task | None = None) -> list[str]:
    """Metrics that arms are ranked and tested by, those that decide a task first.

    With ``dice:tumour`` comes the Dice of every other tissue, with ``auc`` Brier's score.
    """
    names = dict.fromkeys(name for arm in comparison.arms for name in arm.metrics)
    wanted = (task,) if task else asked(comparison)
    first = [deciding_metric(comparison, one) for one in wanted]
    kinds = {kind for name in first for kind in _tested_beside(name)}
    others = [name for name in names if name.partition(":")[0] in kinds]
    return list(dict.fromkeys(name for name in [*first, *others] if name in names))


def answer(comparison: Comparison) -> str:
    """The result in one sentence a task, the trivial arm first where others do not beat it."""
    said = [_answer(comparison, task) for task in asked(comparison)]
    return " ".join(said) or "No metric could be estimated."


def floor_arm(comparison: Comparison, task: Task | None = None) -> ArmResult | None:
    """The best trivial arm on the metric that decides; None where there is none."""
    trivial = [arm for arm in comparison.arms if is_trivial(arm)]
    return best_of(trivial, deciding_metric(comparison, task))


def leading_arm(comparison: Comparison, task: Task | None = None) -> ArmResult | None:
    """The arm a page looks at more closely: the best one that is not trivial, else the best.

    None where nothing could be estimated.
    """
    metric = deciding_metric(comparison, task)
    serious = [arm for arm in comparison.arms if not is_trivial(arm)]
    return best_of(serious, metric) or best_of(comparison.arms, metric)


def ranked(comparison: Comparison) -> Comparison:
    """Put the trivial arms first, then the others, each the best first; unknown values last."""
    metric = deciding_metric(comparison)

    def place(arm: ArmResult) -> tuple[bool, float]:
        return not is_trivial(arm), loss_of(arm, metric)

    return replace(comparison, arms=tuple(sorted(comparison.arms, key=place)))


def is_trivial(arm: ArmResult) -> bool:
    """Tell whether an arm looks at nothing but size, or at nothing at all."""
    return arm.family == _TRIVIAL


def best_of(arms: Sequence[ArmResult], metric: str) -> ArmResult | None:
    """The arm with the least loss; None where no arm has a value."""
    known = [arm for arm in arms if math.isfinite(loss_of(arm, metric))]
    return min(known, key=lambda arm: loss_of(arm, metric), default=None)


def loss_of(arm: ArmResult, metric: str) -> float:
    """How far an arm is from the best value there is; infinite where it has none."""
    value = arm.metrics[metric].value if metric in arm.metrics else math.nan
    return measure(metric).loss(value) if math.isfinite(value) else math.inf


def unbeaten(comparison: Comparison, metric: str) -> str:
    """Say which arms are not shown to beat the best trivial one; empty where all are."""
    floor = best_of([arm for arm in comparison.arms if is_trivial(arm)], metric)
    others = [a for a in comparison.arms if not is_trivial(a) and metric in a.metrics]
    if floor is None or not others:
        return ""
    fail = [arm.name for arm in others if not _beats(arm, floor, comparison, metric)]
    if not fail:
        return ""
    shown = f"{floor.name} ({measures.named(metric)} {words.estimated(floor.metrics[metric])})"
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
    if measure(test.metric).better == "lower":
        return f"{lower} errs less than {higher}"
    return f"{higher} is higher than {lower}"


def shown_to_differ(test: PairedTest) -> bool:
    """Both the interval and the p-value adjusted for all tests must say so."""
    low, high = test.difference.low, test.difference.high
    if not (math.isfinite(low) and math.isfinite(high)):
        return False
    return not low <= 0 <= high and test.p_adjusted < ALPHA


def _tested_beside(metric: str) -> tuple[str, ...]:
    """Kinds of metrics that are tested beside the one that decides."""
    kind = metric.partition(":")[0]
    beside = _INSTEAD.get(kind, "")
    tested = kind in MEASURES and MEASURES[kind].decides
    return (kind, *([beside] if beside else [])) if tested else ()


def _answer(comparison: Comparison, task: Task) -> str:
    metric = deciding_metric(comparison, task)
    judged = [arm for arm in comparison.arms if math.isfinite(loss_of(arm, metric))]
    if not judged:
        return "No metric could be estimated."
    name = measures.named(metric)
    if len(judged) == 1:
        (only,) = judged
        return f"{name}, with 95 % intervals: {only.name} {words.estimated(only.metrics[metric])}."
    floor = unbeaten(comparison, metric)
    best = min(judged, key=lambda arm: loss_of(arm, metric))
    sentence = _best(best, comparison, metric, name)
    return f"{floor} {sentence}" if floor else sentence


def _beats(arm: ArmResult, floor: ArmResult, comparison: Comparison, metric: str) -> bool:
    """Better, and shown to be; by Brier's score where the areas could not be tested."""
    if not loss_of(arm, metric) < loss_of(floor, metric):
        return False
    tests = [t for t in comparison.tests if {t.a, t.b} == {arm.name, floor.name}]
    on_metric = [t for t in tests if t.metric == metric]
    if on_metric:
        return any(shown_to_differ(t) for t in on_metric)
    instead = [t for t in tests if t.metric == _INSTEAD.get(metric)]
    return any(shown_to_differ(t) and _better(t) == arm.name for t in instead)


def _better(test: PairedTest) -> str:
    """Which of the two has the better value, higher or lower as the metric has it."""
    loss = measure(test.metric).loss(test.difference.value)
    return test.a if loss < 0 else test.b


def _best(best: ArmResult, comparison: Comparison, metric: str, name: str) -> str:
    beaten: list[str] = []
    undecided: list[str] = []
    for test in comparison.tests:
        if test.metric == metric and best.name in (test.a, test.b):
            other = test.b if test.a == best.name else test.a
            (beaten if shown_to_differ(test) else undecided).append(other)
    shown = words.estimated(best.metrics[metric])
    interval = shown.interval if shown.interval == words.NO_INTERVAL else f"95 % {shown.interval}"
    most, more = ("lowest", "lower") if measure(metric).better == "lower" else ("highest", "higher")
    parts = [f"{best.name} has the {most} {name}: {shown.value} ({interval})"]
    if beaten:
        parts.append(f"shown to be {more} than {words.listed(beaten)}")
    if undecided:
        parts.append(f"not shown to differ from {words.listed(undecided)}")
    return "; ".join(parts) + "."
