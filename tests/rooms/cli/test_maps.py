"""Maps of features from the command line."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.radiomics import Settings
from onkos.features.radiomics.maps import DEFAULT, Window, maps
from onkos.io import nifti

GRID = Geometry.upright((12, 10, 7), spacing_mm=(0.9, 1.2, 3.0), origin_mm=(4.0, -7.0, 11.0))


@pytest.fixture
def image(rng) -> Volume:
    data = rng.integers(-100, 200, size=GRID.shape).astype(np.int16)
    return Volume(data=data, geometry=GRID, modality="", unit="1")


@pytest.fixture
def mask() -> Mask:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[2:8, 3:9, 1:6] = 1
    labels[9, 1, 1] = 2
    return Mask(labels=labels, geometry=GRID, names={1: "label-1", 2: "label-2"})


@pytest.fixture
def files(tmp_path, image, mask):
    nifti.write_volume(tmp_path / "image.nii.gz", image)
    nifti.write_mask(tmp_path / "mask.nii.gz", mask)
    return tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz"


def test_each_feature_is_a_nifti_on_the_image_s_grid(run, files, image, mask, tmp_path):
    out = tmp_path / "out"
    code, printed, _ = run("maps", *files, "--out", out, "--json")
    assert code == 0
    told = json.loads(printed)
    assert told["maps"] == json.loads((out / "maps.json").read_text())["maps"]
    assert told["settings_hash"] == Settings().hash
    assert tuple(told["maps"]) == DEFAULT
    for name, volume in maps(image, mask).items():
        written = nifti.read(out / told["maps"][name]["file"])
        assert written.geometry.matches(GRID)
        np.testing.assert_array_equal(written.data, volume.data)
        assert told["maps"][name]["voxels"] == np.isfinite(volume.data).sum()


def test_settings_features_radius_and_region_are_heeded(run, files, image, mask, tmp_path):
    settings, out = tmp_path / "settings.toml", tmp_path / "out"
    settings.write_text('discretisation = "width"\nbins = 20.0\n')
    options = ("--features", "ngt, stat_max", "--radius", "2", "--region", "label-1")
    code, *_ = run(
        "maps", *files, "--out", out, "--settings", settings, *options, "--unmasked", "--json"
    )
    assert code == 0
    expected = maps(
        image,
        mask.select("label-1"),
        Settings(discretisation="width", bins=20.0),
        features=("ngt", "stat_max"),
        window=Window(radius=2, masked=False),
    )
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["maps.json", *(f"{name}.nii.gz" for name in expected)]
    )
    for name, volume in expected.items():
        np.testing.assert_array_equal(nifti.read(out / f"{name}.nii.gz").data, volume.data)


def test_a_stopped_run_goes_on_and_finished_maps_are_kept(run, files, tmp_path, monkeypatch):
    out, written = tmp_path / "out", []
    write = nifti.write_volume

    def stop(path, volume):
        if path.name.startswith("ih_"):
            raise KeyboardInterrupt
        write(path, volume)

    monkeypatch.setattr(nifti, "write_volume", stop)
    assert run("maps", *files, "--out", out)[0] == 130
    assert set(json.loads((out / "maps.json").read_text())["maps"]) == {"stat_mean", "stat_var"}
    monkeypatch.setattr(nifti, "write_volume", lambda *one: (written.append(one[0]), write(*one)))
    code, printed, _ = run("maps", *files, "--out", out)
    assert code == 0
    assert "2 kept" in printed
    assert [path.name for path in written] == [f"{name}.nii.gz" for name in DEFAULT[2:]]
    (out / "stat_var.nii.gz").unlink()
    code, printed, _ = run("maps", *files, "--out", out, "--features", "stat_var,rlm_sre_3D_comb")
    assert "1 made" not in printed
    assert "2 made" in printed
    assert set(json.loads((out / "maps.json").read_text())["maps"]) == {*DEFAULT, "rlm_sre_3D_comb"}


def test_maps_made_otherwise_are_not_mixed_with_these(run, files, image, tmp_path):
    out = tmp_path / "out"
    assert run("maps", *files, "--out", out, "--features", "stat_mean")[0] == 0
    before = (out / "stat_mean.nii.gz").read_bytes()
    code, _, said = run("maps", *files, "--out", out, "--features", "stat_mean", "--radius", "2")
    assert code == 2
    assert "name another folder" in said
    nifti.write_volume(files[0], replace(image, data=image.data + np.int16(1)))
    assert run("maps", *files, "--out", out, "--features", "stat_mean")[0] == 2
    assert (out / "stat_mean.nii.gz").read_bytes() == before


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--features", "cm_contrast", "cm_contrast_3D_comb"),
        ("--radius", "0", "expected 1 to 7 voxels"),
        ("--region", "liver", "expected one of label-1, label-2"),
    ],
)
def test_what_is_asked_wrongly_is_refused(run, files, tmp_path, option, value, told):
    code, _, said = run("maps", *files, "--out", tmp_path / "out", option, value)
    assert code == 2
    assert told in said
    assert not (tmp_path / "out").exists()
