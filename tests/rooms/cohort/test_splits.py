"""Folds drawn several times."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.cohort.splits import folds_by_patient, repeated_folds
from onkos.core.errors import UsageError
from toys import toy_cohort


def held_out(folds):
    return [[case.id for case in fold.test] for fold in folds]


def test_the_first_repeat_is_the_split_without_repeats():
    cohort = toy_cohort(9, cases_each=2)
    alone = folds_by_patient(cohort, 3, rng=np.random.default_rng(5))
    assert held_out(repeated_folds(cohort, 3, repeats=4, seed=5)[0]) == held_out(alone)


def test_every_repeat_deals_patients_anew_and_holds_each_out_once():
    cohort = toy_cohort(12, cases_each=2)
    made = repeated_folds(cohort, 3, repeats=5, seed=1)
    dealt = {str(held_out(folds)) for folds in made}
    assert len(dealt) == 5
    for folds in made:
        everyone = [name for fold in held_out(folds) for name in fold]
        assert sorted(everyone) == sorted(case.id for case in cohort.cases)
        for fold in folds:
            assert not {c.patient for c in fold.train} & {c.patient for c in fold.test}


def test_a_repeat_does_not_depend_on_how_many_follow():
    cohort = toy_cohort(9)
    few, many = (repeated_folds(cohort, 3, repeats=n, seed=2) for n in (2, 6))
    assert [held_out(one) for one in few] == [held_out(one) for one in many[:2]]


def test_no_repeat_is_a_usage_error():
    with pytest.raises(UsageError, match="expected 1 or more"):
        repeated_folds(toy_cohort(6), 2, repeats=0, seed=0)
