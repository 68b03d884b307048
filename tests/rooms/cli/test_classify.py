"""Classes from a table to a comparison, a model, predictions and features, by commands."""

from __future__ import annotations

import csv
import json

import pytest

from lesion_toys import nodule
from onkos.io import nifti
from onkos.io.whole import write_table


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Sixteen nodules as files, with a column that tells nothing."""
    folder = tmp_path_factory.mktemp("nodules")
    rows = []
    for number in range(16):
        volume, mask, target = nodule(number)
        nifti.write_volume(folder / f"{number}.nii.gz", volume)
        nifti.write_mask(folder / f"{number}-mask.nii.gz", mask)
        row = {"case": f"n{number}", "patient": f"P{number}", "image": f"{number}.nii.gz"}
        facts = {"diagnosis": target, "age": str(50 + number % 7)}
        rows.append({**row, "mask": f"{number}-mask.nii.gz", **facts})
    write_table(folder / "cases.csv", rows)
    return folder / "cases.csv"


def test_arms_are_compared_on_a_target(run, table, tmp_path):
    code, out, _ = run(
        "compare", "--cohort", table, "--target", "diagnosis", "--folds", 4,
        "--arms", "size-only,prevalence-only,facts-logistic", "--columns", "age",
        "--out", tmp_path / "out", "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    assert [(arm["name"], arm["family"]) for arm in found["arms"]] == [
        ("size-only", "trivial"), ("prevalence-only", "trivial"), ("facts-logistic", "classic"),
    ]  # fmt: skip
    for arm in found["arms"]:
        assert {"value", "low", "high", "n", "missed", "method"} <= set(arm["metrics"]["auc"])
    written = json.loads((tmp_path / "out" / "comparison.json").read_text())
    keys = {"a", "b", "metric", "difference", "low", "high", "p", "p_adjusted"}
    assert written["tests"]
    assert all(keys <= set(test) for test in written["tests"])
    with (tmp_path / "out" / "predictions.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 3 * 16
    assert {"case", "patient", "arm", "fold", "p_benign", "p_malignant"} <= set(rows[0])
    assert "AUC" in (tmp_path / "out" / "report.html").read_text()


def test_a_model_is_fitted_and_applied(run, table, tmp_path):
    code, _, said = run(
        "fit", "size-only", "--cohort", table, "--target", "diagnosis", "--out", tmp_path / "model"
    )
    assert code == 0, said
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert card["classes"] == ["benign", "malignant"]
    assert 0 < card["threshold"] < 1
    assert card["estimates"]["auc"]["n"] == 16
    code, _, said = run(
        "predict", tmp_path / "model", "--cohort", table, "--out", tmp_path / "predicted"
    )
    assert code == 0, said
    with (tmp_path / "predicted" / "predictions.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    wanted = ["case", "patient", "arm", "fold", "target", "p_benign", "p_malignant", "threshold"]
    assert list(rows[0]) == wanted
    assert float(rows[0]["threshold"]) == card["threshold"]
    assert float(rows[0]["p_benign"]) + float(rows[0]["p_malignant"]) == pytest.approx(1, abs=1e-5)


def test_features_of_a_cohort_are_kept_and_taken_up_again(run, table, tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text('families = ["morph", "stat"]\n')
    asked = ("features", table, "--out", tmp_path / "table.csv", "--settings", settings)
    code, _, said = run(*asked)
    assert code == 0, said
    first = (tmp_path / "table.csv").read_text()
    parts = sorted((tmp_path / "table.parts").iterdir())
    assert len(parts) == 16
    parts[0].unlink()
    code, _, _ = run(*asked)
    assert code == 0
    assert (tmp_path / "table.csv").read_text() == first
    with (tmp_path / "table.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert rows[0]["case"] == "n0"
    assert float(rows[0]["morph_volume_RNU0"]) > 0


def test_processes_change_nothing_and_a_new_outline_is_measured_anew(run, table, tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text('families = ["morph"]\n')
    asked = ("features", table, "--settings", settings, "--out")
    assert run(*asked, tmp_path / "one.csv")[0] == 0
    code, _, said = run(*asked, tmp_path / "two.csv", "--processes", "2")
    assert code == 0, said
    first = (tmp_path / "one.csv").read_text()
    assert (tmp_path / "two.csv").read_text() == first
    mine, other = (table.parent / f"{n}-mask.nii.gz" for n in (3, 4))
    mine.write_bytes(other.read_bytes())
    assert run(*asked, tmp_path / "one.csv")[0] == 0
    assert (tmp_path / "one.csv").read_text() != first
    code, _, said = run(*asked, tmp_path / "two.csv", "--processes", "0")
    assert (code, "expected 1 or more" in said) == (2, True)


def test_features_of_one_image(run, table, tmp_path):
    code, _, said = run(
        "features", table.parent / "3.nii.gz", table.parent / "3-mask.nii.gz",
        "--out", tmp_path / "one.parquet",
    )  # fmt: skip
    assert code == 0, said
    assert (tmp_path / "one.parquet").stat().st_size > 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--arms", "size-only"), 3, "has no target"),
        (("--arms", "size-only", "--target", "grade"), 3, "no column 'grade'"),
        (("--arms", "size-only,trivial", "--target", "diagnosis"), 2, "arms of different tasks"),
        (("--arms", "facts-svm", "--target", "diagnosis"), 2, "--columns"),
        (("--arms", "radiomics-oracle", "--target", "diagnosis"), 2, "no arm called"),
        (("--arms", "words-svm", "--target", "diagnosis"), 3, "three axes"),
    ],
)
def test_wrong_requests_are_refused_in_a_sentence(run, table, tmp_path, words, code, says):
    left, _, said = run("compare", "--cohort", table, *words, "--out", tmp_path / "out")
    assert left == code
    assert says in said
    assert "Traceback" not in said
