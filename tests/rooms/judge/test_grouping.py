"""Subgroups by site, sex and age: who is in, who is left out, whether they differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos.arms.subgrouping import by_subgroup, grouped, interactions
from onkos.core.case import Cohort
from onkos.core.estimate import Estimate
from onkos.core.reading import CaseScore
from onkos.stats.delong import auc
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


def scores(rng, patients: int) -> list[CaseScore]:
    made = []
    for n in range(patients):
        p = float(rng.uniform())
        target = "malignant" if rng.uniform() < p else "benign"
        classes = {"benign": 1 - p, "malignant": p}
        made.append(
            CaseScore(
                case=f"c{n}", patient=f"P{n}", fold=0, metrics={}, classes=classes, target=target
            )
        )
    return made


def test_the_area_of_a_subgroup_is_that_of_its_cases(rng):
    made = scores(rng, 40)
    labels = {"site": {score.case: "AB"[n % 2] for n, score in enumerate(made)}}
    found = by_subgroup(made, labels, seed=1)["site"]
    assert list(found) == ["A", "B"]
    for name, part in (("A", made[::2]), ("B", made[1::2])):
        truth = np.array([score.target == "malignant" for score in part])
        told = np.array([score.classes["malignant"] for score in part])
        expected = auc(truth, told, scale="plain")
        assert found[name].value == pytest.approx(expected.value)
        assert (found[name].low, found[name].n) == (pytest.approx(expected.low), 20)


def test_a_group_of_one_class_stands_with_the_reason(rng):
    made = scores(rng, 30)
    labels = {"site": {score.case: score.target for score in made}}
    found = by_subgroup(made, labels, seed=1)["site"]
    assert all(np.isnan(one.value) and one.method for one in found.values())
    assert np.isnan(interactions({"site": found})["site"].p)


def test_dice_of_missed_cases_counts_as_missed():
    made = [
        CaseScore(
            case=f"c{n}",
            patient=f"P{n}",
            fold=0,
            metrics={"dice:tumour": 0.0 if n == 0 else 0.8},
            missed=("tumour",) if n == 0 else (),
        )
        for n in range(10)
    ]
    labels = {"site": {score.case: "AB"[n >= 5] for n, score in enumerate(made)}}
    found = by_subgroup(made, labels, seed=1)["site"]
    assert (found["A"].missed, found["B"].missed) == (1, 0)
    assert found["A"].value == pytest.approx(0.64)


def around(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, n=50, method="by hand")


def test_a_difference_is_seen_and_adjusted_for_the_attributes():
    half = 0.05
    found = interactions(
        {
            "site": {"A": around(0.9, half), "B": around(0.7, half)},
            "sex": {"F": around(0.8, half), "M": around(0.8, half)},
        }
    )
    error = half / 1.959963984540054
    z = 0.2 / (error * np.sqrt(2))
    assert found["site"].statistic == pytest.approx(z**2)
    assert found["site"].p_adjusted == pytest.approx(2 * found["site"].p)
    assert found["sex"].p == pytest.approx(1.0)
