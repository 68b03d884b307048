"""NIfTI in and out, its grid against SimpleITK and nibabel."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from awkward import geometries
from onkos.core.errors import ContentError, GeometryError, OnkosError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.io import nifti

GRID = Geometry.upright(
    (7, 9, 5),
    spacing_mm=(0.7, 1.9, 3.1),
    origin_mm=(-31.0, 14.5, 88.0),
    directions=np.array([[0.0, 0.6, -0.8], [1.0, 0.0, 0.0], [0.0, -0.8, -0.6]]),
)


def volume(rng: np.random.Generator, geometry: Geometry = GRID) -> Volume:
    data = rng.normal(size=geometry.shape).astype(np.float32)
    return Volume(data=data, geometry=geometry, modality="MR", unit="1")


@given(geometry=geometries(), seed=st.integers(0, 99))
@settings(max_examples=15)
def test_there_and_back(
    geometry: Geometry, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("nifti") / "t1.nii.gz"
    written = volume(np.random.default_rng(seed), geometry)
    nifti.write_volume(path, written)
    read = nifti.read(path)
    assert read.geometry.matches(geometry, tolerance_mm=2e-3)
    np.testing.assert_array_equal(read.data, written.data)
    assert read.caveats == ()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_simpleitk_reads_the_same_grid(
    suffix: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / f"a{suffix}"
    written = volume(rng)
    nifti.write_volume(path, written)
    image = SimpleITK.ReadImage(str(path))
    directions = np.array(image.GetDirection()).reshape(3, 3)
    np.testing.assert_allclose(image.GetOrigin(), GRID.origin_mm, atol=1e-3)
    np.testing.assert_allclose(image.GetSpacing(), GRID.spacing_mm, rtol=1e-5)
    np.testing.assert_allclose(directions, GRID.directions, atol=1e-5)
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image).T, written.data)


def test_reading_what_simpleitk_wrote(tmp_path: Path, rng: np.random.Generator) -> None:
    data = rng.integers(-1000, 1000, size=(5, 9, 7)).astype(np.int16)
    image = SimpleITK.GetImageFromArray(data)
    image.SetSpacing(GRID.spacing_mm)
    image.SetOrigin(GRID.origin_mm)
    image.SetDirection(GRID.directions.ravel())
    SimpleITK.WriteImage(image, str(tmp_path / "a.nii"))
    read = nifti.read(tmp_path / "a.nii")
    assert read.geometry.matches(GRID, tolerance_mm=1e-3)
    np.testing.assert_array_equal(read.data, data.T)
    assert read.data.dtype == np.int16


def saved(path: Path, data: np.ndarray) -> Path:
    image = nib.Nifti1Image(data, np.diag([2.0, 3.0, 4.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


def test_slope_and_intercept(tmp_path: Path, rng: np.random.Generator) -> None:
    stored = rng.integers(0, 100, size=(4, 5, 3)).astype(np.int16)
    image = nib.Nifti1Image(stored, np.eye(4))
    image.header.set_xyzt_units("mm")
    image.header.set_slope_inter(0.5, -7.0)
    nib.save(image, tmp_path / "a.nii")
    on_disk = nib.load(tmp_path / "a.nii").get_fdata()
    np.testing.assert_allclose(nifti.read(tmp_path / "a.nii").data, on_disk)


def test_no_orientation_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii", np.zeros((4, 5, 3), np.int16))
    data = bytearray(path.read_bytes())
    data[252:256] = bytes(4)  # q-form and s-form code
    path.write_bytes(data)
    assert [c.code for c in nifti.read(path).caveats] == ["orientation-unknown"]


def test_forms_that_disagree_are_told(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((4, 5, 3), np.int16), np.diag([2.0, 3.0, 4.0, 1.0]))
    image.header.set_xyzt_units("mm")
    image.set_sform(np.diag([2.0, 3.0, 4.0, 1.0]), code=1)
    image.set_qform(np.diag([-2.0, 3.0, 4.0, 1.0]), code=1)
    nib.save(image, tmp_path / "a.nii")
    read = nifti.read(tmp_path / "a.nii")
    assert [c.code for c in read.caveats] == ["forms-disagree"]
    np.testing.assert_allclose(read.geometry.axes_mm, np.diag([-2.0, -3.0, 4.0]))


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1.0), ("micron", 0.001), ("meter", 1000.0)])
def test_units_of_length(unit: str, factor: float, tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((4, 5, 3), np.int16), np.diag([2.0, 3.0, 4.0, 1.0]))
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "a.nii")
    spacing = nifti.read(tmp_path / "a.nii").geometry.spacing_mm
    assert spacing == pytest.approx((2 * factor, 3 * factor, 4 * factor))


def test_values_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    data = np.zeros((4, 5, 3), np.float32)
    data[1, 2, 0] = np.nan
    assert [c.code for c in nifti.read(saved(tmp_path / "a.nii", data)).caveats] == ["not-finite"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros((4, 5, 3, 2), np.int16), "Split a time series"),
        (np.zeros((4, 5, 3), np.complex64), "complex64"),
        (np.zeros(4, np.int16), "shape"),
    ],
)
def test_what_is_no_image_of_three_axes(data: np.ndarray, words: str, tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=words):
        nifti.read(saved(tmp_path / "a.nii", data))


def test_a_last_axis_of_one(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii", np.zeros((4, 5, 3, 1), np.int16))
    assert nifti.read(path).geometry.shape == (4, 5, 3)


@pytest.mark.parametrize(
    "affine", [np.diag([0.0, 1.0, 1.0, 1.0]), np.diag([np.nan, 1.0, 1.0, 1.0])]
)
def test_a_matrix_that_is_none(affine: np.ndarray, tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((4, 5, 3), np.int16), np.eye(4))
    image.header["srow_x"] = affine[0]
    image.header["sform_code"] = 1
    data = image.header.binaryblock + bytes(4) + bytes(2 * 60)
    (tmp_path / "a.nii").write_bytes(data)
    with pytest.raises((GeometryError, ContentError), match=r"a\.nii"):
        nifti.read(tmp_path / "a.nii")


def test_masks_there_and_back(tmp_path: Path, rng: np.random.Generator) -> None:
    labels = rng.integers(0, 3, size=GRID.shape).astype(np.uint8)
    mask = Mask(labels=labels, geometry=GRID, names={1: "core", 2: "oedema"})
    nifti.write_mask(tmp_path / "a.nii.gz", mask)
    read = nifti.read_mask(tmp_path / "a.nii.gz", {1: "core", 2: "oedema"})
    np.testing.assert_array_equal(read.labels, labels)
    assert read.geometry.matches(GRID)
    assert nifti.read_mask(tmp_path / "a.nii.gz", None).names == {1: "label-1", 2: "label-2"}


@pytest.mark.parametrize("value", [-1.0, 0.5, 70000.0, np.nan])
def test_what_is_no_label(value: float, tmp_path: Path) -> None:
    data = np.zeros((4, 5, 3), np.float32)
    data[0, 0, 0] = value
    with pytest.raises(ContentError, match=r"labels|whole numbers"):
        nifti.read_mask(saved(tmp_path / "a.nii", data), None)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_damage_is_refused_by_name_or_opened(
    suffix: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / f"a{suffix}"
    nifti.write_volume(path, volume(rng))
    whole = path.read_bytes()
    outcomes = set()
    for number in range(150):
        data = bytearray(whole)
        if number % 5 == 0:
            data = data[: int(rng.integers(len(data)))]
        else:
            for at in rng.integers(min(348, len(data)), size=3):
                data[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            nifti.read(path)
            outcomes.add("opened")
        except OnkosError as error:
            outcomes.add("refused" if str(path) in str(error) else str(error))
    assert "refused" in outcomes
    assert outcomes <= {"refused", "opened"}


def test_a_header_that_promises_the_world(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((4, 5, 3), np.int16), np.eye(4))
    image.header["dim"][1:4] = 32767
    data = image.header.binaryblock + bytes(4) + bytes(120)
    (tmp_path / "a.nii").write_bytes(data)
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(data))
    for name in ("a.nii", "b.nii.gz"):
        with pytest.raises(ContentError, match="not a readable NIfTI file"):
            nifti.read(tmp_path / name)


def test_a_colour_image_is_not_written(tmp_path: Path) -> None:
    data = np.zeros((*GRID.shape, 3), np.uint8)
    with pytest.raises(ContentError, match="write it as a picture"):
        nifti.write_volume(
            tmp_path / "a.nii", Volume(data=data, geometry=GRID, modality="US", unit="rgb")
        )
    assert not (tmp_path / "a.nii").exists()


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nifti.read(tmp_path / "a.nii")


def changed(path: Path, **values: float) -> Path:
    """A sound file whose raw header fields were changed."""
    image = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2, 3, 4, 1]))
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    raw = bytearray(path.read_bytes())
    header = nib.Nifti1Header(raw[:348], check=False)
    for name, value in values.items():
        header[name] = value
    path.write_bytes(header.binaryblock + bytes(raw[348:]))
    return path


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"intent_code": 3}, "statistic"),
        ({"intent_code": 22}, "statistic"),
        ({"intent_code": 1002}, None),
        ({"scl_slope": 0, "scl_inter": -1024}, "no-slope"),
        ({"scl_slope": 0, "scl_inter": 0}, None),
        ({"pixdim": [1, 2, 3, 40, 0, 0, 0, 0]}, "spacing-contradiction"),
    ],
)
def test_what_a_header_says_of_the_values(values, code, tmp_path: Path) -> None:
    volume = nifti.read(changed(tmp_path / "a.nii", **values))
    np.testing.assert_array_equal(volume.data.ravel(), np.arange(60))
    assert volume.geometry.spacing_mm == pytest.approx((2, 3, 4))
    assert [c.code for c in volume.caveats] == ([code] if code else [])


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ({"intent_code": 1007}, ContentError, "vectors"),
        ({"xyzt_units": 5}, GeometryError, "no unit of length"),
    ],
)
def test_a_header_that_says_what_cannot_be_read(values, kind, words, tmp_path: Path) -> None:
    with pytest.raises(kind, match=words):
        nifti.read(changed(tmp_path / "a.nii", **values))
