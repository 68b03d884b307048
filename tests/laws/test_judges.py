"""What must not change a judgement: the scale of scores, the unit of time or length, any order."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onkos.core.answers import Finding, Findings, ObservedOutcome, Risk
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.comparison import Answered, Predicted
from onkos.core.study import Patient, Study
from onkos.core.task import Task
from onkos.judge import Settings, judge

SEEDS = st.integers(0, 10_000)


def judged(task, truths, answers, **asked):
    cohort = Cohort(
        name="toy",
        cases=tuple(
            Case(
                id=f"c{k}",
                patient=f"P{k // 2}" if task is Task.DETECT else f"P{k}",
                load=lambda: Study(patient=Patient(id="P")),
                truths=truth,
            )
            for k, truth in truths.items()
        ),
    )
    patients = {case.id: case.patient for case in cohort.cases}
    answered = tuple(
        Answered(case=f"c{k}", patient=patients[f"c{k}"], answers={task: one})
        for k, one in answers.items()
    )
    predicted = Predicted(name="model", repeats=(answered,))
    return judge([predicted], cohort, tasks=(task,), **asked).judgements[0].metrics


def values(metrics):
    return {name: one.value for name, one in metrics.items()}


def findings(seed, *, scale=1.0, rescored=float, backwards=False):
    """Lesions and marks of eight cases; scores are few, so that many are equal."""
    rng = np.random.default_rng(seed)
    truths, answers = {}, {}
    for k in range(8):
        lesions = [Finding(centre=tuple(scale * rng.uniform(0, 60, 2))) for _ in range(k % 3)]
        near = [
            Finding(
                centre=tuple(np.add(lesion.centre, scale * rng.normal(0, 4, 2))),
                score=rescored(int(rng.integers(1, 5))),
            )
            for lesion in lesions
        ]
        wrong = [
            Finding(
                centre=tuple(scale * rng.uniform(0, 60, 2)),
                score=rescored(int(rng.integers(1, 5))),
            )
            for _ in range(rng.poisson(1.5))
        ]
        marks = [*near, *wrong]
        truths[k] = known_truths(lesions=Findings(marks=tuple(lesions)))
        answers[k] = Findings(marks=tuple(marks[::-1] if backwards else marks))
    return truths, answers


@given(seed=SEEDS)
@settings(max_examples=4, deadline=None)
def test_only_the_order_of_scores_counts_and_no_order_of_marks(seed):
    plain = values(judged(Task.DETECT, *findings(seed)))
    other = values(judged(Task.DETECT, *findings(seed, rescored=lambda s: math.exp(s) - 7)))
    assert plain == other
    backwards = values(judged(Task.DETECT, *findings(seed, backwards=True)))
    assert backwards == pytest.approx(plain, nan_ok=True)


@given(seed=SEEDS)
@settings(max_examples=4, deadline=None)
def test_lengths_may_be_told_in_any_unit(seed):
    plain = values(judged(Task.DETECT, *findings(seed)))
    metres = judged(
        Task.DETECT, *findings(seed, scale=0.25), settings=replace(Settings(), distance_mm=2.5)
    )
    assert values(metres) == pytest.approx(plain, nan_ok=True)


def risks(seed, *, unit=1.0, rescored=None):
    rng = np.random.default_rng(seed)
    marker = rng.normal(size=24)
    time = np.ceil(rng.exponential(10 * np.exp(-marker)))  # whole days, so that some tie
    event = rng.uniform(size=24) < 0.6
    truths = {
        k: known_truths(outcome=ObservedOutcome(time=unit * float(time[k]), event=bool(event[k])))
        for k in range(24)
    }
    if rescored:
        return truths, {k: Risk(score=float(rescored(marker[k]))) for k in range(24)}
    at = (2.0, 5.0)
    return truths, {
        k: Risk(by={unit * t: float(1 - np.exp(-t * np.exp(marker[k]) / 10)) for t in at})
        for k in range(24)
    }


@given(seed=SEEDS)
@settings(max_examples=4, deadline=None)
def test_only_the_order_of_risk_scores_counts(seed):
    plain = judged(Task.PROGNOSE, *risks(seed, rescored=float))
    other = judged(Task.PROGNOSE, *risks(seed, rescored=lambda s: 5 + np.exp(2 * s)))
    assert values(plain) == pytest.approx(values(other), nan_ok=True)


@given(seed=SEEDS)
@settings(max_examples=4, deadline=None)
def test_time_may_be_told_in_any_unit(seed):
    days = judged(Task.PROGNOSE, *risks(seed))
    weeks = judged(Task.PROGNOSE, *risks(seed, unit=0.125))
    assert list(values(weeks).values()) == pytest.approx(list(values(days).values()), nan_ok=True)
