"""PET to SUVbw, by the numbers and where something it needs is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from onkos.core.geometry import Geometry
from onkos.core.volume import Volume
from onkos.io.intake import open_path, open_study
from slices import real, slices, write

GRID = Geometry.upright((6, 9, 4), spacing_mm=(2.6, 2.6, 3.3), origin_mm=(-90, 20, 300))
HALF_LIFE = 6586.2
DOSE = 370e6
WEIGHT = 81.0
AGENT = (
    "Radiopharmaceutical",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
    "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStartTime",
)


def pet(rng: np.random.Generator, **changes: Any) -> list[Dataset]:
    agent = Dataset()
    agent.RadionuclideTotalDose = str(DOSE)
    agent.RadionuclideHalfLife = str(HALF_LIFE)
    agent.RadiopharmaceuticalStartDateTime = "20010203090000.00"
    agent.RadiopharmaceuticalStartTime = "090000"
    told: dict[str, Any] = {
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["DECY", "ATTN", "SCAT"],
        "PatientWeight": str(WEIGHT),
        "SeriesDate": "20010203",
        "SeriesTime": "100000",
        "AcquisitionDate": "20010203",
        "AcquisitionTime": "100500",
        "RescaleSlope": "1.7",
    }
    for keyword in list(changes):
        if keyword in AGENT:
            value = changes.pop(keyword)
            if value is None:
                delattr(agent, keyword)
            else:
                setattr(agent, keyword, value)
    told["RadiopharmaceuticalInformationSequence"] = [agent]
    made = slices(GRID, rng, modality="PT", **told)
    for one in made:
        for keyword, value in changes.items():
            if value is None:
                delattr(one, keyword)
            else:
                setattr(one, keyword, value)
    return made


def opened(folder: Path, datasets: list[Dataset]) -> Volume:
    write(folder, datasets)
    return open_study(folder).volume("pet")


def activity(volume: Volume, datasets: list[Dataset]) -> np.ndarray:
    by_uid = {str(one.SOPInstanceUID): one for one in datasets}
    return np.stack([real(by_uid[i.uid]) for i in volume.source.instances], axis=-1)


def codes(volume: Volume) -> set[str]:
    return {caveat.code for caveat in volume.caveats} - {"phantom"}


@pytest.mark.parametrize(
    ("changes", "hours"),
    [
        ({}, 1.0),
        ({"DecayCorrection": "ADMIN"}, 0.0),
        ({"SeriesTime": "103000", "AcquisitionTime": "100000"}, 1.0),  # series made anew later
        ({"RadiopharmaceuticalStartDateTime": None}, 1.0),
        (
            {"RadiopharmaceuticalStartDateTime": "20010202233000",
             "RadiopharmaceuticalStartTime": "233000", "RescaleSlope": "0.3"}, 10.5,
        ),
        (  # zirconium, three days later
            {"RadiopharmaceuticalStartDateTime": "20010131090000", "RadionuclideHalfLife": "282280",
             "Radiopharmaceutical": "89Zr-trastuzumab"}, 73.0,
        ),
        (  # both zones are told
            {"RadiopharmaceuticalStartDateTime": "20010203080000.00+0000",
             "TimezoneOffsetFromUTC": "+0100"}, 1.0,
        ),
        (
            {"RadiopharmaceuticalStartDateTime": None, "RadiopharmaceuticalStartTime": "233000.5",
             "SeriesTime": "003000", "AcquisitionTime": "003100"}, 1.0,
        ),
    ],
)  # fmt: skip
def test_suv_by_the_formula(
    changes: dict[str, Any], hours: float, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = pet(rng, **changes)
    volume = opened(tmp_path, datasets)
    left = DOSE * 2 ** (-hours * 3600 / float(changes.get("RadionuclideHalfLife", HALF_LIFE)))
    assert (volume.unit, codes(volume)) == ("g/ml", set())
    expected = activity(volume, datasets) * WEIGHT * 1000 / left
    np.testing.assert_allclose(volume.data, expected, rtol=1e-5)


def test_slices_with_their_own_slope_are_no_matter(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = pet(rng, DecayCorrection="ADMIN")
    for k, one in enumerate(datasets):
        one.RescaleSlope = str(0.3 + k)
    volume = opened(tmp_path, datasets)
    expected = activity(volume, datasets) * WEIGHT * 1000 / DOSE
    np.testing.assert_allclose(volume.data, expected, rtol=1e-5)
    assert codes(volume) == set()


def test_values_that_are_suv_already(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = pet(rng, Units="GML", SUVType="BW", RescaleSlope="0.002")
    volume = opened(tmp_path, datasets)
    np.testing.assert_allclose(volume.data, activity(volume, datasets), rtol=1e-6)
    assert (volume.unit, codes(volume)) == ("g/ml", set())


@pytest.mark.parametrize(
    ("tag", "text"), [((0x7053, 0x1000), "0.00042"), ((0x7053, 0x1009), "3.5")]
)
def test_counts_with_the_private_factor(
    tag: tuple[int, int], text: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = pet(rng, Units="CNTS", DecayCorrection="ADMIN")
    for one in datasets:
        one.add_new((0x7053, 0x0010), "LO", "Philips PET Private Group")
        one.add_new(tag, "DS", text)
    volume = opened(tmp_path, datasets)
    factor = float(text) if tag[1] == 0x1000 else float(text) * WEIGHT * 1000 / DOSE
    np.testing.assert_allclose(volume.data, activity(volume, datasets) * factor, rtol=1e-5)
    assert volume.unit == "g/ml"


@pytest.mark.parametrize(
    ("changes", "unit", "words"),
    [
        ({"PatientWeight": None}, "Bq/ml", "weight is missing"),
        ({"PatientWeight": "0"}, "Bq/ml", "weight is missing"),
        ({"PatientWeight": "81000"}, "Bq/ml", "81000 kg cannot be"),
        ({"RadionuclideTotalDose": None}, "Bq/ml", "dose is missing"),
        ({"RadionuclideTotalDose": "370"}, "Bq/ml", "perhaps it is in MBq"),
        ({"RadionuclideHalfLife": None}, "Bq/ml", "half-life is missing"),
        ({"RadionuclideHalfLife": "6"}, "Bq/ml", "half-life or times cannot be"),
        ({"DecayCorrection": "NONE"}, "Bq/ml", "decay correction NONE"),
        ({"DecayCorrection": None}, "Bq/ml", "decay correction not stated"),
        ({"RadiopharmaceuticalInformationSequence": None}, "Bq/ml", "dose is missing"),
        (
            {"RadiopharmaceuticalStartTime": None, "RadiopharmaceuticalStartDateTime": None},
            "Bq/ml", "time of injection is missing",
        ),
        ({"RadiopharmaceuticalStartDateTime": "20010203110000"}, "Bq/ml", "before acquisition"),
        ({"SeriesTime": None, "AcquisitionTime": None}, "Bq/ml", "time of acquisition"),
        ({"RadionuclideTotalDose": "370000"}, "Bq/ml", "perhaps it is in kBq"),
        ({"RadionuclideTotalDose": "10"}, "Bq/ml", "perhaps it is in mCi"),
        ({"RadionuclideTotalDose": "3.7e14"}, "Bq/ml", "cannot be"),
        ({"PatientWeight": "7", "PatientAge": "060Y"}, "Bq/ml", "7 kg cannot be at 60 years"),
        ({"PatientWeight": "8.1", "PatientSize": "1.75"}, "Bq/ml", "cannot be at 1.75 m"),
        ({"RadionuclideHalfLife": "109.8", "Radiopharmaceutical": "FDG"}, "Bq/ml", "not that of"),
        ({"CorrectedImage": ["ATTN"]}, "Bq/ml", "Corrected Image lists none"),
        (  # two clocks of one injection
            {"RadiopharmaceuticalStartTime": "093000"}, "Bq/ml", "two clocks tell the injection",
        ),
        (  # injected after the scan, and not the day before
            {"RadiopharmaceuticalStartDateTime": None, "RadiopharmaceuticalStartTime": "113000"},
            "Bq/ml", "lies after the start of the scan",
        ),
        (
            {"RadiopharmaceuticalStartDateTime": None, "RadiopharmaceuticalStartTime": "000000"},
            "Bq/ml", "injection is 000000",
        ),
        (
            {"RadiopharmaceuticalStartDateTime": "20010203000000",
             "RadiopharmaceuticalStartTime": "000000"}, "Bq/ml", "injection is 000000",
        ),
        ({"SeriesTime": "000000", "AcquisitionTime": None}, "Bq/ml", "scan is 000000"),
        ({"SeriesTime": "000000", "AcquisitionTime": "000000"}, "Bq/ml", "scan are 000000"),
        ({"SeriesTime": "053000"}, "Bq/ml", "before its first acquisition"),
        (  # zirconium, and the date says a year
            {"RadiopharmaceuticalStartDateTime": "20000203090000",
             "RadionuclideHalfLife": "282280"},
            "Bq/ml", "half-life or times cannot be",
        ),
        (  # many half-lives of carbon
            {"RadionuclideHalfLife": "1221.8", "RadiopharmaceuticalStartDateTime": None,
             "RadiopharmaceuticalStartTime": "060000"}, "Bq/ml", "half-lives",
        ),
        ({"Units": None}, "1", "not stated"),
        ({"Units": "PROPCPS"}, "1", "PROPCPS"),
        ({"Units": "CNTS"}, "1", "without the scanner's factor"),
        ({"Units": "GML", "SUVType": "LBM"}, "1", "SUV by LBM, not by body weight"),
    ],
)  # fmt: skip
def test_without_what_suv_needs(
    changes: dict[str, Any], unit: str, words: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    datasets = pet(rng, **changes)
    volume = opened(tmp_path, datasets)
    (caveat,) = (c for c in volume.caveats if c.code == "no-suv")
    assert words in caveat.text
    assert "series 7 noise" in caveat.where
    assert volume.unit == unit
    np.testing.assert_allclose(volume.data, activity(volume, datasets), rtol=1e-6)


def test_slices_that_differ_in_the_dose(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = pet(rng)
    datasets[2].PatientWeight = "18"
    volume = opened(tmp_path, datasets)
    assert volume.unit == "Bq/ml"
    assert "differ by slice" in next(c.text for c in volume.caveats if c.code == "no-suv")


def test_slices_in_two_units_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    datasets = pet(rng)
    datasets[2].Units = "GML"
    write(tmp_path, datasets)
    (refused,) = open_path(tmp_path).refused
    assert refused.error == "ContentError"
    assert "Units are BQML and GML in one series; expected one" in refused.reason


def test_no_attenuation_correction_is_told(tmp_path: Path, rng: np.random.Generator) -> None:
    volume = opened(tmp_path, pet(rng, CorrectedImage=["DECY", "SCAT"]))
    assert codes(volume) == {"not-attenuation-corrected"}


@pytest.mark.parametrize(
    ("changes", "seconds", "words"),
    [
        (  # a dynamic scan begins before the tracer comes
            {"RadiopharmaceuticalStartDateTime": None, "RadiopharmaceuticalStartTime": "100130"},
            -90, "90 s after the start of the series",
        ),
        ({"RadiopharmaceuticalStartDateTime": "20010203100130",
          "RadiopharmaceuticalStartTime": "100130"}, -90, "90 s after the start of the series"),
        ({"SeriesTime": "000000"}, 3900, "Series Time is 000000"),
        ({"AcquisitionTime": "000000"}, 3600, "Acquisition Time is 000000"),
        ({"RadiopharmaceuticalStartDateTime": "20010203"}, 3600, None),
        ({"RadiopharmaceuticalStartDateTime": "20010203000000"}, 3600, "bears no time"),
        ({"RadiopharmaceuticalStartDateTime": "19000101090000"}, 3600, "only the clocks are used"),
        ({"SeriesDate": "20010101", "RadiopharmaceuticalStartDateTime": None}, 3600, "differ"),
        ({"SeriesDate": "20010204", "SeriesTime": "080000"}, 3900, "later"),
        ({"SeriesDate": None, "StudyDate": None, "AcquisitionDate": None,
          "RadiopharmaceuticalStartDateTime": None}, 3600, None),
    ],
)  # fmt: skip
def test_which_clock_was_used(
    changes: dict[str, Any], seconds: float, words: str | None, tmp_path: Path, rng
) -> None:
    datasets = pet(rng, **changes)
    volume = opened(tmp_path, datasets)
    left = DOSE * 2 ** (-seconds / HALF_LIFE)
    assert volume.unit == "g/ml"
    expected = activity(volume, datasets) * WEIGHT * 1000 / left
    np.testing.assert_allclose(volume.data, expected, rtol=1e-5)
    told = [c.text for c in volume.caveats if c.code == "pet-clock"]
    assert words is None or words in told[0]
    assert bool(told) == (words is not None)


@pytest.mark.parametrize("units", ["BQML", "GML", "CNTS"])
@pytest.mark.parametrize(
    ("slope", "words"), [("600", "half of the tissue"), ("1e-6", "no voxel would have")]
)
def test_values_that_cannot_be_suv(units, slope, words, tmp_path, rng) -> None:
    by = {"BQML": 5000.0, "GML": 1.0, "CNTS": 10.0}[units]
    datasets = pet(rng, Units=units, RescaleSlope=f"{float(slope) * by:g}")
    for one in datasets:
        one.add_new((0x7053, 0x1000), "DS", "0.1")
        one.PixelData = np.full((one.Rows, one.Columns), 5, "<u2").tobytes()
    volume = opened(tmp_path, datasets)
    assert volume.unit == ("Bq/ml" if units == "BQML" else "1")
    assert words in next(c.text for c in volume.caveats if c.code == "no-suv")
    np.testing.assert_allclose(volume.data, activity(volume, datasets), rtol=1e-6)


def test_more_than_was_given(tmp_path, rng) -> None:
    """Seven litres of SUV 20 in a patient of 81 kg hold 1.7 times the dose."""
    datasets = pet(rng, DecayCorrection="ADMIN", RescaleSlope="1000")
    steps = ["99"] * 2
    for one in datasets:
        one.PixelSpacing = steps
        one.PixelData = np.full((one.Rows, one.Columns), 92, "<u2").tobytes()
    volume = opened(tmp_path, datasets)
    assert volume.unit == "Bq/ml"
    assert "times the dose" in next(c.text for c in volume.caveats if c.code == "no-suv")
