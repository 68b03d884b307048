"""The page of an evaluation: every estimate, every figure, every case."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from playwright.sync_api import sync_playwright

from onkos.core.comparison import Evaluation
from onkos.core.curve import Curve
from onkos.core.estimate import Estimate
from onkos.core.judgement import Interaction, JudgedCase, Judgement
from onkos.core.method import Method
from onkos.core.plain import from_plain, to_plain
from onkos.core.reading import Provenance
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.judge.measures import MEASURES
from onkos.report import evaluation as page
from onkos.report import measures
from onkos.report.words import estimated, method

EVIL = "</td><script>alert(1)</script>"
NAN = math.nan


def estimate(value, low, high, *, n=20, missed=0, method="by hand"):
    said = method if isinstance(method, Method) else Method(what=method)
    return Estimate(value=value, low=low, high=high, n=n, missed=missed, method=said)


def case(name: str, task: Task, **said) -> JudgedCase:
    return JudgedCase(case=name, patient="P1", task=task, **said)


@pytest.fixture
def found() -> Evaluation:
    auc = estimate(0.8, 0.7, 0.9, missed=2, method="DeLong")
    dice = estimate(0.7, 0.6, 0.75, missed=1)
    why = Method(what="auc", undefined="one class")
    unknown = estimate(NAN, NAN, NAN, method=why)
    benign = {"truth": "benign", "values": {"benign": 0.25, "malignant": 0.75}}
    judgement = Judgement(
        tasks=(Task.CLASSIFY, Task.SEGMENT),
        main={Task.CLASSIFY: "auc", Task.SEGMENT: "dice:core"},
        metrics={"auc": auc, "brier": estimate(0.2, 0.1, 0.3), "dice:core": dice},
        subgroups={"site": {"Lyon": {"auc": auc, "dice:core": dice}, "Ghent": {"auc": unknown}}},
        interactions=(
            Interaction(
                column="site",
                metric="auc",
                statistic=1.0,
                p=0.2,
                p_adjusted=0.4,
                method=Method(what="Cochran's Q"),
            ),
        ),
        curves=(Curve(kind="roc", x=(0.0, 0.2, 1.0), y=(0.0, 0.7, 1.0)),),
        cases=(
            case("c1", Task.CLASSIFY, **benign),
            case("c2", Task.CLASSIFY, answered=False, **benign),
            case(
                "c1",
                Task.SEGMENT,
                missed=("core",),
                values={"dice:core": 0.0, "hd95_mm:core": 34.5, "iou:core": 0.0},
            ),
        ),
        unanswered=("c2",),
        caveats=(Caveat(code="unanswered", text="1 of 22 cases have no prediction: c2."),),
        classes=("benign", "malignant"),
        positive="malignant",
    )
    return Evaluation(
        predictions="mine.csv",
        cohort="toy",
        simulated=False,
        patients=20,
        cases=22,
        judgement=judgement,
        caveats=(Caveat(code="few-patients", text="Only 20 patients."),),
        provenance=Provenance(
            version="1",
            model="",
            weights_sha256="",
            inputs=("abc",),
            settings={"level": 0.95},
            seed=0,
            created="2026-01-01",
        ),
    )


def judged(found: Evaluation, **values) -> Evaluation:
    return replace(found, judgement=replace(found.judgement, **values))


def test_every_estimate_stands_with_interval_n_missed_and_method(found, parsed):
    text = parsed(page.render(found)).text
    for name, one in found.judgement.metrics.items():
        assert measures.named(name) in text
        shown = estimated(one)
        assert f"{shown.value} ({shown.interval})" in text
        assert method(one.method) in text


def test_the_answer_speaks_of_each_task(found, parsed):
    html = page.render(found)
    text = parsed(html).text
    assert "AUC for malignant 0.800 (95 % interval 0.700–0.900), 2 of 20 patients missed" in text
    assert "Dice, core 0.700" in text
    assert "mine.csv judged on 20 patients of toy (22 cases; 1 case without a prediction)" in text
    places = [html.index(f'id="{part}"') for part in ("limits", "figures", "metrics", "cases")]
    assert html.index('class="answer"') < places[0]
    assert places == sorted(places)


def test_subgroups_stand_with_their_test_and_their_undefined_values(found, parsed):
    text = parsed(page.render(found)).text
    assert "not shown to differ (interaction p 0.20, 0.40 adjusted by Holm; Cochran's Q)" in text
    assert "not estimable" in text
    assert "auc; not defined on these cases: one class" in text
    assert "not shown to be equal" in text


def test_cases_without_a_prediction_come_first_and_misses_are_named(found, parsed):
    html = page.render(found)
    cases = html[html.index('id="cases"') :]
    assert cases.index(">c2<") < cases.index(">c1<")
    text = parsed(html).text
    assert "no prediction" in text
    assert "missed: core" in text
    assert "IoU, core" not in text[text.index("Every case") :]
    assert "Only 20 patients." in text
    assert "1 of 22 cases have no prediction: c2." in text


def test_figures_stand_in_the_page_under_its_policy(found, parsed):
    html = page.render(found)
    assert "<figcaption>ROC curve</figcaption>" in html
    assert html.count("<svg") == 1 + 1 + 2  # ROC curve, Dice of cases, one forest plot a task
    assert ' style="' not in html
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert parsed(html)


def test_a_phantom_is_named_everywhere(found, parsed):
    text = parsed(page.render(replace(found, simulated=True))).text
    assert "Phantom evaluation" in text
    assert "20 phantom patients" in text
    assert "All metrics (phantom)" in text


def test_names_are_never_markup(found):
    evil = replace(found.judgement.cases[0], case=EVIL, patient=EVIL)
    hostile = judged(
        replace(found, cohort=EVIL, predictions=EVIL),
        positive=EVIL,
        unanswered=(EVIL,),
        cases=(evil,),
        subgroups={EVIL: {EVIL: {"auc": found.judgement.metrics["auc"]}}},
        curves=(replace(found.judgement.curves[0], notes=(EVIL,)),),
    )
    assert "<script>alert" not in page.render(hostile)


def test_an_evaluation_comes_back_from_its_plain_form(found):
    back = from_plain(Evaluation, to_plain(found))
    assert back.judgement.metrics["auc"] == found.judgement.metrics["auc"]
    assert math.isnan(back.judgement.subgroups["site"]["Ghent"]["auc"].value)
    assert back.judgement.cases == found.judgement.cases


def detected() -> Judgement:
    curve = Curve(
        kind="froc",
        x=(0.0, 0.5, 2.0),
        y=(0.2, 0.6, 0.8),
        lines={"band_x": (0.125, 8.0), "band_low": (0.1, 0.6), "band_high": (0.4, 0.9)},
    )
    points = {f"lesion_sensitivity_at:{at:g}": estimate(0.5, 0.3, 0.7) for at in (0.5, 1, 2)}
    return Judgement(
        tasks=(Task.DETECT,),
        main={Task.DETECT: "cpm"},
        metrics={"cpm": estimate(0.55, 0.4, 0.7), **points},
        curves=(curve,),
        cases=(case("c1", Task.DETECT, values={"lesions": 2.0, "found": 1.0}, missed=("2",)),),
    )


def foretold() -> Judgement:
    curves = tuple(
        Curve(
            kind="survival",
            name=name,
            x=(1.0, 4.0, 9.0),
            y=(0.9, 0.7, 0.4),
            low=(0.8, 0.5, 0.2),
            high=(1.0, 0.9, 0.7),
            lines={"at_risk_x": (0.0, 5.0), "at_risk": (10.0, 6.0), "censored": (2.0, 5.0)},
            notes=("log-rank p = 0.030",),
        )
        for name in ("lower risk", "higher risk")
    )
    return Judgement(
        tasks=(Task.PROGNOSE,),
        main={Task.PROGNOSE: "c_harrell"},
        metrics={"c_harrell": estimate(0.7, 0.6, 0.8), "brier_at:12": estimate(0.2, 0.1, 0.3)},
        curves=curves,
        cases=(case("c1", Task.PROGNOSE, values={"risk": 0.7}, truth="event at 4"),),
    )


def remade() -> Judgement:
    return Judgement(
        tasks=(Task.RECONSTRUCT,),
        main={Task.RECONSTRUCT: "ssim"},
        metrics={"ssim": estimate(0.8, 0.7, 0.9), "nrmse": estimate(0.1, 0.05, 0.2)},
        cases=(case("c1", Task.RECONSTRUCT, values={"ssim": 0.81}),),
    )


@pytest.mark.parametrize(
    ("judgement", "said"),
    [
        (detected(), ("CPM 0.550", "FROC curve", "Lesion sensitivity at 0.5 false marks a case")),
        (foretold(), ("Harrell's C 0.700", "Kaplan-Meier curves", "event at 4")),
        (remade(), ("SSIM 0.800", "Normalised root mean square error")),
    ],
)
def test_every_task_has_its_part_of_the_page(found, parsed, judgement, said):
    text = parsed(page.render(replace(found, judgement=judgement))).text
    for words in said:
        assert words in text
    assert "c1 P1" in text


def test_every_measure_has_a_name_and_a_direction():
    for key, one in MEASURES.items():
        assert one.key == key
        assert measures.named(key)
        if one.decides:
            assert one.better != "nearer"  # a difference of two of them says which is better


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("auc", "AUC"),
        ("hd95_mm:core", "HD95 (mm), core"),
        ("net_benefit:0.2", "Net benefit at threshold 0.2"),
        ("brier_at:12", "Brier score at time 12"),
        ("accuracy", "Accuracy"),
        ("dice:core", "Dice, core"),
        ("volume_error_ml:tumour", "Volume error (ml), tumour"),
        ("lesion_sensitivity_at:0.5", "Lesion sensitivity at 0.5 false marks a case"),
        ("psnr_db", "PSNR (dB)"),
        ("surface_distance", "Surface distance"),
        ("sensitivity:glioma", "Sensitivity, glioma"),
    ],
)
def test_metrics_are_named_as_the_field_does(name, said):
    assert measures.named(name) == said


@pytest.mark.tools
def test_the_browser_draws_it_without_a_complaint(found, tool, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page.render(found), encoding="utf-8")
    said, asked = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=tool("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for width in (1280, 380):
            view = browser.new_page(viewport={"width": width, "height": 900})
            view.on("console", lambda message: said.append(message.text))
            view.on("request", lambda request: asked.append(request.url))
            view.goto(path.as_uri())
            assert view.evaluate("document.documentElement.scrollWidth") <= width
            line = view.locator("svg.figure path[stroke='#0072b2']").first
            assert line.evaluate("path => getComputedStyle(path).stroke") == "rgb(0, 114, 178)"
        browser.close()
    assert said == []
    assert asked == [path.as_uri()] * 2
