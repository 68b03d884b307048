"""The page of a comparison: every estimate, every test in words, every case."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from onkos.core.estimate import Estimate
from onkos.core.reading import PairedTest
from onkos.core.source import Caveat
from onkos.report import comparison as page
from onkos.report.plot import WIDTH, Series, dots
from onkos.report.verdict import ranked, verdict
from onkos.report.words import estimated, metric

EVIL = "</td><script>alert(1)</script>"


def paired(low: float, value: float, high: float, *, p: float) -> PairedTest:
    difference = Estimate(value=value, low=low, high=high, n=9, method="by hand")
    return PairedTest(
        a="one", b="other", metric="dice:core", difference=difference, p=p / 3, p_adjusted=p
    )


def test_every_estimate_stands_with_interval_n_and_missed(comparison, parsed):
    text = parsed(page.render(comparison)).text
    for arm in comparison.arms:
        for name, estimate in arm.metrics.items():
            assert metric(name) in text
            shown = estimated(estimate)
            assert f"{shown.value} ({shown.interval})" in text
            assert f"n {estimate.n}, missed {estimate.missed}" in text
            assert estimate.method in text


def test_the_answer_names_the_best_arm_and_what_is_not_shown(comparison, parsed):
    html = page.render(comparison)
    text = parsed(html).text
    best = max(comparison.arms, key=lambda arm: arm.metrics["dice:tumour"].value)
    assert f"{best.name} has the highest Dice, tumour: " in text
    assert "shown to be higher than" in text
    assert "3 arms on 12 phantom patients of balls (12 cases)" in text
    assert html.index('class="answer"') < html.index('id="limits"') < html.index('id="plots"')
    assert html.index('id="cases"') < html.index('id="provenance"')


@pytest.mark.parametrize(
    ("low", "value", "high", "p", "said"),
    [
        (-0.1, 0.05, 0.2, 0.6, "one and other are not shown to differ"),
        (-0.1, 0.05, 0.2, 0.01, "one and other are not shown to differ"),
        (0.1, 0.2, 0.3, 0.01, "one is higher than other"),
        (-0.3, -0.2, -0.1, 0.01, "other is higher than one"),
        (0.0, 0.2, 0.3, 0.01, "one and other are not shown to differ"),
        (
            0.1,
            0.2,
            0.3,
            0.06,
            "one and other are not shown to differ once all 7 tests are allowed for",
        ),
        (0.1, 0.2, 0.3, math.nan, "one and other are not shown to differ once all 7 tests"),
        (-math.inf, 0.2, math.inf, 1.0, "too few patients to tell one and other apart"),
    ],
)
def test_a_difference_is_claimed_only_with_interval_and_adjusted_p(low, value, high, p, said):
    assert verdict(paired(low, value, high, p=p), 7).startswith(said)


def test_the_tests_are_in_numbers_and_words(comparison, parsed):
    text = parsed(page.render(comparison)).text
    for test in comparison.tests:
        assert f"{test.a} − {test.b}" in text
        shown = estimated(test.difference)
        assert f"{shown.value} ({shown.interval})" in text
        assert verdict(test, len(comparison.tests)) in text


def test_every_case_is_listed_with_what_was_missed(comparison, parsed):
    comparison = ranked(comparison)
    first = comparison.arms[0]
    score = replace(
        first.scores[0], metrics={**first.scores[0].metrics, "dice:core": 0.0}, missed=("core",)
    )
    undefined = replace(first.scores[1], metrics={**first.scores[1].metrics, "dice:core": math.nan})
    arm = replace(first, scores=(score, undefined, *first.scores[2:]))
    html = page.render(replace(comparison, arms=(arm, *comparison.arms[1:])))
    text = parsed(html).text
    assert html[html.index('id="cases"') :].count("<details>") == 3
    for each in first.scores:
        assert f"{each.case} {each.patient} {each.fold + 1}" in text
    assert f"{score.case} {score.patient} {score.fold + 1} 0, missed" in text
    assert f"{undefined.case} {undefined.patient} {undefined.fold + 1} not defined" in text


def test_phantom_is_said_of_phantoms_only(comparison, parsed):
    html = page.render(comparison)
    assert 'class="phantom"' in html
    assert "<title>Phantom: Comparison on balls</title>" in html
    real = replace(comparison, simulated=False, caveats=())
    assert "phantom" not in parsed(page.render(real)).text.lower()
    limited = replace(real, caveats=(Caveat(code="few-patients", text="Only four patients."),))
    assert "Only four patients." in parsed(page.render(limited)).text


def test_one_arm_and_one_patient_make_no_claims(comparison, parsed):
    unsure = Estimate(
        value=0.7, low=-math.inf, high=math.inf, n=1, method="one patient says nothing"
    )
    arm = replace(
        comparison.arms[0], metrics={"dice:core": unsure}, scores=comparison.arms[0].scores[:1]
    )
    html = page.render(replace(comparison, arms=(arm,), tests=(), patients=1, cases=1))
    text = parsed(html).text
    assert "Dice, core, with 95 % intervals: threshold 0.700 (no interval)." in text
    assert "nothing was tested" in text
    assert "one patient says nothing" in text
    assert 'class="range"' not in html


def test_nothing_estimable_is_said(comparison, parsed):
    none = Estimate(value=math.nan, low=math.nan, high=math.nan, n=0, method="no cases")
    arms = tuple(replace(arm, metrics={"dice:core": none}, scores=()) for arm in comparison.arms)
    html = page.render(replace(comparison, arms=arms, tests=()))
    text = parsed(html).text
    assert "No metric could be estimated." in text
    assert "not estimable" in text
    assert 'class="dot"' not in html
    assert not re.search(r"\bnan\b", text)


def test_names_never_become_markup_and_no_script_may_run(comparison, parsed):
    arms = tuple(
        replace(arm, name=EVIL + arm.name, family=EVIL, scores=(replace(arm.scores[0], case=EVIL),))
        for arm in comparison.arms
    )
    tests = tuple(replace(test, a=EVIL, b=EVIL) for test in comparison.tests)
    html = page.render(replace(comparison, cohort=EVIL, arms=arms, tests=tests))
    assert "<script" not in html
    assert "script-src &#39;none&#39;" in html
    found = parsed(html)
    assert "alert(1)" in found.text
    ids = found.ids()
    assert len(ids) == len(set(ids))
    for attributes in found.of("a"):
        assert attributes["href"].removeprefix("#") in ids


def test_a_dot_lies_where_its_value_lies():
    series = [
        Series(
            name="a name that is much too long for a plot",
            estimate=Estimate(value=0.5, low=0.25, high=0.75, n=8, missed=2, method="x"),
            cases=(0.0, 0.5, 1.0, math.nan),
        )
    ]
    plot = dots("dice:core", series)
    (mark,) = plot.marks
    assert mark.x == pytest.approx(WIDTH / 2)
    assert mark.x - mark.low == pytest.approx(mark.high - mark.x)
    assert len(mark.cases) == 3
    assert mark.cases[2] - mark.cases[0] == pytest.approx(2 * (mark.high - mark.low))
    assert [label for _, label in plot.ticks] == ["0", "0.25", "0.5", "0.75", "1"]
    assert mark.count == "n 8, missed 2"
    assert len(mark.name) == 28
    assert "a name that is much too long for a plot" in plot.about


@pytest.mark.parametrize("values", [(-13.0, -2.0, 4.0), (0.0, 0.0, 0.0), (2e-4, 3e-4, 9e-4)])
def test_an_axis_of_any_unit_holds_the_data_and_zero(values):
    low, value, high = values
    estimate = Estimate(value=value, low=low, high=high, n=3, method="x")
    plot = dots("volume_error_ml:core", [Series(name="one", estimate=estimate, cases=values)])
    assert "0" in [label for _, label in plot.ticks]
    assert 3 <= len(plot.ticks) <= 8
    everything = [plot.marks[0].low, plot.marks[0].high, *plot.marks[0].cases]
    assert min(everything) >= 0
    assert max(everything) <= WIDTH
