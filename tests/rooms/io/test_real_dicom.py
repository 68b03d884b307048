"""Real files: what opens agrees with SimpleITK, what is refused is refused for a reason.

The first part needs the data folder. The second holds, on phantoms, what the real files showed.
"""

from __future__ import annotations

import copy
import datetime
import io
import struct
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from PIL import Image
from pydicom.uid import JPEGBaseline8Bit, RLELossless, generate_uid

from builders import PROVENANCE, sourced, study_of
from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray, Geometry
from onkos.core.mask import Mask
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.io import export, nifti, rtstruct, seg
from onkos.io.intake import Intake, open_path, open_study
from slices import noise, real, slices, write

CORPUS = "dicom-conformance-corpus"
DOCUMENTS = (".md", ".txt", ".json", "LICENSE")
NO_DICOM, NO_IMAGE, NO_PIXELS = "begins with no DICOM element", "no Rows and Columns", "no pixels"
SLIDE, SLIDE_SEG = "slides are not read", "a segmentation of a slide"
#: Every DICOM file of the corpus that is not opened, and why.
REFUSED = {
    # broken on purpose, or a fragment: no reader makes an image of it
    "pydicom/MR_truncated.dcm": "truncated",
    "pydicom/no_meta.dcm": NO_DICOM,  # a stray byte before the first element
    "pydicom/empty_charset_LEI.dcm": "does not say what it is",
    "pydicom/meta_missing_tsyntax.dcm": NO_IMAGE,
    "pydicom/UN_sequence.dcm": NO_IMAGE,
    "pydicom/priv_SQ.dcm": NO_IMAGE,
    "pydicom/nested_priv_SQ.dcm": NO_IMAGE,
    "pydicom/charset_files/chrSQEncoding.dcm": NO_IMAGE,
    "pydicom/charset_files/chrSQEncoding1.dcm": NO_IMAGE,
    "pydicom/charset_files/chrJapMulti.dcm": NO_PIXELS,
    "pydicom/charset_files/chrJapMultiExplicitIR6.dcm": NO_PIXELS,
    "pydicom/charset_files/chrKoreanMulti.dcm": NO_PIXELS,
    "pydicom/liver_1frame.dcm": "no NumberOfFrames",  # and groups for three
    # the place in the patient is not known; others open these with made-up spacing
    "pydicom-data/emri_small.dcm": "an anonymiser or converter removed it",
    "pydicom-data/emri_small_jpeg_2k_lossless.dcm": "an anonymiser or converter removed it",
    "pydicom-data/explicit_VR-UN.dcm": "single slice without SliceThickness",
    "pydicom/SC_rgb_rle_16bit_2frame.dcm": "2 frames and no place",
    "pydicom/rtstruct.dcm": "contours without the images they were drawn on",
    "highdicom/seg_image_cr_binary.dcm": "frames without a position in the patient",
    # no decoder: one bit a pixel is no run length
    "pydicom-data/liver_rle.dcm": "RLE Lossless with 1 bit allocated",
    # no radiology image
    "pydicom/badVR.dcm": "a dose, not an image",
    "pydicom/rtdose.dcm": "a dose, not an image",
    "pydicom/rtdose_rle.dcm": "a dose, not an image",
    "pydicom/rtplan.dcm": "RT Plan Storage",
    "pydicom/reportsi.dcm": "Basic Text SR Storage",
    "pydicom/test-SR.dcm": "a structured report of another kind",
    "dcmqi/sr-example/rwvm.dcm": "Real World Value Mapping Storage",
    "highdicom/sm_annotations.dcm": "Microscopy Bulk Simple Annotations",
    **{
        f"highdicom/sm_image{name}.dcm": SLIDE
        for name in (
            "", "_control", "_dots", "_grayscale", "_grayscale_reversed", "_jpegls",
            "_jpegls_nobot", "_numbers",
        )
    },
    **{
        f"highdicom/seg_image_sm_{name}.dcm": SLIDE_SEG
        for name in (
            "control", "control_labelmap", "control_labelmap_palette_color", "dots",
            "dots_tiled_full", "numbers",
        )
    },
}  # fmt: skip
#: Greatest difference from SimpleITK's values where two decoders of lossy pixels may differ.
LOSSY = {"pydicom/JPGExtended.dcm": 1, "highdicom/frame_rgb.jpeg": 40}
#: Millimetres where the stated axes are not at right angles (by 9e-6): we turn the columns to the
#: rows, SimpleITK the rows to the columns.
NOT_SQUARE = {"dcmqi/paramaps/pm-example-slice.dcm": 3e-3}
#: SimpleITK does not look for the scale in ultrasound regions.
SCALED_BY_REGION = {"pydicom-data/JPGLosslessP14SV1_1s_1f_8b.dcm": 10 * 0.025476696592378157}
#: Files that another one of the same series speaks for.
TOLD_WITH_THEIR_SERIES = (
    "pydicom/charset_files/chrJapMultiExplicitIR6.dcm",
    "pydicom-data/emri_small_jpeg_2k_lossless.dcm",
)
#: A series of the corpus that only the folder shows to be wrong.
REFUSED_TOGETHER = (
    "JPEGLSNearLossless_16.dcm and 1 more files: no Study or Series Instance UID",
    "have the same SOP Instance UID and differ",  # MR_truncated beside its whole copies
    "about 161 slices are missing",
)

GRID = Geometry.upright(
    (13, 8, 9),
    spacing_mm=(1.2, 0.7, 2.5),
    origin_mm=(-31.0, 12.0, 140.0),
    directions=np.array([[0.8, 0.0, 0.6], [0.0, -1.0, 0.0], [0.6, 0.0, -0.8]]),
)


def corpus(data_dir: Path) -> list[tuple[str, Path]]:
    folder = data_dir / CORPUS
    return [
        (str(path.relative_to(folder)), path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def affine(image: sitk.Image) -> FloatArray:
    """From voxel index to LPS mm, as SimpleITK has it."""
    made = np.eye(4)
    made[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    made[:3, 3] = image.GetOrigin()
    return made


def farthest_mm(one: FloatArray, other: FloatArray, shape: tuple[int, ...]) -> float:
    """How far apart two grids put a corner."""
    ends = np.stack(np.meshgrid(*[(0, side - 1) for side in shape]), axis=-1).reshape(-1, 3)
    corners = np.c_[ends, np.ones(len(ends))].T
    return float(np.linalg.norm(((one - other) @ corners)[:3], axis=0).max())


def unpacked(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def headers(archive: Path) -> Iterator[pydicom.Dataset]:
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is not None and member.name.endswith(".dcm"):
                yield pydicom.dcmread(io.BytesIO(file.read()))


def named(study: Study, name: str) -> np.ndarray:
    """Voxels of one outline."""
    return next(
        mask.labels == label
        for mask in study.masks
        for label, called in mask.names.items()
        if called == name
    )


@pytest.mark.data
def test_each_file_of_the_corpus_opens_or_is_refused_for_its_reason(data_dir, capfd):
    counts = {"opened": 0, "reports": 0, "refused": 0, "documents": 0}
    for name, path in corpus(data_dir):
        found = open_path(path)
        if name.endswith("DICOMDIR"):  # stands for its folder: tested below
            assert found.studies
            continue
        assert len(found.refused) <= 1, name
        for refused in found.refused:
            assert refused.path == str(path)
            assert refused.error in ("ContentError", "GeometryError"), name
            assert str(path) in refused.reason
            assert "Error" not in refused.reason, name  # no parser's words
        if name.endswith(DOCUMENTS):
            assert NO_DICOM in found.refused[0].reason
            counts["documents"] += 1
        elif name in REFUSED:
            assert REFUSED[name] in found.refused[0].reason
            counts["refused"] += 1
        else:
            assert not found.refused, (name, found.refused)
            assert found.studies or found.lesions, name
            counts["opened" if found.studies else "reports"] += 1
    assert counts == {"opened": 89, "reports": 3, "refused": 42, "documents": 26}
    assert capfd.readouterr() == ("", "")


@pytest.mark.data
def test_opened_files_of_the_corpus_agree_with_simpleitk(data_dir):
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    compared, unread = 0, []
    for name, path in corpus(data_dir):
        found = Intake(studies=(), refused=()) if name.endswith("DICOMDIR") else open_path(path)
        for volume in (v for study in found.studies for v in study.volumes.values()):
            try:
                image = sitk.ReadImage(path)
            except RuntimeError:
                unread.append(name)
                continue
            same_values(volume, sitk.GetArrayFromImage(image), name)
            same_place(volume, image, name)
            compared += 1
    assert compared == 65
    assert unread == ["pydicom-data/parametric_map_float.dcm"]


def same_values(volume: Volume, theirs: np.ndarray, name: str) -> None:
    ours = volume.data.T if volume.channels == 1 else volume.data.swapaxes(0, 1)
    if theirs.ndim == ours.ndim + 1:
        theirs = theirs[0]
    assert ours.shape == theirs.shape, name
    far = np.abs(ours.astype(float) - theirs.astype(float)).max()
    assert far <= LOSSY.get(name, 1e-6 * max(1.0, float(np.abs(theirs).max()))), name


def same_place(volume: Volume, image: sitk.Image, name: str) -> None:
    if not volume.geometry.calibrated:  # SimpleITK makes 1 mm of what is not stated
        assert image.GetSpacing()[:2] == (1.0, 1.0), name
    elif volume.geometry.ndim == 2:
        step = SCALED_BY_REGION.get(name)
        expected = (step, step) if step else image.GetSpacing()[:2]
        assert volume.geometry.spacing_mm == pytest.approx(expected, rel=1e-6), name
    else:
        theirs = affine(image)
        if volume.geometry.shape[2] == 1:  # SimpleITK has no thickness, or one of its own
            theirs[:3, 2] = volume.geometry.affine[:3, 2]
        far = farthest_mm(volume.geometry.affine, theirs, volume.geometry.shape)
        assert far < NOT_SQUARE.get(name, 1e-3), name


@pytest.mark.data
def test_a_map_of_real_numbers_has_the_stored_values(data_dir):
    path = data_dir / CORPUS / "pydicom-data" / "parametric_map_float.dcm"
    whole = pydicom.dcmread(path)
    (volume,) = open_study(path).volumes.values()
    stored = np.frombuffer(whole.FloatPixelData, "<f4").reshape(whole.Rows, whole.Columns)
    assert np.array_equal(volume.data[:, :, 0].T, stored)
    assert np.ptp(stored) > 0.5


@pytest.mark.data
def test_the_corpus_as_one_folder(data_dir):
    folder = data_dir / CORPUS
    found = open_path(folder)
    alone = [name for name, path in corpus(data_dir) if name in REFUSED or name.endswith(DOCUMENTS)]
    reasons = [refused.reason for refused in found.refused]
    for name in alone:
        if name in TOLD_WITH_THEIR_SERIES:
            continue
        assert any(str(folder / name) in reason for reason in reasons), name
    for words in REFUSED_TOGETHER:
        assert sum(words in reason for reason in reasons) == 1, words
    assert len(found.studies) == 30
    assert len(found.lesions) == 6
    for study in found.studies:
        assert any(caveat.code == "files-refused" for caveat in study.caveats)


@pytest.mark.data
def test_one_picture_in_eight_encodings_is_one_slice(data_dir, tmp_path):
    source = data_dir / CORPUS / "pydicom"
    files = sorted(source.glob("MR_small*.dcm"))
    kinds = {str(pydicom.dcmread(file).file_meta.TransferSyntaxUID) for file in files}
    assert (len(files), len(kinds)) == (8, 6)
    for file in files:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (volume,) = open_study(tmp_path).volumes.values()
    assert volume.geometry.shape == (64, 64, 1)
    (copies,) = (caveat for caveat in volume.caveats if caveat.code == "duplicate-slices")
    assert copies.text.startswith("7 slices")


@pytest.mark.data
def test_a_scout_never_stands_for_the_images(data_dir):
    folder = data_dir / CORPUS / "pydicom" / "dicomdirtests" / "98892001"
    study = open_study(folder)
    assert list(study.volumes) == ["localizer", "localizer-2", "ct"]
    assert study.volume("ct").geometry.shape == (16, 16, 5)
    assert study.volume("ct").unit == "[hnsf'U]"
    assert study.volume("localizer").unit == "1"


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("liver.dcm", {"liver_seg.nrrd": {1: "Liver"}}),
        ("24x38x3/seg/label.seg", {"24x38x3/nrrd/label.nrrd": {1: "Liver"}}),
        ("23x38x3/seg/label.seg", {"23x38x3/nrrd/label.nrrd": {1: "Liver"}}),
        ("sparse-labelmap-noppv.dcm", {"sparse_labelmap_noppv_seg.nrrd": {1: "Liver"}}),
        (
            "partial_overlaps.dcm",
            {
                "partial_overlaps-1.nrrd": {1: "GREEN", 5: "DARK_BLUE"},
                "partial_overlaps-2.nrrd": {2: "ORANGE"},
                "partial_overlaps-3.nrrd": {3: "PURPLE"},
            },
        ),
    ],
)
def test_segmentations_are_those_they_were_made_of(data_dir, name, labels):
    """The label maps that dcmqi wrote the objects from, read by SimpleITK; no images beside.

    Slices without a segment have no frame (the sparse one), and still lie between the others.
    """
    folder = data_dir / CORPUS / "dcmqi" / "segmentations"
    study = open_study(folder / name)
    for source, tissues in labels.items():
        image = sitk.ReadImage(folder / source)
        theirs = sitk.GetArrayFromImage(image).T
        voxel_ml = float(np.prod(image.GetSpacing())) / 1000
        for label, tissue in tissues.items():
            mask = next(one for one in study.masks if tissue in one.names.values())
            geometry = mask.geometry
            theirs_mm = np.c_[np.argwhere(theirs == label), np.ones((theirs == label).sum())]
            theirs_mm = (affine(image) @ theirs_mm.T)[:3].T
            index = np.rint(geometry.to_index(theirs_mm)).astype(int)
            assert np.abs(geometry.to_mm(index) - theirs_mm).max() < 1e-3
            ours = named(study, tissue)
            assert ours.sum() == len(index)
            assert ours[tuple(index.T)].all()
            assert mask.volumes_ml[tissue] == pytest.approx(len(index) * voxel_ml, rel=1e-5)


SETS = [
    ("lung-ct-nsclc-lung1-001/LUNG1-001_ct_gtv_slices", {"ct": (512, 512, 25)}),
    (
        "sarcoma-sts-petctmr/STS_042_dicom",
        {"ct": (134, 162, 49), "t1": (54, 97, 42), "pet": (26, 30, 49)},
    ),
    ("headneck-petct-qin-seg/QIN-HEADNECK-01-0139_pet_slices", {"pet": (168, 168, 89)}),
    *(
        (f"prostate-prostatex-dicom/ProstateX-{case}_{name}", {role: shape})
        for case in ("0000", "0001")
        for name, role, shape in (
            ("t2", "t2", (384, 384, 19)),
            ("adc", "adc", (84, 128, 19)),
            ("hbv", "dwi", (84, 128, 19)),
        )
    ),
]


@pytest.mark.data
@pytest.mark.parametrize(("name", "shapes"), SETS, ids=[name for name, _ in SETS])
def test_series_agree_with_simpleitk(data_dir, tmp_path, name, shapes):
    archive = data_dir / f"{name}.tar.xz"
    study = open_study(archive)
    assert {role: v.geometry.shape for role, v in study.volumes.items()} == shapes
    folder = unpacked(archive, tmp_path)
    theirs = {}
    for place in {file.parent for file in folder.rglob("*.dcm")}:
        for uid in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(place)):
            names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(place), uid)
            theirs[uid] = sitk.ReadImage(names)
    for volume in study.volumes.values():
        image = theirs[volume.source.series_uid]
        values = sitk.GetArrayFromImage(image).T
        far = farthest_mm(volume.geometry.affine, affine(image), volume.geometry.shape)
        assert far < 1e-3
        factor = 1.0
        if volume.modality == "PT" and "QIN" in name:  # activity; the sarcoma stores SUV
            factor = suv_factor(next(headers(archive)))
        np.testing.assert_allclose(volume.data, values * factor, rtol=1e-4, atol=1e-6)
        if volume.modality != "PT":
            assert np.array_equal(volume.data, values)


def suv_factor(whole: pydicom.Dataset) -> float:
    """Grams a becquerel at the start of the series, by the pseudo-code of QIBA."""
    agent = whole.RadiopharmaceuticalInformationSequence[0]
    clocks = [
        datetime.datetime.strptime(str(text), "%H%M%S.%f")
        for text in (agent.RadiopharmaceuticalStartTime, whole.SeriesTime)
    ]
    waited = (clocks[1] - clocks[0]).total_seconds()
    assert (whole.Units, whole.DecayCorrection) == ("BQML", "START")
    assert 3600 < waited < 7200
    left = agent.RadionuclideTotalDose * 0.5 ** (waited / agent.RadionuclideHalfLife)
    return float(whole.PatientWeight * 1000 / left)


@pytest.mark.data
@pytest.mark.parametrize(("role", "name"), [("ct", "CT"), ("t1", "MR_T1"), ("pet", "PET")])
def test_sarcoma_values_are_the_published_ones(data_dir, role, name):
    folder = data_dir / "sarcoma-sts-petctmr"
    volume = open_study(folder / "STS_042_dicom.tar.xz").volume(role)
    published = sitk.ReadImage(folder / "STS_042" / f"{name}_image.nii.gz")
    assert np.array_equal(volume.data.T, sitk.GetArrayFromImage(published))
    assert farthest_mm(volume.geometry.affine, affine(published), volume.geometry.shape) < 1e-2


@pytest.mark.data
def test_sarcoma_takes_up_tracer_and_is_soft_tissue(data_dir):
    study = open_study(data_dir / "sarcoma-sts-petctmr" / "STS_042_dicom.tar.xz")
    inside = {
        role: study.volume(role).data[named(study, f"GTV_Mass_{name}")]
        for role, name in (("ct", "CT"), ("pet", "PET"))
    }
    pet = study.volume("pet").data
    assert pet[named(study, "GTV_Mass_PET")].max() == pet.max()
    assert np.median(inside["pet"]) > 5 * np.median(pet[pet > 0.1])
    assert 0 < np.median(inside["ct"]) < 80  # Hounsfield units: neither fat, bone nor air


@pytest.mark.data
def test_lung1_outlines_have_the_area_of_their_contours_and_the_density_of_their_organ(data_dir):
    folder = data_dir / "lung-ct-nsclc-lung1-001"
    study = open_study(folder)
    ct = study.volume("ct")
    (whole,) = headers(folder / "LUNG1-001_rtstruct.tar.xz")
    names = {one.ROINumber: one.ROIName for one in whole.StructureSetROISequence}
    slices_mm = ct.geometry.origin_mm[2] + 3.0 * np.arange(25)
    for drawn in whole.ROIContourSequence:
        name = names[drawn.ReferencedROINumber]
        areas = [
            area(points[:, :2])
            for one in drawn.ContourSequence
            if np.abs(
                slices_mm - (points := np.reshape(np.array(one.ContourData, float), (-1, 3)))[0, 2]
            ).min()
            < 0.1
        ]
        volumes = next(one.volumes_ml for one in study.masks if name in one.volumes_ml)
        assert volumes[name] == pytest.approx(sum(areas) * 3.0 / 1000, rel=0.01), name
    inside = {name: float(np.median(ct.data[named(study, name)])) for name in names.values()}
    assert inside["Lung-Left"] < -750
    assert inside["Lung-Right"] < -750
    assert -20 < inside["GTV-1"] < 100
    assert 0 < inside["Spinal-Cord"] < 100
    left, right = (np.argwhere(named(study, f"Lung-{side}")).mean(0) for side in ("Left", "Right"))
    assert ct.geometry.to_mm(left)[0] > ct.geometry.to_mm(right)[0] + 100  # LPS: x to the left


def area(polygon: FloatArray) -> float:
    x, y = polygon.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


@pytest.mark.data
def test_prostate_lesion_is_inside_the_gland_and_restricts_diffusion(data_dir):
    folder = data_dir / "prostate-prostatex-dicom"
    t2 = open_study(folder / "ProstateX-0000_t2.tar.xz").volume("t2")
    adc = open_study(folder / "ProstateX-0000_adc.tar.xz").volume("adc")
    lesion = nifti.read_mask(folder / "ProstateX-0000_lesion_expert.nii.gz", None)
    gland = nifti.read_mask(folder / "ProstateX-0000_gland_ai_guerbet23.nii.gz", None)
    assert lesion.geometry.matches(t2.geometry, tolerance_mm=0.1)
    assert lesion.counts == {"label-3": 414}
    assert sum(lesion.volumes_ml.values()) == pytest.approx(414 * 0.5 * 0.5 * 3 / 1000, rel=1e-3)
    assert 25 < sum(gland.volumes_ml.values()) < 100
    inside = lesion.labels != 0
    assert (gland.labels[inside] != 0).mean() > 0.95
    tumour, prostate = (mask.on(adc.geometry).labels != 0 for mask in (lesion, gland))
    rest = np.median(adc.data[prostate & ~tumour])
    assert np.median(adc.data[tumour]) < 0.85 * rest
    assert 1000 < rest < 2000  # 1e-6 mm2/s


@pytest.mark.data
def test_masks_of_picai_are_no_mr_images(data_dir):
    """The reader's name "guerbet23" holds the letters of a T2."""
    found = open_path(
        data_dir / "prostate-prostatex-dicom" / "ProstateX-0000_gland_ai_guerbet23.nii.gz"
    )
    assert [list(study.volumes) for study in found.studies] == [["image"]]


# What the real files showed, on phantoms


@pytest.mark.parametrize("kind", list(export.seg.SegKind))
def test_slices_without_a_frame_lie_between_the_others(kind, tmp_path):
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[3:7, 2:5, 1] = 1
    labels[4:6, 1:4, 5] = 1
    labels[2:9, 3:6, 7] = 2
    mask = Mask(labels=labels, geometry=GRID, names={1: "core", 2: "oedema"})
    volume = sourced(GRID)
    export.seg.write(
        tmp_path / "a.dcm",
        masks=[mask],
        volume=volume,
        study=study_of(volume),
        provenance=PROVENANCE,
        kind=kind,
    )
    (back,) = seg.read(tmp_path / "a.dcm", [])
    assert back.volumes_ml == pytest.approx(mask.volumes_ml)
    assert np.array_equal(back.on(GRID).labels, labels)


@pytest.mark.parametrize(
    ("between", "thickness", "code"),
    [("2", "2.5", "spacing-contradiction"), (None, "2.5", "gaps-between-slices")],
)
def test_frames_that_do_not_fit_what_is_stated_are_flagged(between, thickness, code, tmp_path):
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[3:7, 2:5, ::2] = 1
    mask, volume = Mask(labels=labels, geometry=GRID, names={1: "core"}), sourced(GRID)
    study = study_of(volume)
    export.seg.write(
        tmp_path / "a.dcm", masks=[mask], volume=volume, study=study, provenance=PROVENANCE
    )
    whole = pydicom.dcmread(tmp_path / "a.dcm")
    measures = whole.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.SliceThickness = thickness
    del measures.SpacingBetweenSlices
    if between:
        measures.SpacingBetweenSlices = between
    whole.save_as(tmp_path / "a.dcm")
    (back,) = seg.read(tmp_path / "a.dcm", [])
    assert {caveat.code for caveat in back.caveats} == {"outline-without-image", code}
    assert back.geometry.spacing_mm[2] == pytest.approx(5.0)


@pytest.mark.parametrize("what", ["seg", "rtstruct"])
def test_an_outline_without_preamble_is_read(what, tmp_path):
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[3:7, 2:5, 2:5] = 1
    mask, volume = Mask(labels=labels, geometry=GRID, names={1: "core"}), sourced(GRID)
    path = tmp_path / "a.dcm"
    room = seg if what == "seg" else rtstruct
    leaves = export.seg if what == "seg" else export.rtstruct
    leaves.write(path, masks=[mask], volume=volume, study=study_of(volume), provenance=PROVENANCE)
    data = path.read_bytes()
    path.write_bytes(data[144 + struct.unpack("<I", data[140:144])[0] :])  # the meta information
    (back,) = room.read(path, [volume])
    assert np.array_equal(back.labels != 0, labels != 0)


@pytest.mark.parametrize("keyword", ["NumberOfFrames", "Rows", "SegmentationType"])
def test_a_segmentation_that_lacks_what_all_state_says_which(keyword, tmp_path):
    labels = np.ones(GRID.shape, dtype=np.uint8)
    mask, volume = Mask(labels=labels, geometry=GRID, names={1: "core"}), sourced(GRID)
    study = study_of(volume)
    export.seg.write(
        tmp_path / "a.dcm", masks=[mask], volume=volume, study=study, provenance=PROVENANCE
    )
    whole = pydicom.dcmread(tmp_path / "a.dcm")
    delattr(whole, keyword)
    whole.save_as(tmp_path / "a.dcm")
    with pytest.raises(ContentError, match=f"no {keyword}, which every segmentation states"):
        seg.read(tmp_path / "a.dcm", [volume])


@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("order", ["RLE", "big endian"])
def test_copies_in_another_encoding_are_compared_by_their_pixels(change, order, tmp_path, rng):
    datasets = slices(GRID, rng)
    write(tmp_path, datasets)
    twin = copy.deepcopy(datasets[4])
    if change:
        pixels = np.frombuffer(twin.PixelData, "<u2").copy()
        pixels[7] ^= 1  # the least change there is, in the middle
        twin.PixelData = pixels.tobytes()
    (path,) = write(tmp_path / "more", [twin])
    whole = pydicom.dcmread(path)
    if order == "RLE":
        whole.compress(RLELossless)
        whole.SOPInstanceUID = datasets[4].SOPInstanceUID
        whole.save_as(path)
    else:
        whole.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.2"
        whole.PixelData = np.frombuffer(whole.PixelData, "<u2").byteswap().tobytes()
        pydicom.dcmwrite(path, whole, little_endian=False, implicit_vr=False)
    found = open_path(tmp_path)
    if change:
        assert "have the same SOP Instance UID and differ" in found.refused[0].reason
        return
    (study,) = found.studies
    assert "duplicate-slices" in {caveat.code for caveat in study.all_caveats}
    assert np.array_equal(study.volume("ct").data[:, :, 4], real(datasets[4]))


def test_deflated_slices_at_one_place_are_told_apart(tmp_path, rng):
    """Their pixels cannot be found as bytes; they are decoded."""
    datasets = slices(GRID, rng)
    twin = copy.deepcopy(datasets[3])
    twin.SOPInstanceUID = generate_uid()
    twin.PixelData = noise(twin, rng)
    for path in write(tmp_path, [*datasets, twin]):
        whole = pydicom.dcmread(path)
        whole.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
        whole.save_as(path)
    (refused,) = open_path(tmp_path).refused
    assert "lie at the same place and differ" in refused.reason


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_planning_views_have_a_role_of_their_own(modality, tmp_path, rng):
    scout = slices(GRID, rng, modality=modality, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    write(tmp_path, scout)
    (volume,) = open_study(tmp_path).volumes.values()
    assert list(open_study(tmp_path).volumes) == ["localizer"]
    assert volume.unit == "1"
    codes = {caveat.code for caveat in volume.caveats}
    assert ("localizer" in codes) == (modality == "CT")


def test_a_lossy_encoding_is_told_though_the_header_is_silent(tmp_path, rng):
    one = slices(replace(GRID, shape=(16, 24, 1)), rng, modality="MR")[0]
    one.BitsAllocated, one.BitsStored, one.HighBit = 8, 8, 7
    values = rng.integers(0, 256, size=(24, 16), dtype=np.uint8)
    one.PixelData = values.tobytes()
    (path,) = write(tmp_path, [one])
    whole = pydicom.dcmread(path)
    whole.PixelData = pydicom.encaps.encapsulate([jpeg(values)])
    whole["PixelData"].VR = "OB"
    whole.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    whole.save_as(path)
    (volume,) = open_study(path).volumes.values()
    assert "lossy" in {caveat.code for caveat in volume.caveats}
    assert np.abs(volume.data[:, :, 0].T.astype(int) - values).max() > 0


def jpeg(values: np.ndarray) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(values).save(packed, "JPEG", quality=60)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("gland_guerbet23.nii.gz", "image"),
        ("ct_noncontrast.nii.gz", "ct"),
        ("BraTS-GLI-0001-t2f.nii.gz", "flair"),
        ("BraTS-GLI-0001-t2w.nii.gz", "t2"),
        ("axT2.nii.gz", "t2"),
        ("T1_contrast.nii.gz", "t1c"),
    ],
)
def test_roles_are_whole_words_of_a_name(name, role, tmp_path, rng):
    data = rng.normal(size=GRID.shape).astype(np.float32)
    nifti.write_volume(tmp_path / name, Volume(data=data, geometry=GRID, modality="MR", unit="1"))
    assert list(open_study(tmp_path).volumes) == [role]
