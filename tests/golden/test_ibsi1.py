"""The IBSI-1 reference values: digital phantom and CT phantom under configurations A to E.

``rows`` gives every published value beside ours. A published value is printed to three digits,
so half a unit of the third is added to its tolerance.
"""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.radiomics import Settings, radiomics
from onkos.features.radiomics.grid import axes_to, interpolated
from onkos.features.radiomics.region import Region, blocks, region
from onkos.io import nifti

pytestmark = pytest.mark.data

SLICES = ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb")
SPACE = ("3D_avg", "3D_comb")
CONFIGURATIONS = {
    "dig_phantom": Settings(discretisation="width", bins=1, aggregations=SLICES + SPACE),
    "chest_config_a": Settings(
        low=-500, high=400, discretisation="width", bins=25, aggregations=SLICES
    ),
    "chest_config_b": Settings(
        spacing_mm=(2, 2), round_to_integer=True, low=-500, high=400, bins=32, aggregations=SLICES
    ),
    "chest_config_c": Settings(
        spacing_mm=(2, 2, 2),
        round_to_integer=True,
        low=-1000,
        high=400,
        discretisation="width",
        bins=25,
        ivh_discretisation="width",
        ivh_bins=2.5,
        aggregations=SPACE,
    ),
    "chest_config_d": Settings(
        spacing_mm=(2, 2, 2), round_to_integer=True, outlier_sigma=3, bins=32, aggregations=SPACE
    ),
    "chest_config_e": Settings(
        spacing_mm=(2, 2, 2),
        interpolation="cubic",
        round_to_integer=True,
        low=-1000,
        high=400,
        outlier_sigma=3,
        bins=32,
        ivh_discretisation="number",
        ivh_bins=1000,
        aggregations=SPACE,
    ),
}
PUBLISHED = {"dig_phantom": 482, **dict.fromkeys(("chest_config_a", "chest_config_b"), 406)}
Row = tuple[str, float, float, float]


def rows(data_dir: Path) -> list[Row]:
    """Name, our value, the published one and its tolerance, of every configuration."""
    return [row for name in CONFIGURATIONS for row in rows_of(name, data_dir)]


@cache
def rows_of(name: str, data_dir: Path) -> list[Row]:
    kind = "ct_radiomics_phantom" if name.startswith("chest") else "digital_phantom"
    folder = data_dir / "ibsi-reference"
    volume = nifti.read(folder / f"ibsi_1_{kind}" / "image.nii.gz", modality="CT")
    mask = nifti.read_mask(folder / f"ibsi_1_{kind}" / "mask.nii.gz", {1: "lesion"})
    settings = CONFIGURATIONS[name]
    ours = radiomics(volume, mask, settings).row("lesion")
    if kind == "ct_radiomics_phantom":
        ours |= processing(volume, mask, settings)
    path = folder / "ibsi_1_reference_values" / f"ibsi_1_{name}.csv"
    with path.open(encoding="utf-8-sig") as file:
        published = list(csv.DictReader(file, delimiter=";"))
    return [
        (f"{name}.{tag}", ours[tag], value, float(line["tolerance"]) + third_digit(value))
        for line in published
        if line["reference value"]
        for tag, value in [(line["tag"], float(line["reference value"]))]
    ]


def third_digit(value: float) -> float:
    """Half a unit of the third significant digit."""
    return 0.0 if value == 0 else 0.5 * 10.0 ** (math.floor(math.log10(abs(value))) - 2)


def processing(volume: Volume, mask: Mask, settings: Settings) -> dict[str, float]:
    """What the reference reports of image and masks before and after each step."""
    image, labels = volume.data.T, mask.labels.T
    steps = volume.geometry.spacing_mm[::-1]
    axes = axes_to(image.shape, steps, settings.spacing_mm)
    whole = [(0, axis.count) for axis in axes]
    new = interpolated(image, axes, whole, method=settings.interpolation)
    new = np.rint(new) if settings.round_to_integer else new
    told = of_image(image, steps, "init") | of_image(new, [axis.mm for axis in axes], "interp")
    box = blocks(labels, np.array([1]))[0]
    assert box is not None
    bare = {name: getattr(settings, name) for name in ("spacing_mm", "interpolation")}
    rounded = Settings(**bare, round_to_integer=settings.round_to_integer)
    for stage, asked in (("init", Settings()), ("interp", rounded), ("reseg", settings)):
        found = region(image, labels, 1, box, steps, asked)
        assert found is not None
        told |= of_region(found, stage)
    return told


def of_image(image, steps, stage: str) -> dict[str, float]:
    told = {f"{name}_int_{stage}_img": float(getattr(image, name)()) for name in ("min", "max")}
    told[f"mean_int_{stage}_img"] = float(image.mean(dtype=np.float64))
    for axis, side, step in zip("zyx", image.shape, steps, strict=True):
        told[f"img_dim_{axis}_{stage}_img"] = float(side)
        told[f"vox_dim_{axis}_{stage}_img"] = float(step)
    return told


def of_region(found: Region, stage: str) -> dict[str, float]:
    values = found.box[found.inside]
    told = {
        f"int_mask_mean_int_{stage}_roi": float(values.mean(dtype=np.float64)),
        f"int_mask_min_int_{stage}_roi": float(values.min()),
        f"int_mask_max_int_{stage}_roi": float(values.max()),
    }
    for kind, held in (("int", found.inside), ("morph", found.within)):
        told[f"{kind}_mask_vox_count_{stage}_roi"] = float(held.sum())
        for axis, side, ends in zip("zyx", found.grid_shape, np.nonzero(held), strict=True):
            told[f"{kind}_mask_dim_{axis}_{stage}_roi"] = float(side)
            told[f"{kind}_mask_bb_dim_{axis}_{stage}_roi"] = float(np.ptp(ends) + 1)
    return told


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_published_value_is_met(name, data_dir):
    found = rows_of(name, data_dir)
    assert len(found) == PUBLISHED.get(name, 270)
    missed = [row for row in found if not abs(row[1] - row[2]) <= row[3] * (1 + 1e-9)]
    assert missed == []
