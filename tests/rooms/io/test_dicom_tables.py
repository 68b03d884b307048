"""Look-up tables: Modality LUT, palettes of 8 and 16 bits, in either byte order, in segments."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

from onkos.core.geometry import Geometry
from onkos.core.volume import Volume
from onkos.io.intake import open_path, open_study
from slices import slices, write

GRID = Geometry.upright((7, 9, 3), spacing_mm=(1.4, 0.9, 4.2), origin_mm=(31.0, -8.0, 77.0))
SIDES = (11, 6)
COLOURS = ("Red", "Green", "Blue")


def picture(rng: np.random.Generator, *, palette: bool = False, **changes: Any) -> Dataset:
    one = Dataset()
    one.SOPClassUID, one.Modality = "1.2.840.10008.5.1.4.1.1.6.1", "US"
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(one, keyword, generate_uid())
    one.PatientID, (one.Rows, one.Columns), one.SamplesPerPixel = "PHANTOM-1", SIDES, 1
    one.PhotometricInterpretation = "PALETTE COLOR" if palette else "MONOCHROME2"
    bits = 8 if palette else 16
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = (
        bits,
        bits,
        bits - 1,
        0,
    )
    pixels = rng.integers(0, 256, size=SIDES).astype(np.uint8 if palette else "<u2")
    one.add_new(0x7FE00010, "OB" if palette else "OW", pixels.tobytes())
    for keyword, value in changes.items():
        setattr(one, keyword, value)
    return one


def opened(folder: Path, one: Dataset, syntax=ExplicitVRLittleEndian) -> Volume:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = one.SOPClassUID
    meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    name = folder / hashlib.sha256(one.SOPInstanceUID.encode()).hexdigest()[:8]
    one.file_meta, one.preamble = meta, b"\0" * 128
    one.save_as(name, enforce_file_format=True)
    (volume,) = open_study(name).volumes.values()
    return volume


def codes(volume: Volume) -> set[str]:
    return {c.code for c in volume.caveats} - {"phantom", "pixel-size-unknown"}


def indices(one: Dataset) -> np.ndarray:
    return np.frombuffer(one.PixelData, np.uint8)[: SIDES[0] * SIDES[1]].reshape(SIDES)


def with_palette(one: Dataset, tables, *, bits: int, order: str = "<", first: int = 0) -> Dataset:
    for colour, table in zip(COLOURS, tables, strict=True):
        told = f"{colour}PaletteColorLookupTable"
        kind = np.uint8 if bits == 8 else np.dtype(f"{order}u2")
        one.add_new(tag_for_keyword(f"{told}Descriptor"), "US", [len(table) % 65536, first, bits])
        one.add_new(tag_for_keyword(f"{told}Data"), "OW", np.asarray(table).astype(kind).tobytes())
    return one


@pytest.mark.parametrize(
    ("bits", "order", "syntax"),
    [
        (8, "<", ExplicitVRLittleEndian),
        (16, "<", ExplicitVRLittleEndian),
        (16, ">", ExplicitVRBigEndian),
    ],
)
def test_palettes(bits, order, syntax, tmp_path, rng) -> None:
    tables = rng.integers(0, 256, size=(3, 256)) * (1 if bits == 8 else 256)
    one = with_palette(picture(rng, palette=True), tables, bits=bits, order=order)
    volume = opened(tmp_path, one, syntax)
    expected = np.stack([t[indices(one)] >> (bits - 8) for t in tables], axis=-1)
    np.testing.assert_array_equal(volume.data, expected.swapaxes(0, 1))
    assert (volume.unit, codes(volume)) == ("rgb", set())


def test_a_palette_in_the_low_byte_is_read_and_told(tmp_path, rng) -> None:
    tables = rng.integers(0, 256, size=(3, 256))
    one = with_palette(picture(rng, palette=True), tables, bits=16)
    volume = opened(tmp_path, one)
    expected = np.stack([t[indices(one)] for t in tables], axis=-1)
    np.testing.assert_array_equal(volume.data, expected.swapaxes(0, 1))
    assert codes(volume) == {"palette-low-byte"}


def test_a_palette_that_begins_later_and_is_short(tmp_path, rng) -> None:
    tables = rng.integers(0, 256, size=(3, 100)) * 256
    one = with_palette(picture(rng, palette=True), tables, bits=16, first=40)
    volume = opened(tmp_path, one)
    at = np.clip(indices(one).astype(int) - 40, 0, 99)
    expected = np.stack([t[at] >> 8 for t in tables], axis=-1)
    np.testing.assert_array_equal(volume.data, expected.swapaxes(0, 1))


def test_a_segmented_palette(tmp_path, rng) -> None:
    """Eleven values, a line of 100, the same eleven again, and a line to the end."""
    run = (rng.integers(0, 256, size=11) * 256).tolist()
    words = [0, 11, *run, 1, 100, 65280, 2, 1, 0, 0, 1, 134, 0]
    one = picture(rng, palette=True)
    for colour in COLOURS:
        one.add_new(
            tag_for_keyword(f"{colour}PaletteColorLookupTableDescriptor"), "US", [256, 0, 16]
        )
        keyword = f"Segmented{colour}PaletteColorLookupTableData"
        one.add_new(tag_for_keyword(keyword), "OW", np.array(words, "<u2").tobytes())
    volume = opened(tmp_path, one)
    line = np.rint(np.linspace(run[-1], 65280, 101)[1:])
    table = np.concatenate([run, line, run, np.rint(np.linspace(run[-1], 0, 135)[1:])])
    expected = table.astype(int)[indices(one)] >> 8
    np.testing.assert_array_equal(volume.data[..., 1], expected.T)


@pytest.mark.parametrize("damage", ["short", "missing", "kind"])
def test_a_damaged_palette_is_refused(damage, tmp_path, rng) -> None:
    one = with_palette(picture(rng, palette=True), np.zeros((3, 256)), bits=16)
    if damage == "short":
        one.RedPaletteColorLookupTableData = bytes(20)
    else:
        del one.RedPaletteColorLookupTableData
    if damage == "kind":
        one.SegmentedRedPaletteColorLookupTableData = np.array([7, 2, 1, 1], "<u2").tobytes()
    write(tmp_path, [one])
    (refused,) = open_path(tmp_path).refused
    assert "damaged" in refused.reason


def modality_lut(first: int, values: np.ndarray, kind: str, bits: int = 16) -> Dataset:
    made = Dataset()
    made.add_new(0x00283002, "US", [len(values) % 65536, first, bits])
    made.ModalityLUTType = kind
    made.add_new(0x00283006, "OW", values.astype("<u2").tobytes())
    return made


def test_a_modality_lut_makes_the_values_of_a_picture(tmp_path, rng) -> None:
    one = picture(rng)
    table = 40950 - 10 * np.arange(4096)
    one.ModalityLUTSequence = [modality_lut(3, table, "OD")]
    volume = opened(tmp_path, one)
    stored = np.frombuffer(one.PixelData, "<u2").reshape(SIDES)
    np.testing.assert_array_equal(volume.data, table[np.maximum(stored.astype(int) - 3, 0)].T)
    assert codes(volume) == {"modality-lut"}


@pytest.mark.parametrize(("kind", "unit"), [("HU", "[hnsf'U]"), ("US", "1")])
def test_a_modality_lut_makes_the_values_of_a_volume(kind, unit, tmp_path, rng) -> None:
    made = slices(GRID, rng)
    for k, one in enumerate(made):
        del one.RescaleSlope, one.RescaleIntercept
        one.ModalityLUTSequence = [modality_lut(0, 5 * k + 3 * np.arange(4096), kind)]
    write(tmp_path, made)
    (volume,) = open_study(tmp_path).volumes.values()
    for k, one in enumerate(made):
        stored = np.frombuffer(one.PixelData, "<u2").reshape(GRID.shape[1::-1]).astype(int)
        np.testing.assert_array_equal(volume.data[..., k], (5 * k + 3 * stored).T)
    assert volume.unit == unit
    assert codes(volume) == (set() if kind == "HU" else {"modality-lut"})


def test_a_modality_lut_beside_a_rescaling_is_refused(tmp_path, rng) -> None:
    made = slices(GRID, rng)
    for one in made:
        one.ModalityLUTSequence = [modality_lut(0, np.arange(4096), "HU")]
    write(tmp_path, made)
    (refused,) = open_path(tmp_path).refused
    assert "a Modality LUT and a rescaling" in refused.reason


def test_a_palette_in_a_volume_is_refused(tmp_path, rng) -> None:
    made = slices(GRID, rng, PhotometricInterpretation="PALETTE COLOR")
    write(tmp_path, made)
    (refused,) = open_path(tmp_path).refused
    assert "a palette of colours" in refused.reason


@pytest.mark.parametrize(
    ("padding", "limit", "marked"),
    [
        (7, None, {7}), (7, 9, {7, 8, 9}), (9, 7, {7, 8, 9}),
        (65530, None, {-6}), (65530, 65534, {-6, -5, -4, -3, -2}),
    ],
)  # fmt: skip
def test_padding_value_and_range(padding, limit, marked, tmp_path, rng) -> None:
    signed = min(marked) < 0
    made = slices(GRID, rng, PixelRepresentation=int(signed), BitsStored=16, HighBit=15)
    total = 0
    for one in made:
        stored = rng.integers(-20, 20, size=63) if signed else rng.integers(0, 20, size=63)
        total += int(np.isin(stored, list(marked)).sum())
        one.PixelData = stored.astype("<i2").tobytes()
        one.add_new(0x00280120, "US", padding)
        if limit is not None:
            one.add_new(0x00280121, "US", limit)
    write(tmp_path, made)
    (volume,) = open_study(tmp_path).volumes.values()
    text = next(c.text for c in volume.caveats if c.code == "padding")
    assert text.startswith(f"{100 * total / 189:.1f} %")
