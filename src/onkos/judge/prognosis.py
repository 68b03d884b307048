"""Foretold risks judged against follow-up: discrimination, squared error, calibration."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.case import Case, Cohort
from onkos.core.comparison import Predicted
from onkos.core.curve import Curve
from onkos.core.desk import Tell
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.judgement import JudgedCase, Spread
from onkos.core.method import Method
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.judge.foretold import Foretold, foretold
from onkos.judge.part import Difference, Metrics, estimated, with_missed
from onkos.judge.risk_curves import risk_curves
from onkos.judge.settings import LEVEL, Settings
from onkos.stats import joint
from onkos.stats.estimates import noted, undefined
from onkos.stats.intervals import Resampling
from onkos.stats.resampled import resampled, resampled_differences
from onkos.stats.resampling import Clusters, IntArray, Multiplicities, Statistic
from onkos.stats.survival.calibration import calibration_at
from onkos.stats.survival.concordance import Harrell, Uno, concordance_statistic
from onkos.stats.survival.dynamic import area_statistic, brier_statistic
from onkos.stats.survival.horizons import Horizons

_SURE = 1e-6  # the complementary log-log needs risks off 0 and 1 by as much
_PLAN = Resampling(level=LEVEL)
_PAIRS_WITHIN = (
    "only pairs of patients held out in the same fold: scores of different folds are not on one "
    "scale"
)
_RANKED_WITHIN = "scores of different folds brought onto one scale by their ranks within the fold"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedRisks:
    """Foretold risks against the follow-up."""

    said: Foretold
    caveats: tuple[Caveat, ...]
    seed: int
    classes: tuple[str, ...] = ()
    positive: str = ""

    @property
    def task(self) -> Task:
        """Foretelling when an event comes."""
        return Task.PROGNOSE

    @property
    def cases(self) -> tuple[Case, ...]:
        """All cases of the truth."""
        return self.said.cases

    @property
    def main(self) -> str:
        """Harrell's C."""
        return "c_harrell"

    @property
    def judged(self) -> tuple[JudgedCase, ...]:
        """Every case with its risk: by each time, or the score."""
        said = self.said
        named = [f"risk_by:{time:g}" for time in said.times] if said.probability else ["risk"]
        return tuple(
            JudgedCase(
                case=case.id,
                patient=case.patient,
                task=self.task,
                fold=int(said.folds[0, row]),
                answered=not said.lost[row],
                values=dict(zip(named, said.risks[0, row].tolist(), strict=True)),
                truth=f"{'event' if said.follow.event[row] else 'censored'} at "
                f"{said.follow.time[row]:g}",
            )
            for row, case in enumerate(self.cases)
        )

    def metrics(self) -> Metrics:
        """Concordance, AUC over time and, of probabilities, Brier's score and calibration."""
        said = self.said
        found = {"c_harrell": _c_harrell(said, self.seed), "c_uno": _c_uno(said, self.seed)}
        for column, time in enumerate(said.times):
            found[f"auc_at:{time:g}"] = _auc_at(said, column, self.seed)
            if said.probability:
                found[f"brier_at:{time:g}"] = _brier(said, [column], self.seed)
                found |= _calibration(said, column, self.seed)
        if said.probability and len(said.times) > 1:
            everything = list(range(len(said.times)))
            found["integrated_brier"] = _brier(said, everything, self.seed)
        return found

    def of_subgroup(self, rows: IntArray) -> Metrics:
        """Harrell's C and, of probabilities at several times, the integrated Brier score."""
        some = self.said.rows(rows)
        found = {"c_harrell": _c_harrell(some, self.seed)}
        if some.probability and len(some.times) > 1:
            found["integrated_brier"] = _brier(some, range(len(some.times)), self.seed)
        return found

    def main_of(self, rows: IntArray) -> Estimate:
        """Harrell's C of some patients."""
        return _c_harrell(self.said.rows(rows), self.seed)

    def curves(self, metrics: Metrics) -> tuple[Curve, ...]:
        """Survival of patients of low, middle and high risk, and what acting is worth."""
        del metrics
        return risk_curves(self.said, seed=self.seed)

    def spread(self) -> Mapping[str, Spread]:
        """Harrell's C in each repeat."""
        repeats = len(self.said.risks)
        if repeats < 2:
            return {}
        once = np.ones((1, self.said.follow.n), dtype=np.int32)
        each = [
            _harrell(self.said, repeat, within=self.said.within)[1](once)[0, 0]
            for repeat in range(repeats)
        ]
        return {"c_harrell": joint.spread(each)} if np.isfinite(each).all() else {}

    def against(self, other: JudgedRisks) -> Sequence[Difference]:
        """Differences of Harrell's C and, where both give it, of the integrated Brier score.

        Where the scores of one model can be compared within folds only, those of both are.
        """
        mine, theirs = self.said, other.said
        within = mine.within or theirs.within
        pair = [
            _averaged(one, lambda o, r: _harrell(o, r, within=within)) for one in (mine, theirs)
        ]
        made = [self._difference("c_harrell", pair, _PAIRS_WITHIN if within else "")]
        both = mine.probability and theirs.probability and mine.times == theirs.times
        if both and len(mine.times) > 1:
            columns = range(len(mine.times))
            try:
                errors = [_averaged(one, _error(columns)) for one in (mine, theirs)]
                made.append(self._difference("integrated_brier", errors, ""))
            except ContentError:
                pass  # nobody is uncensored at an event: no such score
        return [one for one in made if one is not None]

    def _difference(self, metric: str, pair: Sequence[Named], note: str) -> Difference | None:
        """Difference on the same resamples of patients; None where it cannot be tested."""
        (what, first), (_, second) = pair
        try:
            (test,) = resampled_differences(
                (first, second),
                names=[what],
                clusters=Clusters.of(self.said.follow.n),
                rng=np.random.default_rng(self.seed),
                plan=_PLAN,
            )
        except ContentError:
            return None
        if not math.isfinite(test.p):
            return None
        estimate = noted(test.difference, note)
        if len(self.said.risks) > 1:
            estimate = joint.over_repeats(estimate, len(self.said.risks))
        return Difference(metric=metric, estimate=estimate, p=test.p)


def judge_risks(
    predicted: Predicted, cohort: Cohort, settings: Settings, seed: int, tell: Tell
) -> JudgedRisks:
    """Judge foretold risks; errors as :func:`onkos.judge.foretold.foretold`.

    A patient without an answer has the lowest risk of all if the event came, else the highest.
    """
    del settings, tell
    said, caveats = foretold(predicted, cohort)
    if not said.follow.events:
        text = "No patient had the event: nothing can be said of how well it is foretold."
        caveats = (*caveats, Caveat(code="no-event", text=text))
    return JudgedRisks(said=said, caveats=caveats, seed=seed)


Named = tuple[Method | str, Statistic]


def _averaged(said: Foretold, make: Callable[[Foretold, int], Named]) -> Named:
    """One column: the mean over the repeats, all of them on the same resamples of patients."""
    each = [make(said, repeat) for repeat in range(len(said.risks))]

    def mean(weights: Multiplicities) -> FloatArray:
        averaged: FloatArray = np.mean([one(weights)[:, -1:] for _, one in each], axis=0)
        return averaged

    return each[0][0], mean


def _measured(
    name: str, said: Foretold, make: Callable[[Foretold, int], Named], seed: int, note: str = ""
) -> Estimate:
    """Estimate of the mean over the repeats, patients resampled with all of them."""

    def made() -> Estimate:
        what, statistic = _averaged(said, make)
        (found,) = resampled(
            statistic,
            names=[what],
            clusters=Clusters.of(said.follow.n),
            rng=np.random.default_rng(seed),
            plan=_PLAN,
        )
        if math.isnan(found.value):
            return undefined(what, _why(said), n=said.follow.n)
        return found

    found = noted(estimated(name, made, n=said.follow.n), note)
    if len(said.risks) > 1:
        found = joint.over_repeats(found, len(said.risks))
    return with_missed(found, said.patients, said.lost)


def _why(said: Foretold) -> str:
    return (
        f"no two of {said.follow.n} patients can be compared, {said.follow.events} had the event: "
        "it needs an event while somebody else is still followed"
    )


def _harrell(said: Foretold, repeat: int, *, within: bool) -> Named:
    strata = said.folds[repeat].tolist() if within else None
    return concordance_statistic(said.follow, said.ordering[repeat], kind=Harrell(strata=strata))


def _c_harrell(said: Foretold, seed: int) -> Estimate:
    note = _PAIRS_WITHIN if said.within else ""
    return _measured("Harrell's C", said, lambda o, r: _harrell(o, r, within=o.within), seed, note)


def _c_uno(said: Foretold, seed: int) -> Estimate:
    kind = Uno(tau=said.times[-1] if said.times else None)
    scaled = said.scaled
    return _measured(
        "Uno's C",
        said,
        lambda o, r: concordance_statistic(o.follow, scaled[r], kind=kind),
        seed,
        _RANKED_WITHIN if said.within else "",
    )


def _auc_at(said: Foretold, column: int, seed: int) -> Estimate:
    time, scaled = said.times[column], said.scaled

    def area(one: Foretold, repeat: int) -> Named:
        horizons = Horizons(follow=one.follow, times=(time,))
        risk = one.risks[repeat, :, column] if one.probability else scaled[repeat]
        return f"cumulative/dynamic AUC at {time:g}", area_statistic(horizons, risk)

    note = _RANKED_WITHIN if said.within else ""
    return _measured(f"AUC at {time:g}", said, area, seed, note)


def _error(columns: Sequence[int]) -> Callable[[Foretold, int], Named]:
    """Squared error of the foretold chance to be free of the event, over some times."""

    def error(said: Foretold, repeat: int) -> Named:
        times = tuple(said.times[column] for column in columns)
        free = 1 - said.risks[repeat][:, list(columns)]
        over = f"at {times[0]:g}" if len(times) == 1 else f"over {times[0]:g} to {times[-1]:g}"
        statistic = brier_statistic(Horizons(follow=said.follow, times=times), free)
        return f"Brier score {over}", statistic

    return error


def _brier(said: Foretold, columns: Sequence[int], seed: int) -> Estimate:
    return _measured("Brier score", said, _error(columns), seed)


def _calibration(said: Foretold, column: int, seed: int) -> Metrics:
    """Observed over expected events and the slope, at one time."""
    time = said.times[column]
    names = (f"observed_to_expected_at:{time:g}", f"calibration_slope_at:{time:g}")
    try:
        made = [
            calibration_at(
                said.follow,
                np.clip(risks[:, column], _SURE, 1 - _SURE),
                horizon=time,
                groups=1,
                rng=np.random.default_rng(seed),
                plan=_PLAN,
            )
            for risks in said.risks
        ]
        ratio = _together([one.observed_to_expected for one in made])
        slope = _together([one.slope for one in made])
    except ContentError as error:
        gone = undefined("calibration", str(error), n=said.follow.n)
        return dict.fromkeys(names, gone)
    found = zip(names, (ratio, slope), strict=True)
    return {name: with_missed(one, said.patients, said.lost) for name, one in found}


def _together(each: Sequence[Estimate]) -> Estimate:
    """Mean over repeats; its interval is the mean of theirs, wider than their mean's own."""
    if len(each) == 1:
        return each[0]
    value, low, high = (
        float(np.mean([getattr(one, end) for one in each])) for end in ("value", "low", "high")
    )
    found = replace(each[0], value=value, low=min(low, value), high=max(high, value))
    note = "its interval is the mean of the repeats' intervals, as if they agreed in their errors"
    return joint.over_repeats(noted(found, note), len(each))
