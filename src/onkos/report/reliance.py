"""Features that the leading arm uses, what is lost without them, how stable their choice is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.comparison import ArmResult, Comparison, FeatureReliance, Reliance
from onkos.core.estimate import Estimate
from onkos.report import words
from onkos.report.strata import Mark
from onkos.report.words import Shown

WIDTH = 180.0
_MOST = 15
_MOST_OTHERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRow:
    """A feature: in how many folds it is used, what is lost without it, and that drawn.

    ``shown`` and ``mark`` are None where its importance was not measured; ``alike`` says with
    how many it was shuffled, empty if alone.
    """

    name: str
    folds: int
    shown: Shown | None
    mark: Mark | None
    alike: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherArm:
    """Another arm in one line: how steady its choice is and what it rests on most."""

    arm: str
    count: int
    stability: str
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Everything the template shows of the features an arm's models depended on.

    ``count`` is of all that were used in any fold, ``steady`` of those used in every one,
    ``folds`` of all folds of all repeats; ``zero`` is where no rise lies in the drawings.
    """

    arm: str
    rows: tuple[FeatureRow, ...]
    count: int
    steady: int
    folds: int
    stability: str
    measured: bool
    zero: float
    methods: tuple[str, ...]
    others: tuple[OtherArm, ...]

    @property
    def width(self) -> float:
        """Width of the drawn marks."""
        return WIDTH


def features(comparison: Comparison, arm: ArmResult | None) -> Features | None:
    """Lay out the features of an arm that learns from a table; None of any other."""
    if arm is None or not arm.used:
        return None
    folds = comparison.folds * comparison.repeats
    known = {one.name: one for one in arm.reliance.features} if arm.reliance else {}
    first = [name for name in known if name in arm.used]
    ordered = [
        *first,
        *sorted(set(arm.used) - set(first), key=lambda name: (-arm.used[name], name)),
    ]
    shown = ordered[:_MOST]
    axis = _Axis.of([known[name].loss for name in shown if name in known])
    return Features(
        arm=arm.name,
        rows=tuple(
            _row(name, round(arm.used[name] * folds), known.get(name), axis) for name in shown
        ),
        count=len(arm.used),
        steady=sum(round(share * folds) == folds for share in arm.used.values()),
        folds=folds,
        stability=_stability(arm.reliance),
        measured=any(name in known for name in shown),
        zero=axis.across(0.0) or 0.0,
        methods=_methods(arm.reliance),
        others=tuple(_other(one) for one in comparison.arms if one is not arm and one.used),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """Rises from the lowest to the highest shown, no rise always among them."""

    low: float
    high: float

    @classmethod
    def of(cls, losses: Sequence[Estimate]) -> _Axis:
        ends = [0.0, *(one.low for one in losses), *(one.high for one in losses)]
        finite = [end for end in ends if math.isfinite(end)]
        return cls(low=min(finite), high=max(*finite, min(finite) + 1e-9))

    def across(self, value: float) -> float | None:
        if not math.isfinite(value):
            return None
        return WIDTH * (value - self.low) / (self.high - self.low)


def _row(name: str, folds: int, one: FeatureReliance | None, axis: _Axis) -> FeatureRow:
    if one is None:
        return FeatureRow(name=name, folds=folds, shown=None, mark=None, alike="")
    mark = Mark(
        x=axis.across(one.loss.value),
        low=axis.across(one.loss.low),
        high=axis.across(one.loss.high),
    )
    others = words.counted(one.together - 1, "other")
    alike = f"shuffled together with {others}" if one.together > 1 else ""
    return FeatureRow(
        name=name, folds=folds, shown=words.estimated(one.loss), mark=mark, alike=alike
    )


def _stability(reliance: Reliance | None) -> str:
    """Stability in a sentence; empty where nothing is known of it."""
    if reliance is None:
        return ""
    found = reliance.stability
    if not math.isnan(found.value):
        return (
            f"Stability of the choice (Nogueira): {words.estimated(found)}; 1 if every fold uses "
            "the same features, about 0 if they are chosen at random."
        )
    why = found.method.undefined
    if why:
        return f"Stability of the choice: not defined, since {why}."
    return "Stability of the choice: not estimable, since no fold leaves a feature out."


def _methods(reliance: Reliance | None) -> tuple[str, ...]:
    if reliance is None:
        return ()
    losses = dict.fromkeys(words.method(one.loss.method) for one in reliance.features)
    stability = reliance.stability
    known = () if math.isnan(stability.value) else (words.method(stability.method),)
    return (*losses, *known, *([reliance.note] if reliance.note else ()))


def _other(arm: ArmResult) -> OtherArm:
    reliance = arm.reliance
    known = reliance.features[:_MOST_OTHERS] if reliance else ()
    steady = "not known"
    if reliance and not math.isnan(reliance.stability.value):
        steady = str(words.estimated(reliance.stability))
    return OtherArm(
        arm=arm.name,
        count=len(arm.used),
        stability=steady,
        first="; ".join(f"{one.name} {words.estimated(one.loss)}" for one in known),
    )
