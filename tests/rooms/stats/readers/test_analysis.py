"""A whole study: what fits its design is done, the rest refused with a reason."""

from __future__ import annotations

import json

import numpy as np
import pytest

from onkos.stats.readers.analysis import analyse
from onkos.stats.readers.assembly import assemble
from onkos.stats.readers.foms import WILCOXON, sensitivity
from onkos.stats.readers.ratings import roc_study
from reader_toys import Rows, simulated

TEST = {
    "method",
    "fom",
    "covariance",
    "factors",
    "difference",
    "low",
    "high",
    "f",
    "df1",
    "df2",
    "p",
}


def kinds(found):
    return {(t.analysis, t.covariance, t.factors) for t in found.tests}


def test_a_factorial_study_is_analysed_every_way(rng):
    found = analyse(simulated(rng), covariances=("jackknife", "DeLong", "bootstrap"), rng=rng)
    factors = ("RRRC", "FRRC", "RRFC")
    assert kinds(found) == {
        *(("OR", c, f) for c in ("jackknife", "DeLong", "bootstrap") for f in factors),
        *(("DBM", "jackknife", f) for f in factors),
        ("U", "U", "RRRC"),
    }
    assert found.refused == ()
    assert len(found.foms) == 8
    assert [c.reader for c in found.curves] == ["1", "2", "3", "4", ""] * 2


def test_the_file_has_what_is_promised(rng):
    found = analyse(simulated(rng), foms=[WILCOXON, sensitivity(1.0)], rng=rng)
    plain = json.loads(json.dumps(found.plain(), allow_nan=False))
    assert all(set(row) >= TEST for row in plain["tests"])
    assert {(f["fom"], f["reader"], f["modality"]) for f in plain["foms"]} == {
        (fom, reader, modality)
        for fom in ("Wilcoxon", "sensitivity at 1")
        for reader in "1234"
        for modality in "12"
    }
    assert all(f["low"] <= f["value"] <= f["high"] and f["n"] == 40 for f in plain["foms"])
    assert plain["cases"] == {"normal": 20, "abnormal": 20}


def test_missing_readings_leave_u_statistics_and_say_why(rng):
    ratings = simulated(rng).highest.copy()
    ratings[0, 0, :3] = np.nan
    found = analyse(roc_study(ratings, np.arange(40) % 2), rng=rng)
    assert kinds(found) == {("U", "U", "RRRC")}
    assert [r.what for r in found.refused] == ["OR, Wilcoxon", "DBM, Wilcoxon"]
    assert "missing" in found.refused[0].why
    assert found.foms[0].estimate.n == 37


def test_a_single_reader_has_what_fixed_readers_allow(rng):
    found = analyse(simulated(rng, shape=(1, 2, 40)), rng=rng)
    assert kinds(found) == {("OR", "jackknife", "FRRC"), ("DBM", "jackknife", "FRRC")}
    assert sum("one reader" in r.why for r in found.refused) == 5


def test_one_modality_has_means_without_tests(rng):
    found = analyse(simulated(rng, shape=(3, 1, 40)), rng=rng)
    assert found.tests == ()
    assert {(m.analysis, m.factors) for m in found.means} >= {("OR", "RRRC"), ("U", "RRRC")}


def test_a_study_with_marks_has_froc_curves(rng):
    rows, lesions = Rows(), {}
    for number in range(12):
        case = f"c{number}"
        lesions[case] = [1.0] * (number % 2)
        for reader in "AB":
            rows.add(case, number % 2, float(rng.normal(1)), "NL", reader=reader)
            if number % 2 and rng.random() < 0.8:
                rows.add(case, 1, float(rng.normal(2)), "LL", reader=reader)
    found = analyse(assemble(rows, lesions=lesions), rng=rng)
    assert {f.fom for f in found.foms} == {"wAFROC", "HrAuc"}
    assert [c.kind for c in found.curves] == ["ROC"] * 3 + ["FROC"] * 2


@pytest.mark.parametrize("cases", [2, 3])
def test_hardly_any_cases_are_refused_and_not_guessed(rng, cases):
    found = analyse(simulated(rng, shape=(2, 2, cases)), rng=rng)
    assert found.refused
    text = json.dumps(found.plain(), allow_nan=False)
    assert "NaN" not in text
