"""Several ROC curves on one sheet: arms, or readers with their average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from onkos.core.curve import Curve
from onkos.core.errors import ContentError
from onkos.report.colours import on_white
from onkos.report.figures.sheet import (
    INK,
    QUIET,
    SQUARE,
    Drawing,
    Sample,
    finished,
    headed,
    leveled,
    sheet,
    short,
    square,
)

_DASHES = ((0, ()), (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One curve among several.

    Parameters
    ----------
    name
        Of the arm, reader or class.
    x, y
        False positive rate and sensitivity, shape (points,).
    note
        What the legend says of it, e.g. the area with its interval.
    band
        Places along x, and the low and the high end there; None where there is none.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    note: str = ""
    band: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None

    @classmethod
    def of(cls, curve: Curve, *, name: str = "", note: str = "", banded: bool = True) -> Line:
        """Take up a curve, with its band unless it would crowd the sheet."""
        band = None
        if banded and curve.lines.get("band_x"):
            band = curve.lines["band_x"], curve.lines["band_low"], curve.lines["band_high"]
        return cls(name=name or curve.name, x=curve.x, y=curve.y, note=note, band=band)

    @property
    def said(self) -> str:
        """Name and note."""
        return f"{self.name} {self.note}".strip()


def rocs(
    lines: Sequence[Line],
    *,
    sample: Sample,
    average: Line | None = None,
    title: str = "ROC curves",
    level: float = 0.95,
) -> Drawing:
    """Draw several ROC curves, told apart by colour and dash, the average thick and black.

    Parameters
    ----------
    lines
        In the order of the legend.
    sample
        Whom they rest on.
    average
        Of the lines, e.g. of all readers.
    title
        What they are of.
    level
        Of the bands.

    Raises
    ------
    ContentError
        If there is no curve.
    """
    if not lines:
        raise ContentError("no ROC curve to draw; expected at least one")
    with sheet((SQUARE[0], SQUARE[1] + 0.2 * (len(lines) + 2))) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        square(axes)
        axes.set(xlabel="1 − specificity", ylabel="Sensitivity")
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
        banded = any(line.band is not None for line in lines)
        for number, line in enumerate(lines):
            colour = on_white(number)
            if line.band is not None:
                axes.fill_between(*line.band, color=colour, alpha=0.12, linewidth=0)
            axes.plot(
                line.x,
                line.y,
                color=colour,
                linestyle=_DASHES[number % len(_DASHES)],
                linewidth=1.4,
                label=f"{short(line.name)} {line.note}".strip(),
            )
        if average is not None:
            label = f"{short(average.name)} {average.note}".strip()
            axes.plot(average.x, average.y, color=INK, linewidth=2.6, label=label)
        told = f"bands: {leveled(level)}" if banded else None
        figure.legend(loc="outside lower left", title=told, title_fontsize=9, alignment="left")
        everyone = [*lines, *([average] if average else [])]
        about = "; ".join(line.said for line in everyone) + "."
        return finished(figure, title=title, about=about, sample=sample)
