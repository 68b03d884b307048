"""Curves of one classifier or detector."""

from __future__ import annotations

import re

import numpy as np
import pytest

from onkos.report import words
from onkos.report.figures import Sample, reliability, roc
from onkos.stats.bands import Band
from onkos.stats.calibration import Forecast, reliability_curve
from onkos.stats.delong import auc
from onkos.stats.proportions import wilson
from onkos.stats.roc import roc_curve

SAMPLE = Sample(n=8)
TRUTH, SCORES = np.arange(8) % 2 == 0, np.array([0.9, 0.1, 0.7, 0.8, 0.4, 0.3, 0.6, 0.2])


def test_a_roc_curve_says_its_area_band_and_point(drawing):
    said = drawing("roc").about
    assert "Area under the curve 0." in said
    assert "95 % band of each point" in said
    assert f"sensitivity {words.estimated(wilson(9, 13))}" in said
    assert f"specificity {words.estimated(wilson(20, 27))}" in said
    assert "14 with and 26 without the disease" in said


def test_the_curve_is_drawn_where_it_is(elements):
    curve = roc_curve(TRUTH, SCORES)
    made = roc(curve, area=auc(TRUTH, SCORES), sample=SAMPLE)
    lines = [
        np.array(re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", path.get("d", "")), dtype=float)
        for path in elements(made.svg)
        if path.tag.endswith("path") and path.get("stroke") == "#0072b2"
    ]
    drawn = max(lines, key=len)
    corner, far = drawn[0], drawn[-1]
    x = (drawn[:, 0] - corner[0]) / (far[0] - corner[0])
    y = (drawn[:, 1] - corner[1]) / (far[1] - corner[1])
    for place in zip(curve.false_positive_rate, curve.true_positive_rate, strict=True):
        assert np.hypot(x - place[0], y - place[1]).min() < 1e-3


def test_a_simultaneous_band_is_named_so():
    at = np.linspace(0, 1, 5)
    band = Band(
        at=at, value=at, low=at, high=at, n=8, level=0.9, simultaneous=True, method="by hand"
    )
    curve = roc_curve(TRUTH, SCORES)
    made = roc(curve, area=auc(TRUTH, SCORES), sample=SAMPLE, band=band)
    assert "90 % band of the whole curve" in made.about


def test_a_reliability_curve_says_every_point():
    forecast = Forecast(truth=TRUTH, probability=SCORES)
    bins = reliability_curve(forecast)
    made = reliability(bins, probability=SCORES, sample=SAMPLE)
    for one in bins:
        assert f"predicted {one.predicted:.2g}, observed {words.estimated(one.observed)}" in (
            made.about
        )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("precision_recall", "Average precision 0."),
        ("decision", "one is worth 0."),
        ("froc", "CPM 0."),
        ("rocs", "one AUC 0.8 (0.7–0.9); reader 2; mean."),
    ],
)
def test_the_others_say_what_they_show(drawing, kind, said):
    assert said in drawing(kind).about
