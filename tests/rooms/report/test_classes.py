"""The page of a comparison of classes: trivial arm first, curves, features, hardest cases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lesion_toys import case_of, nodule
from onkos.arms.classify import CLASSIFIERS, facts_arm
from onkos.compare import compare
from onkos.core.case import Cohort
from onkos.report import comparison as page
from onkos.report import folder
from onkos.report.gallery import hardest
from onkos.report.verdict import answer


@pytest.fixture(scope="module")
def cohort():
    """Twenty nodules at two sites, of two sexes."""
    cases = [case_of(n, nodule) for n in range(20)]
    told = [
        replace(case, site="ABBA"[n % 4], covariates={"sex": "FM"[n % 3 == 0], "psa": f"{n}.5"})
        for n, case in enumerate(cases)
    ]
    return Cohort(name="nodules", cases=tuple(told), fingerprint="nodules-1", simulated=True)


@pytest.fixture(scope="module")
def judged(cohort):
    """Size only against a column that tells nothing."""
    facts = facts_arm("facts-logistic", [case.covariates for case in cohort.cases], ("psa",))
    arms = [CLASSIFIERS["size-only"], CLASSIFIERS["prevalence-only"], facts]
    return compare(cohort, arms, folds=4, seed=3)


def test_an_arm_that_does_not_beat_the_trivial_one_is_said_not_to(judged):
    assert answer(judged).startswith("No arm is shown to beat the trivial one, size-only (AUC ")


def test_the_page_holds_curves_subgroups_and_what_a_reviewer_asks(judged, parsed):
    html = page.render(judged)
    text = parsed(html).text
    assert html.count("<svg") >= 4
    for part in ('id="curves"', 'id="subgroups"', 'id="asked"', 'id="tests"'):
        assert part in html
    assert "ROC curves of the arms" in text
    assert "Against size-only, the best trivial arm" in text
    assert "site" in text


def test_cases_that_every_arm_gets_wrong_are_drawn_and_kept(judged, cohort, tmp_path):
    wrong = hardest(judged)
    assert wrong.count > 0
    folder.write_comparison(tmp_path, judged, cohort)
    html = (tmp_path / "report.html").read_text()
    assert 'id="hardest"' in html
    assert html.count("data:image/png") >= min(wrong.count, 12)
    first = html
    folder.rewrite_comparison(tmp_path)  # without the cohort: the pictures were kept
    assert (tmp_path / "report.html").read_text() == first
    truth = {case.id: case.target for case in cohort.cases}
    likelier = {
        score.case: max(score.classes, key=score.classes.get) for score in judged.arms[2].scores
    }
    assert all(likelier[hard.case] != truth[hard.case] for hard in wrong.cases)
