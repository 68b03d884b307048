"""``onkos evaluate``: its files, its JSON, and the sentences with which it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.io import nifti, results

GRID = Geometry.upright((12, 10, 6), spacing_mm=(1.0, 2.0, 3.0), origin_mm=(5, -7, 9))
KEYS = {"value", "low", "high", "n", "missed", "method"}


@pytest.fixture
def tables(tmp_path):
    """Truth of 24 patients and predictions of all but two of them."""
    rng = np.random.default_rng(2)
    truth = ["case,patient,site,sex,target"]
    made = ["case,patient,p_benign,p_malignant"]
    for k in range(24):
        name = "malignant" if k % 3 == 0 else "benign"
        p = float(np.clip(0.3 + 0.3 * (k % 3 == 0) + 0.2 * rng.normal(), 0.01, 0.99))
        truth.append(f"c{k},P{k},site {k % 2},{'FM'[k % 2]},{name}")
        if k not in (3, 10):
            made.append(f"c{k},P{k},{1 - p:.4f},{p:.4f}")
    (tmp_path / "cases.csv").write_text("\n".join(truth), encoding="utf-8")
    (tmp_path / "predictions.csv").write_text("\n".join(made), encoding="utf-8")
    return tmp_path


def test_every_metric_is_an_object_with_its_interval(run, tables):
    out = tables / "out"
    code, said, _ = run(
        "evaluate", tables / "predictions.csv", "--truth", tables / "cases.csv", "--out", out
    )
    assert code == 0
    assert "AUC" in said
    assert "2 of 24 cases have no prediction" in said.replace("\n", " ")
    found = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert found["unanswered"] == ["c3", "c10"]
    groups = [m for values in found["subgroups"].values() for m in values.values()]
    for metrics in (found["metrics"], *groups):
        assert "auc" in metrics
        for one in metrics.values():
            assert set(one) >= KEYS
    assert found["metrics"]["auc"]["missed"] == 2
    assert found["metrics"]["auc"]["n"] == 24
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 6
    assert results.load_evaluation(out / "evaluation.json").judgement.metrics["auc"].n == 24


def test_json_prints_what_the_file_holds(run, tables):
    out = tables / "out"
    code, said, _ = run(
        "evaluate", tables / "predictions.csv", "--truth", tables / "cases.csv", "--out", out,
        "--json",
    )  # fmt: skip
    assert code == 0
    assert json.loads(said) == json.loads((out / "evaluation.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("c99,P99,0.5,0.5", "line 24: case 'c99' is not among the 24 cases"),
        ("c0,P0,0.5,0.5", "line 24: case 'c0' stands on line 2, too"),
        ("c3,P3,nan,0.5", "line 24: p_benign is 'nan'"),
        ("c3,P3,-0.5,1.5", "line 24: p_benign is -0.5; expected a probability from 0 to 1"),
        ("c3,P4,0.5,0.5", "line 24: case 'c3' is of patient 'P4' here and of patient 'P3'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(run, tables, row, says):
    with (tables / "predictions.csv").open("a", encoding="utf-8") as handle:
        handle.write(f"\n{row}\n")
    code, _, complaint = run(
        "evaluate", tables / "predictions.csv", "--truth", tables / "cases.csv",
        "--out", tables / "out",
    )  # fmt: skip
    assert code == 3
    assert says in complaint
    assert "Traceback" not in complaint
    assert not (tables / "out").exists()


def test_unknown_classes_and_columns_are_refused(run, tables):
    path = tables / "predictions.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("p_malignant", "p_cancer"))
    asked = ("evaluate", path, "--truth", tables / "cases.csv", "--out", tables / "out")
    code, _, complaint = run(*asked)
    assert code == 3
    assert "classes ['benign', 'cancer']; the truth" in complaint
    code, _, complaint = run(*asked, "--target", "histology")
    assert code == 3
    assert "no column 'histology'" in complaint
    path.write_text("case,patient\nc0,P0\n", encoding="utf-8")
    code, _, complaint = run(*asked)
    assert code == 2
    assert "--masks" in complaint


def test_outlines_are_judged_with_the_names_of_the_truth(run, tmp_path):
    rows = ["case,patient,image,mask"]
    for k in range(3):
        labels = np.zeros(GRID.shape, dtype=np.uint8)
        labels[2:9, 2:8, 1:5] = 2
        labels[4:7, 4:6, 2:4] = 4
        mask = Mask(labels=labels, geometry=GRID, names={2: "oedema", 4: "core"})
        nifti.write_mask(tmp_path / f"ref{k}.nii.gz", mask)
        image = Volume(data=labels.astype(np.float32), geometry=GRID, modality="MR", unit="1")
        nifti.write_volume(tmp_path / f"image{k}.nii.gz", image)
        if k < 2:
            nifti.write_mask(tmp_path / "masks" / f"c{k}.nii.gz", mask)
        rows.append(f"c{k},P{k},image{k}.nii.gz,ref{k}.nii.gz")
    (tmp_path / "cases.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "labels.json").write_text('{"oedema": [2], "core": [4]}', encoding="utf-8")
    (tmp_path / "p.csv").write_text("case,patient,p_tumour\nc0,P0,1\n", encoding="utf-8")
    code, said, complaint = run(
        "evaluate", tmp_path / "p.csv", "--truth", tmp_path / "cases.csv",
        "--masks", tmp_path / "masks", "--tolerance-mm", "1", "--out", tmp_path / "out", "--json",
    )  # fmt: skip
    assert code == 0, complaint
    found = json.loads(said)
    assert found["tasks"] == ["segment"]
    assert found["metrics"]["dice:core"]["value"] == pytest.approx(2 / 3)
    assert found["metrics"]["dice:core"]["missed"] == 1
    notes = found["metrics"]["surface_dice:tumour"]["method"]["notes"]
    assert "tolerance 1 mm, surfels weighted by area" in notes
    assert {one["code"] for one in found["caveats"]} >= {"no-truth-to-classify", "unanswered"}
