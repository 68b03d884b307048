"""One drawing of every kind, from small results."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element, XMLPullParser

import numpy as np
import pytest

from onkos.report import figures
from onkos.report.figures import Drawing, ForestRow, Line, Sample, Spread
from onkos.stats.agreement.bland_altman import bland_altman
from onkos.stats.bands import froc_band, precision_recall_band, roc_band
from onkos.stats.bootstrap import bootstrap_mean
from onkos.stats.calibration import Forecast, calibration_line, reliability_curve
from onkos.stats.decision import decision_curve
from onkos.stats.delong import auc
from onkos.stats.froc import CPM_POINTS, cpm, froc_curve, sensitivity_at
from onkos.stats.intervals import Resampling
from onkos.stats.marks import Marks
from onkos.stats.multiclass import confusion_matrix
from onkos.stats.precision_recall import average_precision, precision_recall_curve
from onkos.stats.proportions import wilson
from onkos.stats.readers.curves import OperatingCurve
from onkos.stats.roc import roc_curve
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.kaplan_meier import kaplan_meier

QUICK = Resampling(resamples=100, interval="percentile")
SAMPLE = Sample(n=40, missed=3)

Draw = Callable[[Sample, str], Drawing]


def _roc(sample: Sample, name: str) -> Drawing:
    truth, score, rng = _scored()
    band = roc_band(truth, score, rng=rng, plan=QUICK)
    point = wilson(9, 13), wilson(20, 27)
    curve = roc_curve(truth, score)
    return figures.roc(curve, area=auc(truth, score), sample=sample, band=band, point=point)


def _precision_recall(sample: Sample, name: str) -> Drawing:
    truth, score, rng = _scored()
    return figures.precision_recall(
        precision_recall_curve(truth, score),
        area=average_precision(truth, score, rng=rng, plan=QUICK),
        sample=sample,
        band=precision_recall_band(truth, score, rng=rng, plan=QUICK),
    )


def _reliability(sample: Sample, name: str) -> Drawing:
    forecast = _forecast()
    return figures.reliability(
        reliability_curve(forecast),
        probability=forecast.probability,
        sample=sample,
        slope=calibration_line(forecast).slope,
    )


def _decision(sample: Sample, name: str) -> Drawing:
    points = decision_curve(_forecast(), (0.1, 0.4, 0.7), rng=np.random.default_rng(2), plan=QUICK)
    return figures.decision({name: points}, sample=sample)


def _froc(sample: Sample, name: str) -> Drawing:
    rng, cases = np.random.default_rng(4), tuple(range(12))
    marks = Marks(
        cases=cases,
        patients=cases,
        false_case=rng.integers(0, 12, 20),
        false_score=rng.normal(size=20),
        lesion_case=rng.integers(0, 12, 15),
        lesion_score=np.where(np.arange(15) < 3, -np.inf, rng.normal(1, 1, size=15)),
        lesion_weight=np.ones(15),
    )
    found = sensitivity_at(marks, CPM_POINTS, rng=rng, between="linear", plan=QUICK)
    return figures.froc(
        froc_curve(marks),
        points=dict(zip(CPM_POINTS, found, strict=True)),
        cpm=cpm(marks, rng=rng, plan=QUICK),
        sample=sample,
        band=froc_band(marks, rng=rng, plan=QUICK),
    )


def _rocs(sample: Sample, name: str) -> Drawing:
    truth, score, rng = _scored()
    band = roc_band(truth, score, rng=rng, plan=QUICK)
    first = Line.of(roc_curve(truth, score), name=name, note="AUC 0.8 (0.7–0.9)", band=band)
    second = OperatingCurve(
        name="reader 2", x=np.array([0.0, 0.2, 1.0]), y=np.array([0.0, 0.7, 1.0])
    )
    mean = Line(name="mean", x=np.array([0.0, 1.0]), y=np.array([0.3, 1.0]))
    return figures.rocs([first, Line.of(second)], sample=sample, average=mean)


def _kaplan_meier(sample: Sample, name: str) -> Drawing:
    rng = np.random.default_rng(6)
    curves = {
        group: kaplan_meier(FollowUp(time=rng.exponential(9, 20), event=rng.random(20) < 0.6))
        for group in (name, "other")
    }
    return figures.kaplan_meier(curves, sample=sample, unit="months", note="log-rank p = 0.4")


def _bland_altman(sample: Sample, name: str) -> Drawing:
    a = np.linspace(10, 40, 25)
    b = a + np.sin(np.arange(25.0))
    return figures.bland_altman(
        a, b, limits=bland_altman(a, b), sample=sample, unit="mm", names=(name, "software")
    )


def _forest(sample: Sample, name: str) -> Drawing:
    rows = [
        ForestRow(name="all", estimate=wilson(30, 40)),
        ForestRow(name=name, estimate=wilson(10, 15), group="site"),
        ForestRow(name="not known", estimate=wilson(0, 0), group="site"),
    ]
    return figures.forest(rows, label="Sensitivity", sample=sample, reference=0.75)


def _confusion(sample: Sample, name: str) -> Drawing:
    table = confusion_matrix([name, name, "b", "b"], [name, "b", "b", "b"], classes=[name, "b"])
    return figures.confusion(table, sample=sample)


def _distribution(sample: Sample, name: str) -> Drawing:
    rng = np.random.default_rng(8)
    values, missed = rng.beta(8, 2, 30), np.arange(30) % 11 == 0
    values[missed] = 0
    mean = bootstrap_mean(values, groups=range(30), rng=rng)
    spread = Spread(name=name, values=values, missed=missed, estimate=mean)
    return figures.distribution([spread], label="Dice", sample=sample)


def _scored():
    rng = np.random.default_rng(1)
    truth = np.arange(40) % 3 == 0
    return truth, rng.normal(size=40) + 1.3 * truth, rng


def _forecast() -> Forecast:
    truth, score, _ = _scored()
    return Forecast(truth=truth, probability=1 / (1 + np.exp(-score)))


DRAWN: dict[str, Draw] = {
    "roc": _roc,
    "precision_recall": _precision_recall,
    "reliability": _reliability,
    "decision": _decision,
    "froc": _froc,
    "rocs": _rocs,
    "kaplan_meier": _kaplan_meier,
    "bland_altman": _bland_altman,
    "forest": _forest,
    "confusion": _confusion,
    "distribution": _distribution,
}


@pytest.fixture(scope="session")
def elements() -> Callable[[str], list[Element]]:
    """Elements of an SVG that must be well formed, the root first."""

    def read(svg: str) -> list[Element]:
        parser = XMLPullParser(events=("start",))
        parser.feed(svg)
        parser.close()
        return [element for _, element in parser.read_events()]

    return read


@pytest.fixture(params=sorted(DRAWN))
def draw(request) -> Draw:
    """A function that draws one kind of figure, of a sample, with a name in it."""
    return DRAWN[request.param]


@pytest.fixture(scope="session")
def drawing() -> Callable[[str], Drawing]:
    """Drawings by their kind, made once."""
    made: dict[str, Drawing] = {}

    def give(kind: str) -> Drawing:
        if kind not in made:
            made[kind] = DRAWN[kind](SAMPLE, "one")
        return made[kind]

    return give
