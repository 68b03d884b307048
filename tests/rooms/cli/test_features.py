"""`onkos features` with settings in TOML, JSON and YAML, ours and PyRadiomics'."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from onkos.cli import extraction
from onkos.core.errors import UsageError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.radiomics import Settings
from onkos.io import nifti

OURS = """
bins = 16
families = ["stat"]

[[filters]]
kind = "log"
sigma_mm = 1.5

[[filters]]
kind = "wavelet"
family = "coif1"
band = "LLH"
name = "fine"
discretisation = "width"
bins = 5
"""
OURS_AS_YAML = """
bins: 16
families: [stat]
filters:
  - {kind: log, sigma_mm: 1.5}
  - {kind: wavelet, family: coif1, band: LLH, name: fine, discretisation: width, bins: 5}
"""
PYRADIOMICS = """
imageType:
  Original: {}
  LoG: {sigma: [2.0], binWidth: 10}
  Square: {}
featureClass:
  firstorder: [Mean, Kurtosis]
  glcm:
    - Contrast
setting:
  binWidth: 25
  preCrop: true
  resampledPixelSpacing:  # none
"""


@pytest.fixture
def image(tmp_path, rng):
    grid = Geometry.upright((14, 12, 9), spacing_mm=(0.8, 1.1, 2.5))
    data = rng.integers(-200, 300, size=grid.shape).astype(np.int16)
    labels = np.zeros(grid.shape, dtype=np.uint8)
    labels[3:10, 3:9, 2:7] = 1
    volume = Volume(data=data, geometry=grid, modality="MR", unit="1")
    nifti.write_volume(tmp_path / "image.nii.gz", volume)
    nifti.write_mask(
        tmp_path / "mask.nii.gz", Mask(labels=labels, geometry=grid, names={1: "tumour"})
    )
    return tmp_path


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def table(path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_settings_are_the_same_in_toml_json_and_yaml(tmp_path):
    toml = extraction.load_settings(written(tmp_path, "a.toml", OURS))
    yaml = extraction.load_settings(written(tmp_path, "a.yaml", OURS_AS_YAML))
    plain = json.dumps(toml.to_plain())
    assert toml == yaml == extraction.load_settings(written(tmp_path, "a.json", plain))
    assert [one.id for one in toml.filters] == ["log_1.5mm", "fine"]
    assert extraction.load_settings(None) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.yaml", "bins: [1", "a.yaml: no settings as TOML, JSON or YAML"),
        ("a.yaml", "- bins", "a.yaml: holds list; expected a table"),
        ("a.yml", "", "a.yml: holds NoneType"),
        ("a.yaml", "binWidth: 25", "a.yaml: settings: unknown .*'binWidth'"),
        ("a.yaml", "setting: {binwidth: 25}", "a.yaml: setting: unknown .*'binwidth'"),
        ("a.yaml", "bins: !!python/object/apply:os.getcwd []", "no settings"),
        ("a.toml", "bins = ", "a.toml: no settings"),
    ],
    ids=str,
)
def test_a_file_that_is_no_settings_is_refused_by_name(name, text, told, tmp_path):
    with pytest.raises(UsageError, match=told):
        extraction.load(written(tmp_path, name, text))


def test_pyradiomics_parameters_are_refused_where_their_differences_would_be_lost(tmp_path):
    path = written(tmp_path, "Params.yaml", PYRADIOMICS)
    with pytest.raises(UsageError, match=r"TABLE\.settings\.json"):
        extraction.load_settings(path)


def test_filtered_features_are_columns(image, run):
    settings = written(image, "s.toml", OURS)
    out = image / "t.csv"
    code, printed, _ = run(
        "features",
        image / "image.nii.gz",
        image / "mask.nii.gz",
        "--settings",
        settings,
        "--out",
        out,
        "--json",
    )
    assert code == 0
    made = json.loads(printed)
    assert made["differences"] == []
    (row,) = table(out)
    assert {"stat_mean_Q4LE", "log_1.5mm_stat_mean_Q4LE", "fine_stat_kurt_IPH6"} <= set(row)
    assert made["settings"].startswith(row["settings"])


def test_pyradiomics_parameters_are_followed_and_what_differs_is_told(image, run):
    settings = written(image, "Params.yaml", PYRADIOMICS)
    out = image / "t.csv"
    asked = ("features", image / "image.nii.gz", image / "mask.nii.gz", "--settings", settings)
    code, printed, _ = run(*asked, "--out", out)
    assert code == 0
    told = " ".join(printed.split())
    for words in (
        "Unlike PyRadiomics:",
        "imageType Square: left out:",
        "firstorder Kurtosis: differs:",
        "setting preCrop: without effect:",
    ):
        assert words in told
    (row,) = table(out)
    assert "log-sigma-2-0-mm-3D_stat_kurt_IPH6" in row

    code, printed, _ = run(*asked, "--out", out, "--json")
    made = json.loads(printed)
    assert {one["about"] for one in made["differences"]} >= {"imageType Square", "setting preCrop"}
    settings_file, told_file = (image / "t.settings.json", image / "t.pyradiomics.json")
    assert made["translated"] == [str(settings_file), str(told_file)]
    kept = json.loads(told_file.read_text())
    assert kept["differences"] == made["differences"]
    assert kept["columns"]["original_glcm_Contrast"] == "cm_contrast_3D_avg_ACUI"
    assert set(kept["columns"].values()) <= set(row)
    assert extraction.load_settings(settings_file).hash == made["settings"]
