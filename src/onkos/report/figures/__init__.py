"""Figures of what a judge found, as SVG that stands alone.

Each function takes curves and estimates and gives a :class:`Drawing`: SVG text with its letters
as paths, the same bytes for the same input, n and misses written on it, ``phantom`` on it
where the patients are simulated, colours that people with any colour vision tell apart, and a
description in words. Nothing is computed here.
"""

from onkos.report.figures.agreement import bland_altman
from onkos.report.figures.confusion import confusion
from onkos.report.figures.curves import decision, froc, precision_recall, reliability, roc
from onkos.report.figures.distribution import Spread, distribution
from onkos.report.figures.forest import ForestRow, forest
from onkos.report.figures.rocs import Line, rocs
from onkos.report.figures.sheet import Drawing, Sample
from onkos.report.figures.survival import kaplan_meier

__all__ = [
    "Drawing",
    "ForestRow",
    "Line",
    "Sample",
    "Spread",
    "bland_altman",
    "confusion",
    "decision",
    "distribution",
    "forest",
    "froc",
    "kaplan_meier",
    "precision_recall",
    "reliability",
    "roc",
    "rocs",
]
