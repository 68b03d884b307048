"""The page of a comparison of classes: trivial arm first, curves, features, hardest cases."""

from __future__ import annotations

from dataclasses import replace

from onkos.core.curve import Curve
from onkos.core.method import Method
from onkos.core.task import Task
from onkos.report import comparison as page
from onkos.report import folder
from onkos.report.arm_figures import arm_figures, shown_arms
from onkos.report.gallery import hardest
from onkos.report.measures import named
from onkos.report.paired import paired_tests
from onkos.report.verdict import answer, ranked
from onkos.report.words import estimated, method, number, share, without_share


def test_an_arm_that_does_not_beat_the_trivial_one_is_said_not_to(judged):
    assert answer(judged).startswith("No arm is shown to beat the trivial one, size-only (AUC ")


def test_arms_stand_by_rank_after_the_trivial_ones(judged, of_arm):
    values = {"size-only": 0.6, "prevalence-only": 0.5, "facts-logistic": 0.7, "second": 0.4}
    third = replace(judged.arms[2], name="second")
    arms = [
        of_arm(arm, metrics={"auc": replace(arm.metrics["auc"], value=v, low=v, high=v)})
        for arm, v in ((a, values[a.name]) for a in (third, *reversed(judged.arms)))
    ]
    unknown = replace(of_arm(third, metrics={}), name="unknown")
    found = ranked(replace(judged, arms=(unknown, *arms)))
    assert [arm.name for arm in found.arms] == [
        "size-only", "prevalence-only", "facts-logistic", "second", "unknown"
    ]  # fmt: skip


def test_where_areas_could_not_be_tested_errors_decide(judged, of_arm):
    trivial, other = judged.arms[0], judged.arms[2]
    better = of_arm(
        other,
        metrics={**other.metrics, "auc": replace(other.metrics["auc"], value=0.9999, high=1.0)},
    )
    brier = next(
        one
        for one in judged.tests
        if one.metric == "brier" and {one.a, one.b} == {trivial.name, other.name}
    )
    sign = 1 if brier.b == other.name else -1  # errors less than the trivial arm
    for factor, said in ((sign, "facts-logistic has"), (-sign, "No arm is shown to beat")):
        low, high = sorted((0.1 * factor, 0.3 * factor))
        difference = replace(brier.difference, value=0.2 * factor, low=low, high=high)
        test = replace(brier, difference=difference, p=0.001, p_adjusted=0.001)
        made = replace(judged, arms=(trivial, better), tests=(test,))
        assert answer(made).startswith(said)


def test_the_page_holds_curves_subgroups_and_what_a_reviewer_asks(judged, parsed):
    html = page.render(judged)
    text = parsed(html).text
    assert html.count("<svg") >= 4
    for part in ('id="curves"', 'id="subgroups"', 'id="asked"', 'id="tests"'):
        assert part in html
    assert "ROC curves of the arms" in text
    for title in ("ROC curve", "Precision and recall", "Reliability curve", "Decision curve"):
        assert f"{title}, facts-logistic (phantom)" in text
    assert "Scores of different folds brought onto one scale by their ranks" in text
    assert "not shown to differ (interaction p 0.52, 1.00 adjusted by Holm; Cochran's Q" in text
    assert text.count("AUC is the area within folds: a case is ranked only against cases") == 1
    assert html.index("AUC is the area within folds") < html.index("<table")
    assert "Against size-only, the best trivial arm" in text
    assert "site" in text


def test_cases_that_every_arm_gets_wrong_are_drawn_and_kept(judged, nodules, tmp_path):
    wrong = hardest(judged, Task.CLASSIFY)
    assert wrong.count > 0
    folder.write_comparison(tmp_path, judged, nodules)
    html = (tmp_path / "report.html").read_text()
    assert 'id="hardest"' in html
    assert html.count("data:image/png") >= min(wrong.count, 12)
    first = html
    folder.rewrite_comparison(tmp_path)  # without the cohort: the pictures were kept
    assert (tmp_path / "report.html").read_text() == first
    cases = judged.arms[2].judgement.cases
    likelier = {one.case: max(one.values, key=one.values.get) for one in cases}
    truth = {one.case: one.truth for one in cases}
    assert all(likelier[hard.case] != truth[hard.case] for hard in wrong.cases)


def test_every_estimate_stands_once_with_its_cases_and_method(judged, parsed):
    text = parsed(page.render(judged)).text
    for arm in judged.arms:
        for name, estimate in arm.metrics.items():
            assert named(name) in text
            shown = estimated(estimate)
            assert shown.interval == "no interval" or f"{shown.value} ({shown.interval})" in text
            assert without_share(estimate.method) in text
            assert share(estimate.method) in text


def test_tests_are_those_against_the_trivial_arm_turned_to_it(judged):
    found = paired_tests(judged)
    assert found.against == "size-only"
    assert [row.pair for row in found.first] == [
        "prevalence-only − size-only",
        "facts-logistic − size-only",
    ]
    tested = next(t for t in judged.tests if t.metric == "auc" and t.b == "facts-logistic")
    assert tested.a == "size-only"
    turned = found.first[1].shown
    there = replace(
        tested.difference,
        value=-tested.difference.value,
        low=-tested.difference.high,
        high=-tested.difference.low,
    )
    assert str(turned) == str(estimated(there))
    assert found.count == len(judged.tests)
    assert found.methods == (
        "AUC: difference of AUC within folds; variance between patients",
        "Brier score: mean difference; p by flipping signs of patients",
    )


def test_features_say_in_how_many_folds(judged, parsed):
    steady = replace(judged.arms[2], used={"size": 1.0, "shape": 0.5})
    text = parsed(page.render(replace(judged, arms=(*judged.arms[:2], steady)))).text
    assert "used 2 features in at least one of 4 folds, 1 of them in all folds" in text
    assert "shape 2 of 4 folds" in text
    loose = replace(judged.arms[2], used={"shape": 0.5})
    text = parsed(page.render(replace(judged, arms=(*judged.arms[:2], loose)))).text
    assert "none of them in all folds" in text


def test_what_is_lost_without_a_feature_stands_beside_it(judged, parsed):
    """The leading arm's one feature, measured and drawn; other arms in a line each."""
    html = page.render(judged)
    text = parsed(html).text
    psa = judged.arms[2].reliance.features[0]
    shown = estimated(psa.loss)
    assert "Features it uses, and how stable their choice is" in text
    assert f"psa 4 of 4 folds {shown.value} ({shown.interval})" in text
    assert method(psa.loss.method) in text
    assert "not estimable, since no fold leaves a feature out" in text
    features = html[html.index('id="features"') : html.index('id="hardest"')]
    assert features.count('class="forest"') == 1
    assert "Other arms: 1" in text  # size only; the frequency of classes uses nothing
    size = judged.arms[0].reliance
    assert str(estimated(size.stability)) in text
    assert f"{size.features[0].name} {estimated(size.features[0].loss)}" in text


def test_features_shuffled_together_and_unmeasured_ones_are_said_to_be(judged, parsed):
    arm = judged.arms[2]
    shared = replace(arm.reliance.features[0], together=3)
    reliance = replace(arm.reliance, features=(shared,), note="Not measured in every fold.")
    made = replace(arm, used={"psa": 1.0, "sex": 0.25}, reliance=reliance)
    text = parsed(page.render(replace(judged, arms=(*judged.arms[:2], made)))).text
    assert "psa shuffled together with 2 others 4 of 4 folds" in text
    assert "sex 1 of 4 folds not measured" in text
    assert "Not measured in every fold." in text
    bare = replace(arm, reliance=None)
    text = parsed(page.render(replace(judged, arms=(*judged.arms[:2], bare)))).text
    assert "what is lost without it was not measured" in text


def test_published_figures_stand_apart_and_marked(judged, parsed):
    html = page.render(judged)
    assert "published, other patients" not in html
    paper = {"system": "S. J Imag 2020", "doi": "10.1/x", "data": "99 of theirs", "auc": "0.91"}
    told = replace(judged, title="Which of two", paper={**paper, "auc_deep": "0.95", "brier": ""})
    text = parsed(page.render(told)).text
    assert "published, other patients as printed, not comparable case by case 0.91" in text
    assert "doi:10.1/x. Patients: 99 of theirs." in text
    assert "Auc deep: 0.95." in text
    assert "Which of two" in text


def test_repeats_are_told_with_their_spread_and_what_is_of_the_first_one(repeated, judged, parsed):
    text = parsed(page.render(repeated)).text
    assert "each held out once in each of 3 repeats of 4 folds split by patient" in text
    assert "Between the 3 repeats of the folds" in text
    found = repeated.arms[0].judgement.spread["auc"]
    assert f"{number(found.low)} to {number(found.high)}" in text
    assert "of the first of 3 repeats" in text
    assert "psa 12 of 12 folds" in text
    assert "mean over 3 repeats of the folds" in text
    assert "3 repeats of 4 folds, each patient held out in one of them" in text
    assert "repeats" not in parsed(page.render(judged)).text.replace("repeatability", "")


def test_more_classes_have_a_confusion_matrix(judged, of_arm, parsed):
    """Three classes: a curve of each against the others, and the counts."""
    names = ("benign", "cyst", "malignant")
    curves = (
        *(Curve(kind="roc", name=name, x=(0.0, 0.2, 1.0), y=(0.0, 0.7, 1.0)) for name in names),
        Curve(kind="confusion", lines=dict.fromkeys(names, (3.0, 2.0, 1.0))),
    )
    arms = tuple(of_arm(arm, classes=names, positive="", curves=curves) for arm in judged.arms)
    text = parsed(page.render(replace(judged, arms=arms))).text
    assert "Confusion matrix, facts-logistic" in text
    assert "Each class against the others, facts-logistic" in text
    assert "ROC curves of the arms" not in text
    assert "Positive:" not in text


def test_no_more_than_six_curves_and_the_trivial_one_among_them(judged, of_arm):
    facts = judged.arms[2]
    better = replace(judged.arms[0].metrics["auc"], value=0.99, low=0.9, high=1.0)
    many = tuple(
        replace(of_arm(facts, metrics={**facts.metrics, "auc": better}), name=f"arm-{n}")
        for n in range(8)
    )
    shown = shown_arms(replace(judged, arms=(*judged.arms, *many)), Task.CLASSIFY)
    assert len(shown) == 6
    assert shown[-1].name == "size-only"


def test_a_curve_that_cases_do_not_define_is_left_out(judged, of_arm):
    arms = tuple(of_arm(arm, curves=()) for arm in judged.arms)
    assert arm_figures(replace(judged, arms=arms), Task.CLASSIFY, phantom=True) == ()


def test_stability_that_is_not_defined_says_why(judged, parsed):
    arm = judged.arms[2]
    why = "the folds do not choose from the same features"
    nan = float("nan")
    stability = replace(
        arm.reliance.stability,
        value=nan,
        low=nan,
        high=nan,
        method=Method(what="stability", undefined=why),
    )
    made = replace(arm, reliance=replace(arm.reliance, stability=stability))
    text = parsed(page.render(replace(judged, arms=(*judged.arms[:2], made)))).text
    assert f"Stability of the choice: not defined, since {why}." in text
