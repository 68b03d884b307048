"""Curves of foretold risks: survival by thirds of risk, and what acting on them is worth.

A curve of kind ``survival`` has times in ``x`` and the share free of the event in ``y``; its
lines are ``at_risk`` (patients still followed) at the times ``at_risk_x``, and ``censored``, the
times at which patients were last seen.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from onkos.core.curve import Curve
from onkos.core.errors import ContentError, UsageError
from onkos.core.geometry import FloatArray
from onkos.judge.foretold import Foretold
from onkos.judge.settings import LEVEL
from onkos.stats.bands import BANDS
from onkos.stats.decision import SurvivalForecast, decision_curve
from onkos.stats.survival import kaplan_meier as survival
from onkos.stats.survival.logrank import logrank

_GRID = np.arange(0.01, 1.0, 0.02)
_NAMES = {
    1: ("all",),
    2: ("lower risk", "higher risk"),
    3: ("lowest third of risk", "middle third", "highest third of risk"),
}
_COLUMNS = 6  # of the table of patients at risk


def risk_curves(said: Foretold, *, seed: int) -> tuple[Curve, ...]:
    """Survival of patients of low, middle and high risk; of probabilities also net benefit."""
    found = _survival(said)
    if said.probability:
        with suppress(ContentError, UsageError):  # nobody is followed to the time
            found.append(_decision(said, seed))
    return tuple(found)


def _survival(said: Foretold) -> list[Curve]:
    risk = said.scaled[0]
    edges = np.unique(np.quantile(risk, (1 / 3, 2 / 3)))
    of = np.searchsorted(edges, risk, side="left")
    groups = np.unique(of).tolist()
    notes = []
    if len(groups) > 1 and said.follow.events:
        try:
            p = logrank(said.follow, groups=of.tolist()).p
            notes.append(f"log-rank p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}")
        except ContentError:
            notes.append("log-rank test not defined")
    if said.within:
        notes.append("thirds of risk within the fold")
    at = np.linspace(0, said.follow.longest, _COLUMNS)
    return [
        _curve(survival.kaplan_meier(said.follow.where(of == group), level=LEVEL), name, at, notes)
        for group, name in zip(groups, _NAMES[len(groups)], strict=True)
    ]


def _curve(found: survival.SurvivalCurve, name: str, at: FloatArray, notes: list[str]) -> Curve:
    """The steps of one group, from time 0 on."""
    start = [0.0] if found.times[0] > 0 else []
    ones = [1.0] * len(start)
    return Curve(
        kind="survival",
        name=name,
        x=(*start, *found.times.tolist()),
        y=(*ones, *found.value.tolist()),
        low=(*ones, *found.low.tolist()),
        high=(*ones, *found.high.tolist()),
        lines={
            "at_risk_x": tuple(at.tolist()),
            "at_risk": tuple(found.numbers_at_risk(at).tolist()),
            "censored": tuple(found.times[found.censored > 0].tolist()),
        },
        notes=(*notes, str(found.method)),
    )


def _decision(said: Foretold, seed: int) -> Curve:
    """Net benefit of acting on the risk by the last time, beside acting on everybody."""
    time = said.times[-1]
    forecast = SurvivalForecast(follow=said.follow, risk=said.ordering[0], horizon=time)
    points = decision_curve(forecast, _GRID, rng=np.random.default_rng(seed), plan=BANDS)
    model = [point.model for point in points]
    return Curve(
        kind="decision",
        name=f"event by {time:g}",
        x=tuple(point.threshold for point in points),
        y=tuple(one.value for one in model),
        low=tuple(one.low for one in model),
        high=tuple(one.high for one in model),
        lines={"all": tuple(point.treat_all.value for point in points)},
    )
