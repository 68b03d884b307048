"""A plot of estimates: a dot and its interval for each arm, every case behind it as a tick."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.estimate import Estimate
from onkos.report import measures, words
from onkos.report.colours import on_white

WIDTH = 520.0
_EDGE = 10.0
_ROW = 46.0
_FOOT = 24.0
_MOST_TICKS = 400  # cases behind a dot: more make a solid bar
_LONGEST_NAME = 28
_SHARES = ("dice", "sensitivity", "auc", "brier", "cpm", "c_harrell", "ssim")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What is plotted of one arm: its estimate and the values of single cases."""

    name: str
    estimate: Estimate
    cases: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One arm in plot coordinates; no ``x`` where nothing could be estimated."""

    name: str
    colour: str
    text: str
    count: str
    y: float
    x: float | None
    low: float | None
    high: float | None
    cases: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Everything the template draws of one metric."""

    title: str
    height: float
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    about: str

    @property
    def width(self) -> float:
        """Width in plot units, the same for all plots."""
        return WIDTH


def dots(metric: str, series: Sequence[Series]) -> Plot:
    """Lay out a plot of one metric; shares run from 0 to 1, others as far as the data do."""
    low, high, step = _range(metric, series)

    def across(value: float) -> float | None:
        if not math.isfinite(value):
            return None
        return _EDGE + (WIDTH - 2 * _EDGE) * (value - low) / (high - low)

    marks = []
    for number, each in enumerate(series):
        estimate = each.estimate
        cases = [across(value) for value in each.cases[:_MOST_TICKS]]
        marks.append(
            Mark(
                name=_short(each.name),
                colour=on_white(number),
                text=str(words.estimated(estimate)),
                count=f"n {estimate.n}, missed {estimate.missed}",
                y=number * _ROW,
                x=across(estimate.value),
                low=across(estimate.low),
                high=across(estimate.high),
                cases=tuple(x for x in cases if x is not None),
            )
        )
    count = round((high - low) / step)
    values = [low + step * n for n in range(count + 1)]
    ticks = [(across(value) or 0.0, f"{round(value, 9):g}".replace("-", "−")) for value in values]
    about = "; ".join(f"{each.name} {words.estimated(each.estimate)}" for each in series)
    return Plot(
        title=measures.named(metric),
        height=len(series) * _ROW + _FOOT,
        marks=tuple(marks),
        ticks=tuple(ticks),
        about=f"{measures.named(metric)}: {about}",
    )


def _range(metric: str, series: Sequence[Series]) -> tuple[float, float, float]:
    """Ends of the axis and the step between its ticks."""
    if metric.partition(":")[0] in _SHARES:
        return 0.0, 1.0, 0.25
    shown = [0.0]
    for each in series:
        shown += [each.estimate.low, each.estimate.value, each.estimate.high]
        shown += each.cases[:_MOST_TICKS]
    finite = [value for value in shown if math.isfinite(value)]
    low, high = min(finite), max(finite)
    if high <= low:
        return low, low + 1.0, 0.5
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
