"""Readings, comparisons, and a way to read a page back, for the tests of the report."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

import numpy as np
import pytest

from onkos.clinic.lesions import quantities
from onkos.core.card import ErrorModel
from onkos.core.case import Cohort
from onkos.core.comparison import ArmResult, Comparison, FeatureReliance, Reliance
from onkos.core.curve import Curve
from onkos.core.desk import PLAIN, Desk
from onkos.core.estimate import Estimate
from onkos.core.judgement import Interaction, JudgedCase, Judgement, PairedTest, Spread
from onkos.core.mask import Mask
from onkos.core.method import Method
from onkos.core.reading import Prediction, Provenance, Reading
from onkos.core.source import Caveat
from onkos.core.study import Study
from onkos.core.task import Task
from onkos.phantom.brain import BrainPhantom, simulated
from toys import ThresholdArm, blob, toy_cohort

_VOID = {"meta", "link", "br", "input", "rect", "path", "circle", "line", "image"}


@dataclass
class Page:
    """Elements as (tag, attributes), and the text a person sees, in order."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    scripts: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.page.elements.append((tag, attributes))
        if tag not in _VOID:
            self.open.append(tag)
        if tag in ("script", "style"):
            self.page.scripts.append((attributes, ""))

    def handle_startendtag(self, tag, attrs) -> None:
        self.page.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            attributes, before = self.page.scripts[-1]
            self.page.scripts[-1] = (attributes, before + data)
        else:
            self.page.text += data + " "


class TrueModel:
    """Answers with the outline that is true, under the card of another model."""

    def __init__(self, card, truth: Mask) -> None:
        self.card = card
        self.truth = truth

    def predict(self, study: Study, *, desk: Desk = PLAIN) -> Prediction:
        return Prediction.outlined(self.truth, reference=self.card.reference)


def about(values, *, what: str = "mean over cases", missed: int = 0, **said) -> Estimate:
    """Mean of values with an interval of two standard errors."""
    known = np.array([one for one in values if np.isfinite(one)], dtype=float)
    mean, error = float(known.mean()), float(known.std() / np.sqrt(len(known)))
    method = Method(what=what, by="percentile bootstrap by patient", resamples=2000, **said)
    return Estimate(
        value=mean,
        low=mean - 2 * error,
        high=mean + 2 * error,
        n=len(known),
        missed=missed,
        method=method,
    )


def share(hits: int, n: int) -> Estimate:
    """Share of cases with a wide interval."""
    method = Method(what="proportion", share=(hits, n), by="Wilson's interval")
    value = hits / n
    return Estimate(
        value=value, low=max(0, value - 0.2), high=min(1, value + 0.2), n=n, method=method
    )


def provenance(**settings) -> Provenance:
    return Provenance(
        version="1",
        model="",
        weights_sha256="",
        inputs=("toy-1",),
        settings=settings,
        seed=1,
        created="2026-11-28",
    )


def outlining(name: str, *, family: str, error: float, rng: np.random.Generator) -> ArmResult:
    """An arm that outlines two tissues of twelve patients, off by so much."""
    cases = []
    for n in range(12):
        values = {}
        for number, key in enumerate(("tumour", "core", "oedema")):
            dice = float(np.clip(0.93 - error - 0.02 * number + rng.normal(0, 0.02), 0, 1))
            values |= {
                f"dice:{key}": dice,
                f"sensitivity:{key}": dice / (2 - dice),
                f"hd95_mm:{key}": 40 * (1 - dice),
            }
        cases.append(
            JudgedCase(
                case=f"case-{n}-0",
                patient=f"P{n}",
                task=Task.SEGMENT,
                fold=n % 3,
                values=values,
            )
        )
    metrics = {key: about([one.values[key] for one in cases]) for key in cases[0].values}
    judgement = Judgement(
        tasks=(Task.SEGMENT,),
        main={Task.SEGMENT: "dice:tumour"},
        metrics=metrics,
        cases=tuple(cases),
    )
    return ArmResult(
        name=name, family=family, judgement=judgement, fit_seconds=12.0, predict_seconds=3.0
    )


def tested(a: ArmResult, b: ArmResult, metric: str, tests: int) -> PairedTest:
    """Paired difference of two arms, by the cases where they have the metric's values."""
    task = a.judgement.tasks[0]
    pairs = [
        one.values[metric] - two.values[metric]
        for one, two in zip(a.judgement.of(task), b.judgement.of(task), strict=True)
    ]
    note = "p by flipping the sign of each patient's difference"
    difference = about(pairs, notes=(note,))
    shown = not difference.low <= 0 <= difference.high
    p = 0.0005 if shown else 0.6
    return PairedTest(
        a=a.name,
        b=b.name,
        metric=metric,
        difference=difference,
        p=p,
        p_adjusted=min(1.0, p * tests),
    )


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    """Three arms on twelve patients: two alike, one worse."""
    rng = np.random.default_rng(1)
    arms = (
        outlining("threshold", family="classic", error=0.0, rng=rng),
        outlining("twin", family="classic", error=0.004, rng=rng),
        outlining("poor", family="trivial", error=0.5, rng=rng),
    )
    tests = tuple(
        tested(arms[a], arms[b], f"dice:{key}", 9)
        for a, b in ((0, 1), (0, 2), (1, 2))
        for key in ("tumour", "core", "oedema")
    )
    phantom = Caveat(code="phantom", text="All patients are simulated (phantom).")
    return Comparison(
        cohort="balls",
        simulated=True,
        patients=12,
        cases=12,
        folds=3,
        arms=arms,
        tests=tests,
        caveats=(phantom, Caveat(code="few-patients", text="Only 12 patients.")),
        provenance=provenance(level=0.95),
    )


def roc_curve(score, truth) -> Curve:
    """ROC curve by its definition, with a band of 0.1."""
    thresholds = [np.inf, *sorted(set(score), reverse=True)]
    called = [np.array(score) >= one for one in thresholds]
    x = tuple(float(one[~truth].mean()) for one in called)
    y = tuple(float(one[truth].mean()) for one in called)
    lines = {
        "band_x": x,
        "band_low": tuple(max(0.0, one - 0.1) for one in y),
        "band_high": tuple(min(1.0, one + 0.1) for one in y),
    }
    notes = ("scores of different folds brought onto one scale by their ranks within the fold",)
    return Curve(kind="roc", x=x, y=y, lines=lines, notes=notes)


def class_curves(score, truth) -> tuple[Curve, ...]:
    """Every curve of two classes, with numbers made up but for the ROC curve."""
    places = (0.1, 0.5, 0.9)
    recall = Curve(
        kind="precision_recall",
        x=places,
        y=(0.9, 0.8, 0.6),
        lines={"prevalence": (float(truth.mean()),)},
    )
    histogram, _ = np.histogram(score, bins=20, range=(0, 1))
    reliability = Curve(
        kind="reliability",
        x=places,
        y=(0.2, 0.4, 0.8),
        low=(0.1, 0.3, 0.6),
        high=(0.4, 0.6, 0.95),
        lines={"histogram": tuple(float(one) for one in histogram)},
        notes=("20 patients with an answer",),
    )
    decision = Curve(
        kind="decision",
        x=places,
        y=(0.4, 0.2, 0.0),
        low=(0.3, 0.1, -0.1),
        high=(0.5, 0.3, 0.1),
        lines={"all": (0.4, 0.0, -2.0)},
    )
    confusion = Curve(kind="confusion", lines={"benign": (8.0, 2.0), "malignant": (3.0, 7.0)})
    return roc_curve(score, truth), recall, reliability, decision, confusion


def area(value: float, *, n: int = 20) -> Estimate:
    """An area with an interval of 0.15 on each side."""
    method = Method(what="AUC within folds", by="variance between patients, logit interval")
    return Estimate(
        value=value, low=max(0, value - 0.15), high=min(1, value + 0.15), n=n, method=method
    )


def telling(name: str, *, family: str, skill: float, rng: np.random.Generator) -> ArmResult:
    """An arm that tells ten benign from ten malignant nodules."""
    truth = np.arange(20) % 2 == 1
    score = np.clip(0.5 + skill * (truth - 0.5) + rng.normal(0, 0.15, 20), 0.01, 0.99)
    if not skill:
        score = np.full(20, 0.5)
    cases = tuple(
        JudgedCase(
            case=f"nodule-{n}",
            patient=f"P{n}",
            task=Task.CLASSIFY,
            fold=n % 4,
            values={"benign": 1 - float(p), "malignant": float(p)},
            truth="malignant" if true else "benign",
            called="malignant" if p >= 0.5 else "benign",
        )
        for n, (p, true) in enumerate(zip(score, truth, strict=True))
    )
    ranks = [np.mean((one > score[~truth]) + 0.5 * (one == score[~truth])) for one in score[truth]]
    auc = area(float(np.mean(ranks)))
    wrong = (score - truth) ** 2
    slope = Method(what="calibration slope", undefined="one score for all") if not skill else None
    nan = float("nan")
    metrics = {
        "auc": auc,
        "average_precision": about(0.5 + 0.4 * skill + 0 * score, what="average precision"),
        "brier": about(wrong, what="Brier score"),
        "sensitivity": share(int((score[truth] >= 0.5).sum()), 10),
        "specificity": share(int((score[~truth] < 0.5).sum()), 10),
        "calibration_slope": Estimate(value=nan, low=nan, high=nan, n=20, method=slope)
        if slope
        else about([0.8, 1.2, 1.1], what="calibration slope"),
        "accuracy": share(12, 20),
    }
    groups = {
        "site": {"A": {"auc": area(0.7, n=10)}, "B": {"auc": area(0.6, n=10)}},
        "sex": {"F": {"auc": area(0.65, n=13)}, "M": {"auc": area(0.6, n=7)}},
    }
    interactions = tuple(
        Interaction(
            column=column,
            metric="auc",
            statistic=0.4,
            p=0.52,
            p_adjusted=1.0,
            method=Method(what="Cochran's Q", by="chi-square"),
        )
        for column in groups
    )
    judgement = Judgement(
        tasks=(Task.CLASSIFY,),
        main={Task.CLASSIFY: "auc"},
        metrics=metrics,
        subgroups=groups,
        interactions=interactions,
        curves=class_curves(score, truth),
        cases=cases,
        caveats=(Caveat(code="threshold-half", text="Called from 0.5 on."),),
        classes=("benign", "malignant"),
        positive="malignant",
    )
    return ArmResult(
        name=name, family=family, judgement=judgement, fit_seconds=1.0, predict_seconds=0.5
    )


def resting(arm: ArmResult, feature: str, *, stable: float = math.nan) -> ArmResult:
    """The arm with the one feature that it uses in every fold."""
    loss = about([0.1, 0.2, 0.3], what="rise of log-loss")
    stability = Estimate(
        value=stable, low=stable, high=stable, n=4, method=Method(what="Nogueira's stability")
    )
    one = FeatureReliance(name=feature, loss=loss, selected=share(4, 4))
    reliance = Reliance(features=(one,), stability=stability)
    return replace(arm, used={feature: 1.0}, reliance=reliance)


def area_tests(arms: tuple[ArmResult, ...]) -> tuple[PairedTest, ...]:
    """Differences of area and of Brier's score; none is shown."""
    made = []
    pairs = [(a, b) for n, a in enumerate(arms) for b in arms[n + 1 :]]
    for a, b in pairs:
        for metric, how in (
            ("auc", Method(what="difference of AUC within folds", by="variance between patients")),
            ("brier", Method(what="mean difference", notes=("p by flipping signs of patients",))),
        ):
            value = a.metrics[metric].value - b.metrics[metric].value
            difference = Estimate(value=value, low=value - 0.6, high=value + 0.6, n=20, method=how)
            test = PairedTest(
                a=a.name, b=b.name, metric=metric, difference=difference, p=0.4, p_adjusted=1.0
            )
            made.append(test)
    return tuple(made)


@pytest.fixture(scope="session")
def judged() -> Comparison:
    """Size only against a column that tells little."""
    rng = np.random.default_rng(3)
    arms = (
        resting(
            telling("size-only", family="trivial", skill=0.15, rng=rng), "diameter_mm", stable=0.6
        ),
        telling("prevalence-only", family="trivial", skill=0.0, rng=rng),
        resting(telling("facts-logistic", family="classic", skill=0.05, rng=rng), "psa"),
    )
    return Comparison(
        cohort="nodules",
        simulated=True,
        patients=20,
        cases=20,
        folds=4,
        arms=arms,
        tests=area_tests(arms),
        caveats=(Caveat(code="few-patients", text="Only 20 patients."),),
        provenance=provenance(),
    )


@pytest.fixture(scope="session")
def repeated(judged) -> Comparison:
    """The same on folds drawn three times."""

    def thrice(arm: ArmResult) -> ArmResult:
        metrics = {
            name: replace(one, method=replace(one.method, repeats=3))
            for name, one in arm.metrics.items()
        }
        spread = {"auc": Spread(values=(0.5, 0.6, 0.55), sd=0.05, low=0.5, high=0.6)}
        return replace(arm, judgement=replace(arm.judgement, metrics=metrics, spread=spread))

    return replace(judged, repeats=3, arms=tuple(thrice(arm) for arm in judged.arms))


@pytest.fixture(scope="session")
def estimates() -> dict[str, Callable[..., Estimate]]:
    """Makers of estimates: of an area, of a share, of a mean."""
    return {"area": area, "share": share, "mean": about}


@pytest.fixture
def of_arm() -> Callable[..., ArmResult]:
    """Give an arm other values in its judgement."""

    def changed(arm: ArmResult, **values) -> ArmResult:
        return replace(arm, judgement=replace(arm.judgement, **values))

    return changed


@pytest.fixture(scope="session")
def nodules() -> Cohort:
    """Twenty cases with a small volume each, under the names of the judged ones."""
    cases = toy_cohort(20).cases
    return Cohort(
        name="nodules",
        cases=tuple(
            replace(case, id=f"nodule-{n}", patient=f"P{n}") for n, case in enumerate(cases)
        ),
        simulated=True,
    )


@pytest.fixture(scope="session")
def model(comparison):
    """The threshold arm with its errors on unseen patients."""
    fitted = ThresholdArm().fit(toy_cohort(6).cases, rng=np.random.default_rng(0))
    error = ErrorModel(mean_log_ratio=0.01, sd_log_ratio=0.08, n=12)
    errors = dict.fromkeys(quantities(blob(900)[1]), error)
    estimates = dict(comparison.arms[0].metrics)
    return fitted.with_card(replace(fitted.card, errors=errors, estimates=estimates))


@pytest.fixture(scope="session")
def ball_reading(model) -> Reading:
    """A ball in an oblique grid of one image."""
    from onkos.read import read

    return read(model, blob(900)[0])


@pytest.fixture(scope="session")
def phantom_patient():
    """A whole head in four contrasts, on an oblique grid."""
    return simulated(BrainPhantom(shape=(60, 66, 44)), seed=3, number=2)


@pytest.fixture(scope="session")
def reading_of(model):
    """Read a phantom and find exactly what is there."""
    from onkos.read import read

    def made(patient) -> Reading:
        roles = ("t1", "t1c", "t2", "flair")
        card = replace(model.card, roles=roles, reference="t1c", site="brain")
        return read(TrueModel(card, patient.truth), patient.study)

    return made


@pytest.fixture(scope="session")
def head_reading(phantom_patient, reading_of) -> Reading:
    """A reading of the phantom head."""
    return reading_of(phantom_patient)


@pytest.fixture(scope="session")
def parsed() -> Callable[[str], Page]:
    """Parse a page; fails where elements are not closed in order."""

    def parse(html: str) -> Page:
        parser = _Parser()
        parser.feed(html)
        parser.close()
        assert parser.open == [], f"never closed: {parser.open}"
        parser.page.text = " ".join(parser.page.text.split())
        return parser.page

    return parse
