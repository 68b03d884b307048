"""Siemens mosaics: taken apart where the private header tells how, else refused by that word."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from onkos.core.geometry import Geometry
from onkos.io.dicom.csa import csa_values
from onkos.io.intake import open_path, open_study
from slices import slices, write

COUNT, TILE = 7, (8, 10)  # slices; rows and columns of one


def csa(second: bool = True, **values: list[str]) -> bytes:
    """A CSA header, of the second or first version."""
    made = (b"SV10\4\3\2\1" if second else b"") + struct.pack("<2I", len(values), 77)
    for name, told in values.items():
        made += struct.pack("<64si4s3i", name.encode(), len(told), b"FD\0\0", 4, len(told), 77)
        for value in told:
            data = value.encode() + b"\0"
            first = len(data) + len(next(iter(values.values())))
            made += struct.pack("<4i", len(data) if second else first, len(data), 77, len(data))
            made += data.ljust((len(data) + 3) // 4 * 4, b"\0")
    return made


def mosaic(
    rng, grid: Geometry, *, normal: np.ndarray | None, second: bool = True
) -> tuple[Dataset, np.ndarray]:
    """One mosaic of a grid, and its values (slices, rows, columns)."""
    across = 3
    wide = Geometry.upright(
        (TILE[1] * across, TILE[0] * across, 1), spacing_mm=grid.spacing_mm,
        origin_mm=grid.origin_mm, directions=grid.directions,
    )  # fmt: skip
    (one,) = slices(wide, rng, modality="MR")
    values = rng.integers(0, 4096, size=(across * across, *TILE)).astype("<u2")
    values[COUNT:] = 0
    laid = values.reshape(across, across, *TILE).swapaxes(1, 2)
    one.PixelData = laid.reshape(across * TILE[0], across * TILE[1]).tobytes()
    half = np.array([(wide.shape[0] - TILE[1]) / 2, (wide.shape[1] - TILE[0]) / 2, 0])
    corner = grid.to_mm((0, 0, 0)) - grid.axes_mm @ half
    one.ImagePositionPatient = [f"{x:.6f}" for x in corner]
    one.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    one.Manufacturer = "SIEMENS"
    one.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", COUNT)
    if normal is not None:
        told = {
            "NumberOfImagesInMosaic": [str(COUNT)],
            "SliceNormalVector": [f"{x:.8f}" for x in normal],
        }
        block = one.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", csa(second, **told))
    return one, values[:COUNT]


def turned(k_sign: float) -> Geometry:
    directions = np.array([[0.8, 0.0, -0.6], [0.0, 1.0, 0.0], [0.6, 0.0, 0.8]])
    directions[:, 2] *= k_sign
    return Geometry.upright(
        (TILE[1], TILE[0], COUNT), spacing_mm=(2.1, 1.7, 4.0), origin_mm=(-20, 31, 7),
        directions=directions,
    )  # fmt: skip


@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_mosaic_is_a_volume(sign, second, tmp_path: Path, rng) -> None:
    grid = turned(sign)
    one, values = mosaic(rng, grid, normal=grid.directions[:, 2], second=second)
    write(tmp_path, [one])
    (volume,) = open_study(tmp_path).volumes.values()
    expected = grid if sign > 0 else grid.crop((0, 0, COUNT - 1), grid.shape)
    assert volume.geometry.shape == grid.shape
    np.testing.assert_allclose(volume.geometry.origin_mm, expected.origin_mm, atol=1e-4)
    order = values if sign > 0 else values[::-1]
    np.testing.assert_array_equal(volume.data, order.T)
    assert {c.code for c in volume.caveats} == {"phantom"}
    assert {(i.uid, i.frame) for i in volume.source.instances} == {(one.SOPInstanceUID, None)}


def test_two_mosaics_are_two_times(tmp_path: Path, rng) -> None:
    grid = turned(1.0)
    made = [mosaic(rng, grid, normal=grid.directions[:, 2])[0] for _ in "ab"]
    for number, one in enumerate(made, start=1):
        one.AcquisitionNumber = number
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
            setattr(one, keyword, getattr(made[0], keyword))
    write(tmp_path, made)
    study = open_study(tmp_path)
    assert [v.geometry.shape for v in study.volumes.values()] == [grid.shape] * 2


def test_without_its_slice_normal_it_is_refused_by_name(tmp_path: Path, rng) -> None:
    write(tmp_path, [mosaic(rng, turned(1.0), normal=None)[0]])
    (refused,) = open_path(tmp_path).refused
    assert "MOSAIC" in refused.reason
    assert len(refused.reason) < 300 + len(str(tmp_path))


@pytest.mark.parametrize("damage", ["count", "across", "reversed", "cut"])
def test_a_mosaic_that_does_not_add_up_is_refused(damage, tmp_path: Path, rng) -> None:
    grid = turned(1.0)
    one, _ = mosaic(rng, grid, normal=grid.directions[:, 0 if damage == "across" else 2])
    if damage == "count":
        one[0x0019, 0x100A].value = 30
    if damage == "reversed":
        told = {"SliceNormalVector": [f"{x:.8f}" for x in grid.directions[:, 2]]}
        one[0x0029, 0x1010].value = csa(ProtocolSliceNumber=["6"], **told)
    if damage == "cut":
        one[0x0029, 0x1010].value = one[0x0029, 0x1010].value[:90]
    write(tmp_path, [one])
    (refused,) = open_path(tmp_path).refused
    assert "MOSAIC" in refused.reason


def test_names_and_values_of_a_csa_header() -> None:
    told = {"A": ["1", "2.5"], "LongerName": ["text"], "Empty": []}
    assert csa_values(csa(**told)) == {k: tuple(v) for k, v in told.items()}
