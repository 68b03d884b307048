"""Kaplan-Meier curves with intervals, censorings and numbers at risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from onkos.core.errors import ContentError
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
from onkos.stats.survival.kaplan_meier import SurvivalCurve


def kaplan_meier(
    curves: Mapping[str, SurvivalCurve], *, sample: Sample, unit: str = "", note: str = ""
) -> Drawing:
    """Draw survival in groups, with pointwise intervals and how many are still followed.

    Parameters
    ----------
    curves
        Group to its curve.
    sample
        Whom they rest on.
    unit
        Of time, e.g. ``months``; none is guessed.
    note
        Written above the legend, e.g. the log-rank test.

    Raises
    ------
    ContentError
        If there is no curve.
    """
    if not curves:
        raise ContentError("no survival curve to draw; expected at least one")
    with sheet((5.6, 4.2 + 0.22 * len(curves))) as figure:
        axes, table = figure.subplots(2, 1, height_ratios=(14, 0.8 + len(curves)), sharex=True)
        headed(axes, sample)
        latest = max(float(curve.times[-1]) for curve in curves.values())
        for number, (name, curve) in enumerate(curves.items()):
            _stepped(axes, curve, on_white(number), short(name))
        axes.set(ylim=(-0.015, 1.015), xlim=(0, latest * 1.01), ylabel="Free of the event")
        level = leveled(next(iter(curves.values())).level)
        told = "\n".join(filter(None, (note, f"bands: {level} at each time")))
        axes.legend(loc="best", title=told, title_fontsize=9, alignment="left")
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(f"Time ({unit})" if unit else "Time")
        places = [place for place in axes.get_xticks() if 0 <= place <= latest]
        _at_risk(table, curves, places)
        said = "; ".join(
            f"{name}: {curve.n} patients, {int(curve.events.sum())} events, "
            f"{curve.value[-1]:.3g} ({curve.low[-1]:.3g}–{curve.high[-1]:.3g}) at the end"
            for name, curve in curves.items()
        )
        about = f"{said}. {note}".strip()
        return finished(figure, title="Kaplan-Meier curves", about=about, sample=sample)


def _stepped(axes: Any, curve: SurvivalCurve, colour: str, name: str) -> None:
    """One curve: steps, their interval, ticks where somebody was censored."""
    x = np.append(0.0, curve.times)
    value, low, high = (
        np.append(curve.start, part) for part in (curve.value, curve.low, curve.high)
    )
    axes.fill_between(x, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
    axes.step(x, value, where="post", color=colour, label=name)
    lost = curve.censored > 0
    axes.plot(curve.times[lost], curve.value[lost], "|", color=colour, markersize=6)


def _at_risk(axes: Any, curves: Mapping[str, SurvivalCurve], places: list[float]) -> None:
    """Numbers still followed, below the curves."""
    axes.set(ylim=(len(curves) - 0.4, -0.9))
    axes.set_title("At risk", loc="left", fontsize=9, pad=2)
    axes.set_yticks(range(len(curves)), [short(name) for name in curves])
    for number, curve in enumerate(curves.values()):
        for place, left in zip(places, curve.numbers_at_risk(places), strict=True):
            axes.text(place, number, f"{left:.0f}", ha="center", va="center", fontsize=9)
    for number, label in enumerate(axes.get_yticklabels()):
        label.set_color(on_white(number))
    axes.tick_params(length=0, labelbottom=False, pad=16)
    for spine in axes.spines.values():
        spine.set_visible(False)
