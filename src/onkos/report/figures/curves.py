"""Curves of one classifier or detector: ROC, precision-recall, reliability, decisions, FROC."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from onkos.core.curve import Curve
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.report import words
from onkos.report.colours import on_white
from onkos.report.figures.sheet import (
    INK,
    LINE,
    QUIET,
    SQUARE,
    WIDE,
    Drawing,
    Sample,
    finished,
    headed,
    leveled,
    sheet,
    short,
    square,
)

Point = tuple[Estimate, Estimate]


def roc(
    curve: Curve,
    *,
    area: Estimate,
    sample: Sample,
    point: Point | None = None,
    counts: Mapping[str, int] = MappingProxyType({}),
) -> Drawing:
    """Draw a ROC curve with its band and its operating point.

    Parameters
    ----------
    curve
        1 - specificity and sensitivity; ``band_x``, ``band_low`` and ``band_high`` are a band of
        each point at the level of ``area``.
    area
        The area under it.
    sample
        Whom it rests on.
    point
        Sensitivity and specificity at the threshold in use, drawn with both intervals.
    counts
        Class to how many cases are of it; written above the legend.
    """
    with sheet(SQUARE) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        square(axes)
        axes.set(xlabel="1 − specificity", ylabel="Sensitivity")
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
        said = [f"Area under the curve {words.estimated(area)}", _banded(axes, curve, area.level)]
        axes.plot(curve.x, curve.y, color=on_white(0), label=f"AUC {words.estimated(area)}")
        if point is not None:
            said.append(_pointed(axes, point))
        told = [f"{n} {short(name)}" for name, n in counts.items()]
        said += [", ".join(told), *curve.notes]
        axes.legend(
            loc="lower right", title="\n".join(told) or None, title_fontsize=9.0, alignment="left"
        )
        return finished(figure, title="ROC curve", about=_sentences(said), sample=sample)


def precision_recall(curve: Curve, *, area: Estimate, sample: Sample) -> Drawing:
    """Draw a precision-recall curve as the steps it is, with its band and the prevalence."""
    (prevalence,) = curve.lines.get("prevalence", (np.nan,))
    with sheet(SQUARE) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        square(axes)
        axes.set(xlabel="Recall (sensitivity)", ylabel="Precision (positive predictive value)")
        axes.axhline(prevalence, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
        said = [
            f"Average precision {words.estimated(area)}, prevalence {prevalence:.3g}",
            _banded(axes, curve, area.level),
            *curve.notes,
        ]
        axes.step(
            (0.0, *curve.x),
            (curve.y[0], *curve.y),
            where="pre",
            color=on_white(0),
            label=f"average precision {words.estimated(area)}",
        )
        axes.legend(
            loc="lower left" if prevalence >= 0.5 else "best",
            title=f"dashed: prevalence {prevalence:.2g}",
            title_fontsize=9.0,
            alignment="left",
        )
        return finished(figure, title="Precision and recall", about=_sentences(said), sample=sample)


def reliability(
    curve: Curve, *, sample: Sample, slope: Estimate | None = None, level: float = 0.95
) -> Drawing:
    """Draw observed shares against predicted probabilities, and how often each was predicted.

    Parameters
    ----------
    curve
        Predicted probability and observed share of each bin with its interval; ``histogram``
        counts the cases in steps of equal width from 0 to 1.
    sample
        Whom it rests on.
    slope
        Calibration slope, written beside.
    level
        Of the intervals.
    """
    with sheet((4.6, 5.4)) as figure:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        headed(axes, sample)
        square(axes)
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
        low, value, high = _bounded(curve)
        axes.errorbar(
            curve.x, value, yerr=(value - low, high - value), fmt="o-", color=on_white(0), capsize=3
        )
        text = f"bars: {leveled(level)} intervals"
        if slope is not None:
            text = f"slope {words.estimated(slope)}; {text}"
        axes.set_xlabel(text, fontsize=9)
        axes.set_ylabel("Observed share")
        counts = curve.lines.get("histogram", ())
        width = 1 / max(len(counts), 1)
        below.bar(np.arange(len(counts)) * width, counts, width, align="edge", color=on_white(5))
        below.set(xlabel="Predicted probability", ylabel="Cases")
        shown = "; ".join(
            f"predicted {x:.2g}, observed {words.ranged(y, *ends)}"
            for x, y, ends in zip(
                curve.x, curve.y, zip(curve.low, curve.high, strict=True), strict=True
            )
        )
        about = _sentences([shown, *curve.notes])
        return finished(figure, title="Reliability curve", about=about, sample=sample)


def decision(curves: Mapping[str, Curve], *, sample: Sample, level: float = 0.95) -> Drawing:
    """Draw net benefit over threshold probabilities, with bands, beside acting on all and none.

    Parameters
    ----------
    curves
        Model to its net benefit with its band; ``all`` is that of acting on everybody.
    sample
        Whom they rest on.
    level
        Of the bands.

    Raises
    ------
    ContentError
        If there is no curve.
    """
    if not curves:
        raise ContentError("no decision curve to draw; expected at least one")
    with sheet(WIDE) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        top = 0.0
        said = []
        for number, (name, curve) in enumerate(curves.items()):
            low, value, high = _bounded(curve)
            axes.fill_between(curve.x, low, high, color=on_white(number), alpha=0.2, linewidth=0)
            axes.plot(curve.x, value, color=on_white(number), label=short(name))
            top = max(top, float(np.nanmax(high)))
            best = int(np.nanargmax(value))
            said.append(f"{name} is worth {value[best]:.3g} at {curve.x[best]:.2g}")
        first = next(iter(curves.values()))
        everybody = first.lines.get("all", ())
        if everybody:
            axes.plot(first.x, everybody, color=QUIET, linestyle=(0, (4, 3)), label="act on all")
        axes.axhline(0, color=INK, linewidth=0.9, label="act on none")
        axes.set(xlabel="Threshold probability", ylabel="Net benefit", xlim=(0, 1))
        axes.set_ylim(-0.25 * top, 1.08 * top if top > 0 else 0.1)
        told = f"bands: {leveled(level)} at each point"
        axes.legend(title=told, title_fontsize=9, alignment="left")
        about = _sentences([words.listed(said), *first.notes])
        return finished(figure, title="Decision curve", about=about, sample=sample)


def froc(
    curve: Curve,
    *,
    points: Mapping[float, Estimate],
    cpm: Estimate,
    sample: Sample,
) -> Drawing:
    """Draw an FROC curve with its band and the points that the CPM averages.

    Parameters
    ----------
    curve
        False marks a case and sensitivity for lesions; ``band_x``, ``band_low`` and ``band_high``
        are a band of each point at the level of ``cpm``.
    points
        False marks a case (1/8 to 8) to the sensitivity there; may be empty.
    cpm
        Their mean.
    sample
        Whom it rests on.
    """
    places = sorted(points) or [0.125, 8.0]
    with sheet(WIDE) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        said = [f"CPM {words.estimated(cpm)}", _banded(axes, curve, cpm.level), *curve.notes]
        least, most = places[0] / 2, places[-1] * 1.25
        x = np.append(np.maximum(curve.x, least), most)
        y = np.append(curve.y, curve.y[-1])
        axes.step(x, y, where="post", color=on_white(0), label=f"CPM {words.estimated(cpm)}")
        if points:
            _marked(axes, points)
        axes.set_xscale("log", base=2)
        axes.set(xlabel="False marks a case", ylabel="Sensitivity, lesions")
        axes.set(xlim=(least, most), ylim=(-0.015, 1.015))
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.legend(loc="lower right")
        return finished(figure, title="FROC curve", about=_sentences(said), sample=sample)


def _marked(axes: Any, points: Mapping[float, Estimate]) -> None:
    """Sensitivities at the places that the CPM averages, with their intervals."""
    columns = np.array([(one.low, one.value, one.high) for one in points.values()])
    low, value, high = _finite(*columns.T)
    axes.errorbar(
        list(points),
        value,
        yerr=(value - low, high - value),
        fmt="o",
        color=on_white(1),
        capsize=3,
        label="points of the CPM (straight between steps)",
    )


def _banded(axes: Any, curve: Curve, level: float) -> str:
    """Shade a band, where there is one, and say what it is."""
    at = curve.lines.get("band_x", ())
    if not at:
        return ""
    said = f"{leveled(level)} band of each point"
    style: dict[str, Any] = {"color": on_white(0), "alpha": 0.18, "linewidth": 0}
    axes.fill_between(at, curve.lines["band_low"], curve.lines["band_high"], label=said, **style)
    return said


def _pointed(axes: Any, point: Point) -> str:
    """Mark an operating point with both its intervals."""
    sensitivity, specificity = point
    axes.errorbar(
        [1 - specificity.value],
        [sensitivity.value],
        xerr=[[specificity.high - specificity.value], [specificity.value - specificity.low]],
        yerr=[[sensitivity.value - sensitivity.low], [sensitivity.high - sensitivity.value]],
        fmt="o",
        color=on_white(1),
        ecolor=on_white(1),
        markeredgecolor=LINE,
        capsize=3,
        label="operating point",
    )
    return (
        f"Operating point: sensitivity {words.estimated(sensitivity)}, specificity "
        f"{words.estimated(specificity)}"
    )


def _bounded(curve: Curve) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Low, value and high of a curve's points."""
    return _finite(
        np.array(curve.low or curve.y), np.array(curve.y), np.array(curve.high or curve.y)
    )


def _finite(
    low: FloatArray, value: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The same; an unbounded end is not drawn."""
    return (
        np.where(np.isfinite(low), low, value),
        value,
        np.where(np.isfinite(high), high, value),
    )


def _sentences(said: list[str]) -> str:
    """Parts of a description, each a sentence; empty ones are left out."""
    return " ".join(f"{part[0].upper()}{part[1:]}." for part in said if part)
