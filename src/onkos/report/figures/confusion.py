"""How often each class was taken for each."""

from __future__ import annotations

import numpy as np

from onkos.core.curve import Curve
from onkos.report.figures.sheet import INK, LINE, Drawing, Sample, finished, headed, sheet, short

_DARK = 0.55  # share from which white letters are read better


def confusion(found: Curve, *, sample: Sample) -> Drawing:
    """Draw a confusion matrix: counts, and shares of each true class as shade and per cent.

    Parameters
    ----------
    found
        Its lines are the rows of the matrix by true class, columns in the same order.
    sample
        Whom it rests on.
    """
    counts = np.array(list(found.lines.values()), dtype=np.float64)
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    names = [short(str(name)) for name in found.lines]
    side = 2.0 + 0.85 * len(names)
    with sheet((side + 0.8, side)) as figure:
        axes = figure.add_subplot()
        headed(axes, sample)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(counts.shape):
            axes.text(
                column,
                row,
                f"{counts[row, column]:.0f}\n{100 * share[row, column]:.0f} %",
                ha="center",
                va="center",
                color="#ffffff" if share[row, column] > _DARK else INK,
            )
        turned = {"rotation": 45, "ha": "right"} if max(map(len, names)) > 10 else {}
        axes.set_xticks(range(len(names)), names, **turned)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="Called", ylabel="Truth")
        axes.tick_params(length=0)
        edges = np.arange(len(names) + 1) - 0.5
        axes.vlines(edges, -0.5, len(names) - 0.5, color=LINE, linewidth=0.8)
        axes.hlines(edges, -0.5, len(names) - 0.5, color=LINE, linewidth=0.8)
        about = "; ".join(
            f"of {total[row, 0]:.0f} {name}, "
            + ", ".join(
                f"{counts[row, column]:.0f} called {other}" for column, other in enumerate(names)
            )
            for row, name in enumerate(names)
        )
        return finished(figure, title="Confusion matrix", about=f"{about}.", sample=sample)
