"""Compare and evaluate judge alike: what a comparison kept gives the same numbers again."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest

from lesion_toys import nodule
from onkos.arms.classify import CLASSIFIERS
from onkos.cohort.written import write_predictions
from onkos.compare import Execution, Plan, judged, kept_predictions
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.study import Patient, Study
from onkos.evaluate import judge_again
from onkos.io.results import comparison_plain, write_comparison
from toys import ThresholdArm, toy_cohort


def _case(number: int) -> Case:
    """A drawn nodule; two cases a patient, of two sites, some of either sex and of any age."""
    volume, mask, target = nodule(number)
    facts = {"sex": "FM"[number // 2 % 2], "age": f"{40 + number}"}
    study = Study(patient=Patient(id=f"P{number // 2}"), volumes={"image": volume}, facts=facts)
    return Case(
        id=f"case-{number}",
        patient=f"P{number // 2}",
        load=partial(_same, study),
        truths=known_truths(outline=partial(_same, mask), target=target),
        site="AB"[number // 2 % 2],
        covariates=facts,
    )


def _same(value):
    return value


NODULES = Cohort(
    name="nodules", cases=tuple(_case(n) for n in range(40)), fingerprint="n", simulated=True
)
KINDS = {
    "classes": (NODULES, [CLASSIFIERS["size-only"], CLASSIFIERS["prevalence-only"]]),
    "outlines": (toy_cohort(6, cases_each=2), [ThresholdArm(), ThresholdArm("off", shift=20.0)]),
}


@pytest.mark.parametrize("repeats", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_comparison_kept_gives_the_same_numbers_to_the_last_digit(tmp_path, kind, repeats):
    cohort, arms = KINDS[kind]
    plan, execution = Plan(folds=3, repeats=repeats, seed=4), Execution()
    with kept_predictions(cohort, arms, plan=plan, execution=execution) as made:
        before = judged(made, cohort, plan=plan, execution=execution)
        write_predictions(tmp_path, made.predicted(), cohort)
    write_comparison(tmp_path / "comparison.json", before)
    after = judge_again(tmp_path, cohort)
    first, second = (json.loads(json.dumps(comparison_plain(c))) for c in (before, after))
    for one, two in zip(first["arms"], second["arms"], strict=True):
        assert one["metrics"]
        for part in ("metrics", "subgroups", "interactions", "curves", "cases", "spread"):
            assert one[part] == two[part]
    assert first["tests"] == second["tests"]
    if kind == "classes":
        assert first["arms"][0]["subgroups"]["site"]
        constant = first["arms"][1]["metrics"]["auc"]
        assert constant["value"] == 0.5


def test_a_constant_is_worth_half_however_rare_the_class():
    rng = np.random.default_rng(8)
    rare = rng.permutation(60) < 3
    cases = tuple(
        Case(
            id=f"c{n}",
            patient=f"P{n}",
            load=lambda n=n: Study(patient=Patient(id=f"P{n}")),
            truths=known_truths(target="yes" if rare[n] else "no"),
        )
        for n in range(60)
    )
    cohort = Cohort(name="rare", cases=cases, fingerprint="r")
    plan = Plan(folds=3)
    with kept_predictions(
        cohort, [CLASSIFIERS["prevalence-only"]], plan=plan, execution=Execution()
    ) as made:
        found = judged(made, cohort, plan=plan, execution=Execution())
    (arm,) = found.arms
    assert arm.metrics["auc"].value == 0.5
    assert "rare-class" in {caveat.code for caveat in found.caveats}
