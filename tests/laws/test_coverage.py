"""Nominal 95 % intervals hold the truth about as often as they say (simulated studies).

The bounds are those that an interval of exactly 95 % would leave once in a thousand times, so
that a test fails for undercoverage that so many studies can show; ``bench/coverage.py`` runs
the whole.
"""

from __future__ import annotations

import pytest

from simulated_studies import HARD, STUDIES, bounds, covered

QUICK = {
    "AUC 0.8, DeLong, 25 + 40": 500,
    "AUC 0.8, bootstrap, 25 + 40": 400,
    "AUC difference, DeLong, paired": 400,
    "AUC of lesions, Obuchowski, 60 patients": 400,
    "Dice mean, 20 patients": 400,
    "proportion, Wilson, 60": 1000,
    "odds ratio difference, unequal": 500,
}


@pytest.mark.parametrize("name", QUICK)
def test_intervals_hold_the_truth_as_often_as_they_say(name):
    studies = QUICK[name]
    low, high = bounds(studies)
    found = covered(STUDIES[name], studies=studies, seed=20261124, resamples=400)
    assert low <= found.share <= high, found


def test_the_check_notices_intervals_that_are_too_narrow():
    """Few patients with misses: no method at hand holds, and the check says so."""
    found = covered(HARD["Dice mean, 20 patients, 8 % missed"], studies=400, seed=0)
    assert found.share < bounds(400)[0]
    assert found.below > found.above or found.above > found.below
