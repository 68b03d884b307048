"""The analysis of reader studies from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest


@pytest.fixture
def ratings(tmp_path, rng):
    """Four readers, two modalities, 30 cases; the second modality shows more."""
    lines = ["reader,modality,case,truth,rating,time_s"]
    for case in range(30):
        truth = int(case >= 18)
        seen = rng.normal(size=2) + truth * np.array([0.8, 2.2])
        for reader in "ABCD":
            for modality, signal in zip(("film", "monitor"), seen, strict=True):
                rating = signal + rng.normal(0, 0.5)
                seconds = rng.lognormal(3.0 if modality == "film" else 2.5, 0.2)
                lines.append(f"{reader},{modality},{case},{truth},{rating:.3f},{seconds:.1f}")
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_study_is_analysed_by_every_method(run, ratings, tmp_path):
    code, out, _ = run("readers", ratings, "--out", tmp_path / "out", "--json")
    assert code == 0
    found = json.loads(out)
    assert found == json.loads((tmp_path / "out" / "readers.json").read_text())
    assert len(found["foms"]) == 8
    made = {(t["method"], t["covariance"], t["factors"]) for t in found["tests"]}
    every = {"RRRC", "FRRC", "RRFC"}
    for method, covariance in (("OR", "DeLong"), ("OR", "jackknife"), ("DBM", "jackknife")):
        assert {(method, covariance, factors) for factors in every} <= made
    assert any(method == "U" for method, _, _ in made)
    keys = {"method", "fom", "covariance", "factors", "difference", "low", "high", "f", "df1"}
    assert all(keys | {"df2", "p"} <= set(test) for test in found["tests"])
    by_or = next(t for t in found["tests"] if t["factors"] == "RRRC")
    means = {m["modality"]: m["value"] for m in found["means"] if m["factors"] == "RRRC"}
    assert by_or["difference"] == pytest.approx(means["film"] - means["monitor"])
    assert by_or["low"] < by_or["difference"] < by_or["high"] < 0
    (ratio,) = found["reading_time"]["ratios"]
    assert ratio["ratio"]["value"] == pytest.approx(np.exp(0.5), rel=0.15)


def test_the_page_says_which_modality_reads_better(run, ratings, tmp_path):
    run("readers", ratings, "--out", tmp_path / "out")
    html = (tmp_path / "out" / "report.html").read_text()
    assert "read better with monitor" in html
    assert "4 readers, 2 modalities, 12 abnormal and 18 normal cases" in html
    assert "film by monitor: ratio" in html
    assert "ROC curves, film" in html
    assert "ROC curves, monitor" in html
    assert html.count("<svg") == 2
    assert "<script" not in html


@pytest.fixture
def marks(tmp_path, rng):
    """Two readers, two modalities, 20 cases, of which nobody marks 0 (normal) and 15."""
    lines = ["reader,modality,case,truth,mark,rating"]
    for reader in "AB":
        for modality in ("x", "y"):
            for case in range(20):
                abnormal = case >= 10
                if case in (0, 15):
                    continue
                if rng.random() < 0.6:
                    lines.append(
                        f"{reader},{modality},{case},{int(abnormal)},NL,{rng.random():.3f}"
                    )
                if abnormal and rng.random() < 0.8:
                    lines.append(f"{reader},{modality},{case},1,LL,{1 + rng.random():.3f}")
    path = tmp_path / "marks.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_marks_without_a_list_of_lesions_are_refused(run, marks, tmp_path):
    code, out, complaint = run("readers", marks, "--out", tmp_path / "out", "--json")
    assert code == 3
    assert out == ""
    told = " ".join(complaint.split())
    assert "--lesions FILE, a table with columns case, lesions, 0 for a normal case" in told
    assert not (tmp_path / "out").exists()


def test_marks_with_a_list_of_lesions_count_cases_that_nobody_marked(run, marks, tmp_path):
    listed = tmp_path / "lesions.csv"
    rows = [f"{case},{int(case >= 10)}" for case in range(20)]
    listed.write_text("\n".join(["case,lesions", *rows]) + "\n")
    code, out, _ = run("readers", marks, "--lesions", listed, "--out", tmp_path / "out", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["kind"] == "FROC"
    assert found["cases"] == {"normal": 10, "abnormal": 10}
    (caveat,) = found["caveats"]
    assert caveat["code"] == "cases-without-marks"
    assert caveat["text"].startswith("2 of 20 listed cases (1 with lesions)")
    assert {test["fom"] for test in found["tests"]} >= {"wAFROC"}


def test_unbalanced_readings_are_told(run, ratings, tmp_path):
    lines = ratings.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("B,film,3,", "B,film,20,"))]
    path = tmp_path / "gaps.csv"
    path.write_text("\n".join(kept) + "\n")
    code, out, _ = run("readers", path, "--out", tmp_path / "out", "--json")
    assert code == 0
    caveat = next(c for c in json.loads(out)["caveats"] if c["code"] == "unbalanced")
    assert "238 of 240 readings are there" in caveat["text"]
    assert "reader B in modality film (28 of 30 cases)" in caveat["text"]


def test_case_names_that_lost_their_zeros_are_refused(run, ratings, tmp_path):
    lines = ratings.read_text().splitlines()
    cells = [line.split(",") for line in lines[1:]]
    renamed = [[r, m, c if r == "B" else f"{int(c):03d}", *rest] for r, m, c, *rest in cells]
    path = tmp_path / "zeros.csv"
    path.write_text("\n".join([lines[0], *(",".join(row) for row in renamed)]) + "\n")
    code, _, complaint = run("readers", path, "--out", tmp_path / "out")
    assert code == 3
    assert "30 case names differ by leading zeros only: 000" in " ".join(complaint.split())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("reader,modality,case,truth\nA,x,1,0\n", "expected"),
        ("reader,modality,case,truth,rating\nA,x,1,0,two\n", "line 2"),
        ("reader,modality,case,truth,rating\nA,x,1,0,1\nA,x,1,0,2\n", "A"),
        ("reader,modality,case,truth,rating\nA,x,1,0,1\nA,x,2,0,2\n", "abnormal"),
    ],
)
def test_bad_tables_are_refused_in_a_sentence(run, tmp_path, text, says):
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    code, _, complaint = run("readers", path, "--out", tmp_path / "out")
    assert code == 3
    assert says in complaint
    assert "Traceback" not in complaint
