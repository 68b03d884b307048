"""Importance of features and the stability of their choice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos.classic.importance import importance, stability
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
