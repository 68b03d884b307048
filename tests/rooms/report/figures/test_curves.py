"""Curves of one classifier or detector."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from onkos.core.curve import Curve
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.report import figures, words
from onkos.report.figures import Sample, reliability, roc

SAMPLE = Sample(n=8)
AREA = Estimate(value=0.8, low=0.6, high=0.9, n=8, level=0.9, method=Method(what="AUC"))
CURVE = Curve(kind="roc", x=(0.0, 0.25, 0.25, 0.75, 1.0), y=(0.0, 0.25, 0.75, 1.0, 1.0))


def test_a_roc_curve_says_its_area_band_and_point(drawing):
    said = drawing("roc").about
    assert "Area under the curve 0.810 (0.710–0.910)." in said
    assert "95 % band of each point." in said
    assert "Operating point: sensitivity 0.700 (0.600–0.800)" in said
    assert "specificity 0.800 (0.700–0.900)." in said
    assert "14 one, 26 other." in said


def test_the_curve_is_drawn_where_it_is(elements):
    made = roc(CURVE, area=AREA, sample=SAMPLE)
    lines = [
        np.array(re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", path.get("d", "")), dtype=float)
        for path in elements(made.svg)
        if path.tag.endswith("path") and path.get("stroke") == "#0072b2"
    ]
    drawn = max(lines, key=len)
    corner, far = drawn[0], drawn[-1]
    x = (drawn[:, 0] - corner[0]) / (far[0] - corner[0])
    y = (drawn[:, 1] - corner[1]) / (far[1] - corner[1])
    for place in zip(CURVE.x, CURVE.y, strict=True):
        assert np.hypot(x - place[0], y - place[1]).min() < 1e-3


def test_a_band_is_named_with_its_level_and_notes_are_said():
    lines = {"band_x": (0.0, 1.0), "band_low": (0.0, 0.9), "band_high": (0.2, 1.0)}
    curve = replace(CURVE, lines=lines, notes=("scores ranked within folds",))
    said = roc(curve, area=AREA, sample=SAMPLE).about
    assert "90 % band of each point." in said
    assert "Scores ranked within folds." in said
    assert "band" not in roc(CURVE, area=AREA, sample=SAMPLE).about


def test_a_reliability_curve_says_every_point_and_draws_every_bar(elements):
    curve = Curve(
        kind="reliability",
        x=(0.1, 0.7),
        y=(0.2, 0.5),
        low=(0.1, -np.inf),
        high=(0.3, np.inf),
        lines={"histogram": (4.0, 0.0, 3.0, 1.0)},
        notes=("6 patients with an answer",),
    )
    made = reliability(curve, sample=SAMPLE)
    for x, y, low, high in zip(curve.x, curve.y, curve.low, curve.high, strict=True):
        assert f"predicted {x:.2g}, observed {words.ranged(y, low, high)}".lower() in (
            made.about.lower()
        )
    assert "6 patients with an answer." in made.about
    bars = [path for path in elements(made.svg) if path.get("fill") == "#56b4e9"]
    assert len(bars) == 4


def test_no_curve_is_refused():
    with pytest.raises(ContentError, match="expected at least one"):
        figures.decision({}, sample=SAMPLE)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("precision_recall", "Average precision 0.700 (0.600–0.800), prevalence 0.35."),
        ("decision", "One is worth 0.3 at 0.1."),
        ("froc", "CPM 0.450 (0.350–0.550)."),
        ("rocs", "one AUC 0.8 (0.7–0.9); reader 2; mean."),
    ],
)
def test_the_others_say_what_they_show(drawing, kind, said):
    assert said in drawing(kind).about
