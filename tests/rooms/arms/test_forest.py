"""The patient's own threshold, and groups that keep a patient's scans together."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from onkos.arms.forest import _groups, _split, decided


def test_the_split_is_otsus(rng):
    values = np.concatenate([rng.normal(0.2, 0.05, 400), rng.normal(0.7, 0.08, 90)]).round(3)
    at_least = _split(values, np.ones(len(values)))
    half_a_bin = np.ptp(values) / 4096 / 2  # skimage gives the middle of the lower group's last
    theirs = threshold_otsu(values, nbins=4096) + half_a_bin
    assert np.array_equal(values >= at_least, values > theirs)


def test_weights_count_as_repeats(rng):
    values, weights = rng.random(60), rng.integers(1, 5, 60)
    assert _split(values, weights.astype(float)) == _split(
        np.repeat(values, weights), np.ones(weights.sum())
    )


def test_one_value_only_is_its_own_threshold():
    assert _split(np.full(5, 0.3), np.ones(5)) == 0.3


def test_what_is_improbable_outright_stays_out():
    described = SimpleNamespace(sizes=np.ones(4))
    tumour = np.array([0.01, 0.02, 0.15, 0.16])
    answers = np.column_stack([1 - tumour, tumour * 0.7, tumour * 0.3])
    assert not decided(described, answers).any()


def test_core_and_oedema_fall_apart_inside_the_tumour():
    described = SimpleNamespace(sizes=np.array([30.0, 5.0, 6.0]))
    answers = np.array([[0.95, 0.02, 0.03], [0.2, 0.7, 0.1], [0.3, 0.2, 0.5]])
    assert decided(described, answers).tolist() == [0, 1, 2]


@pytest.mark.parametrize("folds", [2, 3, 9])
def test_scans_of_a_patient_are_in_one_group(folds):
    patients = ["a", "b", "a", "c", "b", "d"]
    groups = _groups(patients, folds, np.random.default_rng(0))
    by_patient = {p: {g for q, g in zip(patients, groups, strict=True) if q == p} for p in patients}
    assert all(len(found) == 1 for found in by_patient.values())
    assert len(set(groups)) == min(folds, 4)
