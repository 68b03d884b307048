"""PyRadiomics' published baseline: equal to 1e-6 where the definitions are, else the reason."""

from __future__ import annotations

import ast
import csv
import math
from functools import cache
from pathlib import Path

import pytest

from onkos.features.radiomics import Settings, radiomics
from onkos.features.radiomics.pyradiomics import names, translate
from onkos.io import nrrd

pytestmark = pytest.mark.data

CASES = ("brain1", "brain2", "breast1")
BINS_OF_25 = Settings(
    discretisation="width", bins=25, first_bin="multiple", aggregations=("3D_avg", "3D_comb")
)
Row = tuple[str, float, float, float]

SAME = {
    group: {name: names.tag(group, name, "3D_avg") for name in found}
    for group, found in names.SAME.items()
    if found
}
SHIFT = 2000.0  # the baseline's voxelArrayShift
WITHOUT_DIAGONAL_CELLS = ("breast1",)


def rows(data_dir: Path) -> list[Row]:
    """Name, our value, the baseline's and its tolerance, where the definitions agree."""
    return [row for case in CASES for row in rows_of(case, data_dir)]


def rows_of(case: str, data_dir: Path) -> list[Row]:
    ours = extracted(case, data_dir)
    baseline = published(case, data_dir)
    return [
        (f"{case}.{name}", ours[tag], baseline[family, name], 1e-6 * abs(baseline[family, name]))
        for family, tags in SAME.items()
        for name, tag in tags.items()
        if name not in names.MESH or case in WITHOUT_DIAGONAL_CELLS
    ]


@cache
def extracted(case: str, data_dir: Path) -> dict[str, float]:
    folder = data_dir / "radiomics-pyradiomics-testcases"
    volume = nrrd.read(folder / f"{case}_image.nrrd")
    mask = nrrd.read_mask(folder / f"{case}_label.nrrd", {1: "tumour"})
    return radiomics(volume, mask, BINS_OF_25).row("tumour")


@cache
def published(case: str, data_dir: Path) -> dict[tuple[str, str], float]:
    found = {}
    for family in SAME:
        path = data_dir / f"radiomics-pyradiomics-testcases/baseline/baseline_{family}.csv"
        with path.open() as file:
            for line in csv.DictReader(file):
                if line["featureName"].startswith("original"):
                    found[family, line["featureName"].split("_")[-1]] = float(line[case])
    return found


@pytest.mark.parametrize("case", CASES)
def test_features_of_one_definition_are_equal_to_a_millionth(case, data_dir):
    found = rows_of(case, data_dir)
    assert len(found) == (96 if case in WITHOUT_DIAGONAL_CELLS else 92)
    assert [row for row in found if not abs(row[1] - row[2]) <= row[3]] == []


@pytest.mark.parametrize("case", CASES)
def test_every_published_feature_is_the_same_or_has_a_reason(case, data_dir):
    for group, name in published(case, data_dir):
        assert name in names.every(group)
        reasons = (names.OTHER, names.ABSENT)
        same = name in SAME[group] or (group == "firstorder" and name in names.SHIFTED)
        assert same != any((group, name) in known for known in reasons)


@pytest.mark.parametrize("case", CASES)
def test_features_of_other_definitions_differ_as_the_reason_says(case, data_dir):
    ours, theirs = extracted(case, data_dir), published(case, data_dir)
    voxels = ours["stat_energy"] / ours["stat_rms"] ** 2
    shifted = ours["stat_energy"] + voxels * (2 * SHIFT * ours["stat_mean"] + SHIFT**2)
    narrower = ((voxels - 1) / voxels) ** 0.5
    expected = {
        ("firstorder", "Kurtosis"): ours["stat_kurt"] + 3,
        ("firstorder", "Energy"): shifted,
        ("firstorder", "TotalEnergy"): shifted * ours["morph_vol_approx"] / voxels,
        ("firstorder", "RootMeanSquared"): (shifted / voxels) ** 0.5,
        ("shape", "MajorAxisLength"): ours["morph_pca_maj_axis"] * narrower,
        ("shape", "MinorAxisLength"): ours["morph_pca_min_axis"] * narrower,
        ("shape", "LeastAxisLength"): ours["morph_pca_least_axis"] * narrower,
    }
    for key, value in expected.items():
        assert theirs[key] == pytest.approx(value, rel=1e-6), key
    for name in names.MESH:
        value = ours[SAME["shape"][name]]
        assert theirs["shape", name] == pytest.approx(value, rel=0.005), name


def configured(group: str, data_dir: Path) -> dict[str, dict[str, str]]:
    """What the baseline holds of a class, by case and configuration: settings and values."""
    path = data_dir / f"radiomics-pyradiomics-testcases/baseline/baseline_{group}.csv"
    made: dict[str, dict[str, str]] = {}
    with path.open() as file:
        for line in csv.DictReader(file):
            for column, value in line.items():
                if column.startswith(CASES):
                    made.setdefault(column, {})[line["featureName"]] = value
    return made


def compared(group: str, column: str, values: dict[str, str], data_dir: Path) -> list[Row]:
    """Ours, made with the baseline's own settings, beside what it holds."""
    setting = ast.literal_eval(values["diagnostics_Configuration_Settings"])
    made = translate({"setting": setting, "featureClass": {group: []}})
    folder = data_dir / "radiomics-pyradiomics-testcases"
    case = column.split("_")[0]
    volume = nrrd.read(folder / f"{case}_image.nrrd")
    mask = nrrd.read_mask(folder / f"{case}_label.nrrd", {1: "tumour"})
    table = radiomics(volume, mask, made.settings)
    told = {difference.about for difference in made.differences}
    return [
        (f"{column}.{name}", float(table.column(header)[0]), float(values[name]), 1e-6)
        for name, header in made.columns.items()
        if name in values and f"{group} {name.split('_')[-1]}" not in told
    ]


EQUAL = {  # features without a difference, of all cases and configurations together
    "firstorder": 12 * 16 - 3 * 2,
    "shape": 6 * 4,
    "glcm": 24 * 23 - 3 * 2,
    "glrlm": 24 * 16,
    "glszm": 21 * 16,
    "gldm": 21 * 14,
    "ngtdm": 21 * 5,
}


@pytest.mark.parametrize("group", EQUAL)
def test_the_baselines_own_settings_give_its_values(group, data_dir):
    """Plain, slice by slice, numbered bins, merged directions, normalised, resampled, cut."""
    found = [
        row
        for column, values in configured(group, data_dir).items()
        for row in compared(group, column, values, data_dir)
    ]
    flat = [row for row in found if "flatRegion" in row[0] and math.isnan(row[1])]
    assert {(row[0].split("_")[-1], row[2]) for row in flat} <= {("Correlation", 1.0), ("Imc1", 0)}
    found = [row for row in found if row not in flat]
    assert len(found) == EQUAL[group]
    missed = [r for r in found if not abs(r[1] - r[2]) <= r[3] * abs(r[2]) + 1e-12]
    assert missed == []
