"""The page of a comparison: which arm did what, with intervals and paired tests."""

from __future__ import annotations

from dataclasses import dataclass

from onkos.core.reading import ArmResult, Comparison, PairedTest
from onkos.report import page, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One arm in the table: its numbers in the order of the metrics, None where it has none."""

    arm: ArmResult
    numbers: tuple[words.Shown | None, ...]
    fit: str
    predict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One paired test in words."""

    test: PairedTest
    metric: str
    difference: words.Shown
    verdict: str
    p: str
    p_adjusted: str


def render(comparison: Comparison) -> str:
    """Lay out a comparison as one page that stands alone.

    Parameters
    ----------
    comparison
        What :func:`onkos.compare` found.

    Returns
    -------
    str
        HTML without a reference to anything outside it.
    """
    metrics = tuple(dict.fromkeys(name for arm in comparison.arms for name in arm.metrics))
    phantom = comparison.simulated or page.is_phantom(comparison.caveats)
    return page.fill(
        "comparison.html.j2",
        style=("page.css",),
        title=f"Comparison on {comparison.cohort}{' (phantom)' if phantom else ''}",
        phantom=phantom,
        comparison=comparison,
        metrics=[words.metric(name) for name in metrics],
        names=metrics,
        rows=[_row(arm, metrics) for arm in comparison.arms],
        differences=[_difference(test) for test in comparison.tests],
        shown=words.number,
        facts=page.said(comparison.provenance, {}),
    )


def _row(arm: ArmResult, metrics: tuple[str, ...]) -> Row:
    return Row(
        arm=arm,
        numbers=tuple(
            words.estimated(arm.metrics[name]) if name in arm.metrics else None for name in metrics
        ),
        fit=words.seconds(arm.fit_seconds),
        predict=words.seconds(arm.predict_seconds),
    )


def _difference(test: PairedTest) -> Difference:
    found = test.difference
    if not (found.low > 0 or found.high < 0):
        verdict = "not shown to differ"
    else:
        higher = test.a if found.value > 0 else test.b
        verdict = f"{higher} is higher"
    return Difference(
        test=test,
        metric=words.metric(test.metric),
        difference=words.estimated(found),
        verdict=verdict,
        p=words.p_value(test.p),
        p_adjusted=words.p_value(test.p_adjusted),
    )
