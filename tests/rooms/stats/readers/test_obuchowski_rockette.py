"""Obuchowski-Rockette: edges of the design that the published studies do not have."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.core.errors import ContentError, UsageError
from onkos.stats.readers import obuchowski_rockette as orm
from onkos.stats.readers.covariance import ErrorCovariance, delong, jackknife
from onkos.stats.readers.foms import WILCOXON
from onkos.stats.readers.ratings import roc_study
from reader_toys import simulated


def test_one_reader_has_fixed_readers_only(rng):
    study = simulated(rng, shape=(1, 2, 40))
    covariance = delong(study, WILCOXON)
    for factors in ("RRRC", "RRFC"):
        with pytest.raises(UsageError, match="one reader cannot speak for other readers"):
            orm.analyse(study, covariance, factors=factors)
    test = orm.analyse(study, covariance, factors="FRRC").pairs[0]
    matrix = covariance.matrix[0, :, 0]
    assert test.stderr**2 == pytest.approx(matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1])
    assert test.df2 == math.inf


def test_one_modality_has_means_and_no_test(rng):
    study = simulated(rng, shape=(4, 1, 40))
    found = orm.analyse(study, jackknife(study, WILCOXON), factors="RRRC")
    assert found.overall is None
    assert found.tests == ()
    assert found.means[0].low < found.means[0].value < found.means[0].high


def test_equal_modalities_differ_by_nothing_with_p_one(rng):
    half = simulated(rng, shape=(3, 1, 40)).highest
    study = roc_study(np.concatenate([half, half], axis=1), np.arange(40) % 2)
    for factors in ("RRRC", "FRRC", "RRFC"):
        test = orm.analyse(study, jackknife(study, WILCOXON), factors=factors).pairs[0]
        assert (test.difference, test.low, test.high, test.p) == pytest.approx((0, 0, 0, 1))


def test_a_difference_without_any_variance_is_refused(rng):
    study = simulated(rng, shape=(2, 2, 40))
    sure = ErrorCovariance(
        matrix=np.zeros((2, 2, 2, 2)),
        foms=np.array([[0.5, 1.0], [0.5, 1.0]]),
        fom="AUC",
        method="none",
        cases=40,
    )
    with pytest.raises(ContentError, match="nothing varies between readers or cases"):
        orm.analyse(study, sure, factors="RRRC")


def test_three_modalities_have_an_overall_test_and_three_differences(rng):
    study = simulated(rng, shape=(4, 3, 60))
    found = orm.analyse(study, jackknife(study, WILCOXON), factors="RRRC")
    assert [len(test.modalities) for test in found.tests] == [3, 2, 2, 2]
    assert found.tests[0].row()["difference"] is None
    assert found.tests[0].df1 == 2


def test_the_first_minus_the_second(rng):
    study = simulated(rng, difference=1.0, shape=(5, 2, 100))
    test = orm.analyse(study, jackknife(study, WILCOXON), factors="RRRC").pairs[0]
    assert test.modalities == ("1", "2")
    assert test.high < 0


@pytest.mark.parametrize("factors", ["RRRC", "FRRC", "RRFC"])
def test_intervals_and_p_values_say_the_same(rng, factors):
    study = simulated(rng, difference=0.3)
    covariance = jackknife(study, WILCOXON)
    p = orm.analyse(study, covariance, factors=factors).pairs[0].p
    edge = orm.analyse(study, covariance, factors=factors, level=1 - p).pairs[0]
    assert min(abs(edge.low), abs(edge.high)) == pytest.approx(0, abs=1e-9)


def test_level_must_be_a_level(rng):
    study = simulated(rng)
    with pytest.raises(ContentError, match="level 95"):
        orm.analyse(study, jackknife(study, WILCOXON), factors="RRRC", level=95)
