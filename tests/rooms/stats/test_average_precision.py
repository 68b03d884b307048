"""Average precision with intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from onkos.core.errors import CohortError, ContentError
from onkos.stats.average_precision import average_precision, mean_average_precision
from onkos.stats.bootstrap import Resampling
from onkos.stats.marks import Marks

PLAN = Resampling(resamples=200, threads=1)


def marks(scores: list[float], wrong: list[float]) -> Marks:
    """One lesion and one false mark a case."""
    n = max(len(scores), len(wrong))
    return Marks(
        cases=tuple(range(n)),
        patients=tuple(range(n)),
        false_case=np.arange(len(wrong)),
        false_score=np.array(wrong, dtype=float),
        lesion_case=np.arange(len(scores)),
        lesion_score=np.array(scores, dtype=float),
        lesion_weight=np.ones(len(scores)),
    )


def test_agrees_with_scikit_learn_where_no_lesion_is_missed(rng):
    scores, wrong = rng.integers(2, 9, size=30), rng.integers(0, 7, size=40)
    found = average_precision(marks(scores.tolist(), wrong.tolist()), rng=rng, plan=PLAN)
    truth = np.repeat([1, 0], [30, 40])
    expected = average_precision_score(truth, np.concatenate([scores, wrong]))
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high
    assert (found.n, found.missed) == (40, 0)


def test_a_worked_example_of_both_ways_to_read():
    """Hit, false, hit, and one lesion missed: precisions 1, 1/2, 2/3 at recalls 1/3, 1/3, 2/3."""
    rng = np.random.default_rng(0)
    one = marks([0.9, 0.5, -np.inf], [0.7])
    step = average_precision(one, rng=rng, plan=PLAN)
    assert step.value == pytest.approx((1 + 2 / 3) / 3)
    assert step.missed == 1
    assert "3 lesions of which 1 without a mark" in str(step.method)
    coco = average_precision(one, rng=rng, read="coco", plan=PLAN)
    assert coco.value == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)


def test_mean_over_criteria_misses_what_the_lenient_one_misses(rng):
    lenient, strict = marks([0.9, 0.5, -np.inf], [0.7]), marks([0.9, -np.inf, -np.inf], [0.7, 0.5])
    found = mean_average_precision({0.5: lenient, 0.75: strict}, rng=rng, read="step", plan=PLAN)
    assert found.value == pytest.approx(((1 + 2 / 3) / 3 + 1 / 3) / 2)
    assert found.missed == 1
    assert "criteria 0.5, 0.75" in str(found.method)


def test_nothing_marked_at_all_is_zero(rng):
    found = average_precision(marks([-np.inf] * 3, []), rng=rng, plan=PLAN)
    assert (found.value, found.low, found.high, found.missed) == (0.0, 0.0, 0.0, 3)
    assert "understates the uncertainty" in str(found.method)


def test_what_is_refused(rng):
    one = marks([0.9, 0.5], [0.7])
    with pytest.raises(ContentError, match="none of 1 cases has a lesion"):
        average_precision(marks([], [0.7]), rng=rng)
    with pytest.raises(ContentError, match="'voc'"):
        average_precision(one, rng=rng, read="voc")
    with pytest.raises(ContentError, match="no criterion"):
        mean_average_precision({}, rng=rng)
    with pytest.raises(CohortError, match="different cases"):
        mean_average_precision({0.5: one, 0.6: replace(one, cases=("x", "y"))}, rng=rng)
