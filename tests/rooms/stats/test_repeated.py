"""Repeats of the folds: means of metrics, and intervals that know how few the patients are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from onkos.stats.joint import (
    joint_area,
    joint_area_test,
    joint_means,
    joint_several_area,
    joint_several_area_test,
)
from onkos.arms.judging import metrics, spreads
from onkos.stats.repeated import joint_metrics
from onkos.arms.subgrouping import by_subgroup
from onkos.core.errors import ContentError
from onkos.core.reading import CaseScore
from onkos.stats.classification import Answers, classification_metrics
from onkos.stats.delong import auc
from onkos.stats.multiclass import class_metrics

RESAMPLED = {"ece": 2e-3}  # its value hangs on resamples


def said(rng, latent, truth, *, noise=0.3, patients=None) -> Answers:
    """Two classes; the latent score is seen through noise, as refits add it."""
    p = np.clip(expit(latent + noise * rng.normal(size=len(latent))), 0.01, 0.99)
    return Answers(
        truth=["malignant" if one else "benign" for one in truth],
        classes=("benign", "malignant"),
        probabilities=np.stack([1 - p, p], axis=1),
        patients=list(range(len(truth))) if patients is None else patients,
        positive="malignant",
        called=p > 0.5,
    )


@pytest.fixture(scope="module")
def repeats():
    """Six repeats of eighty cases."""
    rng = np.random.default_rng(4)
    truth = np.arange(80) % 2 == 1
    latent = 1.2 * (truth - 0.5) + rng.normal(size=80)
    return [said(rng, latent, truth) for _ in range(6)]


def test_repeats_that_agree_say_what_one_of_them_says(repeats):
    one = classification_metrics(repeats[0], rng=np.random.default_rng(0))
    copied = joint_metrics([repeats[0]] * 8, rng=np.random.default_rng(0))
    assert list(copied) == list(one)
    for name, estimate in copied.items():
        assert estimate.value == pytest.approx(one[name].value, abs=RESAMPLED.get(name, 1e-9)), name
        width = (estimate.high - estimate.low) / (one[name].high - one[name].low)
        assert 0.85 < width < 1.2, name
        assert estimate.n == one[name].n, name
    assert copied["auc"].low == pytest.approx(one["auc"].low)
    assert copied["brier"].high == pytest.approx(one["brier"].high, abs=0.004)


def test_values_are_means_over_repeats_and_no_interval_shrinks_as_patients_would(repeats):
    each = [classification_metrics(one, rng=np.random.default_rng(0)) for one in repeats]
    found = joint_metrics(repeats, rng=np.random.default_rng(0))
    for name, estimate in found.items():
        values = [one[name].value for one in each]
        mean = np.exp(np.mean(np.log(values))) if name == "odds_ratio" else np.mean(values)
        assert estimate.value == pytest.approx(mean, abs=RESAMPLED.get(name, 1e-9)), name
        widths = np.mean([one[name].high - one[name].low for one in each])
        assert estimate.high - estimate.low > 0.75 * widths, name  # 1 / sqrt(6) is 0.41
        assert "6 repeats" in estimate.method


def test_the_joint_interval_holds_where_pooled_repeats_would_not(rng):
    """Mean area of noisy scores of 60 patients; its true value is known."""
    truth = np.arange(60) % 2 == 1
    expected = 0.5 * (1 + math.erf(1 / math.sqrt(2 * (1 + 0.5**2)) / math.sqrt(2)))
    held = {"joint": 0, "pooled": 0}
    for _ in range(200):
        latent = truth + rng.normal(size=60)
        made = [said(rng, latent, truth, noise=0.5) for _ in range(5)]
        pooled = auc(np.tile(truth, 5), np.concatenate([one.score for one in made]))
        for name, found in (("joint", joint_area(made, level=0.95)), ("pooled", pooled)):
            held[name] += found.low <= expected <= found.high
    assert held["joint"] >= 180
    assert held["pooled"] < 150


def test_equal_arms_are_seldom_told_apart_and_unlike_ones_are(rng):
    truth = np.arange(100) % 2 == 1
    latent = truth + rng.normal(size=100)
    good = [said(rng, latent, truth) for _ in range(4)]
    again = [said(rng, latent, truth) for _ in range(4)]
    poor = [said(rng, latent, truth, noise=4.0) for _ in range(4)]
    assert joint_area_test(good, again, level=0.95).p > 0.05
    unlike = joint_area_test(good, poor, level=0.95)
    assert unlike.p < 0.05
    areas = [np.mean([auc(truth, one.score).value for one in arm]) for arm in (good, poor)]
    assert unlike.difference.value == pytest.approx(areas[0] - areas[1])
    assert "DeLong" in unlike.difference.method


def test_several_cases_of_a_patient_count_as_one(rng):
    truth = np.arange(80) % 2 == 1
    latent = np.repeat(rng.normal(size=20), 4) + truth
    patients = [f"P{n // 4}" for n in range(80)]
    made = [said(rng, latent, truth, patients=patients) for _ in range(3)]
    found = joint_metrics(made, rng=rng)
    assert found["auc"].n == 20
    assert "Obuchowski" in found["auc"].method
    assert found["sensitivity"].n == found["brier"].n == 20


def test_three_classes_have_the_mean_of_each_metric(rng):
    names = ("a", "b", "c")
    truth = [names[n % 3] for n in range(60)]
    made = []
    for _ in range(3):
        raw = rng.dirichlet([1, 1, 1], size=60) + 0.7 * np.eye(3)[np.arange(60) % 3]
        made.append(
            Answers(
                truth=truth,
                classes=names,
                probabilities=raw / raw.sum(axis=1, keepdims=True),
                patients=list(range(60)),
                positive="c",
            )
        )
    found = joint_metrics(made, rng=rng)
    single = classification_metrics(made[0], rng=rng)
    assert set(found) == set(single)
    kappas = [class_metrics(truth, one.predicted, rng=rng)["kappa"].value for one in made]
    assert found["kappa"].value == pytest.approx(np.mean(kappas))
    areas = [classification_metrics(one, rng=rng)["auc"].value for one in made]
    assert found["auc"].value == pytest.approx(np.mean(areas))
    assert found["auc"].low < found["auc"].value < found["auc"].high


def test_one_class_only_is_said_not_to_define_what_it_does_not(rng):
    truth = np.zeros(12, dtype=bool)
    made = [said(rng, rng.normal(size=12), truth) for _ in range(2)]
    found = joint_metrics(made, rng=rng)
    for name in ("auc", "calibration_slope", "sensitivity"):
        assert math.isnan(found[name].value)
    assert math.isfinite(found["specificity"].value)
    assert math.isfinite(found["brier"].value)


def test_repeats_of_other_cases_are_refused(repeats, rng):
    turned = replace(repeats[0], truth=repeats[0].truth[::-1])
    with pytest.raises(ContentError, match="expected the same"):
        joint_metrics([repeats[0], turned], rng=rng)


def test_a_mean_over_cases_leaves_out_what_a_repeat_does_not_define(rng):
    values = np.array([[0.2, 0.4, 0.9, 0.5], [0.4, np.nan, 0.7, 0.5]])
    found = joint_means(values, patients=list("abcd"), rng=rng, level=0.95, missed=1)
    assert found.value == pytest.approx((np.mean(values[0]) + np.mean([0.4, 0.7, 0.5])) / 2)
    assert (found.n, found.missed) == (4, 1)
    assert found.low < found.value < found.high


def scores_of(one: Answers, order) -> list[CaseScore]:
    return [
        CaseScore(
            case=f"c{n}",
            patient=f"P{n}",
            fold=0,
            metrics={},
            classes=dict(zip(one.classes, one.probabilities[n].tolist(), strict=True)),
            target=one.truth[n],
        )
        for n in order
    ]


def test_scores_in_another_order_are_the_same_scores(repeats, rng):
    plain = [scores_of(one, range(80)) for one in repeats[:2]]
    mixed = [plain[0], scores_of(repeats[1], rng.permutation(80))]
    assert metrics(plain, seed=1) == metrics(mixed, seed=1)
    assert spreads(plain) == spreads(mixed)
    found = spreads(plain)["auc"]
    assert found.values == pytest.approx([auc(r.positives, r.score).value for r in repeats[:2]])
    assert (found.low, found.high) == (min(found.values), max(found.values))
    assert spreads(plain[:1]) == {}


def test_subgroups_have_the_mean_over_repeats_of_their_patients(repeats):
    plain = [scores_of(one, range(80)) for one in repeats[:3]]
    labels = {"site": {score.case: "AB"[n % 4 > 1] for n, score in enumerate(plain[0])}}
    found = by_subgroup(plain[0], labels, seed=1, repeated=plain[1:])["site"]
    part = np.flatnonzero(np.arange(80) % 4 <= 1)
    areas = [auc(one.positives[part], one.score[part]).value for one in repeats[:3]]
    assert found["A"].value == pytest.approx(np.mean(areas))
    assert found["A"].n == 40


def of_three(rng, strength, n=90) -> Answers:
    """Three classes, seen the better the greater the strength."""
    true = np.arange(n) % 3
    logits = rng.normal(size=(n, 3)) + strength * np.eye(3)[true]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = ("a", "b", "c")
    return Answers(
        truth=[names[k] for k in true],
        classes=names,
        probabilities=chances,
        patients=list(range(n)),
        positive="c",
    )


def test_areas_of_several_classes_are_tested_on_the_same_patients():
    rng = np.random.default_rng(8)
    good, poor = [of_three(rng, 1.5)], [of_three(rng, 0.0)]
    found = joint_several_area_test(good, poor, rng=rng, level=0.95)
    areas = [
        joint_several_area(one, "hand-till", rng=np.random.default_rng(0), level=0.95)
        for one in (good, poor)
    ]
    apart = areas[0].value - areas[1].value
    assert found.difference.value == pytest.approx(apart)
    assert found.difference.low < apart < found.difference.high
    assert found.p < 1e-4
    widths = [(one.high - one.low) / 3.92 for one in areas]
    assert found.error == pytest.approx(np.hypot(*widths), rel=0.2)  # answers are independent
    same = joint_several_area_test(good, good, rng=rng, level=0.95)
    assert (same.difference.value, same.p) == (0, 1)


def test_the_test_of_several_areas_has_its_size():
    rng = np.random.default_rng(9)
    ps = [
        joint_several_area_test(
            [of_three(rng, 0.6, 60)], [of_three(rng, 0.6, 60)], rng=rng, level=0.95
        ).p
        for _ in range(100)
    ]
    assert 0.0 <= np.mean(np.array(ps) < 0.05) <= 0.12
    assert 0.3 < np.mean(np.array(ps) < 0.5) < 0.7
