"""Whether an arm holds at every site, for every sex and age: its main metric in each subgroup."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.arms import joint
from onkos.arms.judging import LEVEL, aligned, all_answers, mean_of
from onkos.arms.scoring import WHOLE
from onkos.core.case import Case, Cohort
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.reading import CaseScore
from onkos.core.source import Caveat
from onkos.stats.clustered import clustered_auc
from onkos.stats.delong import auc
from onkos.stats.multiclass import multiclass_auc
from onkos.stats.multiplicity import holm
from onkos.stats.resampling import IntArray
from onkos.stats.subgroups import Subgroups, age_groups, subgroups

FEWEST = 5  # patients of a subgroup
MOST = 8  # subgroups of one attribute
AGES_YEARS = (50, 65)
_OLDEST = 120  # beyond, a number is no age in years
_NAMES = {"sex": ("sex", "gender"), "age": ("age",)}

Labels = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Attribute ("site") to case to subgroup, and what had to be left out."""

    labels: Labels
    caveats: tuple[Caveat, ...]


def grouped(cohort: Cohort) -> Grouping:
    """Divide a cohort by site, sex and age group.

    A subgroup has at least 5 patients, an attribute at most its 8 largest ones; what is left out
    is said in a caveat. An attribute that is unknown, or the same for everybody, divides nothing.
    """
    known = {
        "site": {case.id: case.site for case in cohort.cases if case.site},
        "sex": _facts(cohort.cases, "sex"),
        "age": _ages(_facts(cohort.cases, "age")),
    }
    labels, caveats = {}, []
    for name, of_case in known.items():
        if len(set(of_case.values())) > 1:
            kept, left_out = _large_enough(of_case, cohort)
            if kept:
                labels[name] = kept
            if left_out:
                caveats.append(Caveat(code="subgroups", text=f"Subgroups by {name}: {left_out}."))
    return Grouping(labels=labels, caveats=tuple(caveats))


def by_subgroup(
    scores: Sequence[CaseScore],
    labels: Labels,
    *,
    seed: int,
    repeated: Sequence[Sequence[CaseScore]] = (),
) -> dict[str, dict[str, Estimate]]:
    """Estimate an arm's main metric (AUC; Dice of the whole tumour) in each subgroup.

    A subgroup in which it is not defined (one class only) stands with NaN and the reason.
    Intervals are symmetric where there is a choice, since :func:`interactions` reads the
    standard error from them. ``repeated`` are the scores of further repeats of the folds, over
    which the metric is averaged; a subgroup's patients stay as few as they are.
    """
    found = {}
    repeats = aligned([scores, *repeated])
    for name, of_case in labels.items():
        kept = [score for score in scores if score.case in of_case and _judged(score)]
        if kept:
            values = [of_case[score.case] for score in kept]
            among = [[one for one in same if one.case in of_case] for same in repeats]
            judged = aligned([kept, *among])[1:]
            estimates = subgroups(_metric(judged, seed), {name: values})[name].estimates
            found[name] = {value: estimates[value] for value in _ordered(set(values))}
    return found


def interactions(found: Mapping[str, Mapping[str, Estimate]]) -> dict[str, Subgroups]:
    """Test for each attribute whether the metric differs between its subgroups.

    Cochran's Q on the estimates; p adjusted by Holm for the attributes.
    """
    tested = {name: _tested(name, list(values.items())) for name, values in found.items()}
    some = [name for name, one in tested.items() if not math.isnan(one.p)]
    for name, p in zip(some, holm([tested[name].p for name in some]), strict=True):
        tested[name] = replace(tested[name], p_adjusted=p)
    return tested


def _tested(name: str, values: Sequence[tuple[str, Estimate]]) -> Subgroups:
    """One attribute whose estimates are already there."""
    labels = [value for value, _ in values]
    return subgroups(lambda rows: values[int(rows[0])][1], {name: labels})[name]


def _judged(score: CaseScore) -> bool:
    return bool(score.target) or math.isfinite(score.metrics.get(f"dice:{WHOLE}", math.nan))


def _metric(repeats: Sequence[Sequence[CaseScore]], seed: int) -> Callable[[IntArray], Estimate]:
    """How the metric of some of the scores is estimated."""

    def measured(rows: IntArray) -> Estimate:
        some = [[scores[row] for row in rows.tolist()] for scores in repeats]
        return _area(some, seed) if some[0][0].target else _dice(some, seed)

    return measured


def _area(repeats: Sequence[Sequence[CaseScore]], seed: int) -> Estimate:
    every = all_answers(repeats)
    said = every[0]
    if len(every) > 1 and len(said.classes) > 2:
        rng = np.random.default_rng(seed)
        found = joint.joint_several_area(every, "hand-till", rng=rng, level=LEVEL)
        return joint.over_repeats(found, len(every))
    if len(every) > 1:
        found = joint.joint_area(every, level=LEVEL, scale="plain")
        return joint.over_repeats(found, len(every))
    if len(said.classes) > 2:
        return multiclass_auc(
            list(said.truth),
            said.probabilities,
            classes=said.classes,
            rng=np.random.default_rng(seed),
            groups=said.patients,
        )
    if said.several_a_patient:
        return clustered_auc(
            said.positives, said.score, groups=said.patients, level=LEVEL, scale="plain"
        )
    return auc(said.positives, said.score, level=LEVEL, scale="plain")


def _dice(repeats: Sequence[Sequence[CaseScore]], seed: int) -> Estimate:
    found = mean_of(repeats, f"dice:{WHOLE}", seed=seed)
    if found is None:
        raise ContentError("no case of the subgroup has a Dice")
    return found


def _facts(cases: Sequence[Case], name: str) -> dict[str, str]:
    """What is known of a covariate, by case; its column may be written in capitals."""
    found = {}
    for case in cases:
        facts = {key.lower(): value.strip() for key, value in case.covariates.items()}
        value = next((facts[key] for key in _NAMES[name] if facts.get(key)), "")
        if value:
            found[case.id] = value
    return found


def _ages(told: Mapping[str, str]) -> dict[str, str]:
    """Age group of each case whose age is a number of years."""
    years = {}
    for case, text in told.items():
        try:
            age = float(text)
        except ValueError:
            continue
        if 0 <= age <= _OLDEST:
            years[case] = age
    groups = age_groups(list(years.values()), edges=AGES_YEARS)
    return {case: f"{group} years" for case, group in zip(years, groups, strict=True)}


def _large_enough(of_case: Mapping[str, str], cohort: Cohort) -> tuple[dict[str, str], str]:
    """Cases of the subgroups that are shown, and in words what is not; none if only one is."""
    patients: dict[str, set[str]] = {}
    for case in cohort.cases:
        if case.id in of_case:
            patients.setdefault(of_case[case.id], set()).add(case.patient)
    large = [value for value, who in patients.items() if len(who) >= FEWEST]
    shown = sorted(large, key=lambda value: -len(patients[value]))[:MOST]
    said = []
    unknown = len({case.patient for case in cohort.cases if case.id not in of_case})
    if unknown:
        said.append(f"not known of {unknown} of {len(cohort.patients)} patients")
    small = len(patients) - len(large)
    if small:
        said.append(f"{small} of {len(patients)} left out, of fewer than {FEWEST} patients")
    if len(large) > MOST:
        said.append(f"only the {MOST} largest of {len(large)} are shown")
    if len(shown) < 2:
        said.append("fewer than two remain, so nothing is compared")
        shown = []
    return {case: value for case, value in of_case.items() if value in shown}, "; ".join(said)


def _ordered(values: set[str]) -> list[str]:
    """Age groups from young to old, anything else by name."""
    low, high = AGES_YEARS
    ages = [f"< {low} years", f"{low}-{high} years", f">= {high} years"]
    return [value for value in ages if value in values] + sorted(values.difference(ages))
