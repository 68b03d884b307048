"""Means in which no miss is dropped."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.aggregate import mean_with_misses

PATIENTS = ["a", "a", "b", "c", "d"]
MISSED = [True, False, False, True, False]


def test_a_miss_counts_what_it_costs(rng):
    found = mean_with_misses(
        [np.nan, 2.0, 3.0, np.inf, 5.0], missed=MISSED, patients=PATIENTS, rng=rng, miss_costs=50.0
    )
    assert found.value == pytest.approx((50 + 2 + 3 + 50 + 5) / 5)
    assert (found.n, found.missed) == (4, 2)
    assert found.low < found.value < found.high
    assert "2 of 5 cases missed, each counted as 50" in str(found.method)


def test_without_a_cost_the_value_of_the_miss_counts(rng):
    found = mean_with_misses([0.0, 0.9, 0.8, 0.0, 0.7], missed=MISSED, patients=PATIENTS, rng=rng)
    assert found.value == pytest.approx(2.4 / 5)
    assert "2 of 5 cases missed, each counted as its own value" in str(found.method)


def test_nothing_missed_is_said_by_zero(rng):
    found = mean_with_misses([1.0, 2.0], missed=[False, False], patients="ab", rng=rng)
    assert found.missed == 0
    assert "missed" not in str(found.method)


def test_what_is_refused(rng):
    with pytest.raises(ContentError, match=r"\[0\] are not finite"):
        mean_with_misses([np.nan, 1.0], missed=[True, False], patients="ab", rng=rng)
    with pytest.raises(ContentError, match=r"\[1\] are not finite"):
        mean_with_misses(
            [np.nan, np.nan], missed=[True, False], patients="ab", rng=rng, miss_costs=9.0
        )
    with pytest.raises(ContentError, match="are not finite"):
        mean_with_misses([0.5, 1], missed=[True, False], patients="ab", rng=rng, miss_costs=np.inf)
    with pytest.raises(ContentError, match="expected one each"):
        mean_with_misses([1.0], missed=[True, False], patients="ab", rng=rng)
    with pytest.raises(ContentError, match="expected a boolean"):
        mean_with_misses([1.0, 2.0], missed=[1, 0], patients="ab", rng=rng)
