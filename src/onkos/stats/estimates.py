"""Steps that many statistics share: undefined, bracketed and transformed estimates."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.method import Method


def described(what: Method | str) -> Method:
    """Method of a statistic given by its name alone, or the method itself."""
    return Method(what=what) if isinstance(what, str) else what


def noted(found: Estimate, *notes: str) -> Estimate:
    """Add notes to the method of an estimate; empty ones are left out."""
    method = described(found.method)
    kept = (*method.notes, *(note for note in notes if note))
    return replace(found, method=replace(method, notes=kept))


def undefined(what: Method | str, why: str, *, n: int, level: float = 0.95) -> Estimate:
    """Estimate of NaN that says why the statistic has no value on these cases."""
    method = replace(described(what), undefined=why)
    return Estimate(value=math.nan, low=math.nan, high=math.nan, n=n, level=level, method=method)


def or_undefined(
    make: Callable[[], Estimate], what: Method | str, *, n: int, level: float = 0.95
) -> Estimate:
    """Make an estimate, or one of NaN with the reason why the cases do not allow it."""
    try:
        return make()
    except ContentError as refused:
        return undefined(what, str(refused), n=n, level=level)


def bracketed(
    value: float, ends: tuple[float, float], *, n: int, level: float, method: Method
) -> Estimate:
    """Estimate whose interval is extended to its value, should the value lie outside."""
    low, high = min(ends[0], value), max(ends[1], value)
    return Estimate(value=value, low=low, high=high, n=n, level=level, method=method)


def transformed(
    found: Estimate, curve: Callable[[float], float], *, what: str | None = None
) -> Estimate:
    """Estimate on another scale: an odds ratio from its logarithm, a risk from survival.

    Parameters
    ----------
    found
        The estimate.
    curve
        Rising or falling function; a falling one exchanges the ends of the interval.
    what
        Name of the statistic on the new scale, if it has another.
    """
    method = described(found.method)
    if what is not None:
        method = replace(method, what=what)
    ends = sorted((curve(found.low), curve(found.high)))
    return replace(found, value=curve(found.value), low=ends[0], high=ends[1], method=method)
