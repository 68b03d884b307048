"""Stored pixels to real values, in every encoding, against pydicom and plain numpy."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from onkos.core.geometry import Geometry
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.io.intake import Refusal, open_path, open_study
from slices import noise, real, slices, write

GRID = Geometry.upright(
    (10, 7, 5),
    spacing_mm=(0.8, 1.4, 2.6),
    origin_mm=(12.0, -40.0, 93.0),
    directions=np.array([[0.0, 0.0, 1.0], [-0.6, 0.8, 0.0], [0.8, 0.6, 0.0]]) * [1, -1, 1],
)


def opened(folder: Path, datasets: list[Dataset]) -> Volume:
    write(folder, datasets)
    return only(open_study(folder))


def only(study: Study) -> Volume:
    (volume,) = study.volumes.values()
    return volume


def refusal(folder: Path, datasets: list[Dataset]) -> Refusal:
    write(folder, datasets)
    found = open_path(folder)
    assert found.studies == ()
    return found.refused[0]


def expected(volume: Volume, datasets: list[Dataset]) -> np.ndarray:
    by_uid = {str(one.SOPInstanceUID): one for one in datasets}
    return np.stack([real(by_uid[i.uid]) for i in volume.source.instances], axis=-1)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_every_integer_kind(
    bits: int, signed: int, modality: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    told = {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": signed}
    datasets = slices(GRID, rng, modality=modality, **told)
    volume = opened(tmp_path, datasets)
    np.testing.assert_array_equal(volume.data, expected(volume, datasets))
    assert volume.unit == ("[hnsf'U]" if modality == "CT" else "1")


def test_values_stay_small_where_they_fit(tmp_path: Path, rng: np.random.Generator) -> None:
    assert opened(tmp_path / "12", slices(GRID, rng)).data.dtype == np.int16
    wide = slices(GRID, rng, BitsStored=16, HighBit=15)
    assert opened(tmp_path / "16", wide).data.dtype == np.float32


@pytest.mark.parametrize(("slope", "intercept"), [("0.37", "-11.5"), ("-2", "7"), ("1", "0.5")])
def test_slope_and_intercept(
    slope: str, intercept: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = slices(GRID, rng, RescaleSlope=slope, RescaleIntercept=intercept)
    volume = opened(tmp_path, datasets)
    np.testing.assert_allclose(volume.data, expected(volume, datasets), rtol=1e-6, atol=1e-3)


def test_each_slice_has_its_own_slope(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng)
    for k, one in enumerate(datasets):
        one.RescaleSlope = str(1 + k)
    volume = opened(tmp_path, datasets)
    np.testing.assert_array_equal(volume.data, expected(volume, datasets))
    assert "rescale-varies" in {c.code for c in volume.caveats}


def test_bits_above_those_stored_do_not_count(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng, modality="MR")
    dirty = copy.deepcopy(datasets)
    for one in dirty:
        pixels = np.frombuffer(one.PixelData, "<u2") | 0xA000  # as overlays in old files
        one.PixelData = pixels.astype("<u2").tobytes()
    volume = opened(tmp_path, dirty)
    np.testing.assert_array_equal(volume.data, expected(volume, datasets))


SYNTAXES = [
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("signed", [0, 1])
def test_every_transfer_syntax(
    syntax: str, signed: int, tmp_path: Path, rng: np.random.Generator
) -> None:
    large = Geometry.upright((41, 35, 3), spacing_mm=(0.8, 1.4, 2.6))
    datasets = slices(large, rng, PixelRepresentation=signed)
    for number, one in enumerate(datasets):
        stored(tmp_path / f"{number}.dcm", copy.deepcopy(one), syntax)
    volume = only(open_study(tmp_path))
    np.testing.assert_array_equal(volume.data, expected(volume, datasets))


def stored(path: Path, one: Dataset, syntax: str) -> None:
    """Write a slice in a transfer syntax."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = one.SOPClassUID
    meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset("", one, file_meta=meta, preamble=b"\0" * 128)
    if syntax == ExplicitVRBigEndian:
        kind = "i2" if one.PixelRepresentation else "u2"
        file.PixelData = np.frombuffer(one.PixelData, f"<{kind}").astype(f">{kind}").tobytes()
        file["PixelData"].VR = "OW"
    elif syntax != DeflatedExplicitVRLittleEndian:
        file.compress(syntax, generate_instance_uid=False)
    meta.TransferSyntaxUID = syntax
    big = syntax == ExplicitVRBigEndian
    pydicom.dcmwrite(path, file, implicit_vr=False, little_endian=not big, enforce_file_format=True)


def test_a_damaged_codestream_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    (one,) = slices(GRID, rng)[:1]
    one.PixelData = encapsulate([b"\xff\xd8no such picture\xff\xd9"])
    path = tmp_path / "a"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = one.SOPClassUID
    meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    meta.TransferSyntaxUID = JPEGLSLossless
    file = FileDataset("", one, file_meta=meta, preamble=b"\0" * 128)
    file["PixelData"].VR = "OB"
    file.save_as(path, enforce_file_format=True)
    (refused,) = open_path(tmp_path).refused
    assert refused.error == "ContentError"
    assert "cannot be decoded" in refused.reason


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_floating_point_pixels(kind: str, tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng, modality="MR")
    values = {}
    for one in datasets:
        plane = rng.normal(size=(one.Rows, one.Columns)).astype(kind)
        for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
            delattr(one, keyword)
        one.BitsAllocated = 8 * plane.itemsize
        setattr(one, "FloatPixelData" if kind == "<f4" else "DoubleFloatPixelData", plane.tobytes())
        values[str(one.SOPInstanceUID)] = plane.T
    volume = opened(tmp_path, datasets)
    for k, instance in enumerate(volume.source.instances):
        np.testing.assert_allclose(volume.data[..., k], values[instance.uid], rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Rows": 8}, "expected 160"),
        ({"Columns": 65535, "Rows": 65535}, "bytes of pixels, expected"),
        ({"Rows": 0}, "0 Rows|no Rows"),
        ({"BitsAllocated": 8}, "bits stored in 8 allocated"),
        ({"BitsAllocated": 12}, "expected 8, 16 or 32"),
        ({"HighBit": 15}, "HighBit is 15 with 12 bits stored; expected 11"),
        ({"PixelRepresentation": None}, "PixelRepresentation is not stated"),
        ({"SamplesPerPixel": 3}, "3 samples a pixel"),
        ({"PixelData": None}, "no pixels|0 bytes"),
        ({"RescaleSlope": "0"}, "RescaleSlope is 0"),
        ({"RescaleSlope": None}, "one of RescaleSlope and RescaleIntercept is missing"),
        ({"RescaleSlope": "1e300"}, "expected 1 finite numbers"),
        ({"PixelData": b"\0\0" * 69}, "138 bytes of pixels, expected 140"),
        ({"PixelData": b"\1\0" * 90}, "180 bytes of pixels, expected 140"),
    ],
)
def test_pixels_that_contradict_the_header(
    changes: dict[str, Any], words: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = slices(GRID, rng)
    for one in datasets:
        for keyword, value in changes.items():
            if value is None:
                delattr(one, keyword)
            else:
                setattr(one, keyword, value)
    refused = refusal(tmp_path, datasets)
    assert refused.error in ("ContentError", "GeometryError")
    assert any(word in refused.reason for word in words.split("|")), refused.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"BitsStored": 10, "HighBit": 9},
        {"PixelRepresentation": 1},
        {"PhotometricInterpretation": "MONOCHROME1"},
    ],
)
def test_slices_stored_in_two_ways(
    changes: dict[str, Any], tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = slices(GRID, rng)
    for keyword, value in changes.items():
        setattr(datasets[2], keyword, value)
    refused = refusal(tmp_path, datasets)
    assert refused.error == "ContentError"
    assert "expected one kind of pixels. Export the series again" in refused.reason


def test_a_rescaling_that_only_some_slices_state(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng)
    del datasets[1].RescaleSlope, datasets[1].RescaleIntercept
    assert "expected both or none" in refusal(tmp_path, datasets).reason


def test_truncated_pixels_are_refused_by_file(tmp_path: Path, rng: np.random.Generator) -> None:
    paths = write(tmp_path, slices(GRID, rng))
    data = paths[2].read_bytes()
    paths[2].write_bytes(data[:-31])
    (refused,) = open_path(tmp_path).refused
    assert refused.error == "ContentError"
    assert str(paths[2]) in refused.reason
    assert "truncated, copy it again" in refused.reason


def test_padding_is_told(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng, PixelPaddingValue=5)
    for one in datasets:
        pixels = np.frombuffer(one.PixelData, "<u2").copy()
        pixels[pixels == 5] = 6
        pixels[:7] = 5
        one.PixelData = pixels.tobytes()
    (caveat,) = (c for c in opened(tmp_path, datasets).caveats if c.code == "padding")
    assert "10.0 %" in caveat.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"LossyImageCompression": "01"}, "lossy"),
        ({"BurnedInAnnotation": "YES"}, "burned-in-text"),
        ({"Laterality": "R", "ImageLaterality": "L"}, "laterality-contradiction"),
        ({"SOPInstanceUID": ""}, "no-instance-uid"),
    ],
)
def test_one_slice_is_enough_for_a_caveat(
    changes: dict[str, str], code: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = slices(GRID, rng)
    for keyword, value in changes.items():
        setattr(datasets[3], keyword, value)
    assert code in {c.code for c in opened(tmp_path, datasets).caveats}


def test_inverted_greys_are_values_all_the_same(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng, PhotometricInterpretation="MONOCHROME1")
    volume = opened(tmp_path, datasets)
    np.testing.assert_array_equal(volume.data, expected(volume, datasets))
    assert "inverted-greys" in {c.code for c in volume.caveats}


@pytest.mark.parametrize("kind", ["US", "OD", None])
def test_ct_that_is_not_in_hounsfield_units(
    kind: str | None, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = slices(GRID, rng)
    for one in datasets:
        if kind is None:
            del one.RescaleSlope, one.RescaleIntercept
        else:
            one.RescaleType = kind
    volume = opened(tmp_path, datasets)
    assert volume.unit == "1"
    assert "unknown-unit" in {c.code for c in volume.caveats}


@pytest.mark.parametrize(
    ("slope", "unit", "told"), [(0.5, "um2/s", set()), (2.0, "1", {"unknown-unit"})]
)
def test_a_real_world_mapping(
    slope: float, unit: str, told: set[str], tmp_path: Path, rng: np.random.Generator
) -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "um2/s", "UCUM", "um2/s"
    mapping = Dataset()
    mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = slope, 0.0
    mapping.MeasurementUnitsCodeSequence = [code]
    datasets = slices(GRID, rng, modality="MR", RescaleSlope="0.5", RescaleIntercept="0")
    for one in datasets:
        one.RealWorldValueMappingSequence = [mapping]
    volume = opened(tmp_path, datasets)
    np.testing.assert_allclose(volume.data, expected(volume, datasets))
    assert volume.unit == unit
    assert {c.code for c in volume.caveats} == {"phantom", *told}


def test_noise_covers_the_range(rng: np.random.Generator) -> None:
    (one,) = slices(GRID, rng, PixelRepresentation=1)[:1]
    one.Rows = one.Columns = 300
    values = np.frombuffer(noise(one, rng), "<i2")
    assert (values.min(), values.max()) == (-2048, 2047)
