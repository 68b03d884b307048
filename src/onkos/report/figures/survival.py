"""Kaplan-Meier curves with intervals, censorings and numbers at risk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onkos.core.curve import Curve
from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.report import words
from onkos.report.colours import on_white
from onkos.report.figures.sheet import (
    Drawing,
    Sample,
    finished,
    headed,
    leveled,
    sheet,
    short,
)


def kaplan_meier(
    curves: Sequence[Curve], *, sample: Sample, unit: str = "", level: float = 0.95
) -> Drawing:
    """Draw survival in groups, with pointwise intervals and how many are still followed.

    Parameters
    ----------
    curves
        One a group: times and the share still free of the event from each of them on, with its
        interval. ``at_risk`` are how many are followed at the times ``at_risk_x``, ``censored``
        the times at which somebody was last seen without the event. Notes, e.g. the log-rank
        test, are written above the legend.
    sample
        Whom they rest on.
    unit
        Of time, e.g. ``months``; none is guessed.
    level
        Of the intervals.

    Raises
    ------
    ContentError
        If there is no curve, or one without points.
    """
    if not curves or not all(curve.x for curve in curves):
        raise ContentError("no survival curve to draw; expected at least one, each with points")
    notes = list(dict.fromkeys(note for curve in curves for note in curve.notes))
    with sheet((5.6, 4.2 + 0.22 * len(curves))) as figure:
        axes, table = figure.subplots(2, 1, height_ratios=(14, 0.8 + len(curves)), sharex=True)
        headed(axes, sample)
        latest = max(max(curve.x) for curve in curves)
        for number, curve in enumerate(curves):
            _stepped(axes, curve, on_white(number))
        axes.set(ylim=(-0.015, 1.015), xlim=(0, latest * 1.01), ylabel="Free of the event")
        told = "\n".join((*notes, f"bands: {leveled(level)} at each time"))
        axes.legend(loc="best", title=told, title_fontsize=9, alignment="left")
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(f"Time ({unit})" if unit else "Time")
        _at_risk(table, curves)
        said = "; ".join(_said(curve) for curve in curves)
        about = " ".join(f"{part}." for part in (said, *notes))
        return finished(figure, title="Kaplan-Meier curves", about=about, sample=sample)


def _stepped(axes: Any, curve: Curve, colour: str) -> None:
    """One curve: steps from 1 on, their interval, ticks where somebody was censored."""
    x = np.append(0.0, curve.x)
    value, low, high = (
        np.append(1.0, part or curve.y) for part in (curve.y, curve.low, curve.high)
    )
    axes.fill_between(x, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
    axes.step(x, value, where="post", color=colour, label=short(curve.name or "all"))
    lost = np.array(curve.lines.get("censored", ()))
    axes.plot(lost, _height(x, value, lost), "|", color=colour, markersize=6)


def _height(x: FloatArray, value: FloatArray, at: FloatArray) -> FloatArray:
    """Height of the steps at given times."""
    found: FloatArray = value[np.searchsorted(x, at, side="right") - 1]
    return found


def _at_risk(axes: Any, curves: Sequence[Curve]) -> None:
    """Numbers still followed, below the curves."""
    axes.set(ylim=(len(curves) - 0.4, -0.9))
    axes.set_title("At risk", loc="left", fontsize=9, pad=2)
    axes.set_yticks(range(len(curves)), [short(curve.name or "all") for curve in curves])
    for number, curve in enumerate(curves):
        places, left = curve.lines.get("at_risk_x", ()), curve.lines.get("at_risk", ())
        for place, n in zip(places, left, strict=True):
            axes.text(place, number, f"{n:.0f}", ha="center", va="center", fontsize=9, clip_on=True)
    for number, label in enumerate(axes.get_yticklabels()):
        label.set_color(on_white(number))
    axes.tick_params(length=0, labelbottom=False, pad=16)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _said(curve: Curve) -> str:
    """What a curve shows, in words."""
    ends = (curve.low or curve.y)[-1], (curve.high or curve.y)[-1]
    followed = curve.lines.get("at_risk", ())
    n = f"{followed[0]:.0f} patients at first, " if followed else ""
    shown = words.ranged(curve.y[-1], *ends)
    return f"{curve.name or 'all'}: {n}{shown} free of the event at the end"
