"""Recalibration: fitted on one set, applied to another, stored as plain numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from onkos.core.errors import ContentError
from onkos.stats.calibration import Forecast, calibration_line
from onkos.stats.recalibration import (
    Isotonic,
    Logistic,
    fit_beta,
    fit_isotonic,
    fit_logistic,
    fit_platt,
    fit_temperature,
    recalibration_from_plain,
    recalibration_to_plain,
)

FITS = [fit_logistic, fit_temperature, fit_beta, fit_isotonic]


def study(rng, n, *, slope=0.5, shift=-0.4):
    """A model twice too extreme, and moved."""
    known = rng.normal(0.2, 1.0, n)
    truth = rng.random(n) < expit(known)
    return Forecast(truth=truth, probability=expit((known - shift) / slope)), expit(known)


@pytest.mark.parametrize("fit", FITS)
def test_an_extreme_model_is_mended_on_new_patients(fit, rng):
    fitted_on, _ = study(rng, 3000, shift=0.0)
    new, known = study(rng, 3000, shift=0.0)
    mended = fit(fitted_on).apply(new.probability)
    assert np.mean(np.abs(mended - known)) < 0.35 * np.mean(np.abs(new.probability - known))


def test_logistic_recalibration_makes_the_line_straight(rng):
    forecast, _ = study(rng, 800)
    mended = fit_logistic(forecast).apply(forecast.probability)
    line = calibration_line(Forecast(truth=forecast.truth, probability=mended))
    assert line.slope.value == pytest.approx(1, abs=1e-6)
    assert line.intercept.value == pytest.approx(0, abs=1e-6)


def test_temperature_keeps_order_and_one_half(rng):
    found = fit_temperature(study(rng, 800, shift=0.0)[0])
    assert found.temperature == pytest.approx(2.0, abs=0.35)
    assert found.apply([0.5, 0.0, 1.0]).tolist() == [0.5, 0.0, 1.0]


def test_isotonic_agrees_with_scikit_learn(rng):
    forecast, _ = study(rng, 300)
    coarse = Forecast(truth=forecast.truth, probability=np.round(forecast.probability, 2))
    theirs = IsotonicRegression(out_of_bounds="clip").fit(coarse.probability, coarse.truth)
    asked = np.linspace(0, 1, 201)
    assert fit_isotonic(coarse).apply(asked) == pytest.approx(theirs.predict(asked), abs=1e-12)


def test_beta_holds_the_logistic_line_and_no_negative_coefficient(rng):
    forecast, _ = study(rng, 2000)
    found = fit_beta(forecast)
    assert found.a == pytest.approx(0.5, abs=0.15)
    assert found.b == pytest.approx(0.5, abs=0.15)
    against = Forecast(truth=~forecast.truth, probability=forecast.probability)
    turned = fit_beta(against)
    assert (turned.a, turned.b) == (0.0, 0.0)
    assert turned.apply([0.0, 0.4, 1.0]) == pytest.approx(np.mean(against.truth))


def test_platt_takes_scores_of_any_scale_and_keeps_from_certainty(rng):
    truth = np.array([0, 0, 0, 1, 1])
    found = fit_platt(truth, [100.0, 200.0, 300.0, 900.0, 1000.0])
    p = found.apply([100.0, 1000.0])
    assert 0 < p[0] < 0.3
    assert 0.6 < p[1] < 1
    known = rng.normal(size=3000)
    many = fit_platt(rng.random(3000) < expit(known), 1000 * known + 5)
    assert 1000 * many.slope == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("fit", FITS)
def test_a_stored_recalibration_gives_the_same_numbers(fit, rng):
    forecast, _ = study(rng, 200)
    found = fit(forecast)
    again = recalibration_from_plain(json.loads(json.dumps(recalibration_to_plain(found))))
    assert again == found
    p = forecast.probability
    assert (again.apply(p) == found.apply(p)).all()
    assert (found.cases, found.events) == (200, forecast.events)


@pytest.mark.parametrize(
    "plain",
    [
        {"kind": "spline", "slope": 1.0},
        {"slope": 1.0},
        [1.0],
        {"kind": "logistic", "intercept": 0.0, "cases": 3, "events": 1},
        {"kind": "logistic", "intercept": 0.0, "slope": None, "cases": 3, "events": 1},
        {"kind": "logistic", "intercept": 0.0, "slope": "1", "cases": 3, "events": 1},
        {"kind": "isotonic", "knots": [0.5, 0.2], "values": [0.1, 0.2], "cases": 3, "events": 1},
        {"kind": "isotonic", "knots": [], "values": [], "cases": 3, "events": 1},
    ],
)
def test_what_is_no_recalibration_is_refused(plain):
    with pytest.raises(ContentError):
        recalibration_from_plain(plain)


@pytest.mark.parametrize("fit", FITS)
def test_one_class_is_refused(fit):
    with pytest.raises(ContentError, match="0 events in 2 cases"):
        fit(Forecast(truth=[0, 0], probability=[0.2, 0.4]))


def test_worse_than_chance_has_no_temperature():
    against = Forecast(truth=[1, 1, 0, 0], probability=[0.1, 0.3, 0.6, 0.9])
    with pytest.raises(ContentError, match="no finite temperature"):
        fit_temperature(against)
    with pytest.raises(ContentError, match="both classes"):
        fit_platt([1, 0], [3.0, 3.0])
    with pytest.raises(ContentError, match="finite number a case"):
        fit_platt([1, 0], [3.0, np.nan])


def test_numbers_that_are_no_probabilities_are_refused():
    curve = Isotonic(knots=(0.1, 0.9), values=(0.0, 1.0), cases=5, events=2)
    with pytest.raises(ContentError, match="no probability"):
        curve.apply([0.5, np.nan])
    line = Logistic(intercept=0.0, slope=1.0, cases=5, events=2)
    with pytest.raises(ContentError, match="no probability"):
        line.apply([1.5])
    assert line.apply([0.3, 0.0, 1.0]) == pytest.approx([0.3, 0.0, 1.0])
    assert logit(line.apply(0.3)) == pytest.approx(logit(0.3))
