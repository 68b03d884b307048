"""Estimates one below the other: subgroups, arms, readers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.report import words
from onkos.report.colours import on_white
from onkos.report.figures.sheet import LINE, QUIET, Drawing, Sample, finished, headed, sheet, short


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One estimate with its name; rows of one ``group`` stand together under its name."""

    name: str
    estimate: Estimate
    group: str = ""


def forest(
    rows: Sequence[ForestRow],
    *,
    label: str,
    sample: Sample,
    reference: float | None = None,
) -> Drawing:
    """Draw estimates with their intervals, numbers beside them.

    Parameters
    ----------
    rows
        In the order to show them.
    label
        What was estimated.
    sample
        Whom all of it rests on.
    reference
        Where a line is drawn: the estimate of all, or no difference.

    Raises
    ------
    ContentError
        If there is no row.
    """
    if not rows:
        raise ContentError("no estimate to draw; expected at least one")
    places, heads, place, group = [], [], 0.0, ""
    for row in rows:
        if row.group != group:
            group, place = row.group, place + 0.3
            heads.append((place, group))
            place += 1.0
        places.append(place)
        place += 1.0
    with sheet((6.2, 1.1 + 0.27 * place)) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        if reference is not None:
            axes.axvline(reference, color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)))
        for row, height in zip(rows, places, strict=True):
            _drawn(axes, row.estimate, height)
        axes.set(ylim=(place - 0.3, -0.7), xlabel=label)
        ticks = [*places, *(height for height, _ in heads)]
        names = [*(short(row.name) for row in rows), *(short(name) for _, name in heads)]
        axes.set_yticks(ticks, names)
        for tick in axes.get_yticklabels()[len(rows) :]:
            tick.set_fontweight("bold")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        level = f"{100 * rows[0].estimate.level:.3g} %"
        about = "; ".join(
            f"{f'{row.group}, ' if row.group else ''}{row.name} {words.estimated(row.estimate)}, "
            f"n {row.estimate.n}, missed {row.estimate.missed}"
            for row in rows
        )
        about = f"{about}. Bars: {level} intervals."
        return finished(figure, title=label, about=about, sample=sample)


def _drawn(axes: Any, estimate: Estimate, height: float) -> None:
    """Dot, interval and numbers of one estimate; an unbounded interval is not drawn."""
    if math.isfinite(estimate.value):
        if math.isfinite(estimate.low) and math.isfinite(estimate.high):
            axes.plot([estimate.low, estimate.high], [height, height], color=on_white(0))
        axes.plot([estimate.value], [height], "s", color=on_white(0), markeredgecolor=LINE)
    axes.annotate(
        f"{words.estimated(estimate)}; n {estimate.n}, missed {estimate.missed}",
        (1.02, height),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=8.5,
    )
