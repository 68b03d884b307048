"""What one kind of readings brings to an agreement: categories, measurements or outlines."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from onkos.core.agreement import AgreementCase, ConsensusMask, Found, Review
from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.core.source import Caveat
from onkos.report.figures import Drawing

Weights = Literal["linear", "quadratic", "ordinal"]
Within = Literal["box", "image"]

LEVEL = 0.95
FEW_CASES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What has to be decided before readers can be compared.

    Parameters
    ----------
    weights
        Credit for near misses on an ordinal scale.
    within
        Where STAPLE looks: ``box``, around all outlines of a case with a margin, since a large
        empty surrounding drives every specificity to 1; or the whole ``image``.
    """

    weights: Weights = "quadratic"
    within: Within = "box"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Numbers, doubtful cases, figures and limits of one kind of readings."""

    main: tuple[str, ...]
    found: tuple[Found, ...]
    review: tuple[Review, ...] = ()
    each: tuple[AgreementCase, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    consensus: tuple[ConsensusMask, ...] = ()


def estimated(what: str, make: Callable[[], Estimate], *, n: int) -> Estimate:
    """Estimate, or one of NaN that says why there is none."""
    try:
        return make()
    except (ContentError, UsageError) as error:
        return undefined(what, str(error), n=n)


def undefined(what: str, why: str, *, n: int) -> Estimate:
    """No number, and the reason."""
    nan, method = math.nan, Method(what=what, undefined=why)
    return Estimate(value=nan, low=nan, high=nan, n=n, level=LEVEL, method=method)


def noted(estimate: Estimate, *notes: str) -> Estimate:
    """Estimate whose method says more."""
    method = estimate.method
    if isinstance(method, str):
        method = Method(what=method)
    kept = tuple(note for note in notes if note)
    return replace(estimate, method=replace(method, notes=(*method.notes, *kept)))


def as_method(estimate: Estimate, what: str) -> Estimate:
    """Estimate said to be of something; how it was made stays."""
    return replace(estimate, method=Method(what=what, by=str(estimate.method)))


def few(cases: int, *, what: str = "cases") -> tuple[Caveat, ...]:
    """Say that there are too few."""
    if cases >= FEW_CASES:
        return ()
    text = f"{cases} {what if cases != 1 else what[:-1]} only: intervals are wide, and themselves "
    return (Caveat(code="few-cases", text=f"{text}rest on little."),)
