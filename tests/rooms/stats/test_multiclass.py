"""Metrics of several classes against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from onkos.core.errors import ContentError, UsageError
from onkos.stats.bootstrap import Resampling
from onkos.stats.delong import auc
from onkos.stats.multiclass import class_metrics, confusion_matrix, multiclass_auc
from onkos.stats.proportions import wilson

CLASSES = ("glioma", "meningioma", "pituitary")
PLAN = Resampling(resamples=500)


@pytest.fixture
def cases(rng):
    true = rng.choice(3, size=120, p=[0.5, 0.3, 0.2])
    logits = rng.normal(size=(120, 3)) + 1.2 * np.eye(3)[true]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = np.array(CLASSES)
    return names[true], names[chances.argmax(axis=1)], chances


def test_metrics_agree_with_scikit_learn(cases, rng):
    truth, predicted, _ = cases
    found = class_metrics(truth, predicted, rng=rng, plan=PLAN)
    expected = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "F1 macro": metrics.f1_score(truth, predicted, average="macro"),
        "F1 micro": metrics.f1_score(truth, predicted, average="micro"),
        "F1 weighted": metrics.f1_score(truth, predicted, average="weighted"),
        "MCC": metrics.matthews_corrcoef(truth, predicted),
        "kappa": metrics.cohen_kappa_score(truth, predicted),
        "sensitivity: glioma": metrics.recall_score(truth == "glioma", predicted == "glioma"),
        "PPV: pituitary": metrics.precision_score(truth == "pituitary", predicted == "pituitary"),
        "specificity: glioma": metrics.recall_score(truth != "glioma", predicted != "glioma"),
        "NPV: glioma": metrics.precision_score(truth != "glioma", predicted != "glioma"),
        "F1: meningioma": metrics.f1_score(truth == "meningioma", predicted == "meningioma"),
    }
    among = {
        "sensitivity: glioma": (truth == "glioma").sum(),
        "specificity: glioma": (truth != "glioma").sum(),
        "PPV: pituitary": (predicted == "pituitary").sum(),
        "NPV: glioma": (predicted != "glioma").sum(),
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value), name
        assert found[name].low < value < found[name].high, name
        assert found[name].n == among.get(name, 120), name


def test_confusion_counts_and_keeps_the_order_asked_for(cases):
    truth, predicted, _ = cases
    order = CLASSES[::-1]
    found = confusion_matrix(truth, predicted, classes=order)
    np.testing.assert_array_equal(
        found.counts, metrics.confusion_matrix(truth, predicted, labels=list(order))
    )
    assert found.classes == order


@pytest.mark.parametrize(
    ("average", "options"),
    [
        ("hand-till", {"multi_class": "ovo", "average": "macro"}),
        ("macro", {"multi_class": "ovr", "average": "macro"}),
        ("weighted", {"multi_class": "ovr", "average": "weighted"}),
        ("micro", {"multi_class": "ovr", "average": "micro"}),
    ],
)
def test_areas_agree_with_scikit_learn(cases, rng, average, options):
    truth, _, chances = cases
    found = multiclass_auc(truth, chances, classes=CLASSES, average=average, rng=rng)
    assert found.value == pytest.approx(metrics.roc_auc_score(truth, chances, **options))
    assert found.low < found.value < found.high


def test_two_classes_give_the_plain_area(rng):
    truth = np.arange(60) % 2
    scores = rng.random(60)
    chances = np.stack([1 - scores, scores], axis=1)
    found = multiclass_auc(truth, chances, classes=(0, 1), rng=rng)
    assert found.value == pytest.approx(auc(truth, scores).value)


def test_what_is_never_predicted_has_no_ppv(rng):
    found = class_metrics(["a", "a", "b", "b"], ["a", "a", "a", "a"], rng=rng, plan=PLAN)
    assert math.isnan(found["PPV: b"].value)
    assert "not defined" in str(found["PPV: b"].method)
    assert found["sensitivity: b"].value == 0


def test_a_share_of_none_or_all_is_not_certain(rng):
    truth = ["a"] * 20 + ["b"] * 30
    found = class_metrics(truth, ["a"] * 50, rng=rng, plan=PLAN)
    assert (found["sensitivity: b"].value, found["sensitivity: b"].low) == (0, 0)
    assert found["sensitivity: b"].high == pytest.approx(wilson(0, 30).high)
    assert found["sensitivity: a"].low == pytest.approx(wilson(20, 20).low)
    twice = class_metrics(truth * 2, ["a"] * 100, groups=list(range(50)) * 2, rng=rng, plan=PLAN)
    assert twice["sensitivity: b"].high >= found["sensitivity: b"].high


def test_several_cases_of_a_patient_count_once(cases, rng):
    truth, predicted, _ = cases
    groups = np.repeat(range(40), 3).tolist()
    assert class_metrics(truth, predicted, groups=groups, rng=rng, plan=PLAN)["MCC"].n == 40


def test_bad_input_is_refused(cases, rng):
    truth, predicted, chances = cases
    with pytest.raises(ContentError, match="120 true and 119 predicted"):
        confusion_matrix(truth, predicted[1:])
    with pytest.raises(ContentError, match="pituitary"):
        confusion_matrix(truth, predicted, classes=CLASSES[:2])
    with pytest.raises(ContentError, match="do not occur"):
        multiclass_auc(["glioma"] * 120, chances, classes=CLASSES, rng=rng)
    with pytest.raises(ContentError, match="NaN"):
        multiclass_auc(truth, chances * np.nan, classes=CLASSES, rng=rng)
    with pytest.raises(ContentError, match=r"expected \(120, 3\)"):
        multiclass_auc(truth, chances[:, :2], classes=CLASSES, rng=rng)
    with pytest.raises(UsageError, match="average 'mean'"):
        multiclass_auc(truth, chances, classes=CLASSES, average="mean", rng=rng)
