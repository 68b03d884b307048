"""Sizes of the next study."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import UsageError
from onkos.stats.readers.dbm import CaseComponents
from onkos.stats.readers.sizing import Pilot, alternatives, cases_for, power, power_by_dbm

PILOT = Pilot(interaction=0.0002, var=0.0008, cov1=0.00034, cov2=0.00034, cov3=0.00024, cases=114)


def test_no_difference_is_found_as_often_as_alpha_says():
    for factors in ("RRRC", "FRRC", "RRFC"):
        found = power(PILOT, difference=0, readers=5, cases=100, factors=factors, alpha=0.03)
        assert found.power == pytest.approx(0.03)


def test_more_readers_more_cases_and_larger_differences_help():
    base = power(PILOT, difference=0.04, readers=5, cases=100).power
    assert power(PILOT, difference=0.04, readers=6, cases=100).power > base
    assert power(PILOT, difference=0.04, readers=5, cases=120).power > base
    assert power(PILOT, difference=-0.05, readers=5, cases=100).power > base


def test_the_fewest_cases_are_the_fewest():
    found = cases_for(PILOT, difference=0.05, readers=8)
    assert found.power >= 0.8
    assert power(PILOT, difference=0.05, readers=8, cases=found.cases - 1).power < 0.8


def test_readers_who_cannot_reach_the_power_are_left_out():
    sizes = alternatives(PILOT, difference=0.03, readers=(2, 8, 12, 16))
    assert 2 not in {size.readers for size in sizes}
    assert cases_for(PILOT, difference=0.03, readers=2) is None
    cases = [size.cases for size in sizes]
    assert cases == sorted(cases, reverse=True)
    assert len(cases) >= 2


def test_components_of_either_method_plan_the_same_study():
    parts = CaseComponents(
        reader=0.001,
        case=0.02,
        modality_reader=0.0003,
        modality_case=0.01,
        reader_case=0.012,
        error=0.04,
    )
    pilot = Pilot.of_dbm(parts, cases=100)
    one = power(pilot, difference=0.05, readers=6, cases=150)
    other = power_by_dbm(parts, difference=0.05, readers=6, cases=150)
    assert one.power == pytest.approx(other.power)
    assert one.df2 == pytest.approx(other.df2)


@pytest.mark.parametrize(
    "wrong", [{"readers": 1}, {"cases": 1}, {"alpha": 0.0}, {"difference": np.nan}]
)
def test_no_study_is_refused(wrong):
    with pytest.raises(UsageError, match="expected at least"):
        power(PILOT, **{"difference": 0.05, "readers": 5, "cases": 100, **wrong})


def test_a_pilot_without_variance_is_refused():
    empty = Pilot(interaction=0, var=0, cov1=0, cov2=0, cov3=0, cases=10)
    with pytest.raises(UsageError, match="too small to plan by"):
        power(empty, difference=0.05, readers=5, cases=100)
