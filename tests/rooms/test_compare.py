"""The verb compare: folds, metrics, tests, and going on where it stopped."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from lesion_toys import case_of, nodule
from onkos.arms.classify import CLASSIFIERS
from onkos.cohort.splits import folds_by_patient
from onkos.cohort.written import write_predictions
from onkos.compare import Execution, Plan, compare, kept_predictions
from onkos.core.case import Cohort
from onkos.core.desk import PLAIN
from onkos.core.errors import ContentError, UsageError
from onkos.io.results import load_comparison, write_comparison
from onkos.work.executor import Serial
from onkos.work.piece import Piece, run
from onkos.work.store import Store
from toys import ThresholdArm, toy_cohort

GOOD, POOR = ThresholdArm(), ThresholdArm(name="shifted", shift=25.0)


@dataclass
class Counting:
    """Runs pieces one by one and remembers them; stops after some if asked."""

    ran: list[str] = field(default_factory=list)
    stop_after: int = 1000

    def results(self, pieces, store, desk) -> Iterator[object]:
        for piece in pieces:
            if len(self.ran) == self.stop_after:
                raise KeyboardInterrupt
            yield from Serial().results([piece], store, desk)
            self.ran.append(piece.key)


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
    made = compare(cohort, [GOOD, POOR], plan=Plan(folds=3, seed=1))
    good, poor = made.arms
    for arm in made.arms:
        assert {one.case for one in arm.judgement.cases} == {case.id for case in cohort.cases}
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
    metrics = compare(toy_cohort(4), [blind], plan=Plan(folds=2)).arms[0].metrics
    assert (metrics["dice:core"].value, metrics["dice:core"].missed) == (0.0, 4)
    assert metrics["sensitivity:tumour"].value == 0.0


def test_the_same_seed_gives_the_same_comparison():
    plan = Plan(folds=2, seed=3)
    one, two = (compare(toy_cohort(5), [GOOD], plan=plan).arms[0] for _ in range(2))
    assert one.metrics == two.metrics


def test_an_interrupted_comparison_goes_on_where_it_stopped(tmp_path):
    cohort, plan = toy_cohort(4), Plan(folds=2)
    stopped = Counting(stop_after=3)
    with pytest.raises(KeyboardInterrupt):
        compare(
            cohort, [GOOD, POOR], plan=plan, execution=Execution(store=tmp_path, executor=stopped)
        )
    again = Counting()
    resumed = compare(
        cohort, [GOOD, POOR], plan=plan, execution=Execution(store=tmp_path, executor=again)
    )
    assert len(stopped.ran) == 3
    assert len(again.ran) == 1
    assert again.ran[0] not in stopped.ran
    afresh = compare(cohort, [GOOD, POOR], plan=plan)
    assert [arm.metrics for arm in resumed.arms] == [arm.metrics for arm in afresh.arms]


def test_stored_folds_of_another_cohort_seed_or_arm_are_not_taken(tmp_path):
    counting = Counting()
    execution = Execution(store=tmp_path, executor=counting)
    plan = Plan(folds=2)
    compare(toy_cohort(4), [GOOD], plan=plan, execution=execution)
    compare(toy_cohort(4), [GOOD], plan=replace(plan, seed=1), execution=execution)
    compare(toy_cohort(4), [ThresholdArm(shift=1.0)], plan=plan, execution=execution)
    compare(toy_cohort(5), [GOOD], plan=plan, execution=execution)
    assert len(counting.ran) == len(set(counting.ran)) == 8


def test_a_damaged_stored_fold_is_run_again(tmp_path):
    plan, execution = Plan(folds=2), Execution(store=tmp_path)
    compare(toy_cohort(4), [GOOD], plan=plan, execution=execution)
    first, second = sorted(tmp_path.iterdir())
    (first / "fold.json").write_text('{"answered": [')
    next(second.glob("*.nii.gz")).unlink()
    counting = Counting()
    made = compare(
        toy_cohort(4), [GOOD], plan=plan, execution=replace(execution, executor=counting)
    )
    assert made.arms[0].metrics["dice:core"].n == 4
    assert len(counting.ran) == 2


def test_a_piece_is_self_contained(rng, tmp_path):
    fold = folds_by_patient(toy_cohort(4), 2, rng=rng)[0]
    store = Store(root=tmp_path)
    piece = Piece(arm=GOOD, fold=fold, seed=0, cohort="balls")
    result = run(piece, store, PLAIN)
    assert {one.fold for one in result.answered} == {0}
    taken = store.take(piece.key)
    assert taken is not None
    assert [one.case for one in taken.answered] == [one.case for one in result.answered]


@dataclass(frozen=True)
class FailingArm(ThresholdArm):
    """Cannot learn where one case is among the training ones."""

    name: str = "failing"

    def fit(self, cases, *, rng, desk=PLAIN):
        if any(case.id == "case-0-0" for case in cases):
            raise ContentError("case-0-0: an image that this method cannot learn from")
        return super().fit(cases, rng=rng, desk=desk)


def test_a_failed_fold_is_an_unanswered_fold_and_is_said():
    made = compare(toy_cohort(6), [FailingArm()], plan=Plan(folds=2))
    (arm,) = made.arms
    assert len(arm.failed) == 1
    assert "cannot learn from" in arm.failed[0]
    assert len(arm.judgement.unanswered) == 3
    assert arm.metrics["dice:core"].missed == 3
    assert arm.metrics["dice:core"].value < 0.6
    assert "failed-folds" in {caveat.code for caveat in made.caveats}


def test_comparison_json_holds_what_is_promised_and_comes_back(tmp_path):
    made = compare(toy_cohort(4), [GOOD, POOR], plan=Plan(folds=2))
    path = tmp_path / "comparison.json"
    write_comparison(path, made)
    back = load_comparison(path)
    again = tmp_path / "again.json"
    write_comparison(again, back)
    assert again.read_text() == path.read_text()
    assert [arm.metrics for arm in back.arms] == [arm.metrics for arm in made.arms]
    text = path.read_text()
    for word in ('"difference"', '"low"', '"p_adjusted"', '"family": "classic"', '"missed"'):
        assert word in text


@pytest.mark.parametrize("arms", [[], [GOOD, GOOD]])
def test_no_arm_or_one_twice_is_a_usage_error(arms):
    with pytest.raises(UsageError, match="expected at least one, each once"):
        compare(toy_cohort(4), arms)


def test_repeats_average_metrics_and_differences_and_keep_the_first_split():
    cohort = toy_cohort(6)
    once = compare(cohort, [GOOD, POOR], plan=Plan(folds=3, seed=1))
    made = compare(cohort, [GOOD, POOR], plan=Plan(folds=3, repeats=3, seed=1))
    assert (made.repeats, made.provenance.settings["repeats"]) == (3, 3)
    assert "repeats" not in once.provenance.settings
    for arm, alone in zip(made.arms, once.arms, strict=True):
        assert [c.case for c in arm.judgement.cases] == [c.case for c in alone.judgement.cases]
        assert alone.judgement.spread == {}
        spread = arm.judgement.spread["dice:core"]
        assert len(spread.values) == 3
        assert arm.metrics["dice:core"].value == pytest.approx(np.mean(spread.values))
        assert spread.values[0] == pytest.approx(alone.metrics["dice:core"].value)
        assert spread.sd == pytest.approx(np.std(spread.values, ddof=1))
        assert arm.metrics["dice:core"].n == 6
    test = next(test for test in made.tests if test.metric == "dice:core")
    good, poor = (arm.metrics["dice:core"].value for arm in made.arms)
    assert test.difference.value == pytest.approx(good - poor)
    assert test.p == pytest.approx(2 / 2**6)  # six patients, however often they were dealt out


def test_repeats_are_stored_apart_and_taken_up_again(tmp_path):
    counting = Counting()
    execution = Execution(store=tmp_path, executor=counting)
    compare(toy_cohort(6), [GOOD], plan=Plan(folds=2), execution=execution)
    first = list(counting.ran)
    more = compare(toy_cohort(6), [GOOD], plan=Plan(folds=2, repeats=3), execution=execution)
    assert counting.ran[:2] == first
    assert len(counting.ran) == len(set(counting.ran)) == 6  # the first repeat was there already
    again = compare(toy_cohort(6), [GOOD], plan=Plan(folds=2, repeats=3), execution=execution)
    assert len(counting.ran) == 6
    assert [arm.metrics for arm in again.arms] == [arm.metrics for arm in more.arms]


@pytest.mark.parametrize("repeats", [1, 3])
def test_predictions_name_the_repeat_only_where_there_are_several(tmp_path, repeats):
    cases = tuple(case_of(n, nodule) for n in range(16))
    cohort = Cohort(name="nodules", cases=cases, fingerprint="n", simulated=True)
    plan = Plan(folds=2, repeats=repeats, seed=1)
    arms = [CLASSIFIERS["size-only"]]
    with kept_predictions(cohort, arms, plan=plan, execution=Execution()) as made:
        write_predictions(tmp_path, made.predicted(), cohort)
    with (tmp_path / "predictions.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 16 * repeats
    plain = ["case", "patient", "arm", "fold", "target", "p_benign", "p_malignant", "threshold"]
    assert list(rows[0]) == (plain if repeats == 1 else [*plain[:3], "repeat", *plain[3:]])
    assert all(0 < float(row["threshold"]) < 1 for row in rows)
    if repeats > 1:
        assert {(row["case"], row["repeat"]) for row in rows} == {
            (case.id, str(n)) for case in cases for n in (1, 2, 3)
        }
        answers = {row["case"]: set() for row in rows}
        for row in rows:
            answers[row["case"]].add(row["p_malignant"])
        assert any(len(said) > 1 for said in answers.values())


def test_no_repeat_is_refused():
    with pytest.raises(UsageError, match="0 repeats"):
        compare(toy_cohort(4), [GOOD], plan=Plan(repeats=0))
