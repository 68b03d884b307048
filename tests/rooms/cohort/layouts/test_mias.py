"""mini-MIAS: the table as published, pictures of any size."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from onkos.cohort.layouts import LAYOUTS
from onkos.core.errors import CohortError, ContentError

INFO = """Some words about mdb files first.

mdb001 G CIRC B 256 768 64
mdb002 D NORM \r
mdb003 F CALC M *NOTE 3*
mdb004 G SPIC M 512 512 1
mdb004 G CIRC B 100 100 32
mdb005 F NORM
"""


def film(path, side=256, high=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(list(path.stem.encode())).integers(0, 251, size=(8, 8))
    pixels = np.array(Image.fromarray(coarse.astype(np.uint8)).resize((side, high or side)))
    Image.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path):
    for number in (1, 2, 3, 4):
        film(tmp_path / "all-mias" / f"mdb{number:03d}.pgm")
    (tmp_path / "all-mias" / "Info.txt").write_text(INFO, newline="")
    return tmp_path / "all-mias"


def test_films_are_normal_or_not_and_both_of_a_woman_belong_together(folder):
    cohort = LAYOUTS["mias"](folder.parent)
    assert [(case.id, case.patient, case.target) for case in cohort.cases] == [
        ("mdb001", "woman-001", "abnormal"),
        ("mdb002", "woman-001", "normal"),
        ("mdb003", "woman-002", "abnormal"),
        ("mdb004", "woman-002", "abnormal"),
    ]
    assert cohort.cases[1].covariates["tissue"] == "D"
    image = cohort.cases[0].study.volume("image")
    assert image.geometry.spacing_mm == pytest.approx((0.8, 0.8))  # 1024 pixels of 0.2 mm in 256
    assert image.modality == "MG"


def test_women_with_one_film_twice_count_as_one(folder):
    (folder / "mdb003.pgm").write_bytes((folder / "mdb001.pgm").read_bytes())
    patients = [case.patient for case in LAYOUTS["mias"](folder).cases]
    assert patients == ["woman-001"] * 4


def test_severity_needs_a_circle_and_malignant_goes_first(folder):
    cohort = LAYOUTS["mias-severity"](folder)
    assert [(case.id, case.target) for case in cohort.cases] == [
        ("mdb001", "benign"),
        ("mdb004", "malignant"),
    ]


def test_circles_lie_where_the_table_says_counted_from_the_bottom(folder):
    case = LAYOUTS["mias-severity"](folder).cases[0]
    truth = case.outline
    assert truth.geometry.matches(case.study.volume("image").geometry)
    inside = np.argwhere(truth.labels)
    assert inside.mean(axis=0) == pytest.approx((64, 64), abs=0.01)  # 256 / 4, (1024 - 768) / 4
    assert len(inside) == pytest.approx(np.pi * 16**2, rel=0.02)
    tiny_and_other = LAYOUTS["mias-severity"](folder).cases[1].outline
    assert tiny_and_other.labels[128, 128] == 1
    assert tiny_and_other.labels[25, 231] == 1


def test_pictures_made_smaller_are_read_alike(tmp_path):
    film(tmp_path / "breast-mammo-mias" / "images_512" / "mdb001.png", side=128)
    (tmp_path / "breast-mammo-mias" / "Info.txt").write_text(INFO)
    (case,) = LAYOUTS["mias-severity"](tmp_path).cases
    assert np.argwhere(case.outline.labels).mean(axis=0) == pytest.approx((32, 32), abs=0.01)
    assert case.study.volume("image").geometry.spacing_mm == pytest.approx((1.6, 1.6))


def test_a_film_that_was_cut_is_refused(folder):
    film(folder / "mdb001.pgm", side=256, high=200)
    with pytest.raises(ContentError, match="whole square film"):
        _ = LAYOUTS["mias"](folder).cases[0].study


def test_films_not_listed_or_none_at_all_are_refused(folder, tmp_path):
    film(folder / "mdb099.pgm")
    with pytest.raises(CohortError, match="does not list"):
        LAYOUTS["mias"](folder)
    with pytest.raises(CohortError, match="no folder"):
        LAYOUTS["mias"](tmp_path / "other")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "Info.txt").write_text(INFO)
    with pytest.raises(CohortError, match="no cases"):
        LAYOUTS["mias-severity"](tmp_path / "bare")
