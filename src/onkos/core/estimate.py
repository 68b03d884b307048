"""A number with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onkos.core.errors import ContentError
from onkos.core.method import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What every metric returns.

    Parameters
    ----------
    value, low, high
        The number and the interval it was estimated with; NaN where nothing could be computed.
    n
        How many independent units (patients, unless ``method`` says otherwise) it rests on.
    level
        Confidence level of the interval.
    method
        How the number and its interval were made.
    missed
        How many units had a target that was not found at all; they are counted in ``value``.
    """

    value: float
    low: float
    high: float
    n: int
    level: float = 0.95
    method: Method
    missed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ContentError(f"level {self.level}: expected a number between 0 and 1")
        if not 0 <= self.missed <= self.n:
            raise ContentError(f"missed {self.missed} of n {self.n}: expected 0 <= missed <= n")
        if self.low > self.value or self.value > self.high:
            raise ContentError(
                f"interval {self.low} to {self.high} does not hold its value {self.value}"
            )

    def __str__(self) -> str:
        if math.isnan(self.value):
            return f"not estimable (n = {self.n})"
        return f"{self.value:.3g} ({self.low:.3g}-{self.high:.3g})"
