"""DICOM segmentations, written and read."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import RLELossless, generate_uid

from awkward import geometries
from builders import PROVENANCE, ball, shell, sourced, study_of
from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.study import Patient
from onkos.io import export, seg

GRID = Geometry.upright(
    (31, 22, 11),
    spacing_mm=(1.1, 1.7, 3.2),
    origin_mm=(40, -75, 12),
    directions=np.array([[0.8, 0, -0.6], [0, -1, 0], [-0.6, 0, -0.8]]),
)
KINDS = list(export.seg.SegKind)


def write(path, masks, volume, **options):
    options.setdefault("provenance", PROVENANCE)
    return export.seg.write(path, masks=masks, volume=volume, study=study_of(volume), **options)


@pytest.mark.parametrize("kind", KINDS)
@given(geometry=geometries(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_what_is_written_is_read_back_voxel_for_voxel(kind, tmp_path_factory, geometry, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, size=geometry.shape, dtype=np.uint8)
    labels[:, :, rng.random(geometry.shape[2]) < 0.4] = 0
    labels[0, 0, 0] = 2
    mask = Mask(labels=labels, geometry=geometry, names={1: "core", 2: "oedema", 3: "cyst, left"})
    volume = sourced(geometry)
    path = tmp_path_factory.mktemp("seg") / "a.dcm"
    write(path, [mask], volume, kind=kind)
    (back,) = seg.read(path, [volume])
    assert back.geometry is volume.geometry
    assert np.array_equal(back.labels, labels)
    assert dict(back.names) == dict(mask.names)
    assert back.caveats == ()


@pytest.mark.parametrize("kind", KINDS)
def test_without_its_image_it_lies_on_a_grid_of_its_own(kind, tmp_path):
    mask = shell(GRID, 9.0)
    write(tmp_path / "a.dcm", [mask], sourced(GRID), kind=kind)
    (back,) = seg.read(tmp_path / "a.dcm", [])
    assert back.counts == mask.counts
    assert [caveat.code for caveat in back.caveats] == ["outline-without-image"]
    assert np.array_equal(back.on(GRID).labels, mask.labels)


def test_overlapping_tissues_are_kept_in_different_masks(tmp_path):
    one = Mask(labels=ball(GRID, (0.5, 0.5, 0.5), 9.0), geometry=GRID, names={1: "tumour"})
    two = Mask(labels=ball(GRID, (0.55, 0.5, 0.5), 5.0), geometry=GRID, names={1: "necrosis"})
    volume = sourced(GRID)
    write(tmp_path / "a.dcm", [one, two], volume)
    back = seg.read(tmp_path / "a.dcm", [volume])
    assert [list(mask.names.values()) for mask in back] == [["tumour"], ["necrosis"]]
    assert np.array_equal(back[0].labels != 0, one.labels != 0)
    assert np.array_equal(back[1].labels != 0, two.labels != 0)
    with pytest.raises(ContentError, match="overlaps another tissue"):
        write(tmp_path / "b.dcm", [one, two], volume, kind=export.seg.SegKind.LABELMAP)


@pytest.mark.parametrize("kind", KINDS)
def test_highdicom_reads_the_same_voxels(kind, tmp_path):
    mask, volume = shell(GRID, 9.0), sourced(GRID)
    write(tmp_path / "a.dcm", [mask], volume, kind=kind)
    theirs = hd.seg.segread(tmp_path / "a.dcm")
    combined = theirs.get_pixels_by_source_instance(
        [instance.uid for instance in volume.source.instances],
        combine_segments=True,
        assert_missing_frames_are_empty=True,
    )
    assert np.array_equal(combined.T, mask.labels)
    assert [theirs.get_segment_description(n).segment_label for n in (1, 2)] == ["core", "oedema"]


def their_seg(volume, pixels, kind, tmp_path, **options):
    """A segmentation as highdicom writes it."""
    geometry = volume.geometry
    sources = []
    for k, instance in enumerate(volume.source.instances):
        image = pydicom.Dataset()
        image.file_meta = pydicom.dataset.FileMetaDataset()
        image.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        image.SOPClassUID, image.SOPInstanceUID = instance.class_uid, instance.uid
        image.StudyInstanceUID = volume.source.study_uid
        image.SeriesInstanceUID = volume.source.series_uid
        image.FrameOfReferenceUID = volume.source.frame_of_reference_uid
        image.PatientID, image.PatientName = "P-1", "Doe^Jane"
        image.PatientBirthDate, image.PatientSex = "", ""
        image.StudyDate, image.StudyTime, image.StudyID = "", "", ""
        image.AccessionNumber, image.ReferringPhysicianName = "", ""
        image.Modality, image.Rows, image.Columns = "MR", geometry.shape[1], geometry.shape[0]
        image.PixelSpacing = [geometry.spacing_mm[1], geometry.spacing_mm[0]]
        image.SliceThickness = geometry.spacing_mm[2]
        image.ImageOrientationPatient = geometry.directions[:, :2].T.ravel().tolist()
        image.ImagePositionPatient = geometry.to_mm((0, 0, k)).tolist()
        sources.append(image)
    code = hd.sr.CodedConcept("52988006", "SCT", "Lesion")
    described = hd.seg.SegmentDescription(
        1,
        "lesion",
        code,
        code,
        "AUTOMATIC",
        hd.AlgorithmIdentificationSequence("x", code, "1"),
    )
    path = tmp_path / "theirs.dcm"
    hd.seg.Segmentation(
        sources,
        pixels,
        kind,
        [described],
        generate_uid(),
        1,
        generate_uid(),
        1,
        "m",
        "m",
        "1",
        "1",
        **options,
    ).save_as(path)
    return path


def test_a_fractional_segmentation_is_cut_at_one_half_and_says_so(tmp_path):
    rng = np.random.default_rng(0)
    share = rng.random(GRID.shape)
    share[share < 0.3] = 0
    volume = sourced(GRID)
    path = their_seg(
        volume, share.T.astype(np.float32), "FRACTIONAL", tmp_path, max_fractional_value=200
    )
    (back,) = seg.read(path, [volume])
    assert np.array_equal(back.labels != 0, np.around(share * 200) >= 100)
    assert [caveat.code for caveat in back.caveats] == ["fractional"]


def test_another_transfer_syntax_is_read_too(tmp_path):
    inside = ball(GRID, (0.4, 0.5, 0.5), 8.0)
    volume = sourced(GRID)
    path = their_seg(
        volume,
        inside.T.astype(np.float32),
        "FRACTIONAL",
        tmp_path,
        transfer_syntax_uid=RLELossless,
    )
    (back,) = seg.read(path, [volume])
    assert np.array_equal(back.labels != 0, inside)


def test_frames_beyond_the_images_are_left_out_and_counted(tmp_path):
    mask, volume = shell(GRID, 9.0), sourced(GRID)
    write(tmp_path / "a.dcm", [mask], volume)
    part = GRID.crop((0, 0, 4), (31, 22, 7))
    few = replace(
        volume,
        data=volume.data[:, :, 4:],
        geometry=part,
        source=replace(volume.source, instances=volume.source.instances[4:]),
    )
    (back,) = seg.read(tmp_path / "a.dcm", [few])
    assert np.array_equal(back.labels, mask.labels[:, :, 4:])
    assert [caveat.code for caveat in back.caveats] == ["outline-beyond-images"]


def test_an_image_of_another_frame_of_reference_is_not_taken(tmp_path):
    mask, volume = shell(GRID, 9.0), sourced(GRID)
    write(tmp_path / "a.dcm", [mask], volume)
    other = replace(volume, source=replace(volume.source, frame_of_reference_uid=generate_uid()))
    (back,) = seg.read(tmp_path / "a.dcm", [other])
    assert [caveat.code for caveat in back.caveats] == ["outline-without-image"]


def test_an_empty_outline_is_written_as_empty(tmp_path):
    empty = Mask(labels=np.zeros(GRID.shape, np.uint8), geometry=GRID, names={1: "core"})
    volume = sourced(GRID)
    write(tmp_path / "a.dcm", [empty], volume)
    (back,) = seg.read(tmp_path / "a.dcm", [volume])
    assert back.counts == {"core": 0}


@pytest.mark.parametrize("patient", [Patient(id="P-1", name="Doe^Jane"), Patient(id="")])
@pytest.mark.tools
def test_dciodvfy_finds_no_error(patient, tool, tmp_path):
    """Debian's dciodvfy is older than label maps and knows BINARY only."""
    volume = sourced(GRID)
    study = study_of(volume, patient=patient)
    path = tmp_path / "a.dcm"
    export.seg.write(
        path, masks=[shell(GRID, 9.0)], volume=volume, study=study, provenance=PROVENANCE
    )
    checked = subprocess.run([tool("dciodvfy"), str(path)], capture_output=True, text=True)
    assert "Segmentation" in checked.stderr
    assert [line for line in checked.stderr.splitlines() if line.startswith("Error")] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.tools
def test_dcmtk_reads_it(kind, tool, tmp_path):
    path = tmp_path / "a.dcm"
    write(path, [shell(GRID, 9.0)], sourced(GRID), kind=kind)
    dumped = subprocess.run([tool("dcmdump"), str(path)], capture_output=True, text=True)
    assert (dumped.returncode, dumped.stderr) == (0, "")
    assert "SegmentSequence" in dumped.stdout


def test_refusals_name_what_is_wrong(tmp_path):
    volume, mask = sourced(GRID), shell(GRID, 9.0)
    with pytest.raises(ContentError, match="did not come from DICOM"):
        export.seg.write(
            tmp_path / "a.dcm",
            masks=[mask],
            volume=replace(volume, source=None),
            study=study_of(volume),
            provenance=PROVENANCE,
        )
    with pytest.raises(GeometryError, match="the grids differ"):
        write(tmp_path / "a.dcm", [mask.crop([slice(0, 20), slice(0, 22), slice(0, 11)])], volume)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_a_truncated_segmentation_is_refused(tmp_path, keep):
    volume = sourced(GRID)
    path = tmp_path / "a.dcm"
    write(path, [shell(GRID, 9.0)], volume)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises((ContentError, GeometryError)):
        seg.read(path, [volume])
