"""Kappas and alphas: other judges, intervals that hold, and cases without an answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from onkos.core.errors import ContentError, UsageError
from onkos.stats.agreement.chance import (
    brennan_prediger,
    conger_kappa,
    fleiss_kappa,
    gwet_ac,
    percent_agreement,
)
from onkos.stats.agreement.kappa import cohen_kappa, scott_pi
from onkos.stats.agreement.krippendorff import krippendorff_alpha
from onkos.stats.agreement.ratings import Ratings

MANY = (fleiss_kappa, conger_kappa, gwet_ac, brennan_prediger, percent_agreement)


def two_readers(rng: np.random.Generator, n: int, skill: float = 0.7) -> np.ndarray:
    truth = rng.integers(1, 5, size=n)
    other = rng.integers(1, 5, size=(n, 2))
    return np.where(rng.random((n, 2)) < skill, truth[:, None], other)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("identity", None), ("linear", "linear"), ("quadratic", "quadratic")]
)
def test_cohens_kappa_agrees_with_scikit_learn(rng, ours, theirs):
    values = two_readers(rng, 60)
    found = cohen_kappa(Ratings.of(values), weights=ours).estimate.value
    assert found == pytest.approx(cohen_kappa_score(*values.T, weights=theirs))


def test_linearised_and_bootstrap_intervals_agree_in_a_large_study(rng):
    values = two_readers(rng, 150)
    for coefficient in (cohen_kappa, scott_pi, *MANY, krippendorff_alpha):
        plain = coefficient(Ratings.of(values))
        drawn = coefficient(Ratings.of(values), rng=np.random.default_rng(1))
        assert drawn.se == pytest.approx(plain.se, rel=0.05)
        assert drawn.estimate.value == plain.estimate.value
        assert "bootstrap" in str(drawn.estimate.method)


def test_the_ordinal_interval_allows_for_distances_made_from_the_data(rng):
    values = two_readers(rng, 300)
    plain = krippendorff_alpha(Ratings.of(values), metric="ordinal")
    drawn = krippendorff_alpha(Ratings.of(values), metric="ordinal", rng=np.random.default_rng(1))
    assert drawn.se == pytest.approx(plain.se, rel=0.05)


def test_intervals_of_kappa_hold_the_truth_as_often_as_they_say(rng):
    skill, n, trials = 0.7, 80, 400
    truth = skill**2  # of two readers who know with this chance and else guess evenly
    held = 0
    for _ in range(trials):
        estimate = cohen_kappa(Ratings.of(two_readers(rng, n, skill))).estimate
        held += estimate.low <= truth <= estimate.high
    assert 0.92 <= held / trials <= 0.98


def test_lesions_of_one_patient_are_not_taken_for_independent_ones(rng):
    values = two_readers(rng, 40)
    alone = fleiss_kappa(Ratings.of(values))
    copied = np.repeat(values, 5, axis=0)
    patients = np.repeat(np.arange(40), 5).tolist()
    together = fleiss_kappa(Ratings.of(copied, patients=patients))
    assert together.se == pytest.approx(alone.se)
    assert together.estimate.n == 40
    drawn = fleiss_kappa(Ratings.of(copied, patients=patients), rng=np.random.default_rng(2))
    assert drawn.se == pytest.approx(alone.se, rel=0.1)


def test_a_table_is_resampled_by_its_cases():
    table = Ratings.table([[40, 5], [6, 49]])
    drawn = cohen_kappa(table, rng=np.random.default_rng(3))
    assert drawn.se == pytest.approx(cohen_kappa(table).se, rel=0.05)


def test_kappa_falls_where_one_category_is_rare_and_ac1_does_not():
    rare = Ratings.table([[1, 4], [4, 91]])
    assert percent_agreement(rare).estimate.value == pytest.approx(0.92)
    assert cohen_kappa(rare).estimate.value < 0.2
    assert gwet_ac(rare).estimate.value > 0.9


def test_one_category_only_is_not_estimable_and_says_so():
    alike = Ratings.of([[1, 1], [1, 1], [1, 1]])
    for coefficient in (cohen_kappa, fleiss_kappa, conger_kappa, gwet_ac, krippendorff_alpha):
        estimate = coefficient(alike).estimate
        assert math.isnan(estimate.value)
        assert estimate.n == 3
        assert "all ratings are in one category" in str(estimate.method)


def test_perfect_agreement_has_an_interval_all_the_same():
    perfect = Ratings.of([[k, k] for k in (1, 2, 1, 2, 1, 2, 1, 2)])
    estimate = cohen_kappa(perfect).estimate
    assert (estimate.value, estimate.high) == (1.0, 1.0)
    assert estimate.low == pytest.approx((0.025 ** (1 / 8) - 0.5) / 0.5)
    assert "no disagreement seen" in str(estimate.method)


def test_one_case_says_nothing_about_others():
    estimate = fleiss_kappa(Ratings.of([[1, 2, 2]])).estimate
    assert (estimate.low, estimate.high) == (-np.inf, np.inf)


def test_gaps_of_two_readers_are_left_out_and_told():
    found = cohen_kappa(Ratings.of([[1, 1], [2, 2], [1, None], [2, 1], [1, 1]])).estimate
    assert found.n == 4
    assert "1 cases of one reader left out" in str(found.method)


def test_what_cannot_be_asked_is_refused():
    three = Ratings.of([[1, 2, 1], [2, 2, 1]])
    apart = Ratings.of([[1, None], [None, 2]])
    with pytest.raises(ContentError, match="3 readers; expected two"):
        cohen_kappa(three)
    with pytest.raises(ContentError, match="no case was rated by both"):
        cohen_kappa(apart)
    for coefficient in MANY:
        with pytest.raises(ContentError, match="no case was rated by two"):
            coefficient(apart)
    with pytest.raises(ContentError, match="no case was rated by two"):
        krippendorff_alpha(apart)
    with pytest.raises(ContentError, match="not counts"):
        conger_kappa(Ratings.counted([[2, 1], [0, 3]]))
    with pytest.raises(UsageError, match="nominal, ordinal, interval or ratio"):
        krippendorff_alpha(three, metric="cubic")
    with pytest.raises(ContentError, match="level 95"):
        fleiss_kappa(three, level=95)
