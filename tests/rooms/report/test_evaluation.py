"""The page of an evaluation: every estimate, every figure, every case."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from onkos.core.evaluation import Evaluation, Interaction, JudgedCase
from playwright.sync_api import sync_playwright

from onkos.core.estimate import Estimate
from onkos.core.plain import from_plain, to_plain
from onkos.core.reading import Provenance
from onkos.core.source import Caveat
from onkos.report import evaluation as page
from onkos.report import measures
from onkos.report.figures import ForestRow, Sample, forest
from onkos.report.words import estimated

EVIL = "</td><script>alert(1)</script>"
NAN = math.nan


def estimate(value, low, high, *, n=20, missed=0, method="by hand"):
    return Estimate(value=value, low=low, high=high, n=n, missed=missed, method=method)


@pytest.fixture
def found() -> Evaluation:
    auc = estimate(0.8, 0.7, 0.9, missed=2, method="DeLong")
    dice = estimate(0.7, 0.6, 0.75, missed=1)
    unknown = estimate(NAN, NAN, NAN, method="auc is not defined on these cases: one class")
    case = JudgedCase(
        case="c1", patient="P1", task="classification", answered=True, truth="benign",
        values={"benign": 0.25, "malignant": 0.75},
    )  # fmt: skip
    return Evaluation(
        predictions="mine.csv",
        cohort="toy",
        tasks=("classification", "segmentation"),
        simulated=False,
        patients=20,
        cases=22,
        metrics={"auc": auc, "brier": estimate(0.2, 0.1, 0.3), "dice:core": dice},
        subgroups={"site": {"Lyon": {"auc": auc, "dice:core": dice}, "Ghent": {"auc": unknown}}},
        interactions=(
            Interaction(
                column="site", metric="auc", statistic=1.0, p=0.2, p_adjusted=0.4, method="Q"
            ),
        ),
        unanswered=("c2",),
        judged=(
            case,
            replace(case, case="c2", answered=False),
            JudgedCase(
                case="c1", patient="P1", task="segmentation", answered=True, missed=("core",),
                values={"dice:core": 0.0, "hd95_mm:core": 34.5, "iou:core": 0.0},
            ),
        ),
        caveats=(Caveat(code="unanswered", text="1 of 22 cases have no prediction: c2."),),
        provenance=Provenance(
            version="1", model="", weights_sha256="", inputs=("abc",), settings={"level": 0.95},
            seed=0, created="2026-01-01",
        ),
        classes=("benign", "malignant"),
        positive="malignant",
        main={"classification": "auc", "segmentation": "dice:core"},
    )  # fmt: skip


@pytest.fixture
def drawing(found):
    rows = [ForestRow(name="all", estimate=found.metrics["auc"])]
    return forest(rows, label="AUC", sample=Sample(n=20))


def test_every_estimate_stands_with_interval_n_missed_and_method(found, parsed):
    text = parsed(page.render(found)).text
    for name, one in found.metrics.items():
        assert measures.named(name) in text
        shown = estimated(one)
        assert f"{shown.value} ({shown.interval})" in text
        assert one.method in text


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
    assert "p 0.20, 0.40 allowing for all columns (Holm)" in text
    assert "not estimable" in text
    assert "auc is not defined on these cases" in text
    assert "not shown to be equal" in text


def test_cases_without_a_prediction_come_first_and_misses_are_named(found, parsed):
    html = page.render(found)
    cases = html[html.index('id="cases"') :]
    assert cases.index(">c2<") < cases.index(">c1<")
    text = parsed(html).text
    assert "no prediction" in text
    assert "missed: core" in text
    assert "IoU, core" not in text[text.index("Every case") :]


def test_figures_stand_in_the_page_under_its_policy(found, drawing, parsed):
    html = page.render(found, [drawing])
    assert drawing.svg in html
    assert html.count("<svg") == 1 + 2  # one forest plot a task beside it
    assert ' style="' not in html
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert parsed(html)


def test_a_phantom_is_named_everywhere(found, drawing, parsed):
    text = parsed(page.render(replace(found, simulated=True), [drawing])).text
    assert "Phantom evaluation" in text
    assert "20 phantom patients" in text
    assert "All metrics (phantom)" in text


def test_names_are_never_markup(found):
    evil = replace(found.judged[0], case=EVIL, patient=EVIL)
    hostile = replace(
        found,
        cohort=EVIL,
        predictions=EVIL,
        positive=EVIL,
        unanswered=(EVIL,),
        judged=(evil,),
        subgroups={EVIL: {EVIL: {"auc": found.metrics["auc"]}}},
    )
    assert "<script>alert" not in page.render(hostile)


def test_an_evaluation_comes_back_from_its_plain_form(found):
    back = from_plain(Evaluation, to_plain(found))
    assert back.metrics["auc"] == found.metrics["auc"]
    assert math.isnan(back.subgroups["site"]["Ghent"]["auc"].value)
    assert back.judged == found.judged


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("auc", "AUC"),
        ("hd95_mm:core", "HD95 (mm), core"),
        ("net_benefit:0.2", "Net benefit at threshold 0.2"),
        ("brier_at:12", "Brier score at time 12"),
        ("accuracy", "Accuracy"),
        ("sensitivity:glioma", "Sensitivity, glioma"),
    ],
)
def test_metrics_are_named_as_the_field_does(name, said):
    assert measures.named(name) == said


@pytest.mark.tools
def test_the_browser_draws_it_without_a_complaint(found, drawing, tool, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page.render(found, [drawing]), encoding="utf-8")
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
