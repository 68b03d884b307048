"""The verb compare: folds, metrics, tests, and going on where it stopped."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lesion_toys import case_of, nodule
from onkos.arms.classify import CLASSIFIERS
from onkos.cohort.splits import folds_by_patient
from onkos.compare import Execution, Task, compare, run_task
from onkos.core.case import Cohort
from onkos.core.errors import UsageError
from onkos.core.reading import FoldResult
from onkos.io.results import load_comparison, write_comparison, write_predictions
from toys import ThresholdArm, toy_cohort

GOOD, POOR = ThresholdArm(), ThresholdArm(name="shifted", shift=25.0)


def test_patients_never_stand_on_both_sides(rng):
    cohort = toy_cohort(7, cases_each=3)
    folds = folds_by_patient(cohort, 3, rng=rng)
    held_out = [case.id for fold in folds for case in fold.test]
    assert sorted(held_out) == sorted(case.id for case in cohort.cases)
    for fold in folds:
        assert not {c.patient for c in fold.train} & {c.patient for c in fold.test}
        assert len(fold.train) + len(fold.test) == len(cohort.cases)


@pytest.mark.parametrize("k", [1, 4])
def test_impossible_folds_are_a_usage_error(rng, k):
    with pytest.raises(UsageError, match="expected 2 to 3 folds"):
        folds_by_patient(toy_cohort(3), k, rng=rng)


def test_the_better_arm_is_better_by_a_paired_test():
    cohort = toy_cohort(6, cases_each=2)
    made = compare(cohort, [GOOD, POOR], folds=3, seed=1)
    good, poor = made.arms
    for arm in made.arms:
        assert {score.case for score in arm.scores} == {
            c.id for c in toy_cohort(6, cases_each=2).cases
        }
        for estimate in arm.metrics.values():
            assert estimate.low <= estimate.value <= estimate.high
            assert estimate.n == 6
    assert good.metrics["dice:core"].value > 0.9
    test = next(test for test in made.tests if test.metric == "dice:core")
    difference = good.metrics["dice:core"].value - poor.metrics["dice:core"].value
    assert test.difference.value == pytest.approx(difference)
    assert test.p == pytest.approx(2 / 2**6)
    assert test.p_adjusted >= test.p
    assert [caveat.code for caveat in made.caveats] == ["phantom", "few-patients"]


def test_a_tissue_that_was_never_found_counts_as_missed_and_as_zero():
    blind = ThresholdArm(name="blind", shift=1e6)
    metrics = compare(toy_cohort(4), [blind], folds=2).arms[0].metrics
    assert (metrics["dice:core"].value, metrics["dice:core"].missed) == (0.0, 4)
    assert metrics["sensitivity:tumour"].value == 0.0


def test_the_same_seed_gives_the_same_comparison():
    one, two = (compare(toy_cohort(5), [GOOD], folds=2, seed=3).arms[0] for _ in range(2))
    assert one.metrics == two.metrics


def test_an_interrupted_comparison_goes_on_where_it_stopped(tmp_path):
    cohort = toy_cohort(4)
    ran: list[str] = []

    def stopping(function, tasks):
        for task in tasks:
            if len(ran) == 3:
                raise KeyboardInterrupt
            ran.append(task.key)
            yield function(task)

    with pytest.raises(KeyboardInterrupt):
        compare(cohort, [GOOD, POOR], folds=2, execution=Execution(store=tmp_path, run=stopping))
    again: list[str] = []

    def counting(function, tasks):
        for task in tasks:
            again.append(task.key)
            yield function(task)

    resumed = compare(
        cohort, [GOOD, POOR], folds=2, execution=Execution(store=tmp_path, run=counting)
    )
    assert len(ran) == 3
    assert len(again) == 1
    assert again[0] not in ran
    afresh = compare(cohort, [GOOD, POOR], folds=2)
    assert [arm.metrics for arm in resumed.arms] == [arm.metrics for arm in afresh.arms]


def test_stored_folds_of_another_cohort_seed_or_arm_are_not_taken(tmp_path):
    ran = []

    def counting(function, tasks):
        for task in tasks:
            ran.append(task.key)
            yield function(task)

    execution = Execution(store=tmp_path, run=counting)
    compare(toy_cohort(4), [GOOD], folds=2, seed=0, execution=execution)
    compare(toy_cohort(4), [GOOD], folds=2, seed=1, execution=execution)
    compare(toy_cohort(4), [ThresholdArm(shift=1.0)], folds=2, seed=0, execution=execution)
    compare(toy_cohort(5), [GOOD], folds=2, seed=0, execution=execution)
    assert len(ran) == len(set(ran)) == 8


def test_a_damaged_stored_fold_is_run_again(tmp_path):
    compare(toy_cohort(4), [GOOD], folds=2, execution=Execution(store=tmp_path))
    for path in tmp_path.iterdir():
        path.write_text('{"scores": [')
    made = compare(toy_cohort(4), [GOOD], folds=2, execution=Execution(store=tmp_path))
    assert made.arms[0].metrics["dice:core"].n == 4


def test_an_executor_gives_the_same_as_no_executor():
    cohort = toy_cohort(4)
    with ThreadPoolExecutor(2) as pool:
        spread = compare(cohort, [GOOD, POOR], folds=2, execution=Execution(run=pool.map))
    assert [arm.metrics for arm in spread.arms] == [
        arm.metrics for arm in compare(cohort, [GOOD, POOR], folds=2).arms
    ]


def test_a_task_is_self_contained(rng):
    fold = folds_by_patient(toy_cohort(4), 2, rng=rng)[0]
    result = run_task(Task(arm=GOOD, fold=fold, seed=0, key="k"))
    assert isinstance(result, FoldResult)
    assert {score.fold for score in result.scores} == {0}


def test_comparison_json_holds_what_is_promised_and_comes_back(tmp_path):
    made = compare(toy_cohort(4), [GOOD, POOR], folds=2)
    path = tmp_path / "comparison.json"
    write_comparison(path, made)
    back = load_comparison(path)
    assert back == made
    text = path.read_text()
    for word in ('"difference"', '"low"', '"p_adjusted"', '"family": "classic"', '"missed"'):
        assert word in text


@pytest.mark.parametrize("arms", [[], [GOOD, GOOD]])
def test_no_arm_or_one_twice_is_a_usage_error(arms):
    with pytest.raises(UsageError, match="expected at least one, each once"):
        compare(toy_cohort(4), arms)


def test_repeats_average_metrics_and_differences_and_keep_the_first_split():
    cohort = toy_cohort(6, cases_each=2)
    once = compare(cohort, [GOOD, POOR], folds=3, seed=1)
    made = compare(cohort, [GOOD, POOR], folds=3, repeats=4, seed=1)
    assert (made.repeats, made.provenance.settings["repeats"]) == (4, 4)
    assert "repeats" not in once.provenance.settings
    for arm, alone in zip(made.arms, once.arms, strict=True):
        assert arm.scores == alone.scores
        assert alone.repeated == ()
        assert alone.spread == {}
        assert len(arm.all_scores) == 4
        spread = arm.spread["dice:core"]
        assert arm.metrics["dice:core"].value == pytest.approx(np.mean(spread.values))
        assert spread.values[0] == pytest.approx(alone.metrics["dice:core"].value)
        assert spread.sd == pytest.approx(np.std(spread.values, ddof=1))
        assert arm.metrics["dice:core"].n == 6
    test = next(test for test in made.tests if test.metric == "dice:core")
    good, poor = (arm.metrics["dice:core"].value for arm in made.arms)
    assert test.difference.value == pytest.approx(good - poor)
    assert test.p == pytest.approx(2 / 2**6)  # six patients, however often they were dealt out


def test_repeats_are_stored_apart_and_taken_up_again(tmp_path):
    ran: list[str] = []

    def counting(function, tasks):
        for task in tasks:
            ran.append(task.key)
            yield function(task)

    execution = Execution(store=tmp_path, run=counting)
    compare(toy_cohort(6), [GOOD], folds=2, execution=execution)
    first = list(ran)
    more = compare(toy_cohort(6), [GOOD], folds=2, repeats=3, execution=execution)
    assert ran[:2] == first
    assert len(ran) == len(set(ran)) == 6  # the first repeat was there already
    again = compare(toy_cohort(6), [GOOD], folds=2, repeats=3, execution=execution)
    assert len(ran) == 6
    assert again.arms == more.arms


@pytest.mark.parametrize("repeats", [1, 3])
def test_predictions_name_the_repeat_only_where_there_are_several(tmp_path, repeats):
    cases = tuple(case_of(n, nodule) for n in range(16))
    cohort = Cohort(name="nodules", cases=cases, fingerprint="n", simulated=True)
    made = compare(cohort, [CLASSIFIERS["size-only"]], folds=2, repeats=repeats, seed=1)
    write_predictions(tmp_path / "predictions.csv", made)
    with (tmp_path / "predictions.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 16 * repeats
    plain = ["case", "patient", "arm", "fold", "target", "p_benign", "p_malignant"]
    assert list(rows[0]) == (plain if repeats == 1 else [*plain[:3], "repeat", *plain[3:]])
    if repeats > 1:
        assert {(row["case"], row["repeat"]) for row in rows} == {
            (case.id, str(n)) for case in cases for n in (1, 2, 3)
        }
        answers = {row["case"]: set() for row in rows}
        for row in rows:
            answers[row["case"]].add(row["p_malignant"])
        assert any(len(said) > 1 for said in answers.values())
    write_comparison(tmp_path / "comparison.json", made)
    back = load_comparison(tmp_path / "comparison.json")
    assert back.arms[0].spread == made.arms[0].spread
    assert back.arms[0].repeated == made.arms[0].repeated
    assert back.arms[0].reliance.features == made.arms[0].reliance.features


def test_no_repeat_is_refused():
    with pytest.raises(UsageError, match="0 repeats"):
        compare(toy_cohort(4), [GOOD], repeats=0)
