"""Compare and evaluate judge alike: what a comparison kept gives the same numbers again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from lesion_toys import nodule
from onkos.arms.classify import CLASSIFIERS
from onkos.arms.detect.blobs import BrightestBlobs
from onkos.cohort.written import write_predictions
from onkos.compare import Execution, Plan, judged, kept_predictions
from onkos.core.answers import ObservedOutcome, ReconstructedImage, Risk
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import ContentError
from onkos.core.geometry import Geometry
from onkos.core.reading import Prediction
from onkos.core.study import Patient, Study
from onkos.core.task import Task
from onkos.core.volume import Volume
from onkos.evaluate import judge_again
from onkos.io.results import comparison_plain, write_comparison
from onkos.judge.measures import measure
from spot_toys import spotted_cohort
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


def _followed(number: int) -> Case:
    """A patient with a marker and a follow-up; two sites."""
    rng = np.random.default_rng([5, number])
    marker = rng.normal()
    time, end = rng.exponential(10 * np.exp(-marker)) + 0.1, rng.uniform(4, 30)
    facts = {"marker": repr(marker)}
    return Case(
        id=f"case-{number}",
        patient=f"P{number}",
        load=partial(_same, Study(patient=Patient(id=f"P{number}"), facts=facts)),
        truths=known_truths(
            outcome=ObservedOutcome(time=float(min(time, end)), event=bool(time <= end))
        ),
        site="AB"[number % 2],
    )


@dataclass(frozen=True)
class MarkerArm:
    """Risk by a marker: a score, or with ``at`` the probability of the event by these times."""

    name: str
    at: tuple[float, ...] = ()
    family: str = "trivial"
    task: Task = Task.PROGNOSE

    @property
    def settings(self):
        return {"at": self.at}

    def require(self, cohort, folds):
        del cohort, folds

    def fit(self, cases, *, rng, desk):
        del rng, desk
        seen = [case.outcome for case in cases]
        rate = sum(one.event for one in seen) / sum(one.time for one in seen)
        return MarkerModel(rate=rate, at=self.at)


@dataclass(frozen=True)
class MarkerModel:
    rate: float
    at: tuple[float, ...]

    @property
    def card(self):
        return SimpleNamespace(task=Task.PROGNOSE)

    def predict(self, study, *, desk):
        del desk
        score = self.rate * np.exp(float(study.facts["marker"]))
        by = {time: float(1 - np.exp(-score * time)) for time in self.at}
        risk = Risk(by=by) if by else Risk(score=float(score))
        return Prediction(answers={Task.PROGNOSE: risk})


FOLLOWED = Cohort(
    name="followed", cases=tuple(_followed(n) for n in range(40)), fingerprint="f", simulated=True
)


def _noisy(number: int) -> Case:
    """A picture, and the same with noise."""
    rng = np.random.default_rng([6, number])
    grid = Geometry.upright((21, 17, 3), spacing_mm=(1.0, 1.5, 3.0), origin_mm=(4, 5, -6))
    i, j, _ = np.indices(grid.shape)
    clean = np.where((i - 10) ** 2 + (j - 8) ** 2 < 45, 100 + 9 * np.sin(i) + number, 0.0)
    full, low = (
        Volume(data=data.astype(np.float32), geometry=grid, modality="PT", unit="1")
        for data in (clean, clean + rng.normal(0, 9, grid.shape))
    )
    study = Study(patient=Patient(id=f"P{number}"), volumes={"low": low})
    return Case(
        id=f"case-{number}",
        patient=f"P{number}",
        load=partial(_same, study),
        truths=known_truths(image=partial(_same, full)),
        site="AB"[number % 2],
    )


@dataclass(frozen=True)
class SmoothArm:
    """Mixes each voxel with its neighbours; stands for its own model."""

    name: str
    share: float
    family: str = "trivial"
    task: Task = Task.RECONSTRUCT

    @property
    def settings(self):
        return {"share": self.share}

    @property
    def card(self):
        return SimpleNamespace(task=Task.RECONSTRUCT)

    def require(self, cohort, folds):
        del cohort, folds

    def fit(self, cases, *, rng, desk):
        del cases, rng, desk
        return self

    def predict(self, study, *, desk):
        del desk
        volume = study.volume("low")
        mixed = (np.roll(volume.data, 1, axis=0) + np.roll(volume.data, -1, axis=1)) / 2
        data = (1 - self.share) * volume.data + self.share * mixed
        made = ReconstructedImage(volume=replace(volume, data=data), role="full")
        return Prediction(answers={Task.RECONSTRUCT: made})


NOISY = Cohort(
    name="noisy", cases=tuple(_noisy(n) for n in range(12)), fingerprint="y", simulated=True
)


class Elsewhere(BrightestBlobs):
    """The same looking for other blobs."""

    @property
    def name(self):
        return "elsewhere"


SPOTTED = spotted_cohort(12)
KINDS = {
    "images": (NOISY, [SmoothArm("little", 0.1), SmoothArm("much", 0.6)]),
    "findings": (SPOTTED, [BrightestBlobs(), Elsewhere(radii=(3.0,), most=3)]),
    "risks": (FOLLOWED, [MarkerArm("score"), MarkerArm("by times", at=(2.0, 5.0))]),
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
        assert all(measure(name).label for name in one["metrics"])
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


@pytest.mark.parametrize(
    "told", [{}, {"judge": None}, {"judge": {"odd": 1}}, {"judge": {"lesion_iou": 7}}, {"tasks": 3}]
)
def test_a_result_that_does_not_tell_how_it_was_judged_is_refused(tmp_path, told):
    cohort, arms = KINDS["classes"]
    plan, execution = Plan(folds=3, seed=4), Execution()
    with kept_predictions(cohort, arms, plan=plan, execution=execution) as made:
        before = judged(made, cohort, plan=plan, execution=execution)
        write_predictions(tmp_path, made.predicted(), cohort)
    settings = {**before.provenance.settings, **told} if told else {}
    odd = replace(before, provenance=replace(before.provenance, settings=settings))
    write_comparison(tmp_path / "comparison.json", odd)
    with pytest.raises(ContentError, match=r"does not tell how it was judged.*Compare again"):
        judge_again(tmp_path, cohort)
