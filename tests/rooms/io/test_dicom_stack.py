"""Where slices lie: what adds up, what is told, what is refused and with which words."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from pydicom.dataset import Dataset

from damage import (
    broken_phase,
    copied,
    crowded,
    every_second,
    gap,
    other_frame,
    other_orientation,
    shifted,
    tilted,
)
from onkos.core.geometry import Geometry
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.io.intake import Refusal, open_path, open_study
from slices import decimal, placed, slices, write

OBLIQUE = np.array([[0.8, 0.0, -0.6], [0.0, -1.0, 0.0], [-0.6, 0.0, -0.8]])
GRID = Geometry.upright(
    (11, 8, 7), spacing_mm=(0.9, 1.3, 3.1), origin_mm=(-71.5, 44.2, -120.3), directions=OBLIQUE
)


def only(study: Study) -> Volume:
    (volume,) = study.volumes.values()
    return volume


def codes(study: Study) -> set[str]:
    return {caveat.code for caveat in study.all_caveats} - {"phantom"}


def refusal(folder: Path, datasets: list[Dataset]) -> Refusal:
    write(folder, datasets)
    found = open_path(folder)
    assert found.studies == ()
    (refused,) = found.refused
    return refused


@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_simpleitk_reads_the_same_grid_and_values(
    modality: str, sign: float, tmp_path: Path, rng: np.random.Generator
) -> None:
    grid = Geometry.upright(
        GRID.shape,
        spacing_mm=GRID.spacing_mm,
        origin_mm=GRID.origin_mm,
        directions=OBLIQUE * [1, 1, sign],
    )
    write(tmp_path, slices(grid, rng, modality=modality))
    volume = only(open_study(tmp_path))
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image = reader.Execute()
    directions = np.array(image.GetDirection()).reshape(3, 3)
    np.testing.assert_allclose(volume.geometry.origin_mm, image.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(volume.geometry.spacing_mm, image.GetSpacing(), rtol=1e-5)
    np.testing.assert_allclose(volume.geometry.directions, directions, atol=1e-5)
    np.testing.assert_array_equal(volume.data, SimpleITK.GetArrayFromImage(image).T)


def test_a_gap_names_the_slices_beside_it(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng)
    del datasets[3]
    refused = refusal(tmp_path, datasets)
    assert refused.error == "GeometryError"
    for word in ("series 7 noise", "6.2 mm", "instance 3", "instance 5", "expected 3.1 mm",
                 "1 slices are missing", "Export the whole series again"):  # fmt: skip
        assert word in refused.reason


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (gap, "missing"),
        (shifted, "within its plane"),
        (crowded, "same"),
        (broken_phase, "same place"),
        (other_frame, "2 frames of reference"),
    ],
)
def test_refused_with_the_remedy(damage, words, tmp_path: Path, rng: np.random.Generator) -> None:
    refused = refusal(tmp_path, damage(slices(GRID, rng), rng))
    assert refused.error == "GeometryError"
    assert "series 7 noise" in refused.reason
    assert words in refused.reason
    assert "xport the" in refused.reason


def test_tilt_shears_the_grid_as_it_is(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = tilted(slices(GRID, rng), rng)
    write(tmp_path, datasets)
    study = open_study(tmp_path)
    assert codes(study) == {"gantry-tilt"}
    geometry = only(study).geometry
    assert geometry.is_sheared
    first = (
        placed(datasets[0])
        if only(study).source.instances[0].uid == str(datasets[0].SOPInstanceUID)
        else placed(datasets[-1])
    )
    np.testing.assert_allclose(geometry.affine[:3, 3], first[:, 2], atol=1e-4)
    steps = np.diff([placed(one)[:, 2] for one in datasets], axis=0)
    sign = np.sign(steps[0] @ geometry.affine[:3, 2])
    np.testing.assert_allclose(geometry.affine[:3, 2], sign * steps.mean(axis=0), atol=1e-4)


@pytest.mark.parametrize(("part", "outcome"), [(0.01, set()), (0.06, {"uneven-spacing"})])
def test_a_little_unevenness(
    part: float, outcome: set[str], tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = slices(GRID, rng)
    move(datasets[3], across=part * 3.1)
    write(tmp_path, datasets)
    assert codes(open_study(tmp_path)) == outcome


def test_much_unevenness_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng)
    move(datasets[3], across=0.3 * 3.1)
    assert "expected even spacing" in refusal(tmp_path, datasets).reason


def test_planes_far_aslant_are_no_stack(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng)
    for k, one in enumerate(datasets):
        move(one, down=k * 9.0)
    assert "degrees to their normal" in refusal(tmp_path, datasets).reason


def test_copies_are_used_once(tmp_path: Path, rng: np.random.Generator) -> None:
    write(tmp_path, copied(slices(GRID, rng), rng))
    study = open_study(tmp_path)
    assert codes(study) == {"duplicate-slices"}
    assert only(study).geometry.matches(opened_alone(tmp_path / "x", rng))


def test_other_orientations_are_volumes_of_their_own(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write(tmp_path, other_orientation(slices(GRID, rng), rng))
    study = open_study(tmp_path)
    assert codes(study) == {"mixed-orientations"}
    assert sorted(v.geometry.shape[2] for v in study.volumes.values()) == [3, 7]


def test_every_second_slice_is_noticed(tmp_path: Path, rng: np.random.Generator) -> None:
    write(tmp_path, every_second(slices(GRID, rng), rng))
    study = open_study(tmp_path)
    assert {"instance-numbers-missing", "gaps-between-slices"} <= codes(study)
    assert only(study).geometry.spacing_mm[2] == pytest.approx(6.2, rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SpacingBetweenSlices": "5"}, "spacing-contradiction"),
        ({"SliceThickness": "1"}, "gaps-between-slices"),
        ({"ImagesInAcquisition": "40"}, "fewer-images-than-stated"),
        ({"ReconstructionDiameter": "500"}, "spacing-contradiction"),
    ],
)
def test_contradictions_are_told_and_positions_rule(
    changes: dict[str, str], code: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    write(tmp_path, slices(GRID, rng, **changes))
    study = open_study(tmp_path)
    assert codes(study) == {code}
    assert only(study).geometry.spacing_mm == pytest.approx(GRID.spacing_mm, rel=1e-5)


def test_tilt_that_only_the_header_states(tmp_path: Path, rng: np.random.Generator) -> None:
    upright = Geometry.upright((9, 7, 5), spacing_mm=(0.8, 1.1, 4.0), origin_mm=(-3, 5, 9))
    write(tmp_path, slices(upright, rng, GantryDetectorTilt="12.5"))
    assert codes(open_study(tmp_path)) == {"tilt-contradiction"}


def test_a_single_slice_is_as_thick_as_it_says(tmp_path: Path, rng: np.random.Generator) -> None:
    one = slices(GRID, rng)[:1]
    write(tmp_path, one)
    study = open_study(tmp_path)
    assert codes(study) == {"single-slice"}
    assert only(study).geometry.spacing_mm == pytest.approx((0.9, 1.3, 3.1))


def test_a_single_slice_of_unknown_thickness(tmp_path: Path, rng: np.random.Generator) -> None:
    (one,) = slices(GRID, rng)[:1]
    del one.SliceThickness, one.SpacingBetweenSlices
    refused = refusal(tmp_path, [one])
    assert refused.error == "GeometryError"
    assert "single slice without SliceThickness" in refused.reason


@pytest.mark.parametrize(
    ("keyword", "value", "words"),
    [
        ("PixelSpacing", ["0", "1"], "PixelSpacing"),
        ("PixelSpacing", None, "no PixelSpacing"),
        ("PixelSpacing", ["900", "900"], "expected 0.001 to 100 mm"),
        ("ImagePositionPatient", None, "no position in the patient|without a position"),
        ("ImageOrientationPatient", None, "no ImageOrientationPatient"),
        ("ImageOrientationPatient", ["1", "0", "0", "1", "0", "0"], "right angle"),
        ("ImageOrientationPatient", ["2", "0", "0", "0", "1", "0"], "unit vectors"),
    ],
)
@pytest.mark.parametrize("how_many", [1, 7])
def test_places_that_are_missing_or_impossible(
    keyword: str, value, words: str, how_many: int, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = slices(GRID, rng)
    for one in datasets[:how_many]:
        if value is None:
            delattr(one, keyword)
        else:
            setattr(one, keyword, value)
    refused = refusal(tmp_path, datasets)
    assert refused.error == "GeometryError"
    assert any(word in refused.reason for word in words.split("|"))


def test_two_slices_with_one_uid_that_differ(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng)
    datasets[4].SOPInstanceUID = datasets[2].SOPInstanceUID
    assert "same SOP Instance UID" in refusal(tmp_path, datasets).reason


def test_enhanced_frames_lie_where_they_say(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = slices(GRID, rng)
    write(tmp_path, [enhanced(datasets, rng.permutation(len(datasets)))])
    volume = only(open_study(tmp_path))
    write(tmp_path / "classic", datasets)
    classic = only(open_study(tmp_path / "classic"))
    assert volume.geometry.matches(classic.geometry, tolerance_mm=1e-4)
    np.testing.assert_array_equal(volume.data, classic.data)
    assert sorted(i.frame for i in volume.source.instances) == list(range(1, 8))


def test_enhanced_frames_without_groups(tmp_path: Path, rng: np.random.Generator) -> None:
    one = enhanced(slices(GRID, rng), range(7))
    del one.PerFrameFunctionalGroupsSequence, one.SharedFunctionalGroupsSequence
    refused = refusal(tmp_path, [one])
    assert refused.error == "GeometryError"
    assert "Enhanced CT Image Storage without a position" in refused.reason


def test_fewer_groups_than_frames(tmp_path: Path, rng: np.random.Generator) -> None:
    one = enhanced(slices(GRID, rng), range(7))
    del one.PerFrameFunctionalGroupsSequence[2]
    refused = refusal(tmp_path, [one])
    assert "7 frames, but functional groups for 6" in refused.reason


def enhanced(datasets: list[Dataset], order) -> Dataset:
    """The slices as frames of one enhanced CT, in any order."""
    one = copy.deepcopy(datasets[0])
    one.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    one.NumberOfFrames = len(datasets)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
                    "SliceThickness", "RescaleSlope", "RescaleIntercept",
                    "SpacingBetweenSlices"):  # fmt: skip
        delattr(one, keyword)
    first = datasets[0]
    one.SharedFunctionalGroupsSequence = [
        group(
            PlaneOrientationSequence={"ImageOrientationPatient": first.ImageOrientationPatient},
            PixelMeasuresSequence={
                "PixelSpacing": first.PixelSpacing,
                "SliceThickness": first.SliceThickness,
            },
            PixelValueTransformationSequence={
                "RescaleSlope": "1", "RescaleIntercept": "-1024", "RescaleType": "HU",
            },
        )
    ]  # fmt: skip
    one.PerFrameFunctionalGroupsSequence = [
        group(
            PlanePositionSequence={"ImagePositionPatient": datasets[k].ImagePositionPatient},
            FrameContentSequence={"StackID": "1"},
        )
        for k in order
    ]
    one.PixelData = b"".join(datasets[k].PixelData for k in order)
    return one


def group(**sequences: dict) -> Dataset:
    made = Dataset()
    for keyword, values in sequences.items():
        item = Dataset()
        for name, value in values.items():
            setattr(item, name, value)
        setattr(made, keyword, [item])
    return made


def move(one: Dataset, *, down: float = 0.0, across: float = 0.0) -> None:
    cosines = np.array([float(x) for x in one.ImageOrientationPatient])
    corner = np.array([float(x) for x in one.ImagePositionPatient])
    place = corner + down * cosines[3:] + across * np.cross(cosines[:3], cosines[3:])
    one.ImagePositionPatient = [decimal(x) for x in place]


def opened_alone(folder: Path, rng: np.random.Generator) -> Geometry:
    write(folder, slices(GRID, rng))
    return only(open_study(folder)).geometry
