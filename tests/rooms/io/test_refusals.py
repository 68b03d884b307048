"""What a refusal says is true, fits on a screen, and can be printed and parsed."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import imagecodecs
import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG2MPML, UID, JPEGExtended12Bit, generate_uid

from onkos.core.errors import ContentError, OnkosError
from onkos.core.geometry import Geometry
from onkos.core.plain import to_plain
from onkos.core.source import Caveat
from onkos.core.wording import LONGEST, brief, printable
from onkos.io import intake
from onkos.io.dicom import phases
from onkos.io.intake import open_path
from slices import slices, write

GRID = Geometry.upright((7, 9, 3), spacing_mm=(1.4, 0.9, 4.2), origin_mm=(31.0, -8.0, 77.0))


@given(st.text(st.characters(codec=None), max_size=900))
def test_a_message_is_brief_and_printable(text: str) -> None:
    said = str(ContentError(text))
    assert len(said) <= LONGEST
    assert said.isprintable()
    assert brief(said) == said
    assert json.loads(json.dumps(to_plain(text))) == to_plain(text)
    to_plain(text).encode("utf-8")
    printable(text).encode("utf-8")
    str(Caveat(code="a", text=text, where=text)).encode("utf-8")


def test_beginning_and_remedy_stay() -> None:
    words = "what is wrong here, " * 20
    said = brief(f"/a/very/long/{'path/' * 40}file.dcm: {words}; export it again")
    assert said.startswith("...")
    assert "file.dcm: what is wrong" in said
    assert said.endswith("export it again")


def listing(path: Path) -> dict[str, object]:
    """The form that ``onkos open --json`` prints."""
    found = open_path(path)
    plain = to_plain({"studies": [s.patient for s in found.studies], "refused": found.refused})
    text = json.dumps(plain, allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")
    read: dict[str, object] = json.loads(text)
    return read


@pytest.mark.parametrize(
    "name", [b"bad\xff\xfe.dcm", b"tab\there", b"new\nline.nii.gz", b"\x1b[31mred"]
)
def test_whatever_a_file_is_called(name: bytes, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xffb/" + name))
    path.parent.mkdir()
    path.write_bytes(b"Dear colleague")
    (refused,) = listing(tmp_path)["refused"]
    assert refused["path"].isprintable()
    assert refused["reason"].isprintable()


def test_an_image_in_a_folder_of_no_text(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xffb"))
    folder.mkdir()
    nib.save(nib.Nifti1Image(np.zeros((3, 4, 5), np.int16), np.eye(4)), tmp_path / "ct.nii")
    (tmp_path / "ct.nii").rename(folder / "ct.nii")
    (patient,) = listing(folder)["studies"]
    assert patient["id"] == "a\\udcffb"


@pytest.mark.parametrize(
    "keyword", ["PatientID", "PatientName", "SeriesDescription", "StudyDescription"]
)
@pytest.mark.parametrize("value", [b"a\x00b\x1b[31m", b"\xff\xfe\xfd", b"caf\xe9", b"\x1b$B\x1b(B"])
def test_whatever_a_header_holds(keyword: str, value: bytes, tmp_path: Path, rng) -> None:
    marker = "MARKERMARKER"
    made = slices(GRID, rng, **{keyword: marker})
    for path in write(tmp_path, made):
        data = path.read_bytes()
        path.write_bytes(data.replace(marker.encode(), value.ljust(len(marker))))
    listing(tmp_path)
    study = open_path(tmp_path).studies[0]
    assert study.patient.id.isprintable()
    assert all(c.where.isprintable() for c in study.all_caveats)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (gzip.compress(b"\0" * 200, mtime=0), "packed with gzip"),
        (b"PK\x03\x04" + b"\0" * 99, "a zip archive"),
        (b"%PDF-1.4" + b"\0" * 99, "a PDF"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "a PNG picture"),
        (b"NRRD0004\n" + b"\0" * 99, "an NRRD image"),
        (b"\0" * 344 + b"n+1\0" + b"\0" * 99, "a NIfTI image"),
        (b"\n\n", "begins with no DICOM element"),
    ],
)
def test_a_file_is_called_what_it_is(start: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "IM0001").write_bytes(start)
    (refused,) = open_path(tmp_path).refused
    assert words in refused.reason


def test_a_directory_file_of_any_name(tmp_path: Path, rng) -> None:
    """A DICOMDIR that was renamed stands for its folder; alone it is refused for what it is."""
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.1.3.10"
    made.SOPInstanceUID = generate_uid()
    record = Dataset()
    record.ReferencedFileID = ["IMAGES", "IM1"]
    made.DirectoryRecordSequence = [record]
    (path,) = write(tmp_path / "cd", [made])
    path = path.rename(path.with_name("dicomdir.dcm"))
    (refused,) = open_path(path).refused
    assert "a DICOMDIR, which is a list of files" in refused.reason
    write(tmp_path / "cd" / "more", slices(GRID, rng))
    found = open_path(path)
    assert len(found.studies) == 1
    assert found.refused == ()
    assert "dicomdir-incomplete" in {c.code for c in found.studies[0].all_caveats}


def encoded(folder: Path, made: list[Dataset], syntax: UID) -> None:
    """Write slices whose pixels are encoded already."""
    for number, one in enumerate(made):
        one.file_meta, one.preamble = FileMetaDataset(), bytes(128)
        one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        one.file_meta.TransferSyntaxUID = syntax
        one.save_as(folder / f"{number}.dcm", enforce_file_format=True)


def twelve_bits(values: np.ndarray, end: int) -> bytes:
    """JPEG of 12 bits with this end of the scan in its header."""
    stream = bytearray(imagecodecs.jpeg_encode(values, level=100, bitspersample=12))
    at = stream.find(b"\xff\xda")
    assert stream[at + 8] == 63
    stream[at + 8] = end
    return bytes(stream)


@pytest.mark.parametrize("end", [63, 0])
def test_jpeg_of_12_bits_whose_scan_ends_at_0(end: int, tmp_path: Path, rng) -> None:
    made = slices(GRID, rng)
    values = (np.add.outer(np.arange(9), np.arange(7)) * 250).astype(np.uint16)
    for one in made:
        one.PixelData = encapsulate([twelve_bits(values, end)])
        one["PixelData"].VR = "OB"
    encoded(tmp_path, made, JPEGExtended12Bit)
    found = open_path(tmp_path)
    assert found.refused == ()
    volume = found.studies[0].volumes["ct"]
    assert np.abs(volume.data[..., 0].T + 1024 - values).max() <= 1


def test_an_encoding_that_is_not_read_is_named(tmp_path: Path, rng) -> None:
    made = slices(GRID, rng)
    for one in made:
        one.PixelData = encapsulate([b"\0\0\1\xb3" + bytes(40)])
        one["PixelData"].VR = "OB"
    encoded(tmp_path, made, MPEG2MPML)
    (refused,) = open_path(tmp_path).refused
    assert "MPEG2" in refused.reason
    assert "uncompressed" in refused.reason


@pytest.mark.parametrize("times", [3, 12])
def test_every_plane_is_read_once_to_find_copies(times, tmp_path, rng, monkeypatch) -> None:
    """A series of many times that nothing tells apart is refused without comparing all pairs."""
    read = []
    genuine = phases.stored_bytes
    monkeypatch.setattr(phases, "stored_bytes", lambda one: read.append(one) or genuine(one))
    number = 0
    for _ in range(times):
        made = slices(GRID, rng, seed="one")
        for one in made:
            number += 1
            one.InstanceNumber, one.SOPInstanceUID = number, generate_uid()
        write(tmp_path, made, prefix=str(number))
    (refused,) = open_path(tmp_path).refused
    assert "lie at the same place and differ" in refused.reason
    assert len(read) == times * GRID.shape[2]


def test_a_refusal_is_no_longer_than_a_message(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a_rather_long_name_of_a_folder"] * 12)
    deep.mkdir(parents=True)
    (deep / "file.dcm").write_bytes(b"Dear colleague")
    (refused,) = open_path(tmp_path).refused
    assert len(refused.reason) <= LONGEST
    assert "file.dcm: no DICOM" in refused.reason
    assert issubclass(getattr(intake, refused.error), OnkosError)
