"""Repeats of the folds: means of metrics, and intervals that know how few the patients are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from onkos.core.errors import ContentError
from onkos.stats.classification import Answers, classification_metrics
from onkos.stats.joint import joint_means
from onkos.stats.multiclass import class_metrics
from onkos.stats.repeated import joint_metrics

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
    assert set(copied) == set(one) - {"auc"}
    for name, estimate in copied.items():
        assert estimate.value == pytest.approx(one[name].value, abs=RESAMPLED.get(name, 1e-9)), name
        width = (estimate.high - estimate.low) / (one[name].high - one[name].low)
        assert 0.85 < width < 1.2, name
        assert estimate.n == one[name].n, name
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
        assert estimate.method.repeats == 6


def test_several_cases_of_a_patient_count_as_one(rng):
    truth = np.arange(80) % 2 == 1
    latent = np.repeat(rng.normal(size=20), 4) + truth
    patients = [f"P{n // 4}" for n in range(80)]
    made = [said(rng, latent, truth, patients=patients) for _ in range(3)]
    found = joint_metrics(made, rng=rng)
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
    assert set(found) == set(single) - {"auc", "auc_macro"}
    kappas = [class_metrics(truth, one.predicted, rng=rng)["kappa"].value for one in made]
    assert found["kappa"].value == pytest.approx(np.mean(kappas))


def test_one_class_only_is_said_not_to_define_what_it_does_not(rng):
    truth = np.zeros(12, dtype=bool)
    made = [said(rng, rng.normal(size=12), truth) for _ in range(2)]
    found = joint_metrics(made, rng=rng)
    for name in ("calibration_slope", "sensitivity"):
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
