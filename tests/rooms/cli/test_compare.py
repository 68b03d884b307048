"""Compare by command: repeats, sites that are harmonised, published figures beside ours."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from onkos.cli.question import Asked
from onkos.cohort.layouts import LAYOUTS
from onkos.cohort.table import load_table
from onkos.core.errors import UsageError
from onkos.io.whole import write_table

RECIPE = """
title = "Which of two, from a table of two scanners"
layout = "two-scanners"
target = "diagnosis"
arms = ["prevalence-only", "facts-lda", "facts-lda+combat"]
columns = ["f*"]
folds = 3
repeats = 2
harmonise = "scanner"
covariates = ["age"]
limits = ["Both scanners are made up."]

[paper]
system = "Somebody S et al. J Imag 2020"
doi = "10.1000/xyz"
data = "99 patients of theirs"
auc = "0.91 +- 0.02"
kappa = "0.80"
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Forty-eight patients of two scanners, without images."""
    folder = tmp_path_factory.mktemp("scanners")
    rng = np.random.default_rng(3)
    rows = []
    for number in range(48):
        site, malignant = number // 2 % 2, number % 2
        values = rng.normal(size=3)
        values[0] += 1.2 * malignant
        values = values * (1 + site) + 4 * site
        row = {"case": f"c{number}", "patient": f"P{number}", "scanner": "AB"[site]}
        facts = {f"f{k}": f"{value:.4f}" for k, value in enumerate(values)}
        facts |= {"age": f"{50 + rng.normal():.2f}"}
        rows.append({**row, **facts, "diagnosis": ["benign", "malignant"][malignant]})
    write_table(folder / "cases.csv", rows)
    return folder / "cases.csv"


def test_arms_stand_as_they_are_and_harmonised_over_repeats(run, table, tmp_path):
    code, out, said = run(
        "compare", "--cohort", table, "--target", "diagnosis", "--folds", 3, "--repeats", 2,
        "--arms", "prevalence-only,facts-lda", "--columns", "f*", "--harmonise", "scanner",
        "--covariates", "age", "--out", tmp_path / "out", "--json",
    )  # fmt: skip
    assert code == 0, said
    found = json.loads(out)
    names = ["prevalence-only", "facts-lda", "facts-lda+combat"]
    assert [arm["name"] for arm in found["arms"]] == names
    assert found["repeats"] == 2
    assert found["provenance"]["settings"]["harmonise"]["facts-lda+combat"]["column"] == "scanner"
    assert set(found["arms"][1]["spread"]) == {"auc", "brier"}
    with (tmp_path / "out" / "predictions.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 3 * 2 * 48
    assert {row["repeat"] for row in rows} == {"1", "2"}
    html = (tmp_path / "out" / "report.html").read_text()
    assert "Harmonisation between sites" in html
    code, _, _ = run("report", tmp_path / "out")
    assert code == 0
    assert (tmp_path / "out" / "report.html").read_text() == html


def test_a_recipe_brings_repeats_sites_its_question_and_published_figures(
    run, table, tmp_path, monkeypatch
):
    monkeypatch.setitem(
        LAYOUTS, "two-scanners", lambda _data: load_table(table, target="diagnosis")
    )
    (tmp_path / "own.toml").write_text(RECIPE)
    code, out, said = run(
        "compare",
        tmp_path / "own.toml",
        "--data",
        table.parent,
        "--out",
        tmp_path / "out",
        "--json",
    )
    assert code == 0, said
    found = json.loads(out)
    assert (found["repeats"], found["folds"]) == (2, 3)
    assert found["title"] == "Which of two, from a table of two scanners"
    assert found["paper"]["auc"] == "0.91 +- 0.02"
    html = (tmp_path / "out" / "report.html").read_text()
    limit = "Both scanners are made up."
    assert limit in [caveat["text"] for caveat in found["caveats"]]
    for words in (
        "published, other patients",
        "0.91 +- 0.02",
        "10.1000/xyz",
        found["title"],
        limit,
    ):
        assert words in html
    trivial = Asked(recipe=str(tmp_path / "own.toml"), data=table.parent, arms=("prevalence-only",))
    assert [arm.name for arm in trivial.question().arms] == ["prevalence-only"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--arms", "facts-lda+combat", "--columns", "f*"), "--harmonise COLUMN"),
        (("--arms", "prevalence-only", "--harmonise", "scanner"), "none of prevalence-only"),
        (("--arms", "facts-lda", "--columns", "f*", "--harmonise", "centre"), "['centre']"),
        (("--arms", "facts-lda", "--columns", "f*", "--harmonise", "diagnosis"), "is the target"),
        (
            (
                *("--arms", "facts-lda", "--columns", "f*"),
                *("--harmonise", "scanner", "--covariates", "diagnosis"),
            ),
            "is not known of a new patient",
        ),
        (("--arms", "facts-lda", "--columns", "f*", "--covariates", "age"), "not given"),
        (("--arms", "facts-lda", "--columns", "*", "--harmonise", "scanner"), "leave the site out"),
        (("--arms", "size-only+combat", "--harmonise", "scanner"), "no arm called"),
        (("--arms", "facts-lda", "--columns", "f*", "--repeats", "0"), "--repeats"),
    ],
)
def test_wrong_requests_are_refused_in_a_sentence(run, table, tmp_path, words, says):
    asked = ("--cohort", table, "--target", "diagnosis", "--out", tmp_path / "out")
    code, _, said = run("compare", *asked, *words)
    assert code == 2
    assert says in " ".join(said.split())
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_columns_without_a_site_keep_their_question(table):
    with pytest.raises(UsageError, match="expected a recipe with --data"):
        Asked(cohort=table, harmonise="scanner").question()
