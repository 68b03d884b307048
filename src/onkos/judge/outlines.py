"""Predicted outlines judged: overlap, surfaces, lesions and volumes, tissue by tissue."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onkos.core.case import Case, Cohort
from onkos.core.comparison import Answered, Predicted
from onkos.core.curve import Curve
from onkos.core.desk import Tell
from onkos.core.errors import CohortError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.judgement import JudgedCase, Spread
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.judge.outline_values import LESIONS, WHOLE, CaseValues, agreed, case_values
from onkos.judge.part import SIGN_FLIPS, Difference, Metrics
from onkos.judge.settings import LEVEL, Settings
from onkos.stats import joint
from onkos.stats.aggregate import mean_with_misses
from onkos.stats.bootstrap import paired_difference
from onkos.stats.estimates import noted, undefined
from onkos.stats.resampling import IntArray

_TESTED = "dice"
_DISTANCES = ("hd95_mm", "assd_mm")
_OF_SUBGROUPS = ("dice", "surface_dice", "hd95_mm", "lesion_recall")

Repeats = tuple[tuple[JudgedCase, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedOutlines:
    """Outlines against the reference ones.

    ``repeats`` hold the same cases in one order; ``tissues`` gives each tissue its key in the
    names of metrics, ``empty`` names for each case the tissues that neither outline has.
    """

    cases: tuple[Case, ...]
    repeats: Repeats
    tissues: Mapping[str, str]
    empty: tuple[frozenset[str], ...]
    flat: int
    unjudged: int
    settings: Settings
    seed: int
    classes: tuple[str, ...] = ()
    positive: str = ""

    @property
    def task(self) -> Task:
        """Outlining."""
        return Task.SEGMENT

    @property
    def main(self) -> str:
        """Dice of the whole tumour."""
        return f"{_TESTED}:{self.tissues['']}"

    @property
    def judged(self) -> tuple[JudgedCase, ...]:
        """Every case of the first repeat."""
        return self.repeats[0]

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Cases without a reference, and without millimetres."""
        found = []
        if self.unjudged:
            text = (
                f"{self.unjudged} of {self.unjudged + len(self.cases)} cases have no reference "
                "outline and are not judged on outlines."
            )
            found.append(Caveat(code="no-reference", text=text))
        if self.flat:
            text = (
                f"{self.flat} outlines have no millimetres: distances and lesions are not judged "
                "there."
            )
            found.append(Caveat(code="no-millimetres", text=text))
        return tuple(found)

    def metrics(self) -> Metrics:
        """Mean of every metric over patients, the misses counted in."""
        names = dict.fromkeys(name for one in self.judged for name in one.values)
        return {name: self._mean(name, self._everyone) for name in names}

    def of_subgroup(self, rows: IntArray) -> Metrics:
        """Overlap, surfaces and lesions of the whole tumour in a subgroup."""
        names = [f"{kind}:{self.tissues['']}" for kind in _OF_SUBGROUPS]
        known = [name for name in names if any(name in one.values for one in self.judged)]
        return {name: self._mean(name, rows) for name in known}

    def main_of(self, rows: IntArray) -> Estimate:
        """Dice of the whole tumour."""
        return self._mean(self.main, rows)

    def curves(self, metrics: Metrics) -> tuple[Curve, ...]:
        """None: figures show the values of single cases."""
        del metrics
        return ()

    def spread(self) -> Mapping[str, Spread]:
        """Every Dice in each repeat."""
        if len(self.repeats) < 2:
            return {}
        names = [name for name in self.judged[0].values if name.startswith(f"{_TESTED}:")]
        return {
            name: joint.spread([_plain_mean(row) for row in self._values(name)]) for name in names
        }

    def against(self, other: JudgedOutlines) -> Sequence[Difference]:
        """Differences of every Dice that both have."""
        shared = [
            name
            for name in self.judged[0].values
            if name.startswith(f"{_TESTED}:") and name in other.judged[0].values
        ]
        return [found for name in shared if (found := self._difference(other, name)) is not None]

    def _difference(self, other: JudgedOutlines, name: str) -> Difference | None:
        first, second = self._values(name), other._values(name)
        apart = first - second
        rows = np.flatnonzero(np.isfinite(apart).any(axis=0))
        if not rows.size:
            return None
        known = np.isfinite(apart[:, rows])
        means = [
            np.where(known, side[:, rows], 0).sum(axis=0) / known.sum(axis=0)
            for side in (first, second)
        ]
        difference, p = paired_difference(
            *means,
            groups=[self.cases[row].patient for row in rows.tolist()],
            rng=np.random.default_rng(self.seed),
            level=LEVEL,
        )
        if len(self.repeats) > 1:
            difference = joint.over_repeats(difference, len(self.repeats))
        return Difference(metric=name, estimate=noted(difference, SIGN_FLIPS), p=p)

    @property
    def _everyone(self) -> IntArray:
        return np.arange(len(self.cases))

    def _values(self, name: str) -> FloatArray:
        """(repeats, cases): one metric, NaN where it is not defined."""
        rows = [[one.values.get(name, math.nan) for one in repeat] for repeat in self.repeats]
        return np.array(rows, dtype=np.float64)

    def _mean(self, name: str, rows: IntArray) -> Estimate:
        """Mean over the cases that define the metric, in all repeats."""
        kind, _, tissue = name.partition(":")
        values = self._values(name)[:, rows]
        kept = np.flatnonzero(np.isfinite(values).any(axis=0))
        if not kept.size:
            return undefined(name, f"on none of these {len(rows)} cases", n=0, level=LEVEL)
        chosen = rows[kept]
        patients = [self.cases[row].patient for row in chosen.tolist()]
        missed = [
            any(tissue in repeat[row].missed for repeat in self.repeats) for row in chosen.tolist()
        ]
        rng = np.random.default_rng(self.seed)
        if len(self.repeats) > 1:
            found = joint.joint_means(
                values[:, kept],
                patients=patients,
                rng=rng,
                level=LEVEL,
                missed=len({p for p, gone in zip(patients, missed, strict=True) if gone}),
            )
        else:
            found = mean_with_misses(
                values[0, kept], missed=np.array(missed), patients=patients, rng=rng, level=LEVEL
            )
        left = len(rows) - kept.size
        both_empty = sum(self._both_empty(name, int(row)) for row in chosen)
        notes = [_rule(kind, self.settings)] if _rule(kind, self.settings) else []
        if left:
            notes.append(f"not defined on {left} of {len(rows)} cases")
        if both_empty:
            notes.append(
                f"{both_empty} cases with nothing to outline and nothing outlined count as perfect"
            )
        return noted(found, *notes)

    def _both_empty(self, name: str, row: int) -> bool:
        """Whether a perfect value rests on neither outline having the tissue."""
        kind, _, tissue = name.partition(":")
        return kind == _TESTED and tissue in self.empty[row]


def judge_outlines(
    predicted: Predicted, cohort: Cohort, settings: Settings, seed: int, tell: Tell
) -> JudgedOutlines:
    """Judge predicted outlines against the reference ones, tissue by tissue and as a whole.

    A case without an outline counts as the worst there is: Dice 0, distances as long as the
    grid's diagonal, no lesion found.

    Raises
    ------
    CohortError
        If no case has a reference outline.
    GeometryError
        If an outline does not lie on the grid of its reference.
    ContentError
        If an outline cannot be read.
    """
    cases = tuple(case for case in cohort.cases if case.outlined)
    if not cases:
        raise CohortError(f"truth {cohort.name}: no case has a reference outline; give masks")
    places = [{one.case: one for one in repeat} for repeat in predicted.repeats]
    compared: list[list[CaseValues]] = [[] for _ in places]
    for number, case in enumerate(cases, start=1):
        truth = case.outline
        for place, values in zip(places, compared, strict=True):
            values.append(case_values(case, truth, place.get(case.id), settings))
        tell(number, len(cases), f"Judging outlines of {predicted.name}")
    tissues = _tissues(compared[0])
    return JudgedOutlines(
        cases=cases,
        repeats=tuple(
            tuple(_judged(one, place.get(one.case.id), tissues) for one in values)
            for place, values in zip(places, compared, strict=True)
        ),
        tissues=tissues,
        empty=tuple(
            frozenset(key for tissue, key in tissues.items() if one.is_empty(tissue))
            for one in compared[0]
        ),
        flat=sum(not one.calibrated for one in compared[0]),
        unjudged=len(cohort.cases) - len(cases),
        settings=settings,
        seed=seed,
    )


def _tissues(compared: Sequence[CaseValues]) -> dict[str, str]:
    """Key of each tissue in the names of metrics; one tissue alone is the whole."""
    true = list(dict.fromkeys(name for one in compared for name in sorted(one.true_tissues)))
    several = true if len(true) > 1 else []
    return {"": "whole" if WHOLE in several else WHOLE} | {name: name for name in several}


def _judged(one: CaseValues, answered: Answered | None, tissues: Mapping[str, str]) -> JudgedCase:
    """Values under the names of metrics; a tissue that neither outline has agrees perfectly."""
    kinds = list(one.values[""])
    absent = agreed(kinds)
    values = {
        f"{kind}:{key}": one.values.get(tissue, absent).get(kind, math.nan)
        for tissue, key in tissues.items()
        for kind in kinds
    }
    return JudgedCase(
        case=one.case.id,
        patient=one.case.patient,
        task=Task.SEGMENT,
        fold=answered.fold if answered else 0,
        answered=one.answered,
        values=values,
        missed=tuple(key for tissue, key in tissues.items() if tissue in one.missed),
        measured=one.measured,
        true=one.true,
    )


def _rule(kind: str, settings: Settings) -> str:
    """What had to be decided before the metric could be computed."""
    if kind == "surface_dice":
        return f"tolerance {settings.tolerance_mm:g} mm, surfels weighted by area"
    if kind in _DISTANCES:
        return "boundary voxels; a miss costs the diagonal of the grid"
    if kind in LESIONS:
        return f"lesions paired one to one by IoU above {settings.lesion_iou:g}"
    return ""


def _plain_mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
