"""The page of an agreement: the answer first, every estimate, every doubt, nothing that runs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from onkos.core.agreement import Agreement, ConsensusMask, Found, Review
from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.core.reading import Provenance
from onkos.core.source import PHANTOM, Caveat
from onkos.report import agreement as page
from onkos.report.figures import ForestRow, Sample, forest

EVIL = "</td><script>alert(1)</script>"
NAN = math.nan


def estimate(value, low, high, *, what="Cohen's kappa", n=20, missed=0):
    return Estimate(
        value=value, low=low, high=high, n=n, missed=missed, method=Method(what=what, by="by hand")
    )


@pytest.fixture
def found() -> Agreement:
    seen = estimate(0.8125, 0.7, 0.9, what="percent agreement")
    return Agreement(
        name="ratings.csv",
        kind="ratings",
        scale="ordinal",
        categories=("1", "2", "3"),
        readers=("Ada", "Bo"),
        patients=20,
        cases=22,
        repeats=1,
        readings=43,
        missing=1,
        unread={"Ada": 0, "Bo": 1},
        complete=21,
        main=("cohen_kappa", "percent_agreement"),
        found=(
            Found(key="percent_agreement", estimate=seen),
            Found(key="cohen_kappa", estimate=estimate(0.61, 0.42, 0.8)),
            Found(key="bias", readers=("Ada", "Bo"), unit="mm", estimate=estimate(-1.25, -2, -0.5)),
            Found(key="dawid_skene_sensitivity", readers=("Bo",), part="2",
                  estimate=estimate(NAN, NAN, NAN, n=0)),
        ),
        review=(
            Review(rank=1, case="c9", score=0.5, measure="mean_disagreement",
                   readings={"Ada": "1", "Bo": "3"}, suspected=("Bo",), reason="1 of 2 say 1"),
            Review(rank=2, case="c4", score=0.1, measure="mean_disagreement",
                   readings={"Ada": "2"}, reason="one more"),
        ),
        caveats=(Caveat(code="missing-readings", text="Not read, of 22 cases: Bo 1."),),
        provenance=Provenance(
            version="1", model="", weights_sha256="", inputs=("abc",), settings={"level": 0.95},
            seed=0, created="2026-01-01",
        ),
    )  # fmt: skip


def test_the_answer_stands_first_with_its_intervals(found, parsed):
    text = parsed(page.render(found)).text
    said = "2 readers agree in 81 % (70–90 %) of pairs of ratings; weighted Cohen's kappa 0.610"
    assert said in text
    assert "2 readers, 22 cases of 20 patients, 43 readings, 1 missing" in text
    places = [
        text.index(part)
        for part in (said, "Not read, of 22", "The most doubtful first", "Estimate and 95 %")
    ]
    assert places == sorted(places)


def test_every_estimate_stands_with_unit_n_and_method(found, parsed):
    made = parsed(page.render(found))
    assert "−1.25 (−2.00 to −0.50) 2 mm 20" in made.text
    assert "not estimable" in made.text
    assert {"method-1", "method-2"} <= set(made.ids())
    assert "percent agreement; by hand" in made.text


def test_a_suspected_reading_is_marked_and_a_gap_is_said(found, parsed):
    made = parsed(page.render(found))
    assert [cell["class"] for cell in made.of("td") if cell.get("class") == "odd"] == ["odd"]
    assert "not read" in made.text


def test_nothing_that_a_table_holds_can_run(found, parsed):
    evil = replace(
        found,
        name=EVIL,
        readers=(EVIL, "Bo"),
        review=(replace(found.review[0], case=EVIL, readings={EVIL: EVIL}, reason=EVIL),),
        caveats=(Caveat(code="x", text=EVIL),),
    )
    html = page.render(evil)
    assert "<script" not in html
    assert "alert(1)" in parsed(html).text


def test_a_phantom_is_called_one(found, parsed):
    rows = [ForestRow(name="a", estimate=found.found[1].estimate)]
    drawing = forest(rows, label="Kappa", sample=Sample(n=20, phantom=True))
    text = parsed(page.render(replace(found, caveats=(PHANTOM,)), [drawing])).text
    assert "Phantom agreement of readers" in text
    assert "Kappa (phantom)" in text


def test_measurements_answer_with_the_pair_farthest_apart(found):
    limits = [
        Found(key=key, readers=pair, unit="mm", estimate=estimate(value, value - 1, value + 1))
        for pair, low, high in ((("Ada", "Bo"), -3, 3), (("Ada", "Cy"), -6, 1))
        for key, value in (("lower_limit", low), ("upper_limit", high))
    ]
    icc = Found(key="icc_2_1", estimate=estimate(0.9, 0.8, 0.95))
    made = replace(
        found, kind="measurements", unit="mm", readers=("Ada", "Bo", "Cy"), found=(icc, *limits)
    )
    said = page.answer(made)
    assert said.startswith("ICC(2,1) 0.900 (0.800–0.950); of the two farthest apart Ada minus Cy")
    assert "mm in 95 of 100 cases" in said
    alone = replace(made, found=(icc,))
    assert "too few cases for limits" in page.answer(alone)


def test_outlines_tell_their_consensus(found, parsed):
    mask = ConsensusMask(case="c", method="staple", labels={1: "t"}, voxels={"t": 9}, kept=("A",))
    dice = Found(key="dice", estimate=estimate(0.8, 0.7, 0.9, missed=2))
    made = replace(found, kind="outlines", found=(dice,), consensus=(mask,))
    text = parsed(page.render(made)).text
    assert "overlap with a mean Dice of 0.800 (0.700–0.900)" in text
    assert "consensus/staple/" in text
    assert "Missed" in text
