"""Subgroups by site, sex and age: who is in, who is left out, whether they differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onkos.core.case import Cohort
from onkos.core.errors import UsageError
from onkos.judge.grouping import grouped
from toys import toy_cohort


def cohort(sites: str, ages: list[str] | None = None) -> Cohort:
    plain = toy_cohort(len(sites))
    cases = [
        replace(
            case,
            site=site.strip(),
            covariates={"Age": ages[n], "Gender": "FM"[n % 2]} if ages else {},
        )
        for n, (case, site) in enumerate(zip(plain.cases, sites, strict=True))
    ]
    return replace(plain, cases=tuple(cases))


def test_small_groups_and_unknown_ones_are_left_out_and_said():
    found = grouped(cohort("AAAAABBBBBBC  "))
    assert set(found.labels) == {"site"}
    assert sorted(found.labels["site"].values()) == ["A"] * 5 + ["B"] * 6
    (caveat,) = found.caveats
    assert caveat.code == "subgroups"
    assert "not known of 2 of 14 patients" in caveat.text
    assert "1 of 3 left out, of fewer than 5 patients" in caveat.text


def test_one_site_divides_nothing_and_says_nothing():
    found = grouped(cohort("A" * 12))
    assert (dict(found.labels), found.caveats) == ({}, ())


def test_groups_too_small_to_compare_are_no_subgroups():
    found = grouped(cohort("AAAAAAB"))
    assert not found.labels
    assert "fewer than two remain" in found.caveats[0].text


def test_at_most_eight_groups_are_shown():
    found = grouped(cohort("ABCDEFGHI" * 5 + "BCDEFGHI"))
    assert set(found.labels["site"].values()) == set("BCDEFGHI")
    assert "only the 8 largest of 9" in found.caveats[0].text


def test_ages_are_grouped_and_what_is_no_age_is_not_known():
    ages = ["49", "50", "64.9", "65", "old", "1900"] * 5
    found = grouped(cohort("A" * 30, ages))
    names = [found.labels["age"].get(case.id, "") for case in cohort("A" * 6).cases]
    assert names == ["< 50 years", "50-65 years", "50-65 years", ">= 65 years", "", ""]
    assert set(found.labels["sex"].values()) == {"F", "M"}
    assert "age: not known of 10 of 30 patients" in found.caveats[0].text


def test_columns_of_few_words_divide_and_numbers_do_not_unless_asked():
    plain = toy_cohort(20)
    cases = tuple(
        replace(
            case, covariates={"scanner": "XY"[n % 2], "grade": "12"[n % 2], "event": "01"[n % 2]}
        )
        for n, case in enumerate(plain.cases)
    )
    made = replace(plain, cases=cases)
    assert set(grouped(made).labels) == {"scanner"}
    assert set(grouped(made, by=("grade",)).labels) == {"grade"}
    with pytest.raises(UsageError, match=r"subgroups by \['colour'\]: no such columns"):
        grouped(made, by=("colour",))
