"""Consensus of outlines: majority, STAPLE, SIMPLE."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.core.errors import ContentError, GeometryError, UsageError
from onkos.core.geometry import AnyArray, Geometry
from onkos.core.mask import Mask
from onkos.stats.consensus.majority import majority_vote
from onkos.stats.consensus.simple import simple
from onkos.stats.consensus.staple import staple
from onkos.stats.consensus.staple_labels import staple_labels
from onkos.stats.overlap import overlap

GRID = Geometry.upright((9, 14, 11), spacing_mm=(1, 2, 3))
NAMES = {1: "core", 2: "oedema"}


def outline(labels: AnyArray, names: dict[int, str] | None = None) -> Mask:
    return Mask(labels=labels.astype(np.uint8), geometry=GRID, names=names or NAMES)


def truth() -> AnyArray:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[2:7, 3:11, 2:9] = 2
    labels[3:6, 5:9, 4:7] = 1
    return labels


def read(rng: np.random.Generator, *rates: float) -> list[Mask]:
    """Readers that see a random label at each rate."""
    labels = truth()
    return [
        outline(np.where(rng.random(GRID.shape) < r, rng.integers(0, 3, GRID.shape), labels))
        for r in rates
    ]


def test_majority_of_three_and_ties_that_are_counted():
    a, b, c = (np.zeros(GRID.shape) for _ in range(3))
    a[0, 0, :4], b[0, 0, :4], c[0, 0, :2] = 1, [1, 1, 2, 0], [1, 2]
    found = majority_vote([outline(x) for x in (a, b, c)])
    assert found.mask.labels[0, 0, :5].tolist() == [1, 1, 0, 0, 0]
    assert found.undecided == 1
    assert majority_vote([outline(a), outline(b)]).undecided == 2


def test_labels_are_matched_by_name_not_by_number():
    a = outline(truth())
    swapped = outline(np.array([0, 2, 1])[truth()], {1: "oedema", 2: "core"})
    found = majority_vote([a, swapped])
    assert found.undecided == 0
    assert overlap(found.mask, a, "core").dice == 1.0
    assert overlap(majority_vote([a, swapped], "core").mask, a, "core").dice == 1.0


def test_staple_finds_the_truth_and_who_is_how_good(rng):
    readings = read(rng, 0.05, 0.1, 0.3, 0.3)
    found = staple(readings)
    assert found.converged
    assert found.upside_down == ()
    seen = [np.asarray(reading.labels != 0) for reading in readings]
    real = truth() != 0
    for reader, mask in enumerate(seen):
        assert found.sensitivity[reader].value == pytest.approx(mask[real].mean(), abs=0.03)
        assert found.specificity[reader].value == pytest.approx((~mask[~real]).mean(), abs=0.03)
    reference = outline(truth())
    best = max(overlap(reading, reference).dice for reading in readings)
    assert overlap(found.mask, reference).dice > best
    assert (
        overlap(found.mask, reference).dice > overlap(majority_vote(readings).mask, reference).dice
    )


def test_standard_errors_of_staple_are_those_of_repeated_studies(rng):
    """Voxels are independent here, as the standard errors assume."""
    values, held = [], 0
    for _ in range(150):
        real = rng.random(GRID.shape) < 0.3
        readings = []
        for p, q in ((0.8, 0.9), (0.7, 0.95), (0.9, 0.8)):
            seen = np.where(real, rng.random(GRID.shape) < p, rng.random(GRID.shape) > q)
            readings.append(outline(seen, {1: "core"}))
        found = staple(readings, prior=0.3).sensitivity[0]
        values.append(found.value)
        held += found.low <= 0.8 <= found.high
    assert 0.9 <= held / 150 <= 0.99
    error = float(str(found.method).split("standard error ")[1].split(" ")[0])
    assert error == pytest.approx(np.std(values), rel=0.25)


def test_a_constant_map_is_the_prior_it_holds(rng):
    readings = read(rng, 0.1, 0.2, 0.3)
    number, field = staple(readings, prior=0.25), staple(readings, prior=np.full(GRID.shape, 0.25))
    assert np.abs(number.probability - field.probability).max() < 1e-9
    assert number.sensitivity[1].value == pytest.approx(field.sensitivity[1].value)
    assert number.sensitivity[1].low == pytest.approx(field.sensitivity[1].low)


def test_an_atlas_draws_the_outline_towards_it(rng):
    readings = read(rng, 0.3, 0.3, 0.3)
    atlas = np.where(truth() != 0, 0.9, 0.02)
    with_it, without = staple(readings, prior=atlas), staple(readings)
    reference = outline(truth())
    assert overlap(with_it.mask, reference).dice > overlap(without.mask, reference).dice
    certain = staple(readings, prior=np.where(truth() != 0, 1.0, 0.0))
    assert np.array_equal(certain.mask.labels != 0, truth() != 0)


def test_looking_only_within_a_region_leaves_the_rest_empty(rng):
    readings = read(rng, 0.2, 0.2, 0.2)
    region = np.zeros(GRID.shape, dtype=bool)
    region[:5] = True
    for prior in ("readings", np.full(GRID.shape, 1.0 - 1e-9)):
        found = staple(readings, within=region, prior=prior)
        assert not found.probability[5:].any()
    assert found.sensitivity[0].n + found.specificity[0].n == region.sum()


def test_many_labels_give_what_the_binary_method_gives_for_one(rng):
    readings = [reading.select("core") for reading in read(rng, 0.1, 0.2, 0.3)]
    binary, many = staple(readings, "core"), staple_labels(readings)
    assert [e.value for e in many.sensitivity["core"]] == pytest.approx(
        [e.value for e in binary.sensitivity], abs=1e-6
    )
    assert np.array_equal(many.mask.labels, binary.mask.labels)


def test_labels_are_found_and_confusions_add_to_one(rng):
    found = staple_labels(read(rng, 0.1, 0.15, 0.4))
    assert found.converged
    assert found.confusion.sum(axis=2) == pytest.approx(np.ones((3, 3)))
    assert found.sensitivity["oedema"][0].value > found.sensitivity["oedema"][2].value
    held = staple_labels(read(rng, 0.1, 0.15, 0.4), prior={"core": 0.05, "oedema": 0.2})
    assert held.prior.tolist() == pytest.approx([0.75, 0.05, 0.2])


def test_a_small_tissue_needs_an_estimated_prior(rng):
    """The share over all readings is swollen by noise: the trap of the paper's default."""
    readings, reference = read(rng, 0.1, 0.15, 0.4), outline(truth())
    swollen, estimated = staple_labels(readings), staple_labels(readings, prior="estimated")
    real = np.mean(truth() == 1)
    assert swollen.prior[1] > 3 * real
    assert estimated.prior[1] == pytest.approx(real, abs=0.01)
    gain = overlap(estimated.mask, reference, "core").dice
    assert gain > overlap(swollen.mask, reference, "core").dice + 0.1
    small = [reading.select("core") for reading in readings]
    binary = staple(small, prior="estimated")
    assert binary.prior == pytest.approx(real, abs=0.015)
    assert binary.prior < staple(small).prior


def test_readers_worse_than_a_coin_are_named(rng):
    good = read(rng, 0.05, 0.05, 0.05)
    liar = outline(np.where(truth() != 0, 0, 1))
    assert staple([*good, liar]).upside_down == (3,)


def test_an_unfinished_iteration_says_so(rng):
    found = staple(read(rng, 0.1, 0.2, 0.3), most=2)
    assert (found.converged, found.iterations) == (False, 2)
    assert not staple_labels(read(rng, 0.1, 0.2, 0.3), most=1).converged


def test_simple_drops_the_reader_who_looked_elsewhere(rng):
    elsewhere = np.zeros(GRID.shape)
    elsewhere[0:2, 0:3] = 1
    found = simple([*read(rng, 0.05, 0.05, 0.05, 0.1), outline(elsewhere)])
    assert found.converged
    assert 4 not in found.kept
    assert found.dice[4] < 0.2
    assert overlap(found.mask, outline(truth())).dice > 0.95


def test_simple_never_keeps_fewer_than_asked(rng):
    readings = read(rng, 0.01, 0.2, 0.4)
    assert simple(readings).kept == (0, 1, 2)
    assert len(simple(readings, at_least=1, keep_sd=0.1).kept) < 3
    with pytest.raises(UsageError, match="keep_sd"):
        simple(readings, keep_sd=0)


def test_too_many_labels_for_a_table_are_counted_all_the_same(rng):
    """More patterns are possible than a table of them may hold."""
    names = {k: f"t{k}" for k in range(1, 50)}
    labels = rng.integers(0, 50, size=GRID.shape)
    readings = [outline(labels, names) for _ in range(5)]
    assert np.array_equal(majority_vote(readings).mask.labels, labels)
    region = labels < 25
    found = majority_vote(readings, within=region).mask.labels
    assert np.array_equal(found, np.where(region, labels, 0))


def test_what_has_no_consensus_is_refused(rng):
    empty, full = outline(np.zeros(GRID.shape)), outline(np.ones(GRID.shape))
    other = Mask(
        labels=np.zeros(GRID.shape, dtype=np.uint8),
        geometry=Geometry.upright(GRID.shape, spacing_mm=(1, 2, 4)),
        names=NAMES,
    )
    some = read(rng, 0.1, 0.1)
    with pytest.raises(ContentError, match="two at least"):
        majority_vote([empty])
    for nothing in (empty, full):
        with pytest.raises(ContentError, match="outlined nothing, or everything"):
            staple([nothing, nothing])
    with pytest.raises(ContentError, match="labelled anything"):
        staple_labels([empty, empty])
    with pytest.raises(GeometryError, match="finding a consensus"):
        staple([empty, other])
    with pytest.raises(ContentError, match=r"tissues \['cyst'\] are in no reading"):
        staple(some, "cyst")
    with pytest.raises(ContentError, match="no voxel lies within"):
        staple(some, within=np.zeros(GRID.shape, dtype=bool))
    with pytest.raises(GeometryError, match="within of shape"):
        staple(some, within=np.ones((2, 2, 2), dtype=bool))


def test_priors_that_are_none_are_refused(rng):
    some = read(rng, 0.1, 0.1)
    with pytest.raises(UsageError, match="expected readings, estimated"):
        staple(some, prior="guess")
    with pytest.raises(UsageError, match="expected readings, estimated"):
        staple_labels(some, prior="guess")
    for prior in (0.0, math.nan, np.full(GRID.shape, 1.5)):
        with pytest.raises(ContentError, match="prior"):
            staple(some, prior=prior)
    with pytest.raises(GeometryError, match="prior of shape"):
        staple(some, prior=np.full((2, 2, 2), 0.5))
    with pytest.raises(ContentError, match="no doubt anywhere"):
        staple(some, prior=np.zeros(GRID.shape))
    with pytest.raises(ContentError, match="sum below 1"):
        staple_labels(some, prior={"core": 0.5, "oedema": 0.6})
    with pytest.raises(ContentError, match="a share of each"):
        staple_labels(some, prior={"core": 0.5})
