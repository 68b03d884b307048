"""The list of what is looked at: the docs page says the same, and every rule in it holds."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from onkos.core.geometry import Geometry
from onkos.io.intake import open_study
from onkos.io.looked_at import FORMATS, attributes
from slices import noise, slices, write

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "what-is-looked-at.md").read_text(encoding="utf-8")
CODE = "\n".join(path.read_text() for path in (ROOT / "src" / "onkos" / "io").rglob("*.py"))
GRID = Geometry.upright((7, 9, 3), spacing_mm=(1.4, 0.9, 4.2), origin_mm=(31.0, -8.0, 77.0))
RULES = [one for one in attributes() if one.text and one.format == "dicom"]


def test_the_page_and_the_list_agree() -> None:
    told = re.findall(r"^\| `(.+?)` \| (.+?) \| (handled|flagged|refused): (.+?) \|$", PAGE, re.M)
    assert told == [(one.name, one.means, one.done, one.how) for one in attributes()]


@pytest.mark.parametrize("one", attributes(), ids=lambda one: one.name[:40])
def test_what_is_said_to_be_done_is_in_the_code(one) -> None:
    assert one.format in FORMATS
    assert one.done in ("handled", "flagged", "refused")
    assert bool(one.text) == bool(one.caveat)
    for name in one.name.split(", "):
        if one.format == "dicom" and " " not in name and name != "B_value":
            assert tag_for_keyword(name) is not None, name
            by_colour = re.sub("^(Red|Green|Blue)", "", name)
            assert one.text or one.how.startswith("not ") or by_colour in CODE, name


def picture(rng: np.random.Generator) -> Dataset:
    (one,) = slices(GRID.crop((0, 0, 0), (7, 9, 1)), rng)
    one.SOPClassUID, one.Modality = "1.2.840.10008.5.1.4.1.1.1.1", "DX"
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "SeriesInstanceUID"):
        delattr(one, keyword)
    one.SeriesInstanceUID = generate_uid()
    one.PixelData = noise(one, rng)
    return one


def told(folder: Path, made: list[Dataset]) -> dict[str, str]:
    write(folder, made)
    (volume,) = open_study(folder).volumes.values()
    return {c.code: c.text for c in volume.caveats}


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.name)
def test_a_rule_of_the_list_is_kept(one, tmp_path: Path, rng: np.random.Generator) -> None:
    value = one.values[0] if one.values else "OTHER"
    quiet = one.unless[0] if one.unless else "ORDINARY"
    images = [picture(rng)] if one.only == "picture" else slices(GRID, rng)
    for image in images:
        setattr(image, one.name, value)
    assert told(tmp_path / "a", images)[one.caveat] == one.text.format(value=value)
    for image in images:
        setattr(image, one.name, quiet)
    assert one.caveat not in told(tmp_path / "b", images)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "reformatted"),
        (
            {"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "CT_SOM5 MIP", "MIP"]},
            "projection-image",
        ),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}, "derived-image"),
        ({"ConversionType": "WSD"}, "secondary-capture"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "secondary-capture"),
        ({"ComplexImageComponent": "PHASE"}, "not-magnitude"),
        ({"PresentationLUTShape": "INVERSE"}, "greys-contradiction"),
        ({"BurnedInAnnotation": "YES"}, "burned-in-text"),
        ({"LossyImageCompression": "01"}, "lossy"),
        ({"RescaleType": "US"}, "unknown-unit"),
    ],
)
def test_what_changes_the_meaning_is_told(changes, code, tmp_path: Path, rng) -> None:
    made = slices(GRID, rng, **changes)
    for one in made:
        one.QualityControlImage = "NO"
    assert code in told(tmp_path, made)


def test_an_ordinary_image_says_nothing(tmp_path: Path, rng: np.random.Generator) -> None:
    made = slices(GRID, rng, PresentationLUTShape="IDENTITY", QualityControlImage="NO")
    assert told(tmp_path, made) == {}


@pytest.mark.parametrize("bit", [None, 3, 14])
def test_overlays_are_told(bit, tmp_path: Path, rng: np.random.Generator) -> None:
    made = slices(GRID, rng)
    for one in made:
        one.add_new(0x60000010, "US", one.Rows)
        one.add_new(0x60000011, "US", one.Columns)
        one.add_new(0x60000102, "US", bit or 0)
        if bit is None:
            one.add_new(0x60003000, "OW", bytes(8))
    expected = {None: {"overlay"}, 3: {"overlay-in-values"}, 14: set()}[bit]
    assert set(told(tmp_path, made)) - {"phantom"} == expected


def test_philips_scale_is_told(tmp_path: Path, rng: np.random.Generator) -> None:
    made = slices(GRID, rng, modality="MR", Manufacturer="Philips Medical Systems")
    for one in made:
        one.add_new((0x2005, 0x0010), "LO", "Philips MR Imaging DD 001")
        one.add_new((0x2005, 0x100E), "FL", 0.0071)
    assert "vendor-scale" in told(tmp_path, made)


def test_a_private_b_value_tells_images_apart(tmp_path: Path, rng: np.random.Generator) -> None:
    first = slices(GRID, rng, modality="MR", Manufacturer="SIEMENS", seed="a")
    second = slices(GRID, rng, modality="MR", Manufacturer="SIEMENS", seed="a")
    for b, phase in ((0, first), (800, second)):
        for one in phase:
            one.add_new((0x0019, 0x0010), "LO", "SIEMENS MR HEADER")
            one.add_new((0x0019, 0x100C), "IS", str(b))
            one.SOPInstanceUID = generate_uid()
            one.PixelData = noise(one, rng)
    write(tmp_path, [*first, *second])
    names = {v.source.description for v in open_study(tmp_path).volumes.values()}
    assert names == {"noise, DiffusionBValue 0", "noise, DiffusionBValue 800"}
