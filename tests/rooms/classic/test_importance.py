"""Importance of features and the stability of their choice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos.classic.importance import importance, left_out_importance, stability
from onkos.classic.members import MEMBERS
from onkos.core.errors import CohortError


def test_the_feature_that_tells_comes_first_with_an_interval_above_zero(rng):
    y = np.arange(120) % 2
    x = rng.normal(size=(120, 6))
    x[:, 3] += 2.0 * y
    member = replace(MEMBERS["lda"], candidates=MEMBERS["lda"].candidates[-1:], folds=3)
    found = importance(member, x, y, np.arange(120) // 2, rng=rng, folds=3)
    first, *others = found.features
    assert first.feature == 3
    assert first.loss.low > 0.1
    assert first.loss.n == 60
    assert first.selected.value == 1
    assert all(other.loss.low <= 0.02 for other in others)
    assert np.isnan(found.stability.value)  # all features in all refits: nothing was chosen


def test_stability_of_equal_and_of_random_choices(rng):
    same = np.tile(np.arange(20) < 5, (8, 1))
    assert stability(same).value == pytest.approx(1)
    lots = np.stack([rng.permutation(20) < 5 for _ in range(400)])
    found = stability(lots)
    assert found.value == pytest.approx(0, abs=0.02)
    assert found.low < found.value < found.high


def test_stability_of_a_worked_example():
    """Frequencies 1, 1/2, 1/2 of three features over two refits of two features each."""
    found = stability(np.array([[True, True, False], [True, False, True]]))
    spread = 2 / 1 * (0.25 + 0.25) / 3
    assert found.value == pytest.approx(1 - spread / (2 / 3 * 1 / 3))


def test_a_class_of_one_patient_is_refused(rng):
    with pytest.raises(CohortError, match="single patient"):
        importance(
            MEMBERS["lda"], rng.normal(size=(6, 2)), [0, 0, 0, 0, 1, 1], list("abcdee"), rng=rng
        )


@pytest.mark.parametrize("name", ["lda", "extra-trees", "svm"])
def test_shuffling_prepared_columns_is_shuffling_raw_ones(rng, name):
    """The same permutations, done feature by feature on raw values."""
    y = np.arange(80) % 2
    x = rng.normal(size=(80, 5))
    x[:, 1] += 1.5 * y
    x[3, 2] = np.nan
    member = replace(MEMBERS[name], candidates=MEMBERS[name].candidates[:1], folds=2)
    fitted = member.fit(x[:50], y[:50], np.arange(50), rng=rng)
    told = [str(v) for v in y[50:]]
    found = left_out_importance(
        fitted, x[50:], told, among=lambda: x[:50], rng=np.random.default_rng(7)
    )
    again = np.random.default_rng(7)
    own = np.arange(30), y[50:]
    for column, group in enumerate(found.features):
        rise = np.zeros(30)
        for _ in range(found.shuffles):
            shuffled = x[50:].copy()
            shuffled[:, group] = x[50:][np.ix_(again.permutation(30), group)]
            rise += np.log(fitted.probabilities(x[50:])[own] / fitted.probabilities(shuffled)[own])
        np.testing.assert_allclose(found.rises[:, column], rise / found.shuffles, atol=1e-9)
    assert set(np.concatenate(found.features)) == set(np.flatnonzero(fitted.selected))


def test_of_many_features_those_that_go_along_are_shuffled_as_one(rng):
    y = np.arange(120) % 2
    shared = rng.normal(size=(120, 30)) + 0.6 * y[:, None]
    x = np.repeat(shared, 9, axis=1) + 0.5 * rng.normal(size=(120, 270))
    member = replace(MEMBERS["lda"], candidates=MEMBERS["lda"].candidates[-1:], folds=2)
    fitted = member.fit(x, y, np.arange(120), rng=rng)
    told = [str(v) for v in y]
    found = left_out_importance(fitted, x, told, among=lambda: x, rng=rng)
    assert len(found.features) <= 200 < fitted.selected.sum()
    assert sorted(np.concatenate(found.features)) == list(range(270))
    for group in found.features:
        assert len({int(column) // 9 for column in group}) == 1  # of one origin


def test_a_member_that_answers_too_slowly_is_given_up_and_a_class_it_does_not_know_has_no_rise(rng):
    y = np.arange(40) % 2
    x = rng.normal(size=(40, 3)) + y[:, None]
    fitted = MEMBERS["naive-bayes"].fit(x, y, np.arange(40), rng=rng)
    asked = {"among": lambda: x, "rng": rng}
    assert left_out_importance(fitted, x, [str(v) for v in y], limit_s=-1.0, **asked) is None
    found = left_out_importance(fitted, x, ["2"] * 40, **asked)
    assert not found.rises.any()
