"""Which numbers an arm rests on, from the cases that each fold left out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lesion_toys import case_of, picture
from onkos.arms.classify import CLASSIFIERS, facts_arm
from onkos.arms.classify.importance import MOST
from onkos.compare import Plan, compare
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.comparison import Answered, FoldImportance, FoldResult
from onkos.core.desk import PLAIN
from onkos.core.study import Patient, Study
from onkos.judge.reliance import reliance
from scored import probabilities


def cohort(n: int = 90, features: int = 8) -> Cohort:
    """Only ``f0`` tells the class."""
    rng = np.random.default_rng(6)
    cases = []
    for number in range(n):
        malignant = number % 2 == 1
        values = rng.normal(size=features)
        values[0] += 2.5 * malignant
        facts = {f"f{k}": f"{value:.5f}" for k, value in enumerate(values)}
        seen = Study(patient=Patient(id=f"P{number}"), volumes={}, facts=facts)
        target = "malignant" if malignant else "benign"
        cases.append(
            Case(
                id=f"c{number}",
                patient=f"P{number}",
                load=lambda s=seen: s,
                truths=known_truths(target=target),
            )
        )
    return Cohort(name="table", cases=tuple(cases), fingerprint="table-1", simulated=True)


def arm_of(made: Cohort, name: str = "facts-logistic"):
    facts = [case.study.facts for case in made.cases]
    return facts_arm(name, facts, list(facts[0]))


@pytest.mark.parametrize("repeats", [1, 2])
def test_the_feature_that_tells_comes_first_and_is_chosen_in_every_fold(repeats):
    made = cohort()
    plan = Plan(folds=3, repeats=repeats, seed=2)
    found = compare(made, [arm_of(made)], plan=plan).arms[0].reliance
    first, *others = found.features
    assert first.name == "f0"
    assert first.loss.low > 0.2
    assert first.loss.n == 90
    assert first.selected.value == 1
    assert first.selected.n == 3 * repeats
    assert all(one.loss.high < first.loss.low for one in others)
    assert not math.isnan(found.stability.value)
    assert found.note == ""


def test_an_arm_that_looks_at_nothing_rests_on_nothing():
    found = compare(cohort(30), [CLASSIFIERS["prevalence-only"]], plan=Plan(folds=3)).arms[0]
    assert found.reliance is None


def test_the_fit_and_its_answers_do_not_hang_on_whether_importance_is_measured(rng):
    made = cohort(40)
    model = arm_of(made).fit(made.cases[:30], rng=np.random.default_rng(1))
    before = probabilities(model, made.cases[35])
    kept = model.importance(made.cases[:30], made.cases[30:], rng=rng, desk=PLAIN)
    assert probabilities(model, made.cases[35]) == before
    assert set(kept.features) <= set(model.used)
    assert all(len(rise) == 10 for rise in kept.rises)


def test_no_more_than_thirty_features_are_kept_of_a_fold(rng):
    made = cohort(60, features=60)
    model = arm_of(made, "facts-naive-bayes").fit(made.cases[:40], rng=np.random.default_rng(1))
    model = replace(model)
    kept = model.importance(made.cases[:40], made.cases[40:], rng=rng, desk=PLAIN)
    assert len(kept.features) == min(MOST, len(model.used))
    assert kept.offered == 60
    means = [float(np.mean(rise)) for rise in kept.rises]
    assert means == sorted(means, reverse=True)


def test_features_learnt_anew_in_every_fold_are_not_compared_between_them():
    cases = tuple(case_of(n, picture) for n in range(16))
    pictures = Cohort(name="pictures", cases=cases, fingerprint="p", simulated=True)
    found = compare(pictures, [CLASSIFIERS["words-svm"]], plan=Plan(folds=2)).arms[0]
    assert found.used
    assert found.reliance.features == ()
    assert math.isnan(found.reliance.stability.value)
    assert "learnt anew" in found.reliance.note


def fold(names: tuple[str, ...], rises: dict[str, tuple[float, ...]], start: int) -> FoldResult:
    scores = tuple(
        Answered(case=f"c{start + n}", patient=f"P{start + n}", answers={}) for n in range(3)
    )
    kept = FoldImportance(
        offered=4,
        features=tuple(rises),
        rises=tuple(rises.values()),
        together=(1,) * len(rises),
    )
    return FoldResult(
        answered=scores, fit_seconds=1, predict_seconds=1, used=names, importance=kept
    )


def test_a_fold_that_does_not_use_a_feature_loses_nothing_without_it():
    folds = [
        fold(("a", "b"), {"a": (0.3, 0.6, 0.9), "b": (0.1, 0.1, 0.1)}, 0),
        fold(("a",), {"a": (0.6, 0.6, 0.6)}, 3),
    ]
    found = reliance([folds], seed=0)
    values = {one.name: one for one in found.features}
    assert values["a"].loss.value == pytest.approx(0.6)
    assert values["b"].loss.value == pytest.approx(0.05)
    assert (values["a"].selected.value, values["b"].selected.value) == (1.0, 0.5)
    spread = 2 / 1 * 0.25 / 4  # Nogueira's for two sets of four features
    assert found.stability.value == pytest.approx(1 - spread / (3 / 8 * 5 / 8))


def test_repeats_of_a_patient_are_averaged_and_add_no_patients():
    one = [fold(("a",), {"a": (0.3, 0.6, 0.9)}, 0), fold(("a",), {"a": (0.6, 0.6, 0.6)}, 3)]
    two = [fold(("a",), {"a": (0.5, 0.6, 0.7)}, 0), fold(("a",), {"a": (0.6, 0.6, 0.6)}, 3)]
    found = reliance([one, two], seed=0).features[0].loss
    alone = reliance([[one[0], one[1]]], seed=0).features[0].loss
    assert found.n == alone.n == 6
    assert found.value == pytest.approx(0.6)
    assert found.low == pytest.approx(0.6 - (0.6 - alone.low) * 2 / 3)


def test_folds_stored_before_importance_was_kept_say_so():
    old = [replace(one, importance=None) for one in (fold(("a",), {}, 0), fold(("a",), {}, 3))]
    found = reliance([old], seed=0)
    assert found.features == ()
    assert "stored without it" in found.note
    assert math.isnan(found.stability.value)
