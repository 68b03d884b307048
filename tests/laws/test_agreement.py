"""Laws of agreement: what must not matter, what must, and what equals what."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from awkward import geometries
from onkos.core.mask import Mask
from onkos.stats.agreement.bland_altman import bland_altman
from onkos.stats.agreement.chance import (
    brennan_prediger,
    conger_kappa,
    fleiss_kappa,
    gwet_ac,
    percent_agreement,
)
from onkos.stats.agreement.concordance import lin_concordance
from onkos.stats.agreement.icc import icc
from onkos.stats.agreement.kappa import cohen_kappa, scott_pi
from onkos.stats.agreement.krippendorff import krippendorff_alpha
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.consensus.majority import majority_vote
from onkos.stats.consensus.staple import staple

COEFFICIENTS = (
    fleiss_kappa,
    conger_kappa,
    gwet_ac,
    brennan_prediger,
    percent_agreement,
    krippendorff_alpha,
)
WEIGHTINGS = (
    "identity",
    "linear",
    "quadratic",
    "ordinal",
    "radical",
    "ratio",
    "circular",
    "bipolar",
)
SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=15)


def drawn(seed: int, *, n: int = 12, readers: int = 4, gaps: float = 0.2) -> np.ndarray:
    """Ratings 1 to 4 with gaps; every reader read something and all categories occur."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 5, size=(n, 1))
    values = np.where(rng.random((n, readers)) < 0.6, truth, rng.integers(1, 5, (n, readers)))
    table = values.astype(object)
    table[rng.random((n, readers)) < gaps] = None
    table[:4] = np.arange(1, 5)[:, None]
    return table


@FEW
@given(SEEDS, st.sampled_from(COEFFICIENTS), st.sampled_from(WEIGHTINGS))
def test_the_order_of_cases_and_readers_does_not_matter(seed, coefficient, weights):
    table, rng = drawn(seed), np.random.default_rng(seed)
    mixed = table[rng.permutation(len(table))][:, rng.permutation(table.shape[1])]
    ours = coefficient(Ratings.of(table), weights=weights)
    theirs = coefficient(Ratings.of(mixed), weights=weights)
    assert ours.estimate.value == pytest.approx(theirs.estimate.value, abs=1e-12)
    assert ours.se == pytest.approx(theirs.se, abs=1e-12)
    assert ours.estimate.value <= 1


@FEW
@given(SEEDS, st.sampled_from((fleiss_kappa, conger_kappa, krippendorff_alpha)))
def test_turning_an_evenly_spaced_scale_round_does_not_matter(seed, coefficient):
    table = drawn(seed)
    turned = np.array([[None if cell is None else 5 - cell for cell in row] for row in table])
    for weights in ("identity", "linear", "quadratic", "ordinal", "radical", "circular", "bipolar"):
        ours = coefficient(Ratings.of(table), weights=weights).estimate.value
        theirs = coefficient(Ratings.of(turned), weights=weights).estimate.value
        assert ours == pytest.approx(theirs, abs=1e-12)


@FEW
@given(SEEDS)
def test_two_readers_make_congers_kappa_cohens_and_fleiss_scotts(seed):
    ratings = Ratings.of(drawn(seed, readers=2, gaps=0.0))
    for weights in WEIGHTINGS:
        cohen, conger = (
            cohen_kappa(ratings, weights=weights),
            conger_kappa(ratings, weights=weights),
        )
        scott, fleiss = scott_pi(ratings, weights=weights), fleiss_kappa(ratings, weights=weights)
        assert cohen.estimate.value == pytest.approx(conger.estimate.value, abs=1e-12)
        assert scott.estimate.value == pytest.approx(fleiss.estimate.value, abs=1e-12)
        assert cohen.se < conger.se  # multinomial against n - 1


@FEW
@given(SEEDS)
def test_alpha_is_one_less_disagreement_seen_over_expected(seed):
    """From the definition, pair by pair, in place of the coincidences."""
    table = drawn(seed)
    pairs = [[cell for cell in row if cell is not None] for row in table]
    pairs = [row for row in pairs if len(row) > 1]
    values = [cell for row in pairs for cell in row]
    n = len(values)
    seen = sum(
        sum((a - b) ** 2 for a, b in itertools.permutations(row, 2)) / (len(row) - 1)
        for row in pairs
    )
    expected = sum((a - b) ** 2 for a, b in itertools.permutations(values, 2)) / (n - 1)
    found = krippendorff_alpha(Ratings.of(table), metric="interval").estimate.value
    assert found == pytest.approx(1 - seen / expected, abs=1e-12)


@FEW
@given(SEEDS)
def test_cohens_quadratic_kappa_is_lins_concordance(seed):
    """Equal but for nothing: both divide by n (Fleiss and Cohen 1973; Lin 1989)."""
    values = drawn(seed, readers=2, gaps=0.0).astype(float)
    kappa = cohen_kappa(Ratings.of(values), weights="quadratic").estimate.value
    assert kappa == pytest.approx(lin_concordance(*values.T).estimate.value, abs=1e-12)


@FEW
@given(SEEDS, st.floats(0.1, 50), st.floats(-100, 100))
def test_the_unit_does_not_matter_to_icc_and_concordance(seed, scale, shift):
    x = np.random.default_rng(seed).normal(size=(8, 3))
    ours, theirs = icc(x), icc(scale * x + shift)
    for name, estimate in ours.by_name.items():
        other = theirs.by_name[name]
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
            (other.value, other.low, other.high), abs=1e-6, rel=1e-6
        )
    a, b = lin_concordance(x[:, 0], x[:, 1]), lin_concordance(*(scale * x[:, :2] + shift).T)
    assert a.estimate.low == pytest.approx(b.estimate.low, abs=1e-6)


@FEW
@given(SEEDS, st.floats(0.1, 50))
def test_limits_turn_round_when_the_methods_change_places(seed, scale):
    a, b = np.random.default_rng(seed).normal(size=(2, 9))
    ours, theirs = bland_altman(a, b), bland_altman(scale * b, scale * a)
    assert ours.upper.value == pytest.approx(-theirs.lower.value / scale)
    assert ours.upper.high == pytest.approx(-theirs.lower.low / scale)
    assert ours.bias.low == pytest.approx(-theirs.bias.high / scale)


@FEW
@given(geometries(smallest=4), SEEDS)
def test_readers_who_agree_are_the_consensus(geometry, seed):
    labels = np.random.default_rng(seed).integers(0, 2, size=geometry.shape).astype(np.uint8)
    assume(0 < labels.sum() < labels.size)
    one = Mask(labels=labels, geometry=geometry, names={1: "tumour"})
    found = staple([one, one, one])
    assert np.array_equal(found.mask.labels, labels)
    assert np.array_equal(majority_vote([one, one, one]).mask.labels, labels)
    assert [e.value for e in found.sensitivity] == pytest.approx([1.0] * 3)
    assert all(estimate.low < 1 for estimate in found.specificity)


@FEW
@given(geometries(smallest=5), SEEDS)
def test_the_order_of_readers_does_not_matter_to_staple(geometry, seed):
    rng = np.random.default_rng(seed)
    truth = rng.random(geometry.shape) < 0.3
    assume(truth.sum() > 5)
    masks = [
        Mask(labels=truth ^ (rng.random(truth.shape) < rate), geometry=geometry, names={1: "t"})
        for rate in (0.05, 0.1, 0.2)
    ]
    ours, turned = staple(masks), staple(masks[::-1])
    assert np.abs(ours.probability - turned.probability).max() < 1e-6
    assert ours.sensitivity[0].value == pytest.approx(turned.sensitivity[2].value, abs=1e-6)
