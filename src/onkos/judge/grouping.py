"""Subgroups of a cohort: by site, sex and age, and by columns of few values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onkos.core.case import Case, Cohort
from onkos.core.errors import UsageError
from onkos.core.source import Caveat
from onkos.stats.subgroups import age_groups

FEWEST = 5  # patients of a subgroup
MOST = 8  # subgroups of one column
MOST_COLUMNS = 8  # beside site, sex and age, unless they were asked for
AGES_YEARS = (50, 65)
_OLDEST = 120  # beyond, a number is no age in years
_NAMES = {"sex": ("sex", "gender"), "age": ("age",)}
_NOT_GROUPS = ("time", "event")  # the follow-up

Labels = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Column ("site") to case to subgroup, and what had to be left out."""

    labels: Labels
    caveats: tuple[Caveat, ...]


def grouped(cohort: Cohort, *, by: Sequence[str] = ()) -> Grouping:
    """Divide a cohort by site, sex, age group and further columns of words.

    Without ``by`` the further columns are those of two to eight different words, the first eight
    of them. A subgroup has at least 5 patients, a column at most its 8 largest ones; what is
    left out is said in a caveat. A column that is unknown, or the same for everybody, divides
    nothing.

    Raises
    ------
    UsageError
        If a column of ``by`` is not there.
    """
    known = {
        "site": {case.id: case.site for case in cohort.cases if case.site},
        "sex": _facts(cohort.cases, "sex"),
        "age": _ages(_facts(cohort.cases, "age")),
    }
    known |= _further(cohort, by)
    labels, caveats = {}, []
    for name, of_case in known.items():
        if len(set(of_case.values())) > 1:
            kept, left_out = _large_enough(of_case, cohort)
            if kept:
                labels[name] = kept
            if left_out:
                caveats.append(Caveat(code="subgroups", text=f"Subgroups by {name}: {left_out}."))
    return Grouping(labels=labels, caveats=tuple(caveats))


def ordered(values: set[str]) -> list[str]:
    """Age groups from young to old, anything else by name."""
    low, high = AGES_YEARS
    ages = [f"< {low} years", f"{low}-{high} years", f">= {high} years"]
    return [value for value in ages if value in values] + sorted(values.difference(ages))


def _further(cohort: Cohort, by: Sequence[str]) -> dict[str, dict[str, str]]:
    """Columns that were asked for, or those of few words."""
    columns = dict.fromkeys(name for case in cohort.cases for name in case.covariates)
    taken = {alias for names in _NAMES.values() for alias in names} | set(_NOT_GROUPS)
    unknown = [name for name in by if name not in columns]
    if unknown:
        raise UsageError(
            f"subgroups by {unknown}: no such columns; the cohort has {list(columns)[:40]}"
        )
    found = {}
    for name in by or columns:
        if name.lower() in taken:
            continue
        values = {c.id: c.covariates[name] for c in cohort.cases if c.covariates.get(name)}
        words = set(values.values())
        if by or (2 <= len(words) <= MOST and not any(_is_number(word) for word in words)):
            found[name] = values
    return found if by else dict(list(found.items())[:MOST_COLUMNS])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
