"""FROC curves with intervals."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.bootstrap import Resampling
from onkos.stats.froc import (
    CPM_POINTS,
    cpm,
    froc_area,
    froc_curve,
    mean_sensitivity,
    sensitivity_at,
)
from onkos.stats.marks import Marks
from readings import study

PLAN = Resampling(resamples=400, threads=1)


def test_a_worked_example():
    marks = Marks(
        cases=("a", "b"),
        patients=("a", "b"),
        false_case=np.array([0, 1]),
        false_score=np.array([0.8, 0.6]),
        lesion_case=np.array([0, 0, 1, 1]),
        lesion_score=np.array([1.0, 0.8, 0.7, -np.inf]),
        lesion_weight=np.ones(4),
    )
    curve = froc_curve(marks)
    assert curve.thresholds.tolist() == [np.inf, 1.0, 0.8, 0.7, 0.6]
    assert curve.false_per_case.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve.sensitivity.tolist() == [0, 0.25, 0.5, 0.75, 0.75]
    assert [curve.at(x) for x in (0, 0.25, 0.5, 9)] == [0.25, 0.25, 0.75, 0.75]
    assert curve.at(0.25, between="linear") == pytest.approx(0.375)
    assert curve.area(upto=1) == pytest.approx((0.25 + 0.75) / 2)
    assert curve.area(upto=0.5, between="linear") == pytest.approx(0.5 * 0.375)
    assert curve.area(start=0.25, upto=0.75) == pytest.approx(0.25 * 0.25 + 0.25 * 0.75)


def test_estimates_hold_the_curve_and_say_who_was_missed(rng):
    marks = study(rng)
    curve = froc_curve(marks)
    found = sensitivity_at(marks, [2.0, 0.125, 0.5], rng=rng, plan=PLAN)
    for limit, one in zip([2.0, 0.125, 0.5], found, strict=True):
        assert one.value == pytest.approx(curve.at(limit))
        assert one.low < one.value < one.high
        assert (one.n, one.missed) == (15, marks.patients_missed)
        assert f"at {limit:g} false marks a case (step)" in str(one.method)
        assert f"{marks.unmarked} without a mark" in str(one.method)
    linear = [curve.at(point, between="linear") for point in CPM_POINTS]
    score = cpm(marks, rng=rng, plan=PLAN)
    assert score.value == pytest.approx(np.mean(linear))
    assert score.low < score.value < score.high
    area = froc_area(marks, upto=2.0, rng=rng, plan=PLAN)
    assert area.value == pytest.approx(curve.area(upto=2.0) / 2.0)
    assert area.missed == marks.patients_missed > 0


def test_the_same_rng_gives_the_same_interval(rng):
    marks = study(rng)
    first, second = (
        cpm(marks, rng=np.random.default_rng(4), plan=Resampling(resamples=400, threads=threads))
        for threads in (1, 2)
    )
    assert first == second


def test_what_is_refused(rng):
    marks = study(rng)
    for limits in ([], [-1.0], [np.nan]):
        with pytest.raises(ContentError, match="expected 0 or more"):
            sensitivity_at(marks, limits, rng=rng)
    with pytest.raises(ContentError, match="expected 0 or more"):
        mean_sensitivity(marks, [np.inf], rng=rng)
    with pytest.raises(ContentError, match="positive number"):
        froc_area(marks, upto=0.0, rng=rng)
    with pytest.raises(ContentError, match="start < upto"):
        froc_curve(marks).area(upto=0.0)
    with pytest.raises(ContentError, match="0 or more"):
        froc_curve(marks).at(-1.0)


def test_without_a_lesion_it_is_refused_by_name():
    nobody = Marks(
        cases=("a", "b"),
        patients=("a", "b"),
        false_case=np.array([0]),
        false_score=np.array([0.5]),
        lesion_case=np.array([], dtype=int),
        lesion_score=np.array([]),
        lesion_weight=np.array([]),
    )
    with pytest.raises(ContentError, match="FROC: none of 2 cases"):
        froc_curve(nobody)
