"""Several ROC curves on one sheet: arms, or readers with their average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
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
from onkos.stats.bands import Band
from onkos.stats.readers.curves import OperatingCurve
from onkos.stats.roc import RocCurve

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
        Shaded where given.
    """

    name: str
    x: FloatArray
    y: FloatArray
    note: str = ""
    band: Band | None = None

    @classmethod
    def of(
        cls,
        curve: RocCurve | OperatingCurve,
        *,
        name: str = "",
        note: str = "",
        band: Band | None = None,
    ) -> Line:
        """Take up the curve of an arm, or of a reader with its own name."""
        if isinstance(curve, OperatingCurve):
            return cls(name=name or curve.name, x=curve.x, y=curve.y, note=note, band=band)
        x, y = curve.false_positive_rate, curve.true_positive_rate
        return cls(name=name, x=x, y=y, note=note, band=band)

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
) -> Drawing:
    """Draw several ROC curves, told apart by colour and dash, the average thick and black.

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
        banded = [line.band for line in lines if line.band is not None]
        for number, line in enumerate(lines):
            colour = on_white(number)
            if line.band is not None:
                band = line.band
                axes.fill_between(
                    band.at, band.low, band.high, color=colour, alpha=0.12, linewidth=0
                )
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
        told = f"bands: {leveled(banded[0].level)}" if banded else None
        figure.legend(loc="outside lower left", title=told, title_fontsize=9, alignment="left")
        everyone = [*lines, *([average] if average else [])]
        about = "; ".join(line.said for line in everyone) + "."
        return finished(figure, title=title, about=about, sample=sample)
