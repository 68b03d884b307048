"""The front of the firewall: what a path holds, grouped by headers and never by names."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from onkos.core.errors import ContentError
from onkos.core.geometry import Geometry
from onkos.core.volume import Volume
from onkos.io import nifti
from onkos.io.intake import open_path, open_study
from slices import slices, write

GRID = Geometry.upright(
    (9, 6, 5),
    spacing_mm=(0.9, 1.6, 3.3),
    origin_mm=(-7.0, 81.0, 12.0),
    directions=np.array([[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, -1.0]]),
)
OTHER = Geometry.upright((5, 8, 4), spacing_mm=(2.0, 1.5, 4.0), origin_mm=(60.0, 8.0, -9.0))


def codes(path: Path) -> set[str]:
    return {c.code for c in open_study(path).all_caveats} - {"phantom"}


def same_study(one: list[Dataset], other: list[Dataset]) -> None:
    for dataset in other:
        dataset.StudyInstanceUID = one[0].StudyInstanceUID


def test_names_and_folders_do_not_matter(tmp_path: Path, rng: np.random.Generator) -> None:
    ct, mr = slices(GRID, rng), slices(OTHER, rng, modality="MR", EchoTime=90, RepetitionTime=3000)
    same_study(ct, mr)
    for dataset in mr:
        dataset.FrameOfReferenceUID = ct[0].FrameOfReferenceUID
    mixed = [*ct, *mr]
    for number, at in enumerate(rng.permutation(len(mixed))):
        write(tmp_path / f"folder{number % 3}", [mixed[at]], prefix=str(number))
    study = open_study(tmp_path)
    assert set(study.volumes) == {"ct", "t2"}
    assert study.volume("ct").geometry.shape == GRID.shape
    assert study.volume("t2").geometry.shape == OTHER.shape
    assert (study.patient.id, study.patient.name) == ("PHANTOM-1", "Phantom^Noise")
    assert study.date == datetime.date(2001, 2, 3)
    assert codes(tmp_path) == set()


def test_two_series_in_one_role(tmp_path: Path, rng: np.random.Generator) -> None:
    one, two = slices(GRID, rng), slices(OTHER, rng)
    same_study(one, two)
    write(tmp_path, [*one, *two])
    study = open_study(tmp_path)
    assert set(study.volumes) == {"ct", "ct-2"}
    assert codes(tmp_path) == {"several-frames-of-reference"}


def test_two_studies(tmp_path: Path, rng: np.random.Generator) -> None:
    write(tmp_path, [*slices(GRID, rng), *slices(OTHER, rng)])
    assert len(open_path(tmp_path).studies) == 2
    with pytest.raises(ContentError, match=r"2 studies .* give one of them"):
        open_study(tmp_path)


def test_one_study_of_two_patients(tmp_path: Path, rng: np.random.Generator) -> None:
    one, two = slices(GRID, rng), slices(OTHER, rng, PatientID="PHANTOM-2")
    same_study(one, two)
    write(tmp_path, [*one, *two])
    found = open_path(tmp_path)
    assert sorted(study.patient.id for study in found.studies) == ["PHANTOM-1", "PHANTOM-2"]
    for study in found.studies:
        (caveat,) = (c for c in study.caveats if c.code == "study-contradiction")
        assert "PatientID: PHANTOM-1 and PHANTOM-2" in caveat.text


@pytest.mark.parametrize(
    ("keyword", "value"), [("PatientID", "X"), ("Modality", "MR"), ("StudyDate", "19990909")]
)
def test_one_series_that_disagrees(
    keyword: str, value: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = slices(GRID, rng)
    setattr(datasets[2], keyword, value)
    write(tmp_path, datasets)
    found = open_path(tmp_path)
    if keyword == "StudyDate":
        assert codes(tmp_path) == {"study-contradiction"}
    else:
        assert found.studies == ()
        assert f"{keyword} is" in found.refused[0].reason
        assert "sort them apart" in found.refused[0].reason


@pytest.mark.parametrize(
    ("keyword", "code"),
    [("PatientID", "no-patient-id"), ("SOPInstanceUID", "no-instance-uid")],
)
def test_missing_names_are_told(
    keyword: str, code: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = slices(GRID, rng)
    for one in datasets:
        setattr(one, keyword, "")
    write(tmp_path, datasets)
    assert codes(tmp_path) == {code}


@pytest.mark.parametrize("keyword", ["SeriesInstanceUID", "StudyInstanceUID"])
def test_without_uids_nothing_belongs_together(
    keyword: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = slices(GRID, rng)
    for one in datasets:
        delattr(one, keyword)
    write(tmp_path, datasets)
    (refused,) = open_path(tmp_path).refused
    assert refused.error == "ContentError"
    assert "what belongs together is not known" in refused.reason


def test_letters_in_a_uid(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng, FrameOfReferenceUID="1.2.840.9999")
    for path in write(tmp_path, datasets):
        path.write_bytes(path.read_bytes().replace(b"1.2.840.9999", b"1.2.8x0.9999"))
    assert codes(tmp_path) == {"uid-damaged"}


JUNK = {
    "empty": b"",
    "text": b"Dear colleague, enclosed find the images.\n",
    "page": b"<html><body>404 Not Found</body></html>" * 20,
    "prefix only": bytes(128) + b"DICM",
    "half a header": bytes(128)
    + b"DICM\x02\x00\x00\x00UL\x04\x00\xb0\x00\x00\x00\x02\x00\x10\x00UI",
    "zeros": bytes(5000),
    "noise": np.random.default_rng(5).bytes(5000),
    "json": b'{"PatientID": "x"}' * 30,
}


@pytest.mark.parametrize("name", JUNK)
def test_what_is_not_dicom_is_refused_by_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file.dcm"
    path.write_bytes(JUNK[name])
    found = open_path(path)
    assert found.studies == ()
    (refused,) = found.refused
    assert (refused.path, refused.error) == (str(path), "ContentError")
    assert str(path) in refused.reason
    assert "copy" in refused.reason
    assert "export it again" in refused.reason
    with pytest.raises(ContentError, match="no study in it"):
        open_study(path)


def test_junk_beside_a_series_is_told(tmp_path: Path, rng: np.random.Generator) -> None:
    write(tmp_path, slices(GRID, rng))
    for name, data in JUNK.items():
        (tmp_path / name).write_bytes(data)
    found = open_path(tmp_path)
    assert len(found.refused) == len(JUNK)
    (study,) = found.studies
    (caveat,) = (c for c in study.caveats if c.code == "files-refused")
    assert f"{len(JUNK)} files" in caveat.text


def test_hidden_files_are_left_alone(tmp_path: Path, rng: np.random.Generator) -> None:
    write(tmp_path, slices(GRID, rng))
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_bytes(b"x")
    assert open_path(tmp_path).refused == ()


def test_an_unreadable_file_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    path = write(tmp_path, slices(GRID, rng))[0]
    path.chmod(0)
    assert any(refused.error == "PermissionError" for refused in open_path(tmp_path).refused)


def test_no_such_path(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no such file or folder; check the path"):
        open_path(tmp_path / "nowhere")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"no study in it\. .*: it is empty"):
        open_study(tmp_path)


def test_progress_counts_every_file(tmp_path: Path, rng: np.random.Generator) -> None:
    write(tmp_path, slices(GRID, rng))
    seen: list[tuple[int, int]] = []
    open_path(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 5) for number in range(1, 6)]


def test_a_file_without_preamble(tmp_path: Path, rng: np.random.Generator) -> None:
    for path in write(tmp_path, slices(GRID, rng)):
        data = path.read_bytes()
        at = data.index(b"\x08\x00\x16\x00UI")  # the first element after the meta information
        path.write_bytes(data[data.index(b"\x08\x00\x08\x00") if at is None else at :])
    assert open_study(tmp_path).volume("ct").geometry.shape == GRID.shape


def dicomdir(folder: Path, datasets: list[Dataset]) -> Path:
    files = FileSet()
    for number, one in enumerate(datasets):
        one.StudyID = "1"
        (path,) = write(folder / "loose", [one], prefix=str(number))
        files.add(path)
    files.write(folder / "disc")
    files._stage["t"].cleanup()  # which pydicom leaves to the collector, with a warning
    return folder / "disc" / "DICOMDIR"


def test_a_dicomdir(tmp_path: Path, rng: np.random.Generator) -> None:
    path = dicomdir(tmp_path, slices(GRID, rng))
    for given in (path, path.parent):
        study = open_study(given)
        assert study.volume("ct").geometry.shape == GRID.shape
        assert codes(given) == set()


def test_a_dicomdir_whose_files_are_gone(tmp_path: Path, rng: np.random.Generator) -> None:
    path = dicomdir(tmp_path, slices(GRID, rng))
    images = sorted(f for f in path.parent.rglob("*") if f.is_file() and f != path)
    images[-1].unlink()
    (caveat,) = (c for c in open_study(path).caveats if c.code == "dicomdir-incomplete")
    assert "1 files that the DICOMDIR lists are not here" in caveat.text


@pytest.mark.parametrize(
    ("uid", "words"),
    [
        ("1.2.840.10008.5.1.4.1.1.481.5", "RT Plan Storage; expected images"),
        ("1.2.840.10008.5.1.4.1.1.481.2", "a dose, not an image"),
        ("1.2.840.10008.5.1.4.1.1.77.1.6", "slides are not read"),
        ("1.2.840.10008.5.1.4.1.1.2", "no Rows and Columns"),
    ],
)
def test_other_objects_are_named(uid: str, words: str, tmp_path: Path) -> None:
    one = Dataset()
    one.SOPClassUID, one.SOPInstanceUID = uid, "1.2.3"
    write(tmp_path, [one])
    (refused,) = open_path(tmp_path).refused
    assert words in refused.reason


def test_folders_of_other_files_are_studies(tmp_path: Path, rng: np.random.Generator) -> None:
    for name in ("P1", "P2", "P3"):
        for contrast in ("t1", "flair"):
            data = rng.normal(size=GRID.shape).astype(np.float32)
            volume = Volume(data=data, geometry=GRID, modality="MR", unit="1")
            nifti.write_volume(tmp_path / name / f"{contrast}.nii.gz", volume)
    write(tmp_path / "dicom", slices(GRID, rng))
    found = open_path(tmp_path)
    assert sorted(study.patient.id for study in found.studies) == ["P1", "P2", "P3", "PHANTOM-1"]
    assert all(
        set(s.volumes) == {"t1", "flair"} for s in found.studies if s.patient.id != "PHANTOM-1"
    )
