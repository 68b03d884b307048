"""Folders of files without a patient in their header."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onkos.core.geometry import Geometry
from onkos.core.volume import Volume
from onkos.io import nifti
from onkos.io.intake import open_path, open_study

GRID = Geometry.upright((6, 7, 5), spacing_mm=(1.2, 0.8, 4.0), origin_mm=(3.0, -50.0, 9.0))


def save(path: Path, rng: np.random.Generator, *, labels: bool = False) -> None:
    data = rng.integers(0, 2 if labels else 999, size=GRID.shape).astype(np.int16)
    nifti.write_volume(path, Volume(data=data, geometry=GRID, modality="MR", unit="1"))


@pytest.mark.parametrize(
    ("name", "role", "modality"),
    [
        ("BraTS_001_t1ce.nii.gz", "t1c", "MR"),
        ("BraTS_001_t1.nii.gz", "t1", "MR"),
        ("sub-01_T1w.nii", "t1", "MR"),
        ("sub-01_T2w.nii", "t2", "MR"),
        ("x_FLAIR.nii.gz", "flair", "MR"),
        ("x_adc.nii.gz", "adc", "MR"),
        ("x-t1n.nii.gz", "t1", "MR"),
        ("x-t1c.nii.gz", "t1c", "MR"),
        ("case_ct.nii.gz", "ct", "CT"),
        ("SUV.nii.gz", "pet", "PT"),
        ("something.nii.gz", "image", "OT"),
    ],
)
def test_names_tell_the_roles(
    name: str, role: str, modality: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    save(tmp_path / "P7" / name, rng)
    study = open_study(tmp_path / "P7")
    assert list(study.volumes) == [role]
    assert study.volume(role).modality == modality


def test_a_folder_is_a_study(tmp_path: Path, rng: np.random.Generator) -> None:
    save(tmp_path / "P7" / "t1.nii.gz", rng)
    save(tmp_path / "P7" / "t1_b.nii.gz", rng)
    save(tmp_path / "P7" / "seg.nii.gz", rng, labels=True)
    study = open_study(tmp_path)
    assert study.patient.id == "P7"
    assert set(study.volumes) == {"t1", "t1-2"}
    assert [mask.names for mask in study.masks] == [{1: "label-1"}]


def test_every_folder_is_kept(tmp_path: Path, rng: np.random.Generator) -> None:
    for name in ("P1", "P2", "P3"):
        save(tmp_path / name / "flair.nii.gz", rng)
    assert [s.patient.id for s in open_path(tmp_path).studies] == ["P1", "P2", "P3"]


def test_a_picture_is_a_study(tmp_path: Path) -> None:
    Image.new("L", (6, 5)).save(tmp_path / "mammogram.png")
    study = open_study(tmp_path / "mammogram.png")
    assert study.patient.id == "mammogram"
    assert not study.volume("image").geometry.calibrated


def test_one_damaged_file_is_refused_and_told(tmp_path: Path, rng: np.random.Generator) -> None:
    save(tmp_path / "P7" / "t1.nii.gz", rng)
    save(tmp_path / "P7" / "t2.nii.gz", rng)
    damaged = tmp_path / "P7" / "t2.nii.gz"
    damaged.write_bytes(damaged.read_bytes()[:60])
    found = open_path(tmp_path)
    assert [refused.path for refused in found.refused] == [str(damaged)]
    assert "export or copy it again" in found.refused[0].reason
    (study,) = found.studies
    assert list(study.volumes) == ["t1"]
    assert [c.code for c in study.caveats] == ["files-refused"]


def test_a_segmentation_that_is_none(tmp_path: Path, rng: np.random.Generator) -> None:
    data = rng.normal(size=GRID.shape).astype(np.float32)
    volume = Volume(data=data, geometry=GRID, modality="MR", unit="1")
    nifti.write_volume(tmp_path / "mask.nii.gz", volume)
    (refused,) = open_path(tmp_path).refused
    assert refused.error == "ContentError"
    assert "expected labels" in refused.reason
