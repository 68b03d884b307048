"""The same metric in each subgroup."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.stats.delong import auc
from onkos.stats.subgroups import Interaction, age_groups, subgroups


@pytest.fixture
def cohort(rng):
    """Reading is useless at site C; sex does not matter."""
    truth = np.arange(600) % 2 == 0
    site = np.repeat(["A", "B", "C"], 200)
    sex = np.tile(["F", "F", "M", "M"], 150)
    scores = rng.normal(size=600) + 1.5 * truth * (site != "C")
    return truth, scores, site.tolist(), sex.tolist()


def area(truth, scores):
    return lambda rows: auc(truth[rows], scores[rows], scale="plain")


def test_a_site_where_it_fails_is_found_and_sex_is_not(cohort):
    truth, scores, site, sex = cohort
    found = subgroups(area(truth, scores), {"site": site, "sex": sex})
    assert found["site"].p_adjusted < 1e-6
    assert found["sex"].p > 0.05
    assert found["sex"].p_adjusted == pytest.approx(found["sex"].p)
    assert found["site"].p_adjusted == pytest.approx(2 * found["site"].p)
    assert found["site"].estimates["C"].low < 0.5 < found["site"].estimates["A"].low
    assert sum(each.n for each in found["site"].estimates.values()) == 600


def test_an_attribute_that_does_not_matter_is_found_as_seldom_as_the_level_says():
    """300 simulated studies: between 2 and 9.5 % below 0.05 (one in a thousand by chance)."""
    beyond = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        truth = np.arange(160) % 2 == 0
        scores = rng.normal(size=160) + truth
        sites = np.repeat(["A", "B"], [60, 100]).tolist()
        beyond += subgroups(area(truth, scores), {"site": sites})["site"].p < 0.05
    assert 0.02 <= beyond / 300 <= 0.095


def test_two_subgroups_give_the_z_test(cohort):
    truth, scores, _, sex = cohort
    found = subgroups(area(truth, scores), {"sex": sex})["sex"]
    pair = list(found.estimates.values())
    errors = [(each.high - each.low) / (2 * stats.norm.ppf(0.975)) for each in pair]
    z = (pair[0].value - pair[1].value) / math.hypot(*errors)
    assert found.statistic == pytest.approx(z**2)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_permutations_agree_with_wald(cohort, rng):
    truth, scores, site, sex = cohort
    drawn = Interaction(test="permutation", rng=rng, strata=truth.tolist(), permutations=199)
    found = subgroups(area(truth, scores), {"site": site, "sex": sex}, interaction=drawn)
    plain = subgroups(area(truth, scores), {"site": site, "sex": sex})
    assert found["site"].p == 1 / 200
    assert found["sex"].p == pytest.approx(plain["sex"].p, abs=0.12)
    assert found["sex"].estimates == plain["sex"].estimates


def test_a_subgroup_that_cannot_be_estimated_is_shown_with_the_reason(cohort):
    truth, scores, site, _ = cohort
    where = [
        "only diseased" if t and k < 20 else s
        for k, (t, s) in enumerate(zip(truth, site, strict=True))
    ]
    found = subgroups(area(truth, scores), {"site": where})["site"]
    assert math.isnan(found.estimates["only diseased"].value)
    assert "all 10 cases are diseased" in str(found.estimates["only diseased"].method)
    assert found.compared == ("A", "B", "C")
    one = subgroups(area(truth, scores), {"site": ["A"] * 600})["site"]
    assert math.isnan(one.p)


def test_false_discoveries_may_be_adjusted_for_instead(cohort):
    truth, scores, site, sex = cohort
    chosen = Interaction(adjust="benjamini-hochberg")
    attributes = {"site": site, "again": site, "sex": sex}
    found = subgroups(area(truth, scores), attributes, interaction=chosen)
    assert found["site"].p_adjusted == pytest.approx(1.5 * found["site"].p)


def test_ages_fall_into_named_groups():
    found = age_groups([39.9, 40, 64, 65, 80], edges=(40, 65))
    assert found == ["< 40", "40-65", "40-65", ">= 65", ">= 65"]
    with pytest.raises(ContentError, match=r"cases \[1\] are unknown"):
        age_groups([50, math.nan], edges=(40,))
    with pytest.raises(UsageError, match="ascending"):
        age_groups([50], edges=(65, 40))


def test_bad_input_is_refused(cohort):
    truth, scores, site, _ = cohort
    with pytest.raises(ContentError, match="same number"):
        subgroups(area(truth, scores), {"site": site, "sex": site[1:]})
    with pytest.raises(UsageError, match="needs rng"):
        Interaction(test="permutation")
    with pytest.raises(UsageError, match="test 'anova'"):
        Interaction(test="anova")
