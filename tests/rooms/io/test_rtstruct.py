"""RT structure sets, written and read."""

from __future__ import annotations

import io
import subprocess
import tarfile

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydicom.dataset import Dataset
from scipy import ndimage

from awkward import geometries
from builders import PROVENANCE, ball, shell, sourced, study_of
from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.io import export, rtstruct
from onkos.io.intake import open_path
from onkos.io.rtstruct.contours import contours, filled

GRID = Geometry.upright(
    (31, 22, 11),
    spacing_mm=(1.1, 1.7, 3.2),
    origin_mm=(40, -75, 12),
    directions=np.array([[0.8, 0, -0.6], [0, -1, 0], [-0.6, 0, -0.8]]),
)


def write(path, masks, volume):
    return export.rtstruct.write(
        path, masks=masks, volume=volume, study=study_of(volume), provenance=PROVENANCE
    )


def changed(path, change):
    """Apply a change to a written object."""
    whole = pydicom.dcmread(path)
    change(whole)
    whole.save_as(path)


def area(polygon):
    x, y = polygon.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.booleans()))
def test_contours_enclose_exactly_the_pixels(hit):
    drawn = contours(hit)
    assert np.array_equal(filled(drawn, hit.shape), hit)
    assert sum(area(polygon) for polygon in drawn) == pytest.approx(hit.sum())
    sideways = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    assert len(drawn) == ndimage.label(hit, sideways)[1]
    for polygon in drawn:  # one closed line along pixel edges, as closed planar contours are
        steps = np.roll(polygon, -1, axis=0) - polygon
        assert (np.count_nonzero(steps, axis=1) == 1).all()


@given(geometry=geometries(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_what_is_written_is_read_back_voxel_for_voxel(tmp_path_factory, geometry, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, size=geometry.shape, dtype=np.uint8)
    labels[0, 0, 0] = 2
    mask = Mask(labels=labels, geometry=geometry, names={1: "core", 2: "oedema", 3: "cyst, left"})
    volume = sourced(geometry)
    path = tmp_path_factory.mktemp("rtstruct") / "a.dcm"
    write(path, [mask], volume)
    (back,) = rtstruct.read(path, [sourced(geometry), volume])
    assert back.geometry is volume.geometry
    assert np.array_equal(back.labels, labels)
    assert dict(back.names) == dict(mask.names)
    assert back.caveats == ()


def test_overlapping_regions_are_kept_apart_and_absent_ones_stay_named(tmp_path):
    one = Mask(
        labels=ball(GRID, (0.5, 0.5, 0.5), 9.0), geometry=GRID, names={1: "tumour", 2: "cyst"}
    )
    two = Mask(labels=ball(GRID, (0.55, 0.5, 0.5), 5.0), geometry=GRID, names={1: "necrosis"})
    volume = sourced(GRID)
    write(tmp_path / "a.dcm", [one, two], volume)
    first, second = rtstruct.read(tmp_path / "a.dcm", [volume])
    assert first.counts == one.counts
    assert first.counts["cyst"] == 0
    assert np.array_equal(second.where("necrosis"), two.labels != 0)


def test_a_contour_inside_another_is_a_hole(tmp_path):
    mask, volume = shell(GRID, 9.0), sourced(GRID)
    write(tmp_path / "a.dcm", [mask], volume)

    def split(whole):
        # an outer and an inner square instead of a keyhole
        contour = whole.ROIContourSequence[0].ContourSequence[0]
        k = [one.uid for one in volume.source.instances].index(
            contour.ContourImageSequence[0].ReferencedSOPInstanceUID
        )
        squares = []
        for low, high in ((4, 15), (7, 11)):
            corners = np.array([[low, low, k], [high, low, k], [high, high, k], [low, high, k]])
            points = GRID.to_mm(corners - [0.5, 0.5, 0.0])
            made = pydicom.dcmread(tmp_path / "a.dcm").ROIContourSequence[0].ContourSequence[0]
            made.ContourData = [f"{value:.5f}" for value in points.ravel()]
            made.NumberOfContourPoints = 4
            squares.append(made)
        whole.ROIContourSequence[0].ContourSequence = squares
        del whole.ROIContourSequence[1].ContourSequence

    changed(tmp_path / "a.dcm", split)
    (back,) = rtstruct.read(tmp_path / "a.dcm", [volume])
    assert back.counts["core"] == 11 * 11 - 4 * 4


def test_regions_that_are_not_closed_are_left_out_and_named(tmp_path):
    mask, volume = shell(GRID, 9.0), sourced(GRID)
    write(tmp_path / "a.dcm", [mask], volume)

    def opened(number):
        def change(whole):
            for contour in whole.ROIContourSequence[number].ContourSequence:
                contour.ContourGeometricType = "OPEN_PLANAR"

        return change

    changed(tmp_path / "a.dcm", opened(1))
    (back,) = rtstruct.read(tmp_path / "a.dcm", [volume])
    assert list(back.names.values()) == ["core"]
    assert "oedema" in back.caveats[0].text
    changed(tmp_path / "a.dcm", opened(0))
    with pytest.raises(ContentError, match="no region of closed planar contours"):
        rtstruct.read(tmp_path / "a.dcm", [volume])


def moved(contour, mm):
    values = np.array(contour.ContourData, dtype=float).reshape(-1, 3) + mm
    contour.ContourData = [f"{value:.5f}" for value in values.ravel()]


def damage_between(whole):
    moved(whole.ROIContourSequence[0].ContourSequence[0], 0.4 * GRID.axes_mm[:, 2])


def damage_other_slice(whole):
    moved(whole.ROIContourSequence[0].ContourSequence[0], GRID.axes_mm[:, 2])


def damage_count(whole):
    whole.ROIContourSequence[0].ContourSequence[0].NumberOfContourPoints = 3


def damage_coordinates(whole):
    contour = whole.ROIContourSequence[0].ContourSequence[0]
    contour.ContourData = list(contour.ContourData)[:-1]


def damage_numbers(whole):
    whole.StructureSetROISequence[1].ROINumber = 1


def damage_frames(whole):
    whole.StructureSetROISequence[1].ReferencedFrameOfReferenceUID = "1.2.3.4"


def damage_missing(whole):
    del whole.StructureSetROISequence


@pytest.mark.parametrize(
    ("damage", "kind", "words"),
    [
        (damage_between, GeometryError, "0.40 slices off"),
        (damage_other_slice, GeometryError, "contradicts itself"),
        (damage_count, ContentError, "states 3 points"),
        (damage_coordinates, ContentError, "not three a point"),
        (damage_numbers, ContentError, "used twice"),
        (damage_frames, GeometryError, "frames of reference"),
        (damage_missing, ContentError, "damaged structure set"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, damage, kind, words):
    mask, volume = shell(GRID, 9.0), sourced(GRID)
    write(tmp_path / "a.dcm", [mask], volume)
    changed(tmp_path / "a.dcm", damage)
    with pytest.raises(kind, match=words):
        rtstruct.read(tmp_path / "a.dcm", [volume])


def test_contours_beyond_the_images_are_counted(tmp_path):
    mask, volume = shell(GRID, 9.0), sourced(GRID)
    write(tmp_path / "a.dcm", [mask], volume)

    def away(whole):
        contour = whole.ROIContourSequence[0].ContourSequence[0]
        moved(contour, 40 * GRID.axes_mm[:, 2])

    changed(tmp_path / "a.dcm", away)
    (back,) = rtstruct.read(tmp_path / "a.dcm", [volume])
    assert [caveat.code for caveat in back.caveats] == ["outline-beyond-images"]
    assert back.caveats[0].text.startswith("core: 1 of 5 ")
    assert back.caveats[0].region == "core"
    assert back.select("oedema").caveats == () == back.caveats_of("oedema")


def test_without_its_images_it_is_refused_with_the_remedy(tmp_path):
    write(tmp_path / "a.dcm", [shell(GRID, 9.0)], sourced(GRID))
    for others in ([], [sourced(GRID)]):
        with pytest.raises(ContentError, match="open them together with the images"):
            rtstruct.read(tmp_path / "a.dcm", others)


def test_another_grid_is_not_written(tmp_path):
    with pytest.raises(GeometryError, match="grids differ"):
        write(tmp_path / "a.dcm", [shell(GRID, 9.0)], sourced(GRID.crop((0, 0, 0), (30, 22, 11))))
    assert list(tmp_path.iterdir()) == []


def test_the_algorithm_and_the_images_are_named(tmp_path):
    volume = sourced(GRID)
    made = write(tmp_path / "a.dcm", [shell(GRID, 9.0)], volume)
    whole: Dataset = pydicom.dcmread(tmp_path / "a.dcm")
    assert (whole.SOPInstanceUID, whole.SeriesInstanceUID) == (made.uid, made.series_uid)
    assert whole.StudyInstanceUID == volume.source.study_uid
    described = whole.StructureSetROISequence[0]
    assert described.ROIDerivationAlgorithmIdentificationSequence[0].AlgorithmName == (
        "supervoxel-forest"
    )
    named = whole.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    images = named.RTReferencedSeriesSequence[0].ContourImageSequence
    assert [one.ReferencedSOPInstanceUID for one in images] == [
        one.uid for one in volume.source.instances
    ]


@pytest.mark.tools
def test_validators_find_no_error(tmp_path, tool):
    write(tmp_path / "a.dcm", [shell(GRID, 9.0)], sourced(GRID))
    check = subprocess.run(
        [tool("dciodvfy"), "-new", tmp_path / "a.dcm"], capture_output=True, text=True, check=False
    )
    assert "RTStructureSet" in check.stderr
    assert "Error" not in check.stderr
    dumped = subprocess.run(
        [tool("dcmdump"), tmp_path / "a.dcm"], capture_output=True, text=True, check=True
    )
    assert "CLOSED_PLANAR" in dumped.stdout


@pytest.mark.data
def test_lung1_tumour_has_the_volume_of_its_contours(data_dir):
    (study,) = open_path(data_dir / "lung-ct-nsclc-lung1-001").studies
    mask = next(mask for mask in study.masks if "GTV-1" in mask.names.values())
    with tarfile.open(data_dir / "lung-ct-nsclc-lung1-001" / "LUNG1-001_rtstruct.tar.xz") as tar:
        member = next(one for one in tar.getmembers() if one.name.endswith(".dcm"))
        whole = pydicom.dcmread(io.BytesIO(tar.extractfile(member).read()))
    number = next(one.ROINumber for one in whole.StructureSetROISequence if one.ROIName == "GTV-1")
    drawn = next(one for one in whole.ROIContourSequence if one.ReferencedROINumber == number)
    areas = [
        area(np.array(one.ContourData, dtype=float).reshape(-1, 3)[:, :2])
        for one in drawn.ContourSequence
    ]
    assert mask.volumes_ml["GTV-1"] == pytest.approx(sum(areas) * 3.0 / 1000, rel=0.01)
    beyond = [caveat for caveat in mask.caveats if caveat.code == "outline-beyond-images"]
    assert {caveat.region for caveat in beyond} <= set(mask.names.values()) - {"GTV-1"}
    assert all("LUNG1-001_rtstruct.tar.xz" in caveat.where for caveat in beyond)


@pytest.mark.data
@pytest.mark.parametrize(("role", "name"), [("ct", "CT"), ("t1", "MR_T1"), ("pet", "PET")])
def test_sarcoma_contours_fill_to_the_published_masks(data_dir, role, name):
    folder = data_dir / "sarcoma-sts-petctmr"
    (study,) = open_path(folder / "STS_042_dicom.tar.xz").studies
    mask = next(one for one in study.masks if f"GTV_Mass_{name}" in one.names.values())
    published = sitk.ReadImage(folder / "STS_042" / f"{name}_mask.nii.gz")
    assert mask.geometry.matches(study.volumes[role].geometry)
    assert np.allclose(mask.geometry.spacing_mm, published.GetSpacing(), atol=1e-3)
    assert np.allclose(mask.geometry.origin_mm, published.GetOrigin(), atol=1e-2)
    assert np.array_equal(mask.labels.T != 0, sitk.GetArrayFromImage(published) != 0)


@pytest.mark.data
def test_headneck_segments_have_the_volumes_highdicom_reads(data_dir):
    folder = data_dir / "headneck-petct-qin-seg"
    (study,) = open_path(folder).studies
    with tarfile.open(folder / "QIN-HEADNECK-01-0139_seg.tar.xz") as tar:
        member = next(one for one in tar.getmembers() if one.name.endswith(".dcm"))
        theirs = hd.seg.segread(io.BytesIO(tar.extractfile(member).read()))
    (mask,) = study.masks
    frames = [
        group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        for group in theirs.PerFrameFunctionalGroupsSequence
    ]
    pixels = theirs.pixel_array.reshape(len(frames), -1).sum(axis=1)
    for number in mask.names:
        voxels = sum(int(n) for n, own in zip(pixels, frames, strict=True) if own == number)
        assert np.count_nonzero(mask.labels == number) == voxels
    # lesions take up tracer: the outline must lie where the PET is bright
    pet = study.volumes["pet"].data
    assert np.median(pet[mask.labels != 0]) > 5 * np.median(pet[pet > 0])
