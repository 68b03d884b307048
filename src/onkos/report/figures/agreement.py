"""Bland and Altman's plot."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.report import words
from onkos.report.colours import on_white
from onkos.report.figures.sheet import WIDE, Drawing, Sample, finished, headed, leveled, sheet


class Limits(Protocol):
    """Mean difference and the limits of agreement, each with its interval."""

    @property
    def bias(self) -> Estimate:
        """Mean difference."""
        ...

    @property
    def lower(self) -> Estimate:
        """Limit that few differences lie below."""
        ...

    @property
    def upper(self) -> Estimate:
        """Limit that few differences lie above."""
        ...


def bland_altman(
    a: ArrayLike,
    b: ArrayLike,
    *,
    limits: Limits,
    sample: Sample,
    unit: str = "",
    names: tuple[str, str] = ("first", "second"),
) -> Drawing:
    """Draw the differences of two ways of measuring against their means, with the limits.

    Parameters
    ----------
    a, b
        Measurements in one unit, shape (pairs,).
    limits
        Of agreement, as computed from these.
    sample
        Whom it rests on.
    unit
        Of the measurement.
    names
        Of the two ways.

    Raises
    ------
    ContentError
        If the two differ in length.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ContentError(
            f"measurements of shape {first.shape} and {second.shape}; expected one pair each"
        )
    said = {"upper limit": limits.upper, "bias": limits.bias, "lower limit": limits.lower}
    with sheet(WIDE) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        for number, (name, estimate) in enumerate(said.items()):
            colour = on_white(0 if name == "bias" else 1)
            axes.axhspan(estimate.low, estimate.high, color=colour, alpha=0.15, linewidth=0)
            dash = "-" if name == "bias" else (0, (5, 3))
            axes.axhline(estimate.value, color=colour, linewidth=1.3, linestyle=dash)
            axes.annotate(
                f"{name}\n{words.estimated(estimate)}",
                (1.01, estimate.value),
                xycoords=("axes fraction", "data"),
                va=("bottom", "center", "top")[number],
                fontsize=8.5,
            )
        axes.plot(
            (first + second) / 2,
            first - second,
            "o",
            color=on_white(6),
            alpha=0.65,
            markersize=4.5,
            markeredgewidth=0,
        )
        axes.axhline(0, color="#555d66", linewidth=0.7)
        ending = f" ({unit})" if unit else ""
        axes.set(
            xlabel=f"Mean of {names[0]} and {names[1]}{ending}",
            ylabel=f"{names[0]} − {names[1]}{ending}",
        )
        level = leveled(limits.bias.level)
        about = "; ".join(f"{name} {words.estimated(one)}" for name, one in said.items())
        about = f"{about}, with {level} intervals; {len(first)} pairs."
        return finished(figure, title="Bland and Altman's plot", about=about, sample=sample)
