"""Calibration in the large, intercept and slope."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from onkos.core.errors import ContentError
from onkos.stats.calibration import Forecast, calibration_line, in_the_large


def study(rng, n, *, slope=1.0, shift=0.0):
    truth_logit = rng.normal(-0.5, 1.2, n)
    truth = rng.random(n) < expit(truth_logit)
    return Forecast(truth=truth, probability=expit((truth_logit - shift) / slope))


def test_agrees_with_scikit_learn(rng):
    forecast = study(rng, 300)
    logits = logit(forecast.probability)[:, None]
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logits, forecast.truth)
    line = calibration_line(forecast)
    assert line.slope.value == pytest.approx(theirs.coef_[0, 0], rel=1e-5)
    assert line.intercept.value == pytest.approx(theirs.intercept_[0], rel=1e-4)
    large = in_the_large(forecast).value
    assert expit(logits[:, 0] + large).mean() == pytest.approx(forecast.truth.mean())


def test_a_bent_and_a_moved_model_are_found(rng):
    bent = calibration_line(study(rng, 4000, slope=0.5))
    assert bent.slope.high < 1
    assert bent.slope.value == pytest.approx(0.5, abs=0.06)
    moved = in_the_large(study(rng, 4000, shift=0.7))
    assert moved.value == pytest.approx(0.7, abs=0.1)
    assert moved.low > 0


def test_intervals_hold_the_truth():
    rng, held = np.random.default_rng(1), np.zeros(3)
    for _ in range(400):
        forecast = study(rng, 150)
        line, large = calibration_line(forecast), in_the_large(forecast)
        found = ((line.slope, 1), (line.intercept, 0), (large, 0))
        held += [one.low <= truth <= one.high for one, truth in found]
    assert (held / 400 >= 0.92).all()
    assert (held / 400 <= 0.98).all()


def test_lesions_of_one_patient_are_not_taken_for_independent_ones():
    """Each patient's lesions share their fate: the interval by case would be too narrow."""
    rng, held, narrow = np.random.default_rng(2), 0, 0
    for _ in range(300):
        each = rng.normal(-0.3, 1.0, 60)
        truth, p = np.repeat(rng.random(60) < expit(each), 5), np.repeat(expit(each), 5)
        by_patient = in_the_large(
            Forecast(truth=truth, probability=p, groups=np.repeat(np.arange(60), 5).tolist())
        )
        by_case = in_the_large(Forecast(truth=truth, probability=p))
        assert (by_patient.n, by_case.n) == (60, 300)
        held += by_patient.low <= 0 <= by_patient.high
        narrow += by_case.low <= 0 <= by_case.high
    assert 0.91 <= held / 300 <= 0.98
    assert narrow / 300 < 0.75


@pytest.mark.parametrize(
    ("truth", "probability", "message"),
    [
        ([1, 1, 1], [0.2, 0.4, 0.6], "3 events in 3 cases"),
        ([1, 0, 1], [0.3, 0.3, 0.3], "are equal"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "without overlap"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 1.0], "exactly 0 or 1"),
    ],
)
def test_where_there_is_no_line_it_is_refused(truth, probability, message):
    with pytest.raises(ContentError, match=message):
        calibration_line(Forecast(truth=truth, probability=probability))
