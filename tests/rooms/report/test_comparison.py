"""The page of a comparison: every estimate, every test in words, every case."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from onkos.core.estimate import Estimate
from onkos.core.judgement import PairedTest
from onkos.core.method import Method
from onkos.core.source import Caveat
from onkos.core.task import Task
from onkos.report import comparison as page
from onkos.report.measures import named
from onkos.report.plot import WIDTH, Series, dots
from onkos.report.verdict import answer, floor_arm, leading_arm, ranked, verdict
from onkos.report.words import estimated, method

EVIL = "</td><script>alert(1)</script>"


def paired(low: float, value: float, high: float, *, p: float) -> PairedTest:
    difference = Estimate(value=value, low=low, high=high, n=9, method=Method(what="by hand"))
    return PairedTest(
        a="one", b="other", metric="dice:core", difference=difference, p=p / 3, p_adjusted=p
    )


def test_every_estimate_stands_with_interval_n_and_missed(comparison, parsed):
    text = parsed(page.render(comparison)).text
    for arm in comparison.arms:
        for name, estimate in arm.metrics.items():
            assert named(name) in text
            shown = estimated(estimate)
            assert f"{shown.value} ({shown.interval})" in text
            assert f"n {estimate.n}, missed {estimate.missed}" in text
            assert method(estimate.method) in text


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


def test_every_case_is_listed_with_what_was_missed(comparison, of_arm, parsed):
    comparison = ranked(comparison)
    first = comparison.arms[0]
    cases = first.judgement.cases
    score = replace(cases[0], values={**cases[0].values, "dice:core": 0.0}, missed=("core",))
    undefined = replace(cases[1], values={**cases[1].values, "dice:core": math.nan})
    arm = of_arm(first, cases=(score, undefined, *cases[2:]))
    html = page.render(replace(comparison, arms=(arm, *comparison.arms[1:])))
    text = parsed(html).text
    assert html[html.index('id="cases"') :].count("<details>") == 3
    for each in cases:
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


def test_one_arm_and_one_patient_make_no_claims(comparison, of_arm, parsed):
    unsure = Estimate(
        value=0.7, low=-math.inf, high=math.inf, n=1, method=Method(what="one patient says nothing")
    )
    arm = of_arm(
        comparison.arms[0],
        main={Task.SEGMENT: "dice:core"},
        metrics={"dice:core": unsure},
        cases=comparison.arms[0].judgement.cases[:1],
    )
    html = page.render(replace(comparison, arms=(arm,), tests=(), patients=1, cases=1))
    text = parsed(html).text
    assert "Dice, core, with 95 % intervals: threshold 0.700 (no interval)." in text
    assert "nothing was tested" in text
    assert "one patient says nothing" in text
    assert 'class="range"' not in html


def test_nothing_estimable_is_said(comparison, of_arm, parsed):
    none = Estimate(
        value=math.nan, low=math.nan, high=math.nan, n=0, method=Method(what="no cases")
    )
    arms = tuple(
        of_arm(arm, main={Task.SEGMENT: "dice:core"}, metrics={"dice:core": none}, cases=())
        for arm in comparison.arms
    )
    html = page.render(replace(comparison, arms=arms, tests=()))
    text = parsed(html).text
    assert "No metric could be estimated." in text
    assert "not estimable" in text
    assert 'class="dot"' not in html
    assert not re.search(r"\bnan\b", text)


def test_names_never_become_markup_and_no_script_may_run(comparison, of_arm, parsed):
    arms = tuple(
        replace(
            of_arm(
                arm,
                cases=(replace(arm.judgement.cases[0], case=EVIL),),
                unanswered=(EVIL,),
                caveats=(Caveat(code="evil", text=EVIL + arm.name),),
            ),
            name=EVIL + arm.name,
            family=EVIL,
            failed=(EVIL,),
        )
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


def test_failed_folds_and_unanswered_cases_are_said_before_the_limits(comparison, of_arm, parsed):
    first, second, third = comparison.arms
    assert 'class="subject unfinished"' not in page.render(comparison)
    lost = of_arm(second, unanswered=("case-1-0", "case-4-0"))
    lost = replace(lost, failed=("fold 2: out of memory",))
    html = page.render(replace(comparison, arms=(first, lost, third)))
    text = parsed(html).text
    assert html.index('class="subject unfinished"') < html.index('id="limits"')
    assert (
        "Not every arm answered every case: twin, 1 of 3 folds could not be run and 2 of 12 cases "
        "without an answer. A case without an answer counts as the worst there is."
    ) in text
    assert "twin: 1 fold could not be run" in text
    assert "fold 2: out of memory." in text
    assert "twin: 2 cases without an answer: case-1-0 and case-4-0." in text


def test_caveats_of_single_arms_are_told_with_their_names(comparison, of_arm, parsed):
    shared = Caveat(code="no-millimetres", text="Two outlines have no millimetres.")
    own = Caveat(code="flat", text="Slices were outlined one by one.")
    arms = [of_arm(arm, caveats=(shared,)) for arm in comparison.arms]
    arms[1] = of_arm(arms[1], caveats=(shared, own))
    text = parsed(page.render(replace(comparison, arms=tuple(arms)))).text
    assert text.count("Two outlines have no millimetres.") == 1
    assert "twin: Slices were outlined one by one." in text
    assert "Only 12 patients." in text


def test_an_arm_is_explained_once(comparison, parsed):
    text = parsed(page.render(comparison)).text
    assert text.count("An arm is one of the methods compared") == 1


def test_an_error_metric_never_crowns_the_worst_arm(comparison, of_arm):
    """By HD95 the arm with the smallest distance leads, and the verdict says so."""
    arms = tuple(of_arm(arm, main={Task.SEGMENT: "hd95_mm:tumour"}) for arm in comparison.arms)
    found = replace(comparison, arms=arms, tests=())
    means = {arm.name: arm.metrics["hd95_mm:tumour"].value for arm in arms}
    best, worst = min(means, key=means.get), max(means, key=means.get)
    assert worst == "poor"
    said = answer(found)
    assert f"{best} has the lowest HD95 (mm), tumour" in said
    assert "highest" not in said
    assert leading_arm(found).name == best
    assert [arm.name for arm in ranked(found).arms][1] == best
    serious = replace(arms[2], family="classic")
    everyone = replace(found, arms=(serious, *arms[:2]))
    assert [arm.name for arm in ranked(everyone).arms][-1] == "poor"
    assert floor_arm(found).name == "poor"


def test_a_floor_is_beaten_by_an_error_only_from_below(comparison, of_arm):
    """A higher distance than the trivial arm's is never a win, however sure the difference."""
    arms = tuple(of_arm(arm, main={Task.SEGMENT: "hd95_mm:tumour"}) for arm in comparison.arms)
    floor = replace(arms[0], family="trivial")  # the smallest distance of all
    sure = replace(paired(1.0, 2.0, 3.0, p=0.001), a="poor", b="threshold", metric="hd95_mm:tumour")
    found = replace(comparison, arms=(floor, replace(arms[2], family="classic")), tests=(sure,))
    assert answer(found).startswith("No arm is shown to beat the trivial one, threshold")
    assert verdict(sure, 1) == "threshold errs less than poor"


def test_two_tasks_stand_on_one_page(comparison, judged, parsed):
    """An arm that outlines and classifies has an answer, figures and cases for each task."""
    arms = tuple(
        replace(
            outlines,
            judgement=replace(
                outlines.judgement,
                tasks=(Task.CLASSIFY, Task.SEGMENT),
                main={**outlines.judgement.main, **classes.judgement.main},
                metrics={**classes.metrics, **outlines.metrics},
                curves=classes.judgement.curves,
                subgroups=classes.judgement.subgroups,
                interactions=classes.judgement.interactions,
                cases=(*classes.judgement.cases, *outlines.judgement.cases),
                classes=classes.judgement.classes,
                positive=classes.judgement.positive,
            ),
        )
        for outlines, classes in zip(comparison.arms, judged.arms, strict=True)
    )
    html = page.render(replace(comparison, arms=arms))
    found = parsed(html)
    assert "highest AUC" in found.text
    assert "highest Dice, tumour" in found.text
    ids = found.ids()
    assert len(ids) == len(set(ids))
    assert {"curves", "curves-segment"} <= set(ids)
    assert "Classes: curves" in found.text
    assert html[html.index('id="cases"') :].count("<details>") == 4
    for attributes in found.of("a"):
        assert attributes["href"].removeprefix("#") in ids


def test_a_dot_lies_where_its_value_lies():
    series = [
        Series(
            name="a name that is much too long for a plot",
            estimate=Estimate(
                value=0.5, low=0.25, high=0.75, n=8, missed=2, method=Method(what="x")
            ),
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
    estimate = Estimate(value=value, low=low, high=high, n=3, method=Method(what="x"))
    plot = dots("volume_error_ml:core", [Series(name="one", estimate=estimate, cases=values)])
    assert "0" in [label for _, label in plot.ticks]
    assert 3 <= len(plot.ticks) <= 8
    everything = [plot.marks[0].low, plot.marks[0].high, *plot.marks[0].cases]
    assert min(everything) >= 0
    assert max(everything) <= WIDTH
