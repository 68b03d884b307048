"""Published values of decision curves, and of calibration."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from onkos.stats.calibration import Forecast, brier, calibration_line, in_the_large
from onkos.stats.calibration.line import logistic_fit
from onkos.stats.decision import DecisionPoint, SurvivalForecast, decision_curve
from onkos.stats.intervals import Resampling
from onkos.stats.resampling import Clusters
from onkos.stats.survival.cox import cox
from onkos.stats.survival.followup import FollowUp

Row = tuple[str, float, float, float]

FEW = Resampling(resamples=100, interval="percentile", threads=1)
CALIBRATION = 1e-6


@pytest.mark.data
def test_decision_curves_reproduce_every_published_value(data_dir):
    found = rows(data_dir)
    assert len(found) == 22
    off = [row for row in found if not abs(row[1] - row[2]) <= row[3]]
    assert off == []


@pytest.mark.data
def test_the_risk_of_the_cox_model_is_worth_more_than_treating_all(data_dir):
    """The published -0.142 is below treating all (-0.137), which a ranking by age is not."""
    table = _columns(data_dir / "golden-statistics" / "inputs" / "dca_survival.csv")
    follow, age = FollowUp(time=table["ttcancer"], event=table["cancer"]), table["age"][:, None]
    risk = 1 - cox(follow, age, names=["age"]).survival(age, [1.0])[:, 0]
    (point,) = decision_curve(
        SurvivalForecast(follow=follow, risk=risk, horizon=1.0),
        [0.25],
        rng=np.random.default_rng(0),
        plan=FEW,
    )
    assert point.model.value == pytest.approx(0.0237418636, abs=1e-9)
    assert point.treat_all.value < 0 < point.model.value


def rows(data_dir: Path) -> list[Row]:
    """Name, our value, the published one, and the tolerance."""
    folder = data_dir / "golden-statistics"
    golden = json.loads((folder / "decision_curve.json").read_text())
    tables = {name: _columns(folder / "inputs" / name) for name in golden["data"]}
    found: list[Row] = []
    for test in golden["tests"]:
        point = _point(test, tables[test["data"]])
        ours = {"all": point.treat_all.value, "none": point.treat_none, "marker": point.model.value}
        for kind, value in test["net_benefit"].items():
            name = f"{test['data']} {test['marker']} at {test['threshold']}, {kind}"
            found.append((name, ours[kind], value, golden["tolerance"]))
    known = golden["calibration_of_cancerpredmarker_generated"]
    return [*found, *_calibration(known, tables["dca_binary.csv"])]


def _columns(path: Path) -> dict[str, np.ndarray]:
    with path.open() as file:
        names, *lines = csv.reader(file)
    return dict(zip(names, np.array(lines, dtype=float).T, strict=True))


def _point(test: dict[str, Any], table: dict[str, np.ndarray]) -> DecisionPoint:
    forecast: Forecast | SurvivalForecast
    if "horizon" in test:
        follow = FollowUp(time=table[test["time"]], event=table[test["event"]])
        risk = table.get(test["marker"])
        if risk is None:
            age = table["age"][:, None]
            fit = cox(follow, age, names=["age"])
            # the published number is that of the predicted survival taken for the risk (an error
            # of the package at that commit); of the risk itself it is in the test below
            risk = fit.survival(age, [test["horizon"]])[:, 0]
        forecast = SurvivalForecast(follow=follow, risk=risk, horizon=test["horizon"])
    else:
        truth, risk = table[test["outcome"]], table.get(test["marker"])
        if risk is None:
            design = np.column_stack([np.ones(truth.size), table["age"]])
            beta, _ = logistic_fit(design, truth, Clusters.of(truth.size))
            risk = expit(design @ beta)
        forecast = Forecast(truth=truth, probability=risk)
    (point,) = decision_curve(forecast, [test["threshold"]], rng=np.random.default_rng(0), plan=FEW)
    return point


def _calibration(known: dict[str, Any], table: dict[str, np.ndarray]) -> Iterator[Row]:
    forecast = Forecast(truth=table[known["outcome"]], probability=table[known["probability"]])
    line = calibration_line(forecast)
    error = (line.slope.high - line.slope.low) / (2 * 1.959963984540054)
    score = brier(forecast, rng=np.random.default_rng(0), plan=FEW)
    ours = {
        "calibration_intercept_offset_model": in_the_large(forecast).value,
        "calibration_intercept_joint": line.intercept.value,
        "calibration_slope": line.slope.value,
        "se_slope": error,
        "brier": score.brier.value,
        "mean_predicted": float(forecast.probability.mean()),
        "prevalence": forecast.events / forecast.cases,
    }
    for name, value in ours.items():
        yield f"calibration {name}", value, known[name], CALIBRATION
