"""The verb compare: folds, metrics, tests, and going on where it stopped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from onkos.cohort.splits import folds_by_patient
from onkos.compare import Execution, Task, compare, run_task
from onkos.core.errors import UsageError
from onkos.core.reading import FoldResult
from onkos.io.results import load_comparison, write_comparison
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
