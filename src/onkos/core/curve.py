"""A curve as numbers: what a figure draws, computed once by a judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A curve of a judgement with its band, or a table of counts.

    Parameters
    ----------
    kind
        ``roc``, ``precision_recall``, ``reliability``, ``decision``, ``survival``, ``froc``,
        ``confusion``.
    name
        What it is of: a class, a group of patients; empty where there is one.
    x, y
        Its points in order. Of ``confusion``: nothing.
    low, high
        Band about ``y``, empty where there is none.
    lines
        Further lines over the same ``x``, by name: ``all`` and ``none`` of a decision curve,
        ``at_risk`` of a survival curve, rows of a confusion matrix by true class.
    notes
        Words for the legend.
    """

    kind: str
    name: str = ""
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    lines: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
