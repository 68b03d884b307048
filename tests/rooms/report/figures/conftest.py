"""One drawing of every kind, from small results."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element, XMLPullParser

import numpy as np
import pytest

from onkos.core.curve import Curve
from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.report import figures
from onkos.report.figures import Drawing, ForestRow, Line, Sample, Spread
from onkos.stats.agreement.bland_altman import bland_altman

SAMPLE = Sample(n=40, missed=3)

Draw = Callable[[Sample, str], Drawing]


def about(value: float, *, n: int = 40) -> Estimate:
    """An estimate with an interval of 0.1 on each side."""
    method = Method(what="by hand")
    return Estimate(value=value, low=value - 0.1, high=value + 0.1, n=n, method=method)


def banded(x, y) -> dict[str, tuple[float, ...]]:
    """A band of 0.1 about a curve, on its own places."""
    return {
        "band_x": x,
        "band_low": tuple(max(0.0, one - 0.1) for one in y),
        "band_high": tuple(min(1.0, one + 0.1) for one in y),
    }


X, Y = (0.0, 0.1, 0.3, 0.6, 1.0), (0.0, 0.5, 0.8, 0.95, 1.0)


def _roc(sample: Sample, name: str) -> Drawing:
    curve = Curve(kind="roc", x=X, y=Y, lines=banded(X, Y))
    point = about(0.7), about(0.8)
    counts = {name: 14, "other": 26}
    return figures.roc(curve, area=about(0.81), sample=sample, point=point, counts=counts)


def _precision_recall(sample: Sample, name: str) -> Drawing:
    lines = {**banded(Y, X[::-1]), "prevalence": (0.35,)}
    curve = Curve(kind="precision_recall", x=Y, y=X[::-1], lines=lines)
    return figures.precision_recall(curve, area=about(0.7), sample=sample)


def _reliability(sample: Sample, name: str) -> Drawing:
    curve = Curve(
        kind="reliability",
        x=(0.2, 0.5, 0.9),
        y=(0.1, 0.6, 0.8),
        low=(0.0, 0.4, 0.6),
        high=(0.3, 0.8, 0.95),
        lines={"histogram": tuple(float(n) for n in range(20))},
    )
    return figures.reliability(curve, sample=sample, slope=about(1.1))


def _decision(sample: Sample, name: str) -> Drawing:
    curve = Curve(
        kind="decision",
        x=(0.1, 0.4, 0.7),
        y=(0.3, 0.2, 0.05),
        low=(0.2, 0.1, -0.1),
        high=(0.4, 0.3, 0.2),
        lines={"all": (0.3, -0.1, -1.2)},
    )
    return figures.decision({name: curve}, sample=sample)


def _froc(sample: Sample, name: str) -> Drawing:
    x, y = (0.0, 0.2, 0.7, 2.0), (0.1, 0.4, 0.6, 0.8)
    curve = Curve(kind="froc", x=x, y=y, lines=banded((0.125, 0.5, 2.0), (0.3, 0.5, 0.8)))
    points = {at: about(0.3 + 0.05 * n) for n, at in enumerate((0.125, 0.25, 0.5, 1, 2, 4, 8))}
    return figures.froc(curve, points=points, cpm=about(0.45), sample=sample)


def _rocs(sample: Sample, name: str) -> Drawing:
    curve = Curve(kind="roc", x=X, y=Y, lines=banded(X, Y))
    first = Line.of(curve, name=name, note="AUC 0.8 (0.7–0.9)")
    second = Line(name="reader 2", x=np.array([0.0, 0.2, 1.0]), y=np.array([0.0, 0.7, 1.0]))
    mean = Line(name="mean", x=np.array([0.0, 1.0]), y=np.array([0.3, 1.0]))
    return figures.rocs([first, second], sample=sample, average=mean)


def _kaplan_meier(sample: Sample, name: str) -> Drawing:
    curves = [
        Curve(
            kind="survival",
            name=group,
            x=(1.0, 3.0, 8.0),
            y=(0.95, 0.7, drop),
            low=(0.85, 0.5, drop - 0.2),
            high=(1.0, 0.9, drop + 0.2),
            lines={"at_risk_x": (0.0, 4.0), "at_risk": (20.0, 9.0), "censored": (2.0, 5.0)},
            notes=("log-rank p = 0.4",),
        )
        for group, drop in ((name, 0.5), ("other", 0.3))
    ]
    return figures.kaplan_meier(curves, sample=sample, unit="months")


def _bland_altman(sample: Sample, name: str) -> Drawing:
    a = np.linspace(10, 40, 25)
    b = a + np.sin(np.arange(25.0))
    return figures.bland_altman(
        a, b, limits=bland_altman(a, b), sample=sample, unit="mm", names=(name, "software")
    )


def _forest(sample: Sample, name: str) -> Drawing:
    nan = float("nan")
    unknown = Estimate(value=nan, low=nan, high=nan, n=0, method=Method(what="by hand"))
    rows = [
        ForestRow(name="all", estimate=about(0.75)),
        ForestRow(name=name, estimate=about(0.67, n=15), group="site"),
        ForestRow(name="not known", estimate=unknown, group="site"),
    ]
    return figures.forest(rows, label="Sensitivity", sample=sample, reference=0.75)


def _confusion(sample: Sample, name: str) -> Drawing:
    table = Curve(kind="confusion", lines={name: (1.0, 1.0), "b": (0.0, 2.0)})
    return figures.confusion(table, sample=sample)


def _distribution(sample: Sample, name: str) -> Drawing:
    rng = np.random.default_rng(8)
    values, missed = rng.beta(8, 2, 30), np.arange(30) % 11 == 0
    values[missed] = 0
    mean = about(float(values.mean()), n=30)
    spread = Spread(name=name, values=values, missed=missed, estimate=mean)
    return figures.distribution([spread], label="Dice", sample=sample)


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
