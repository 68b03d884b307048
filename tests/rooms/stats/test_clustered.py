"""Areas where patients have several cases."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.clustered import clustered_auc, clustered_paired_test
from onkos.stats.delong import auc
from onkos.stats.roc import bootstrap_auc
from simulated_studies import lesions


def test_copies_of_a_patients_cases_do_not_narrow_the_interval(rng):
    truth = np.arange(40) % 2
    scores = rng.normal(size=40) + truth
    alone = auc(truth, scores)
    copied = clustered_auc(
        np.repeat(truth, 5), np.repeat(scores, 5), groups=np.repeat(range(40), 5).tolist()
    )
    assert (copied.low, copied.value, copied.high) == pytest.approx(
        (alone.low, alone.value, alone.high)
    )
    assert copied.n == 40


def test_obuchowski_and_the_bootstrap_by_patient_agree():
    truth, scores, groups = lesions(np.random.default_rng(0), patients=300)
    ours = clustered_auc(truth, scores[0], groups=groups)
    theirs = bootstrap_auc(truth, scores[0], groups=groups, rng=np.random.default_rng(1))
    width = ours.high - ours.low
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.08 * width)


def test_a_method_does_not_differ_from_itself(rng):
    truth, scores, groups = lesions(rng)
    found = clustered_paired_test(truth, scores[0], scores[0], groups=groups)
    assert (found.difference.value, found.p, found.difference.n) == (0, 1, 60)


def test_too_few_patients_of_a_class_are_refused():
    with pytest.raises(ContentError, match="1 patients have diseased"):
        clustered_auc([1, 1, 0, 0], [1, 2, 3, 4], groups=["a", "a", "b", "c"])


def test_complete_separation_says_that_nothing_is_known():
    found = clustered_auc([1, 1, 0, 0], [3, 4, 1, 2], groups=["a", "b", "a", "b"])
    assert (found.value, found.low, found.high) == (1, 0, 1)
    assert "nothing is known" in str(found.method)
