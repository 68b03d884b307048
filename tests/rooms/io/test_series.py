"""Series as written, read back by others: SimpleITK, pydicom, dciodvfy."""

from __future__ import annotations

import datetime
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import Geometry
from onkos.core.source import Caveat
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume
from onkos.io.export.series import MRAcquisition, stable_uid, write_series, write_study

FLAIR = MRAcquisition(
    sequence="IR", repetition_ms=9000, echo_ms=110, inversion_ms=2481.3, field_t=3.0,
    description="FLAIR phantom", body_part="HEAD",
)  # fmt: skip
T1C = MRAcquisition(
    sequence="SE", repetition_ms=650, echo_ms=10, field_t=3.0, contrast_agent="agent",
    description="T1c phantom", body_part="HEAD",
)  # fmt: skip


def turned(degrees: float, about: int, signs: tuple[int, int, int]) -> np.ndarray:
    angle = np.radians(degrees)
    a, b = (about + 1) % 3, (about + 2) % 3
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix * signs


GRIDS = {
    "upright": np.eye(3),
    "oblique": turned(23.0, 0, (1, 1, 1)) @ turned(-11.0, 2, (1, 1, 1)),
    "negative": turned(9.0, 1, (-1, -1, 1)),
    "sagittal": np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]) @ turned(4.0, 2, (1, 1, 1)),
}


def grid(name: str) -> Geometry:
    return Geometry.upright(
        (13, 9, 6), spacing_mm=(0.9, 1.2, 3.7), origin_mm=(-71.3, 44.9, -120.4),
        directions=GRIDS[name],
    )  # fmt: skip


def study_of(volume: Volume) -> Study:
    return Study(
        patient=Patient(id="PHANTOM-0003", name="Phantom^0003", sex="F"),
        date=datetime.date(2001, 2, 3),
        volumes={"flair": volume, "t1c": replace(volume, data=volume.data * 2)},
        caveats=(Caveat(code="phantom", text="Simulated images (phantom)."),),
        description="phantom",
    )


def whole_numbers(geometry: Geometry, rng: np.random.Generator) -> Volume:
    data = rng.integers(0, 2000, size=geometry.shape).astype(np.float32)
    return Volume(data=data, geometry=geometry, modality="MR", unit="1")


@pytest.mark.parametrize("name", GRIDS)
def test_simpleitk_reads_the_same_grid_and_values(
    name: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    volume = whole_numbers(grid(name), rng)
    study = write_study(tmp_path, study_of(volume), attributes={"flair": FLAIR.attributes})
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "flair")))
    image = reader.Execute()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    assert Geometry(shape=image.GetSize(), affine=affine).matches(volume.geometry)
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image).T, volume.data)
    assert study.volumes["flair"].source is not None


def test_a_left_handed_grid_is_told_slice_by_slice(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    geometry = Geometry.upright(
        (5, 7, 4), spacing_mm=(1.0, 1.5, 2.5), directions=turned(8.0, 0, (1, 1, -1))
    )
    volume = whole_numbers(geometry, rng)
    source = write_series(tmp_path, volume=volume, study=study_of(volume), attributes={})
    by_uid = {
        image.SOPInstanceUID: image
        for image in (pydicom.dcmread(path) for path in tmp_path.glob("*.dcm"))
    }
    for k, instance in enumerate(source.instances):
        image = by_uid[instance.uid]
        np.testing.assert_allclose(image.ImagePositionPatient, geometry.to_mm((0, 0, k)), atol=1e-6)
        np.testing.assert_array_equal(image.pixel_array.T, volume.data[:, :, k])


def test_values_that_are_no_integers_come_back_within_half_a_level(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.normal(3.0, 2.0, size=(13, 9, 6))
    volume = Volume(data=data, geometry=grid("oblique"), modality="MR", unit="1")
    write_series(tmp_path, volume=volume, study=study_of(volume), attributes={})
    for k in range(6):
        image = pydicom.dcmread(tmp_path / f"{k + 1:04d}.dcm")
        values = image.pixel_array.T * float(image.RescaleSlope) + float(image.RescaleIntercept)
        np.testing.assert_allclose(values, data[:, :, k], atol=0.51 * float(image.RescaleSlope))
    assert float(image.RescaleSlope) == pytest.approx(np.ptp(data) / 4095, rel=1e-6)


def test_hounsfield_units_are_stored_as_they_are(tmp_path: Path, rng: np.random.Generator) -> None:
    data = rng.integers(-1024, 3000, size=(13, 9, 6)).astype(np.int16)
    volume = Volume(data=data, geometry=grid("negative"), modality="CT", unit="[hnsf'U]")
    write_series(tmp_path, volume=volume, study=study_of(volume), attributes={})
    image = pydicom.dcmread(tmp_path / "0003.dcm")
    np.testing.assert_array_equal(image.pixel_array.T, data[:, :, 2])
    assert (image.RescaleSlope, image.RescaleIntercept, image.RescaleType) == (1, 0, "HU")


def test_headers_tell_how_the_image_was_made(tmp_path: Path, rng: np.random.Generator) -> None:
    attributes = {"flair": FLAIR.attributes, "t1c": T1C.attributes}
    write_study(tmp_path, study_of(whole_numbers(grid("upright"), rng)), attributes=attributes)
    flair = pydicom.dcmread(tmp_path / "flair" / "0001.dcm")
    t1c = pydicom.dcmread(tmp_path / "t1c" / "0001.dcm")
    told = (flair.ScanningSequence, flair.RepetitionTime, flair.EchoTime, flair.InversionTime)
    assert told == ("IR", 9000, 110, 2481.3)
    assert (t1c.ScanningSequence, t1c.ContrastBolusAgent) == ("SE", "agent")
    assert "ContrastBolusAgent" not in flair
    assert flair.FrameOfReferenceUID == t1c.FrameOfReferenceUID
    assert flair.StudyInstanceUID == t1c.StudyInstanceUID
    assert flair.SeriesInstanceUID != t1c.SeriesInstanceUID
    assert "phantom" in flair.ImageComments
    assert flair.ImageType[0] == "DERIVED"


def test_the_same_study_is_written_the_same(tmp_path: Path, rng: np.random.Generator) -> None:
    study = study_of(whole_numbers(grid("oblique"), rng))
    write_study(tmp_path / "a", study)
    write_study(tmp_path / "b", study)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.dcm"))
    assert len(files) == 12
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_uids_follow_from_words() -> None:
    assert stable_uid("a", "b") == stable_uid("a", "b") != stable_uid("a", "c")
    assert len(stable_uid("a")) <= 64


@pytest.mark.tools
@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_dciodvfy_finds_no_error(
    modality: str, tool: Callable[[str], str], tmp_path: Path, rng: np.random.Generator
) -> None:
    volume = replace(whole_numbers(grid("oblique"), rng), modality=modality)
    attributes = {"flair": FLAIR.attributes, "t1c": T1C.attributes} if modality == "MR" else {}
    write_study(tmp_path, study_of(volume), attributes=attributes)
    for role in ("flair", "t1c"):
        checked = subprocess.run(
            [tool("dciodvfy"), "-new", str(tmp_path / role / "0002.dcm")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Error" not in checked.stdout + checked.stderr


def test_what_a_series_cannot_hold_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    volume = whole_numbers(grid("oblique"), rng)
    affine = volume.geometry.affine.copy()
    affine[1, 2] += 0.4
    sheared = replace(volume, geometry=Geometry(shape=volume.geometry.shape, affine=affine))
    holed = replace(volume, data=np.where(volume.data > 1000, np.nan, volume.data))
    picture = replace(
        volume, data=volume.data[:, :, 0], geometry=Geometry.picture((13, 9), spacing_mm=(1, 2))
    )
    for wrong, error, words in (
        (sheared, GeometryError, "right angles"),
        (picture, GeometryError, "plain picture"),
        (holed, ContentError, "not finite"),
        (replace(volume, modality="PT"), ContentError, "PT image"),
    ):
        with pytest.raises(error, match=words):
            write_series(tmp_path / "x", volume=wrong, study=study_of(volume), attributes={})
    with pytest.raises(ContentError, match="adc"):
        write_study(tmp_path / "x", study_of(volume), attributes={"adc": {}})
    assert not (tmp_path / "x").exists()
