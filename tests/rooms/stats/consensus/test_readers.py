"""Readers against the consensus of the others, and class labels of readers of unlike skill."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError, UsageError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.consensus.dawid_skene import dawid_skene
from onkos.stats.consensus.readers import judge_raters, judge_readers

GRID = Geometry.upright((8, 9, 7), spacing_mm=(1, 2, 3))


def outline(labels: np.ndarray) -> Mask:
    return Mask(labels=labels.astype(np.uint8), geometry=GRID, names={1: "tumour"})


def cases(rng: np.random.Generator, n: int, *rates: float) -> list[list[Mask]]:
    found = []
    for _ in range(n):
        truth = np.zeros(GRID.shape, dtype=bool)
        truth[2:6, 2 : 5 + int(rng.integers(0, 3)), 1:5] = True
        found.append([outline(truth ^ (rng.random(GRID.shape) < rate)) for rate in rates])
    return found


@pytest.mark.parametrize("method", ["majority", "staple", "simple"])
def test_a_readers_own_vote_flatters_them(rng, method):
    images = cases(rng, 8, 0.15, 0.15, 0.15)
    alone = judge_readers(images, method=method, rng=rng)
    together = judge_readers(images, method=method, rng=rng, leave_out=False)
    for reader in range(3):
        assert together[reader].dice.value > alone[reader].dice.value
        assert alone[reader].dice.n == 8
        assert alone[reader].dice.low <= alone[reader].dice.value <= alone[reader].dice.high


def test_the_better_reader_is_better(rng):
    scores = judge_readers(cases(rng, 6, 0.01, 0.05, 0.05, 0.2), method="staple", rng=rng)
    assert scores[0].dice.low > scores[3].dice.high
    assert scores[0].sensitivity.value > scores[3].sensitivity.value
    assert scores[0].specificity.value > scores[3].specificity.value


def test_a_missed_tumour_costs_and_is_counted(rng):
    images = cases(rng, 4, 0.0, 0.0, 0.0)
    images[0][2] = outline(np.zeros(GRID.shape))
    score = judge_readers(images, rng=rng)[2]
    assert score.dice.value == pytest.approx(0.75)
    assert score.sensitivity.value == pytest.approx(0.75)
    assert (score.dice.missed, score.sensitivity.missed) == (1, 1)


def test_an_empty_consensus_has_no_sensitivity_and_punishes_what_was_drawn(rng):
    empty = [outline(np.zeros(GRID.shape)) for _ in range(3)]
    drawn = np.zeros(GRID.shape)
    drawn[1, 1, 1] = 1
    images = [*cases(rng, 2, 0.0, 0.0, 0.0, 0.0), [*empty, outline(drawn)]]
    for method in ("majority", "staple", "simple"):
        score = judge_readers(images, method=method, rng=rng)[3]
        assert score.dice.value == pytest.approx(2 / 3)
        assert (score.sensitivity.n, score.dice.n) == (2, 3)


def test_images_of_one_patient_are_one_unit(rng):
    images = cases(rng, 6, 0.1, 0.1, 0.1)
    score = judge_readers(images, patients=list("aabbcc"), rng=rng)[0]
    assert score.dice.n == 3


def test_a_region_to_look_at_makes_specificity_earn_its_name(rng):
    images = cases(rng, 3, 0.1, 0.1, 0.1)
    region = np.zeros(GRID.shape, dtype=bool)
    region[2:6, 2:5, 1:5] = True
    whole = judge_readers(images, rng=rng)[0].specificity
    inside = judge_readers(images, rng=rng, within=[region] * 3)[0].specificity
    assert inside.high < whole.low  # what is left outside are only errors of the others


def test_judging_refuses_what_it_cannot_use(rng):
    images = cases(rng, 2, 0.1, 0.1, 0.1)
    with pytest.raises(ContentError, match="expected three"):
        judge_readers([case[:2] for case in images], rng=rng)
    with pytest.raises(ContentError, match="expected the same in all"):
        judge_readers([images[0], images[1][:2]], rng=rng)
    with pytest.raises(ContentError, match="0 cases"):
        judge_readers([], rng=rng)
    with pytest.raises(UsageError, match="majority, staple, simple"):
        judge_readers(images, method="vote", rng=rng)
    with pytest.raises(ContentError, match="1 patients"):
        judge_readers(images, patients=["a"], rng=rng)


def rated(rng: np.random.Generator, n: int, *skills: float) -> tuple[np.ndarray, np.ndarray]:
    truth = rng.integers(0, 3, size=n)
    guess = rng.integers(0, 3, size=(n, len(skills)))
    return truth, np.where(rng.random((n, len(skills))) < skills, truth[:, None], guess)


def test_raters_against_the_majority_of_the_others():
    ratings = Ratings.of(
        [["m", "m", "m"], ["m", "m", "b"], ["b", "b", "b"], ["b", "b", "m"], ["m", "b", "m"]]
    )
    rng = np.random.default_rng(0)
    alone = judge_raters(ratings, positive=["m"], rng=rng)
    assert (alone[0].sensitivity.value, alone[0].sensitivity.n) == (1.0, 1)
    assert (alone[0].specificity.value, alone[0].specificity.n) == (1.0, 1)
    together = judge_raters(ratings, positive=["m"], rng=rng, leave_out=False)
    assert together[2].sensitivity.value == pytest.approx(2 / 3)
    assert together[2].specificity.value == pytest.approx(1 / 2)
    with pytest.raises(ContentError, match="positive"):
        judge_raters(ratings, positive=["x"], rng=rng)


def test_dawid_and_skene_weigh_readers_by_their_skill(rng):
    truth, values = rated(rng, 400, 0.95, 0.5, 0.5)
    table = values.astype(object)
    table[rng.random(table.shape) < 0.1] = None
    found = dawid_skene(Ratings.of(table))
    ratings = Ratings.of(table)
    right = np.mean(np.array(found.labels) == truth[ratings.rows])
    majority = np.mean(
        [np.bincount(row).argmax() == t for row, t in zip(values, truth, strict=True)]
    )
    assert found.converged
    assert right > majority
    assert found.sensitivity[0][0].value == pytest.approx(0.95 + 0.05 / 3, abs=0.05)
    assert found.probability.sum(axis=1) == pytest.approx(np.ones(len(ratings.rows)))
    assert found.prevalence == pytest.approx(np.full(3, 1 / 3), abs=0.1)


def test_dawid_and_skene_need_readers():
    with pytest.raises(ContentError, match="not counts"):
        dawid_skene(Ratings.counted([[2, 1], [0, 3]]))
