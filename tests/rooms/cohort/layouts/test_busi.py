"""BUSI in both of its layouts."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from onkos.cohort.layouts import LAYOUTS
from onkos.core.errors import CohortError, ContentError

PICTURES = ("benign (1)", "benign (2)", "malignant (1)", "normal (1)")


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def square(rows, columns):
    pixels = np.zeros((40, 60))
    pixels[rows, columns] = 255
    return pixels


@pytest.fixture
def published(tmp_path, rng):
    folder = tmp_path / "Dataset_BUSI_with_GT"
    for name in PICTURES:
        pixels = np.kron(rng.uniform(0, 255, (5, 5)), np.ones((8, 12)))
        save(folder / name.split()[0] / f"{name}.png", pixels)
    save(folder / "benign" / "benign (1)_mask.png", square(slice(3, 9), slice(10, 30)))
    save(folder / "benign" / "benign (1)_mask_1.png", square(slice(20, 25), slice(40, 44)))
    return folder


def test_whole_pictures_without_the_normal_ones(published):
    cohort = LAYOUTS["busi"](published.parent)
    assert [(case.id, case.target) for case in cohort.cases] == [
        ("benign (1)", "benign"),
        ("benign (2)", "benign"),
        ("malignant (1)", "malignant"),
    ]
    assert len(cohort.patients) == 3
    assert all(not case.outlined for case in cohort.cases)
    image = cohort.cases[0].study.volume("image")
    assert (image.geometry.shape, image.modality) == ((60, 40), "US")


def test_a_copy_belongs_to_the_same_patient(published):
    original = published / "benign" / "benign (2).png"
    (published / "benign" / "benign (9).png").write_bytes(original.read_bytes())
    cohort = LAYOUTS["busi"](published)
    assert {case.id: case.patient for case in cohort.cases}["benign (9)"] == "benign (2)"


def test_outlines_of_one_picture_are_one(published):
    cohort = LAYOUTS["busi-outlined"](published)
    (case,) = cohort.cases
    assert case.outline.counts == {"lesion": 6 * 20 + 5 * 4}
    assert case.outline.labels[10, 3] == 1  # first axis to the right
    assert case.outline.geometry.matches(case.study.volume("image").geometry)


def test_outlined_pictures_in_their_own_folder(tmp_path, rng):
    folder = tmp_path / "breast-us-busi"
    save(folder / "benign" / "benign_001.png", rng.uniform(0, 255, (40, 60)))
    for name in ("malignant_007", "normal_002"):
        save(folder / "with_masks" / f"{name}.png", rng.uniform(0, 255, (40, 60)))
        save(folder / "with_masks" / f"{name}_mask.png", square(slice(3, 9), slice(10, 30)))
    cohort = LAYOUTS["busi-outlined"](tmp_path)
    assert [(case.id, case.target) for case in cohort.cases] == [("malignant_007", "malignant")]


def test_outlines_of_two_sizes_are_refused(published):
    save(published / "benign" / "benign (1)_mask_1.png", np.zeros((4, 4)))
    with pytest.raises(ContentError, match="outlines of shapes"):
        _ = LAYOUTS["busi-outlined"](published).cases[0].outline


@pytest.mark.parametrize("layout", ["busi", "busi-outlined"])
def test_a_missing_or_empty_folder_is_refused(tmp_path, layout):
    with pytest.raises(CohortError, match="breast-us-busi"):
        LAYOUTS[layout](tmp_path)
    (tmp_path / "benign").mkdir()
    with pytest.raises(CohortError, match="no cases"):
        LAYOUTS[layout](tmp_path)
