"""Values of single patients, the missed ones shown apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.report import words
from onkos.report.colours import on_white
from onkos.report.figures.sheet import INK, QUIET, Drawing, Sample, finished, headed, sheet, short

_GOLDEN = 0.6180339887498949  # spreads dots evenly without chance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """Values of one metric over cases.

    Parameters
    ----------
    name
        Of the tissue or arm.
    values
        One a case, finite; what a missed case costs where ``missed``.
    missed
        Whether the case was missed, shape of ``values``.
    estimate
        Their mean with its interval, the misses counted in.
    """

    name: str
    values: FloatArray
    missed: NDArray[np.bool_]
    estimate: Estimate


def distribution(spreads: Sequence[Spread], *, label: str, sample: Sample) -> Drawing:
    """Draw every case's value, quartiles of those found, the mean of all; misses stand apart.

    Parameters
    ----------
    spreads
        One a tissue or arm, from above to below.
    label
        The metric and its unit.
    sample
        Whom it rests on.

    Raises
    ------
    ContentError
        If there is nothing to draw, or misses and values differ in length.
    """
    if not spreads or any(one.values.shape != one.missed.shape for one in spreads):
        raise ContentError("values to draw: expected at least one group, and a miss told of each")
    with sheet((5.8, 1.6 + 0.75 * len(spreads))) as figure:
        axes, apart = figure.subplots(1, 2, sharey=True, width_ratios=(6, 1))
        headed(axes, sample)
        for number, spread in enumerate(spreads):
            _dots(axes, spread, number)
            gone = int(spread.missed.sum())
            apart.plot([0.0], [number], "x", color=on_white(1), alpha=float(gone > 0))
            apart.text(0.25, number, f"{gone}", va="center", fontsize=9)
        axes.set_yticks(range(len(spreads)), [short(one.name) for one in spreads])
        axes.set(ylim=(len(spreads) - 0.5, -0.5), xlabel=label)
        axes.tick_params(axis="y", length=0)
        apart.set(xlim=(-0.4, 1.2), xticks=[], xlabel="cases\nmissed")
        apart.tick_params(length=0)
        apart.spines["left"].set(color=QUIET, linestyle=(0, (2, 2)))
        apart.spines["bottom"].set_visible(False)
        axes.spines["left"].set_visible(False)
        about = "; ".join(
            f"{one.name}: mean {words.estimated(one.estimate)}, {one.values.size} cases of which "
            f"{int(one.missed.sum())} missed"
            for one in spreads
        )
        about = f"{about}. Dots: cases found; box: their quartiles; diamond: mean of all cases."
        return finished(figure, title=label, about=about, sample=sample)


def _dots(axes: Any, spread: Spread, number: int) -> None:
    """Cases found as dots, their quartiles as a box, the mean of all as a diamond."""
    found = np.sort(spread.values[~spread.missed])
    lift = (np.arange(found.size) * _GOLDEN % 1 - 0.5) * 0.42
    axes.plot(
        found, number + lift, "o", color=on_white(0), alpha=0.5, markersize=4, markeredgewidth=0
    )
    if found.size:
        low, middle, high = np.quantile(found, [0.25, 0.5, 0.75])
        axes.barh([number], [high - low], left=low, height=0.5, color="none", edgecolor=INK)
        axes.plot([middle, middle], [number - 0.25, number + 0.25], color=INK, linewidth=1.4)
    mean = spread.estimate
    if not np.isfinite(mean.value):
        return
    if np.isfinite(mean.low) and np.isfinite(mean.high):
        axes.plot([mean.low, mean.high], [number, number], color=on_white(1), linewidth=2.2)
    axes.plot([mean.value], [number], "D", color=on_white(1), markersize=6.5)
