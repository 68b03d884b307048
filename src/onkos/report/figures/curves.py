"""Curves of one classifier or detector: ROC, precision-recall, reliability, decisions, FROC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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
from onkos.stats.bands import Band
from onkos.stats.calibration import ReliabilityBin
from onkos.stats.decision import DecisionPoint
from onkos.stats.froc import FrocCurve
from onkos.stats.precision_recall import PrecisionRecallCurve
from onkos.stats.roc import RocCurve

Point = tuple[Estimate, Estimate]


def roc(
    curve: RocCurve,
    *,
    area: Estimate,
    sample: Sample,
    band: Band | None = None,
    point: Point | None = None,
) -> Drawing:
    """Draw a ROC curve with its band and its operating point.

    Parameters
    ----------
    curve
        The empirical curve.
    area
        The area under it.
    sample
        Whom it rests on.
    band
        Pointwise or simultaneous; the legend says which.
    point
        Sensitivity and specificity at the threshold in use, drawn with both intervals.
    """
    with sheet(SQUARE) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        square(axes)
        axes.set(xlabel="1 − specificity", ylabel="Sensitivity")
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
        about = f"Area under the curve {words.estimated(area)}."
        if band is not None:
            about += f" {_banded(axes, band)}."
        axes.plot(
            curve.false_positive_rate,
            curve.true_positive_rate,
            color=on_white(0),
            label=f"AUC {words.estimated(area)}",
        )
        if point is not None:
            about += f" {_pointed(axes, point)}."
        counts = f"{curve.positives} with and {curve.negatives} without the disease"
        axes.legend(loc="lower right", title=counts, title_fontsize=9.0, alignment="left")
        return finished(figure, title="ROC curve", about=f"{about} {counts}.", sample=sample)


def precision_recall(
    curve: PrecisionRecallCurve, *, area: Estimate, sample: Sample, band: Band | None = None
) -> Drawing:
    """Draw a precision-recall curve as the steps it is, with its band and the prevalence."""
    with sheet(SQUARE) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        square(axes)
        axes.set(xlabel="Recall (sensitivity)", ylabel="Precision (positive predictive value)")
        axes.axhline(curve.prevalence, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
        about = f"Average precision {words.estimated(area)}, prevalence {curve.prevalence:.3g}."
        if band is not None:
            about += f" {_banded(axes, band)}."
        axes.step(
            np.append(0.0, curve.recall),
            np.append(curve.precision[0], curve.precision),
            where="pre",
            color=on_white(0),
            label=f"average precision {words.estimated(area)}",
        )
        below = curve.prevalence < 0.5
        axes.legend(
            loc="lower left" if not below else "best",
            title=f"dashed: prevalence {curve.prevalence:.2g}",
            title_fontsize=9.0,
            alignment="left",
        )
        return finished(figure, title="Precision and recall", about=about, sample=sample)


def reliability(
    bins: Sequence[ReliabilityBin],
    *,
    probability: FloatArray,
    sample: Sample,
    slope: Estimate | None = None,
) -> Drawing:
    """Draw observed shares against predicted probabilities, and how often each was predicted.

    Parameters
    ----------
    bins
        Points of the curve, with intervals.
    probability
        All predicted probabilities, shape (cases,), for the histogram.
    sample
        Whom it rests on.
    slope
        Calibration slope, written beside.
    """
    with sheet((4.6, 5.4)) as figure:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        headed(axes, sample)
        square(axes)
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
        x = np.array([one.predicted for one in bins])
        low, value, high = _arrays([one.observed for one in bins])
        axes.errorbar(
            x, value, yerr=(value - low, high - value), fmt="o-", color=on_white(0), capsize=3
        )
        level = leveled(bins[0].observed.level)
        text = f"bars: {level} intervals"
        if slope is not None:
            text = f"slope {words.estimated(slope)}; {text}"
        axes.set_xlabel(text, fontsize=9)
        axes.set_ylabel("Observed share")
        below.hist(probability, bins=np.linspace(0, 1, 21).tolist(), color=on_white(5))
        below.set(xlabel="Predicted probability", ylabel="Cases")
        shown = "; ".join(
            f"predicted {one.predicted:.2g}, observed {words.estimated(one.observed)}"
            for one in bins
        )
        return finished(figure, title="Reliability curve", about=f"{shown}.", sample=sample)


def decision(curves: Mapping[str, Sequence[DecisionPoint]], *, sample: Sample) -> Drawing:
    """Draw net benefit over threshold probabilities, with bands, beside treating all and none."""
    with sheet(WIDE) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        top = 0.0
        said = []
        for number, (name, points) in enumerate(curves.items()):
            at = np.array([one.threshold for one in points])
            low, value, high = _arrays([one.model for one in points])
            axes.fill_between(at, low, high, color=on_white(number), alpha=0.2, linewidth=0)
            axes.plot(at, value, color=on_white(number), label=short(name))
            top = max(top, float(np.nanmax(high)))
            best = int(np.nanargmax(value))
            said.append(f"{name} is worth {value[best]:.3g} at {at[best]:.2g}")
        points = next(iter(curves.values()))
        at = np.array([one.threshold for one in points])
        all_treated = _arrays([one.treat_all for one in points])[1]
        axes.plot(at, all_treated, color=QUIET, linestyle=(0, (4, 3)), label="act on all")
        axes.axhline(0, color=INK, linewidth=0.9, label="act on none")
        axes.set(xlabel="Threshold probability", ylabel="Net benefit", xlim=(0, 1))
        axes.set_ylim(-0.25 * top, 1.08 * top if top > 0 else 0.1)
        level = leveled(points[0].model.level)
        axes.legend(title=f"bands: {level} at each point", title_fontsize=9, alignment="left")
        return finished(
            figure, title="Decision curve", about=f"{words.listed(said)}.", sample=sample
        )


def froc(
    curve: FrocCurve,
    *,
    points: Mapping[float, Estimate],
    cpm: Estimate,
    sample: Sample,
    band: Band | None = None,
) -> Drawing:
    """Draw an FROC curve with its band and the points that the CPM averages.

    Parameters
    ----------
    curve
        Operating points.
    points
        False marks a case (1/8 to 8) to the sensitivity there.
    cpm
        Their mean.
    sample
        Whom it rests on.
    band
        On a grid of false marks a case.
    """
    with sheet(WIDE) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        about = f"CPM {words.estimated(cpm)}."
        if band is not None:
            about += f" {_banded(axes, band)}."
        least, most = min(points) / 2, max(points) * 1.25
        x = np.append(np.maximum(curve.false_per_case, least), most)
        y = np.append(curve.sensitivity, curve.sensitivity[-1])
        axes.step(x, y, where="post", color=on_white(0), label=f"CPM {words.estimated(cpm)}")
        low, value, high = _arrays(list(points.values()))
        axes.errorbar(
            list(points),
            value,
            yerr=(value - low, high - value),
            fmt="o",
            color=on_white(1),
            capsize=3,
            label="points of the CPM (straight between steps)",
        )
        axes.set_xscale("log", base=2)
        axes.set(xlabel="False marks a case", ylabel="Sensitivity, lesions")
        axes.set(xlim=(least, most), ylim=(-0.015, 1.015))
        axes.set_xticks(list(points), [f"{place:g}" for place in points])
        axes.legend(loc="lower right")
        return finished(figure, title="FROC curve", about=about, sample=sample)


def _banded(axes: Any, band: Band) -> str:
    """Shade a band, and say what it is."""
    kind = "the whole curve" if band.simultaneous else "each point"
    said = f"{leveled(band.level)} band of {kind}"
    style: dict[str, Any] = {"color": on_white(0), "alpha": 0.18, "linewidth": 0}
    axes.fill_between(band.at, band.low, band.high, label=said, **style)
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


def _arrays(estimates: Sequence[Estimate]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Low, value and high; an unbounded end is not drawn."""
    columns = np.array([(one.low, one.value, one.high) for one in estimates], dtype=np.float64)
    low, value, high = columns.T
    return (
        np.where(np.isfinite(low), low, value),
        value,
        np.where(np.isfinite(high), high, value),
    )
