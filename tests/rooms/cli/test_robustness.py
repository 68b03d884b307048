"""Robustness of features from the command line."""

from __future__ import annotations

import csv
import json

import pytest

from onkos.io import nifti
from toys import blob

PLAN = {
    "rotations_deg": [3],
    "shifts": [0.5],
    "noises": 1,
    "growths": [-0.1],
    "contours": 1,
    "chains": 2,
}


@pytest.fixture
def asked(tmp_path):
    """A cohort of 11 balls with two tissues, a plan and settings of the features."""
    lines = ["case,patient,flair,mask,simulated"]
    for n in range(11):
        study, mask = blob(n)
        nifti.write_volume(tmp_path / f"{n}.nii.gz", study.volume("flair"))
        nifti.write_mask(tmp_path / f"{n}-mask.nii.gz", mask)
        lines.append(f"c{n},P{n},{n}.nii.gz,{n}-mask.nii.gz,yes")
    (tmp_path / "cases.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "labels.json").write_text('{"core": [1], "oedema": [2]}')
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    (tmp_path / "features.toml").write_text('families = ["morph", "szm"]\n')
    return [
        "robustness",
        tmp_path / "cases.csv",
        "--settings",
        tmp_path / "features.toml",
        "--perturbations",
        tmp_path / "plan.json",
        "--least",
        "0.5",
    ]


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_every_feature_gets_an_icc_for_each_tissue(run, asked, tmp_path):
    out = tmp_path / "out"
    code, printed, _ = run(*asked, "--out", out, "--json")
    assert code == 0
    found = json.loads(printed)
    assert found == json.loads((out / "robustness.json").read_text())
    assert {"cohort", "cases", "onkos", "settings", "perturbations", "seed", "least"} <= set(found)
    assert [group["region"] for group in found["groups"]] == ["core", "oedema"]
    assert found["refused"] == []
    assert [caveat["code"] for caveat in found["caveats"]] == ["phantom"]
    rows = rows_of(out / "robustness.csv")
    assert len(rows) == 2 * (29 + 16)
    assert list(rows[0])[:9] == [
        "role",
        "region",
        "feature",
        "family",
        "perturbed",
        "icc",
        "low",
        "high",
        "regions",
    ]
    assert {row["perturbed"] for row in rows} == {"chain"}
    assert {row["perturbations"] for row in rows} == {"3"}
    kept = {row["feature"] for row in rows if row["region"] == "core" and row["unstable"] == "no"}
    assert kept == set(found["groups"][0]["stable"])
    assert "morph_volume_RNU0" in kept
    kinds = rows_of(out / "robustness-by-kind.csv")
    assert len(kinds) == 6 * len(rows)


def test_the_screen_counts_features_by_family_in_80_columns(run, asked, tmp_path):
    code, printed, _ = run(*asked, "--out", tmp_path / "out")
    assert code == 0
    for said in ("size zone", "excellent", "perturbed by", "contour", "11 regions", "phantom"):
        assert said in printed
    assert max(len(line) for line in printed.splitlines() if "/" not in line) <= 80


def test_finished_cases_are_kept_and_a_seed_reproduces(run, asked, tmp_path):
    out, again = tmp_path / "out", tmp_path / "again"
    (tmp_path / "features.toml").write_text('families = ["loc"]\n')
    run(*asked, "--out", out)
    parts = sorted((out / ".parts").iterdir())
    times = [part.stat().st_mtime_ns for part in parts]
    first = (out / "robustness-by-kind.csv").read_bytes()
    parts[0].write_text("[{")  # a part that was damaged is measured again
    run(*asked, "--out", out)
    assert (out / "robustness-by-kind.csv").read_bytes() == first
    assert [part.stat().st_mtime_ns for part in parts[1:]] == times[1:]
    run(*asked, "--out", again)
    assert (again / "robustness-by-kind.csv").read_bytes() == first
    run(*asked, "--out", again, "--seed", "7")
    assert (again / "robustness-by-kind.csv").read_bytes() != first
    assert len(list((again / ".parts").iterdir())) == 22


def test_outlines_can_be_pooled_and_a_single_case_says_what_it_is(run, asked, tmp_path):
    (tmp_path / "features.toml").write_text('families = ["loc"]\n')
    code, printed, _ = run(*asked, "--out", tmp_path / "out", "--pool", "--json")
    assert code == 0
    (group,) = json.loads(printed)["groups"]
    assert (group["region"], group["features"]) == ("all", 2)
    (row, _) = rows_of(tmp_path / "out" / "robustness.csv")
    assert row["regions"] == "22"
    table = (tmp_path / "cases.csv").read_text().splitlines()
    (tmp_path / "cases.csv").write_text("\n".join(table[:2]) + "\n")
    code, printed, _ = run(*asked, "--out", tmp_path / "one", "--json")
    assert code == 0
    (group,) = json.loads(printed)["groups"]
    assert {caveat["code"] for caveat in group["caveats"]} == {"few-regions", "one-patient"}
    assert group["stable"] == []
    assert set(group["grades"]) == {"untold"}


def test_a_case_without_outline_is_refused_and_the_others_go_on(run, asked, tmp_path):
    table = tmp_path / "cases.csv"
    table.write_text(table.read_text().replace("3-mask.nii.gz", ""))
    code, printed, _ = run(*asked, "--out", tmp_path / "out", "--json")
    assert code == 0
    found = json.loads(printed)
    assert [one["case"] for one in found["refused"]] == ["c3"]
    assert {row["regions"] for row in rows_of(tmp_path / "out" / "robustness.csv")} == {"10"}


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ('{"turns": [3]}', "unknown fields"),
        ('{"growths": [-2.0]}', "nothing left"),
        ('{"growths": ', "TOML or JSON"),
    ],
)
def test_a_wrong_plan_is_refused_before_any_work(run, asked, tmp_path, plan, says):
    (tmp_path / "plan.json").write_text(plan)
    code, _, complaint = run(*asked, "--out", tmp_path / "out")
    assert code == 2
    assert says in complaint
    assert not (tmp_path / "out").exists()


def test_a_threshold_that_is_none_is_refused(run, asked, tmp_path):
    code, _, complaint = run(*asked, "--out", tmp_path / "out", "--least", "75")
    assert code == 2
    assert "between 0 and 1" in complaint


def test_a_cohort_without_any_outline_leaves_with_3(run, asked, tmp_path):
    table = tmp_path / "cases.csv"
    lines = [",".join([*line.split(",")[:3], "", "yes"]) for line in table.read_text().split()[1:]]
    table.write_text("\n".join(["case,patient,flair,mask,simulated", *lines]) + "\n")
    code, printed, _ = run(*asked, "--out", tmp_path / "out")
    assert code == 3
    assert "no reference outline" in printed
    assert not (tmp_path / "out" / "robustness.csv").exists()
