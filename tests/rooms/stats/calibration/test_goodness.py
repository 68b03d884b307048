"""Spiegelhalter's z and the Hosmer-Lemeshow test."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError, UsageError
from onkos.stats.calibration import Bins, Forecast, hosmer_lemeshow, spiegelhalter


def study(rng, n, off=0.0):
    p = rng.uniform(0.1, 0.8, n)
    return Forecast(truth=rng.random(n) < p + off, probability=p)


@pytest.mark.parametrize("test", [spiegelhalter, hosmer_lemeshow])
def test_p_is_uniform_for_a_true_model_and_small_for_one_that_is_off(test):
    rng = np.random.default_rng(8)
    p = np.array([test(study(rng, 300)).p for _ in range(600)])
    assert 0.028 <= np.mean(p < 0.05) <= 0.075
    assert abs(np.mean(p) - 0.5) < 0.04
    assert test(study(rng, 2000, off=0.15)).p < 0.001


def test_spiegelhalter_by_hand():
    found = spiegelhalter(Forecast(truth=[1, 0], probability=[0.8, 0.3]))
    score = (1 - 0.8) * (1 - 1.6) + (0 - 0.3) * (1 - 0.6)
    variance = 0.6**2 * 0.16 + 0.4**2 * 0.21
    assert found.statistic == pytest.approx(score / np.sqrt(variance))


def test_hosmer_lemeshow_by_hand():
    forecast = Forecast(truth=[1, 0, 1, 1], probability=[0.2, 0.4, 0.6, 0.8])
    found = hosmer_lemeshow(forecast, bins=Bins(number=2))
    known = (1 - 0.6) ** 2 / (0.6 * 0.7) + (2 - 1.4) ** 2 / (1.4 * 0.3)
    assert (found.statistic, found.df, found.n) == (pytest.approx(known), 2, 4)
    with pytest.raises(UsageError, match="3 or more"):
        hosmer_lemeshow(forecast, bins=Bins(number=2), refitted=True)


def test_what_cannot_be_tested_is_refused():
    lesions = Forecast(truth=[1, 0], probability=[0.8, 0.3], groups=["a", "a"])
    for test in (spiegelhalter, hosmer_lemeshow):
        with pytest.raises(ContentError, match="2 cases of 1 patients are not independent"):
            test(lesions)
    with pytest.raises(ContentError, match="does not exist"):
        spiegelhalter(Forecast(truth=[1, 0], probability=[0.5, 1.0]))
    with pytest.raises(ContentError, match="with certainty"):
        hosmer_lemeshow(Forecast(truth=[1, 0], probability=[0.5, 0.0]))
