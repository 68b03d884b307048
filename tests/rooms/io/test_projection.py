"""Mammograms, radiographs, ultrasound: what a pixel measures, which side, which greys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from onkos.core.errors import GeometryError
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.io.intake import open_path, open_study
from slices import write

CLASSES = {
    "MG": "1.2.840.10008.5.1.4.1.1.1.2",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
}


def picture(rng: np.random.Generator, modality: str = "MG", **changes: Any) -> Dataset:
    one = Dataset()
    one.SOPClassUID, one.Modality = CLASSES[modality], modality
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(one, keyword, generate_uid())
    one.PatientID, one.QualityControlImage = "PHANTOM-1", "YES"
    one.Rows, one.Columns, one.SamplesPerPixel = 11, 6, 1
    one.PhotometricInterpretation = "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
    for keyword, value in changes.items():
        setattr(one, keyword, value)
    pixels = rng.integers(0, 4096, size=(one.Rows, one.Columns)).astype("<u2")
    if "PixelData" not in one:
        one.PixelData = pixels.tobytes()
    return one


def opened(folder: Path, one: Dataset) -> Volume:
    write(folder, [one])
    return only(open_study(folder))


def only(study: Study) -> Volume:
    (volume,) = study.volumes.values()
    return volume


def codes(volume: Volume) -> set[str]:
    return {caveat.code for caveat in volume.caveats} - {"phantom"}


def stored(one: Dataset) -> np.ndarray:
    return np.frombuffer(one.PixelData, "<u2").reshape(one.Rows, one.Columns).T


@pytest.mark.parametrize(
    ("changes", "spacing", "told"),
    [
        ({"PixelSpacing": ["0.3", "0.2"]}, (0.2, 0.3), {"projected-size"}),
        (
            {"PixelSpacing": ["0.3", "0.2"], "ImagerPixelSpacing": ["0.3", "0.2"]},
            (0.2, 0.3), {"projected-size"},
        ),
        (
            {"PixelSpacing": ["0.3", "0.2"], "PixelSpacingCalibrationType": "FIDUCIAL"},
            (0.2, 0.3), {"projected-size"},
        ),
        ({"ImagerPixelSpacing": ["0.3", "0.2"]}, (0.2, 0.3), {"projected-size"}),
        (
            {"ImagerPixelSpacing": ["0.3", "0.2"],
             "EstimatedRadiographicMagnificationFactor": "1.25"},
            (0.16, 0.24), {"projected-size"},
        ),
        (
            {"ImagerPixelSpacing": ["0.3", "0.2"], "PixelSpacing": ["0.27", "0.18"],
             "PixelSpacingCalibrationType": "FIDUCIAL"},
            (0.18, 0.27), {"spacing-contradiction"},
        ),
        ({"NominalScannedPixelSpacing": ["0.05", "0.04"]}, (0.04, 0.05), {"film-size"}),
    ],
)  # fmt: skip
def test_pixel_size(changes, spacing, told, tmp_path: Path, rng: np.random.Generator) -> None:
    volume = opened(tmp_path, picture(rng, **changes))
    assert volume.geometry.spacing_mm == pytest.approx(spacing)
    assert codes(volume) == told


def test_unknown_size_refuses_millimetres(tmp_path: Path, rng: np.random.Generator) -> None:
    volume = opened(tmp_path, picture(rng))
    assert codes(volume) == {"pixel-size-unknown"}
    with pytest.raises(GeometryError, match="pixel size is unknown"):
        _ = volume.geometry.spacing_mm


def region(across_cm: float, down_cm: float, *, unit: int = 3, kind: int = 1) -> Dataset:
    made = Dataset()
    made.RegionSpatialFormat = kind
    made.PhysicalUnitsXDirection = made.PhysicalUnitsYDirection = unit
    made.PhysicalDeltaX, made.PhysicalDeltaY = across_cm, down_cm
    return made


@pytest.mark.parametrize(
    ("regions", "spacing"),
    [
        ([region(0.02, 0.03)], (0.2, 0.3)),
        ([region(0.02, -0.03)], (0.2, 0.3)),
        ([region(0.02, 0.03), region(0.1, 4.0, unit=4, kind=3)], (0.2, 0.3)),  # and a spectrum
        ([region(0.02, 0.03), region(0.02, 0.03)], (0.2, 0.3)),
        ([region(0.02, 0.03), region(0.05, 0.05)], None),
        ([region(0.02, 0.03), region(0.02, 0.03, unit=0)], None),
        ([region(0.0, 0.03)], None),
    ],
)
def test_ultrasound_regions(
    regions: list[Dataset],
    spacing: tuple[float, float] | None,
    tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    volume = opened(tmp_path, picture(rng, "US", SequenceOfUltrasoundRegions=regions))
    if spacing is None:
        assert not volume.geometry.calibrated
        assert codes(volume) == {"pixel-size-unknown"}
    else:
        assert volume.geometry.spacing_mm == pytest.approx(spacing)
        assert codes(volume) == set()


def test_axes_run_right_and_down(tmp_path: Path, rng: np.random.Generator) -> None:
    one = picture(rng)
    volume = opened(tmp_path, one)
    assert volume.geometry.shape == (6, 11)
    np.testing.assert_array_equal(volume.data, stored(one))


@pytest.mark.parametrize("slope", [None, "0.37"])
def test_inverted_greys_are_turned(
    slope: str | None, tmp_path: Path, rng: np.random.Generator
) -> None:
    changes = {} if slope is None else {"RescaleSlope": slope, "RescaleIntercept": "-3.5"}
    one = picture(rng, PhotometricInterpretation="MONOCHROME1", **changes)
    volume = opened(tmp_path, one)
    turned = (1 << one.BitsStored) - 1 - stored(one)  # whatever else is in the picture
    values = turned * (1.0 if slope is None else float(slope))
    values = values - (0.0 if slope is None else 3.5)
    np.testing.assert_allclose(volume.data, values, atol=1e-3)
    assert codes(volume) == {"inverted-greys", "pixel-size-unknown"}


def test_both_sides_at_once(tmp_path: Path, rng: np.random.Generator) -> None:
    one = picture(rng, ImageLaterality="L", Laterality="R", PixelSpacing=["1", "1"])
    assert codes(opened(tmp_path, one)) == {"laterality-contradiction", "projected-size"}


def test_two_sides_in_one_series_are_no_contradiction(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    left = picture(rng, ImageLaterality="L", PixelSpacing=["1", "1"])
    right = picture(rng, ImageLaterality="R", PixelSpacing=["1", "1"])
    right.StudyInstanceUID = left.StudyInstanceUID
    right.SeriesInstanceUID = left.SeriesInstanceUID
    write(tmp_path, [left, right])
    study = open_study(tmp_path)
    assert sorted(study.volumes) == ["mg", "mg-2"]
    assert all(codes(volume) == {"projected-size"} for volume in study.volumes.values())


def test_colour(tmp_path: Path, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, size=(11, 6, 3)).astype(np.uint8)
    one = picture(
        rng, "US", SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0,
        BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=pixels.tobytes(),
        PixelSpacing=["0.2", "0.2"],
    )  # fmt: skip
    volume = opened(tmp_path, one)
    assert (volume.unit, volume.channels) == ("rgb", 3)
    np.testing.assert_array_equal(volume.data, pixels.swapaxes(0, 1))


def test_a_clip_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    one = picture(rng, "US", NumberOfFrames=3)
    one.PixelData = one.PixelData * 3
    write(tmp_path, [one])
    (refused,) = open_path(tmp_path).refused
    assert refused.error == "ContentError"
    assert "3 frames" in refused.reason
    assert "Export the frame that is meant" in refused.reason


def test_a_clip_of_one_picture_cut_short(tmp_path: Path, rng: np.random.Generator) -> None:
    one = picture(rng)
    one.PixelData = one.PixelData[:-40]
    write(tmp_path, [one])
    (refused,) = open_path(tmp_path).refused
    assert "92 bytes of pixels, expected 132" in refused.reason


def test_pixels_that_are_not_square(tmp_path: Path, rng: np.random.Generator) -> None:
    volume = opened(tmp_path, picture(rng, "US", PixelAspectRatio=[2, 1]))
    assert codes(volume) == {"pixel-aspect"}
    assert not volume.geometry.calibrated
