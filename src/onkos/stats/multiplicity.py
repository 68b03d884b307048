"""Adjusting p-values for making several tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onkos.core.errors import ContentError


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for making several tests (Holm's step-down).

    Controls the chance of one false finding or more (family-wise error), whatever the tests
    have to do with each other.

    Raises
    ------
    ContentError
        If a value is not between 0 and 1.

    References
    ----------
    Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65-70.
    """
    _checked(p_values)
    order = np.argsort(p_values)
    adjusted = [math.nan] * len(p_values)
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that few of the findings are false (Benjamini and Hochberg's step-up).

    Controls the expected share of false findings among the findings (false discovery rate) for
    independent or positively dependent tests.

    Raises
    ------
    ContentError
        If a value is not between 0 and 1.

    References
    ----------
    Benjamini Y, Hochberg Y. Controlling the false discovery rate: a practical and powerful
    approach to multiple testing. J R Stat Soc B 1995;57:289-300.
    doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    _checked(p_values)
    order = np.argsort(p_values)
    adjusted = [math.nan] * len(p_values)
    running = 1.0
    for rank in range(len(p_values), 0, -1):
        index = order[rank - 1]
        running = min(running, len(p_values) / rank * p_values[index])
        adjusted[index] = running
    return adjusted


def _checked(p_values: Sequence[float]) -> None:
    """Refuse what is no p-value: NaN would sort last and pass for the largest."""
    wrong = [place for place, p in enumerate(p_values) if not 0 <= p <= 1]
    if wrong:
        raise ContentError(
            f"p-values at {wrong[:5]} are not between 0 and 1; leave out tests that were not made"
        )
