"""Areas within the folds of a cross-validation: what is refused, said, and how fast."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from onkos.core.errors import CohortError, ContentError, UsageError
from onkos.stats.delong import newcombe_interval
from onkos.stats.delong import paired_test as delong_test
from onkos.stats.folded.held_out import HeldOut
from onkos.stats.folded.ranked import inflation
from onkos.stats.folded.within import area_difference_within, area_within
from onkos.stats.multiclass import multiclass_auc


def arm(truth, scores, folds, *, patients=None, classes=()):
    """An arm of one repeat unless scores and folds have a further axis."""
    fold = np.asarray(folds)
    return HeldOut(
        truth=truth,
        scores=np.asarray(scores) if fold.ndim == 2 else np.asarray(scores)[None],
        folds=np.atleast_2d(fold),
        patients=range(len(truth)) if patients is None else patients,
        classes=classes,
    )


TRUTH = [1, 0, 0, 1, 0, 0]
FOLDS = [0, 0, 0, 1, 1, 1]


def test_only_pairs_of_the_same_fold_count():
    """By hand: fold 0 has 1 of 2 pairs in order, fold 1 one tie and one in order."""
    found = area_within(arm(TRUTH, [5, 4, 6, 0.2, 0.2, 0.1], FOLDS))
    assert found.value == (1 + 0 + 0.5 + 1) / 4
    assert found.n == 6
    assert "4 pairs of the same fold" in str(found.method)


def test_repeats_weigh_alike_and_are_no_further_patients():
    scores, folds = np.array([[5, 4, 6, 2, 2, 1], [5, 4, 6, 2, 2, 1]]), [FOLDS, [0, 0, 1, 1, 1, 0]]
    found = area_within(arm(TRUTH, scores, folds))
    assert found.value == pytest.approx((2.5 / 4 + (1 + 1 + 0 + 0.5) / 4) / 2)
    assert found.n == 6
    assert found.method.repeats == 2


def test_copies_of_a_repeat_change_nothing(rng):
    truth, scores, folds = np.arange(60) % 2, rng.normal(size=60), np.arange(60) // 2 % 5
    once = area_within(arm(truth, scores + truth, folds))
    thrice = area_within(arm(truth, np.tile(scores + truth, (3, 1)), np.tile(folds, (3, 1))))
    assert (thrice.low, thrice.value, thrice.high) == pytest.approx(
        (once.low, once.value, once.high)
    )


def test_a_constant_has_one_half_by_construction(rng):
    """Prevalences of the training cases fall below one half when folds are pooled."""
    truth = np.arange(60) < 7
    folds = rng.permutation(60) % 5
    prevalence = np.array([truth[folds != fold].mean() for fold in range(5)])[folds]
    found = area_within(arm(truth, prevalence, folds))
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)
    assert "by construction" in str(found.method)
    same = area_difference_within(arm(truth, prevalence, folds), arm(truth, truth * 0.0, folds))
    assert (same.p, same.difference.low, same.difference.high) == (1, 0, 0)


def test_against_a_constant_is_the_test_of_chance(rng):
    """Known variance of random order within folds, doubled; whichever arm is named first."""
    truth, folds = np.arange(80) % 4 == 0, np.arange(80) // 4 % 5
    scores = rng.normal(size=80) + 1.2 * truth
    constant = arm(truth, np.zeros(80), folds)
    found = area_difference_within(arm(truth, scores, folds), constant)
    exact = 5 * 4 * 12 * 17 / 12 / (5 * 4 * 12) ** 2
    z = found.difference.value / math.sqrt(inflation(5) * exact)
    assert found.p == pytest.approx(math.erfc(z / math.sqrt(2)))
    turned = area_difference_within(constant, arm(truth, scores, folds))
    assert turned.p == pytest.approx(found.p)
    assert turned.difference.value == pytest.approx(-found.difference.value)


@pytest.mark.parametrize("shift", [0.0, 0.4, 0.8, 1.2, 2.0])
def test_p_below_the_level_is_an_interval_without_zero(shift):
    truth, folds = np.arange(100) % 3 == 0, np.arange(100) // 3 % 5
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(size=(2, 100))
        first, second = arm(truth, noise[0] + shift * truth, folds), arm(truth, noise[1], folds)
        for level in (0.9, 0.95, 0.99):
            found = area_difference_within(first, second, level=level)
            out = found.difference.low > 0 or found.difference.high < 0
            assert out == (found.p < 1 - level)


def test_an_arm_near_chance_says_that_its_variance_counts_more(rng):
    truth, folds = np.arange(60) % 2, np.arange(60) // 2 % 5
    noise, good = rng.normal(size=60), rng.normal(size=60) + 3 * truth
    found = area_within(arm(truth, noise, folds))
    assert "not shown to rank better than chance" in str(found.method)
    assert "not shown" not in str(area_within(arm(truth, good, folds)).method)
    test = area_difference_within(arm(truth, good, folds), arm(truth, noise, folds))
    assert "second arm not shown" in str(test.method)
    assert "first arm" not in str(test.method)


def test_one_fold_is_not_inflated(rng):
    """Cases of another hospital: no judged case was trained on."""
    truth = np.arange(60) % 2
    first, second = rng.normal(size=(2, 60))
    found = area_difference_within(arm(truth, first, [0] * 60), arm(truth, second, [0] * 60))
    theirs = delong_test(truth, first, second)
    assert found.error == pytest.approx(theirs.error)
    assert theirs.p <= found.p < theirs.p + 0.02
    assert "not shown" not in str(found.method)


@pytest.mark.parametrize(("scores", "value"), [([3, 2, 1] * 4, 1), ([1, 2, 3] * 4, 0)])
def test_an_area_of_0_or_1_is_not_certain(scores, value):
    truth, folds = [1, 0, 0] * 4, np.repeat([0, 1], 6)
    found = area_within(arm(truth, scores, folds))
    assert (found.value, found.low, found.high) == (
        value,
        *newcombe_interval(value, positives=4, negatives=4),
    )
    noise = area_difference_within(arm(truth, scores, folds), arm(truth, np.arange(12) % 5, folds))
    assert noise.difference.low < noise.difference.value < noise.difference.high


def test_an_arm_does_not_differ_from_itself(rng):
    truth, folds, scores = np.arange(60) % 2, np.arange(60) % 5, rng.normal(size=60)
    found = area_difference_within(arm(truth, scores, folds), arm(truth, scores, folds))
    assert (found.difference.value, found.p, found.statistic) == (0, 1, 0)


def test_copies_of_a_patients_cases_do_not_narrow_the_interval(rng):
    truth, folds = np.arange(40) % 2, np.arange(40) // 2 % 4
    scores = rng.normal(size=40) + truth
    alone = area_within(arm(truth, scores, folds))
    copied = area_within(
        arm(
            *(np.repeat(one, 3) for one in (truth, scores, folds)), patients=np.repeat(range(40), 3)
        )
    )
    assert copied.value == pytest.approx(alone.value)
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high), abs=0.02)
    assert copied.n == 40


def test_folds_without_pairs_are_told_and_none_at_all_is_undefined():
    found = area_within(arm([1, 0, 1, 0, 0, 0], range(6), [0, 0, 1, 1, 2, 2]))
    assert "1 of 3 folds have one class only" in str(found.method)
    lone = arm(TRUTH, range(6), range(6))
    none = area_within(lone)
    assert math.isnan(none.value)
    assert "use fewer folds" in none.method.undefined
    assert math.isnan(area_difference_within(lone, lone).p)


def test_one_patient_of_a_class_says_nothing_of_others(rng):
    truth, folds, scores = [1] + [0] * 19, np.arange(20) % 5, rng.normal(size=(2, 20))
    found = area_within(arm(truth, scores[0], folds))
    assert found.high - found.low > 0.5
    assert "one patient" in str(found.method)
    test = area_difference_within(arm(truth, scores[0], folds), arm(truth, scores[1], folds))
    assert (test.p, test.difference.low, test.difference.high) == (1, -1, 1)


def three(rng, cases=150, repeats=1):
    truth = rng.integers(0, 3, size=cases)
    scores = rng.normal(size=(repeats, cases, 3)) + 1.2 * np.eye(3)[truth]
    return np.array(["benign", "cyst", "tumour"])[truth], scores


@pytest.mark.parametrize("average", ["hand-till", "macro"])
def test_several_classes_in_one_fold_are_the_plain_ones(rng, average):
    truth, scores = three(rng)
    names = ("benign", "cyst", "tumour")
    held = arm(truth, scores, [[0] * 150], classes=names)
    ours = area_within(held, average=average)
    theirs = multiclass_auc(truth, scores[0], classes=names, average=average, rng=rng)
    assert ours.value == pytest.approx(theirs.value)
    width = theirs.high - theirs.low
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.08 * width)


def test_several_classes_within_folds_know_no_prevalence(rng):
    truth, scores = three(rng, repeats=2)
    names = ("benign", "cyst", "tumour")
    folds = np.stack([rng.permutation(150) % 5 for _ in range(2)])
    good = arm(truth, scores, folds, classes=names)
    constant = arm(truth, np.repeat(folds[..., None] / 7, 3, axis=2), folds, classes=names)
    for average in ("hand-till", "macro"):
        assert area_within(constant, average=average).value == 0.5
        found = area_difference_within(good, constant, average=average)
        assert found.p < 1e-6
        turned = area_difference_within(constant, good, average=average)
        assert turned.p == pytest.approx(found.p)


def test_bad_input_is_refused():
    names = ("a", "b", "c")
    with pytest.raises(ContentError, match="scores of shape"):
        arm(TRUTH, np.zeros((2, 6)), FOLDS)
    with pytest.raises(ContentError, match="NaN"):
        arm(TRUTH, [math.nan] * 6, FOLDS)
    with pytest.raises(ContentError, match="folds of shape"):
        arm(TRUTH, range(6), [[0, 0], [1, 1]][0])
    with pytest.raises(ContentError, match="5 patients of 6 cases"):
        arm(TRUTH, range(6), FOLDS, patients=range(5))
    with pytest.raises(CohortError, match="patient 'p' is in several folds of repeat 1"):
        arm(TRUTH, range(6), FOLDS, patients=["p", "a", "b", "p", "c", "d"])
    with pytest.raises(ContentError, match="are not among"):
        arm(["a", "b", "d"], np.zeros((3, 3)), [0] * 3, classes=names)
    with pytest.raises(ContentError, match="do not occur"):
        arm(["a", "b", "b"], np.zeros((3, 3)), [0] * 3, classes=names)
    with pytest.raises(ContentError, match="folds of the two arms differ"):
        area_difference_within(arm(TRUTH, range(6), FOLDS), arm(TRUTH, range(6), [0] * 6))
    with pytest.raises(UsageError, match="average 'micro'"):
        area_within(arm(TRUTH, range(6), FOLDS), average="micro")


def test_twenty_thousand_cases_in_five_repeats_take_under_a_second(rng):
    truth = rng.random(20_000) < 0.3
    folds = np.stack([rng.permutation(20_000) % 5 for _ in range(5)])
    held = arm(truth, rng.normal(size=(5, 20_000)) + truth, folds)
    began = time.process_time()
    area_within(held)
    assert time.process_time() - began < 1
