"""Published values of agreement through the command, from a table as users bring it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from onkos.agree import agree
from onkos.cohort.readings import load_readings
from onkos.cohort.scales import measured, rated
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from reading_toys import rated_rows, write_folders, write_long

pytestmark = pytest.mark.data

OURS = {
    "fleiss": "fleiss_kappa",
    "gwet": "gwet_ac",
    "conger": "conger_kappa",
    "bp": "brennan_prediger",
}


@pytest.fixture
def examples(data_dir):
    text = (data_dir / "golden-statistics" / "agreement.json").read_text()
    return json.loads(text)["examples"]


@pytest.mark.parametrize(
    ("name", "weights", "scale"),
    [
        ("gwet_four_raters", "identity", "nominal"),
        ("gwet_four_raters", "quadratic", "ordinal"),
        ("gwet_five_observers", "identity", "nominal"),
        ("gwet_g1g2", "identity", "nominal"),
    ],
)
def test_irrcac_with_missing_ratings(examples, tmp_path, name, weights, scale):
    data = examples[name]["data"]
    path = write_long(tmp_path / "r.csv", rated_rows(data), head="case,reader,rating")
    words = sorted({str(cell) for row in data for cell in row if isinstance(cell, str)})
    found = agree(rated(load_readings(path), scale=scale, order=words)).agreement
    for theirs, ours in OURS.items():
        expected = examples[name]["results"][weights][theirs]
        estimate = found.of(ours)
        assert estimate.value == pytest.approx(expected["coefficient"], abs=1e-9)
        assert estimate.low == pytest.approx(expected["ci"][0], abs=1e-9)
        assert estimate.high == pytest.approx(expected["ci"][1], abs=1e-9)
    if scale == "nominal":
        seen = examples[name]["results"][weights]["fleiss"]["pa"]
        assert found.of("percent_agreement").value == pytest.approx(seen, abs=1e-9)


@pytest.mark.parametrize("name", ["krippendorff_example_15_units", "krippendorff_example_12_units"])
@pytest.mark.parametrize("scale", ["nominal", "ordinal"])
def test_krippendorffs_examples(examples, tmp_path, name, scale):
    rows = list(zip(*examples[name]["data"], strict=True))
    path = write_long(tmp_path / "r.csv", rated_rows(rows), head="case,reader,rating")
    found = agree(rated(load_readings(path), scale=scale)).agreement
    expected = examples[name]["results"][scale]
    assert found.of("krippendorff_alpha").value == pytest.approx(expected, abs=1e-9)
    numbers = write_long(tmp_path / "v.csv", rated_rows(rows), head="case,reader,value")
    as_numbers = agree(measured(load_readings(numbers), unit="1")).agreement
    expected = examples[name]["results"]["interval"]
    assert as_numbers.of("krippendorff_alpha").value == pytest.approx(expected, abs=1e-9)


def test_shrout_and_fleiss(run, examples, tmp_path):
    example = examples["shrout_fleiss_1979"]
    rows = rated_rows(example["data_6_subjects_by_4_judges"])
    path = write_long(tmp_path / "v.csv", rows, head="case,reader,value")
    code, out, _ = run("agree", path, "--unit", "1", "--out", tmp_path / "out", "--json")
    assert code == 0
    made = {one["key"]: one["estimate"] for one in json.loads(out)["found"] if not one["readers"]}
    for name, expected in example["icc"].items():
        key = name.lower().replace("(", "_").replace(",", "_").rstrip(")")
        assert made[key]["value"] == pytest.approx(expected, abs=1e-9)


def test_bland_and_altman(run, examples, tmp_path):
    example = examples["bland_altman_1986_pefr"]
    pairs = zip(example["wright_1"], example["mini_wright_1"], strict=True)
    rows = [(n, *pair) for n, pair in enumerate(pairs, start=1)]
    path = write_long(tmp_path / "w.csv", rows, head="case,Wright,mini")
    code, out, _ = run(
        "agree",
        path,
        "--readers",
        "Wright,mini",
        "--unit",
        "l/min",
        "--out",
        tmp_path / "o",
        "--json",
    )
    assert code == 0
    found = json.loads(out)
    made = {one["key"]: one["estimate"] for one in found["found"] if len(one["readers"]) == 2}
    sign = 1 if found["readers"] == ["Wright", "mini"] else -1
    assert sign * made["bias"]["value"] == pytest.approx(example["mean_difference"], abs=1e-9)
    limits = sorted(sign * made[key]["value"] for key in ("lower_limit", "upper_limit"))
    assert limits == pytest.approx(sorted(example["limits_1p96sd"]), abs=1e-9)


def test_what_is_missing_is_counted(examples, tmp_path):
    data = examples["gwet_four_raters"]["data"]
    path = write_long(tmp_path / "r.csv", rated_rows(data), head="case,reader,rating")
    found = agree(rated(load_readings(path), scale="nominal")).agreement
    assert found.missing == sum(cell is None for row in data for cell in row)


def test_staple_of_simpleitk(run, data_dir, tmp_path):
    golden = json.loads((data_dir / "golden-statistics" / "staple.json").read_text())
    masks = {}
    for reader, rating in zip("ABC", golden["raters"], strict=True):
        labels = np.array(rating, dtype=np.uint8)[..., None]
        grid = Geometry.upright(labels.shape, spacing_mm=(1, 1, 1))
        masks[reader] = Mask(labels=labels, geometry=grid, names={1: "x"})
    folders = write_folders(tmp_path / "in", {"c": masks})
    code, out, _ = run("agree", *folders, "--within", "image", "--out", tmp_path / "out", "--json")
    assert code == 0
    made = {
        (one["key"], *one["readers"]): one["estimate"]["value"] for one in json.loads(out)["found"]
    }
    for name in ("sensitivity", "specificity"):
        for reader, value in zip("ABC", golden["simpleitk"][name], strict=True):
            assert made[f"staple_{name}", reader] == pytest.approx(value, abs=1e-5)
