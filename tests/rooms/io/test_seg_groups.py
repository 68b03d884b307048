"""Functional groups of a segmentation in either place DICOM allows, and written either way."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

from onkos.core.geometry import Geometry
from onkos.io.intake import open_path
from slices import slices, write

GRID = Geometry.upright(
    (9, 12, 6),
    spacing_mm=(1.5, 2.0, 3.0),
    origin_mm=(-20, 31, 7),
    directions=np.array([[0.8, 0.0, 0.6], [0.0, -1.0, 0.0], [0.6, 0.0, -0.8]]),
)
TUMOUR = np.zeros((6, 12, 9), np.uint8)
TUMOUR[1:5, 4:10, 4:8] = 1


def segmentation(images: list[Dataset], mask: np.ndarray, kind: str = "BINARY") -> Dataset:
    """A segmentation as highdicom writes it."""
    for one in images:
        one.PatientBirthDate = one.StudyID = one.AccessionNumber = ""
        one.ReferringPhysicianName, one.Manufacturer = "", "x"
    told = hd.seg.SegmentDescription(
        1, "tumour", codes.SCT.Tissue, codes.SCT.Tissue, hd.seg.SegmentAlgorithmTypeValues.MANUAL
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hd.seg.Segmentation(
            images, mask, kind, [told], generate_uid(), 100, generate_uid(), 1, "m", "m", "1", "1"
        )


def per_frame_measures(made: Dataset) -> None:
    shared = made.SharedFunctionalGroupsSequence[0]
    for group in made.PerFrameFunctionalGroupsSequence:
        group.PixelMeasuresSequence = copy.deepcopy(shared.PixelMeasuresSequence)
    del shared.PixelMeasuresSequence


def per_frame_orientation(made: Dataset) -> None:
    shared = made.SharedFunctionalGroupsSequence[0]
    told = [float(x) for x in shared.PlaneOrientationSequence[0].ImageOrientationPatient]
    for number, group in enumerate(made.PerFrameFunctionalGroupsSequence):
        plane = Dataset()
        plane.ImageOrientationPatient = [f"{x:.{2 + number}f}" for x in told]
        group.PlaneOrientationSequence = [plane]
    del shared.PlaneOrientationSequence


def per_frame_segment(made: Dataset) -> None:
    """Highdicom writes it so where there is one segment; here it goes to the frames."""
    shared = made.SharedFunctionalGroupsSequence[0]
    told = shared.SegmentIdentificationSequence
    for group in made.PerFrameFunctionalGroupsSequence:
        group.SegmentIdentificationSequence = copy.deepcopy(told)
    del shared.SegmentIdentificationSequence


def shared_position(made: Dataset) -> None:
    group = made.PerFrameFunctionalGroupsSequence[0]
    made.SharedFunctionalGroupsSequence[0].PlanePositionSequence = group.PlanePositionSequence
    del group.PlanePositionSequence


def opened(folder: Path, made: Dataset, images: list[Dataset], syntax=ExplicitVRLittleEndian):
    write(folder, images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.file_meta.TransferSyntaxUID = syntax
        made.save_as(
            folder / "seg.dcm", implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True
        )
    return open_path(folder)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("change", "slices_of_it"),
    [
        (lambda _made: None, 4),
        (per_frame_measures, 4),
        (per_frame_orientation, 4),
        (per_frame_segment, 4),
        (shared_position, 1),
    ],
)
def test_groups_may_stand_in_either_place(change, slices_of_it, syntax, tmp_path, rng) -> None:
    images = slices(GRID, rng)
    mask = TUMOUR.copy()
    if slices_of_it == 1:
        mask[1] = mask[3:] = 0
    made = segmentation(images, mask)
    change(made)
    found = opened(tmp_path, made, images, syntax)
    assert found.refused == ()
    (outline,) = found.studies[0].masks
    assert np.array_equal(outline.labels.T, mask)
    assert outline.geometry.matches(found.studies[0].volumes["ct"].geometry)


def other_spacing(made: Dataset) -> None:
    per_frame_measures(made)
    made.PerFrameFunctionalGroupsSequence[1].PixelMeasuresSequence[0].PixelSpacing = ["1", "1"]


def no_spacing(made: Dataset) -> None:
    del made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence


def other_orientation(made: Dataset) -> None:
    per_frame_orientation(made)
    plane = made.PerFrameFunctionalGroupsSequence[1].PlaneOrientationSequence[0]
    plane.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_spacing, "several pixel spacings"),
        (no_spacing, "neither of all frames nor of each"),
        (other_orientation, "several orientations"),
    ],
)
def test_what_frames_must_have_in_common(change, words, tmp_path, rng) -> None:
    images = slices(GRID, rng)
    made = segmentation(images, TUMOUR)
    change(made)
    (refused,) = opened(tmp_path, made, images).refused
    assert words in refused.reason


def test_a_fractional_one_without_its_greatest_value_is_refused(tmp_path, rng) -> None:
    images = slices(GRID, rng)
    made = segmentation(images, TUMOUR.astype(np.float32), "FRACTIONAL")
    del made.MaximumFractionalValue
    (refused,) = opened(tmp_path, made, images).refused
    assert "without Maximum Fractional Value" in refused.reason


def test_a_fractional_one_says_what_its_values_are(tmp_path, rng) -> None:
    images = slices(GRID, rng)
    made = segmentation(images, TUMOUR * np.float32(0.7), "FRACTIONAL")
    (outline,) = opened(tmp_path, made, images).studies[0].masks
    assert np.array_equal(outline.labels.T, TUMOUR)
    assert "(probabilities, 0 to 255)" in next(
        c.text for c in outline.caveats if c.code == "fractional"
    )
