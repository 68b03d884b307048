"""Figures of merit against definitions and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from onkos.core.errors import ContentError
from onkos.stats.readers.foms import WILCOXON, sensitivity, specificity, values
from onkos.stats.readers.localisation import WAFROC, alroc
from onkos.stats.readers.ratings import roc_study
from reader_toys import simulated


def test_the_area_is_scikit_learns(rng):
    study = simulated(rng, levels=4)
    found = values(study, WILCOXON)
    for reader, modality in np.ndindex(found.shape):
        theirs = roc_auc_score(study.truth, study.highest[reader, modality])
        assert found[reader, modality] == pytest.approx(theirs, abs=1e-12)


def test_missing_readings_are_left_out(rng):
    whole = simulated(rng, levels=4)
    ratings = whole.highest.copy()
    ratings[1, 0, :7] = np.nan
    found = values(roc_study(ratings, whole.truth), WILCOXON)[1, 0]
    assert found == pytest.approx(roc_auc_score(whole.truth[7:], ratings[1, 0, 7:]), abs=1e-12)


def test_sensitivity_and_specificity_count_a_rating_at_the_threshold_as_positive():
    study = roc_study([[[1.0, 2.0, 3.0, 3.0, 4.0, 1.0]]], [0, 0, 0, 1, 1, 1])
    assert values(study, sensitivity(3))[0, 0] == pytest.approx(2 / 3)
    assert values(study, specificity(3))[0, 0] == pytest.approx(2 / 3)


def test_a_weight_of_two_is_a_case_twice(rng):
    study = simulated(rng, levels=5)
    weights = np.ones((1, 40))
    weights[0, :6] = 2
    order = np.concatenate([np.arange(40), np.arange(6)])
    doubled = roc_study(study.highest[..., order], study.truth[order])
    for fom in (WILCOXON, sensitivity(2), specificity(2)):
        assert fom.over(study, weights)[0] == pytest.approx(values(doubled, fom))


def test_the_wrong_kind_of_study_is_refused(rng):
    study = simulated(rng)
    with pytest.raises(ContentError, match="wAFROC: needs FROC data; this is an ROC study"):
        values(study, WAFROC)
    with pytest.raises(ContentError, match="needs LROC data"):
        values(study, alroc(0.2))
