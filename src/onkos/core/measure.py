"""What a metric is: its name, its unit and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "nearer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A metric of a judgement, described once for every table, figure and verdict.

    Parameters
    ----------
    key
        As in JSON, e.g. ``hd95_mm``; a tissue, class or time follows behind a colon.
    label
        For people, e.g. ``HD95``.
    unit
        ``mm``, ``ml``; empty for a share or a score.
    better
        ``higher``, ``lower``, or ``nearer`` to ``ideal``.
    decides
        Whether arms are ranked and tested by it.
    ideal
        The best value there is.
    meaning
        What stands for chance and for perfect, in a few words.
    """

    key: str
    label: str
    unit: str = ""
    better: Better = "higher"
    decides: bool = False
    ideal: float = 1.0
    meaning: str = ""

    def loss(self, value: float) -> float:
        """How far a value is from the best one, so that less is always better."""
        return (
            abs(value - self.ideal)
            if self.better == "nearer"
            else (-value if self.better == "higher" else value)
        )
