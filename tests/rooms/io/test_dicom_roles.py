"""Roles of series, told from how they were made."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from onkos.io.dicom.header import Header
from onkos.io.dicom.roles import role_of

T1 = {"Modality": "MR", "EchoTime": 10, "RepetitionTime": 600}


def header(**attributes: object) -> Header:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return Header(path=Path("a"), shown="a", attributes=made, pixels_at=None, pixels_length=None)


@pytest.mark.parametrize(
    ("attributes", "role"),
    [
        ({"Modality": "CT"}, "ct"),
        ({"Modality": "PT"}, "pet"),
        ({"Modality": "MG"}, "mg"),
        ({"Modality": "CR"}, "dx"),
        ({"Modality": "XX"}, "xx"),
        ({}, "image"),
        ({"Modality": "MR", "ImageType": ["DERIVED", "PRIMARY", "ADC"]}, "adc"),
        ({"Modality": "MR", "SeriesDescription": "Apparent Diffusion Coefficient"}, "adc"),
        ({"Modality": "MR", "DiffusionBValue": 800.0}, "dwi"),
        ({"Modality": "MR", "EchoTime": 110, "RepetitionTime": 9000, "InversionTime": 2500},
         "flair"),
        ({"Modality": "MR", "EchoTime": 95, "RepetitionTime": 4500}, "t2"),
        ({"Modality": "MR", "EchoTime": 10, "RepetitionTime": 600}, "t1"),
        ({"Modality": "MR", "EchoTime": 10, "RepetitionTime": 600,
          "ContrastBolusAgent": "Gadovist"}, "t1c"),
        ({"Modality": "MR", "EchoTime": 10, "RepetitionTime": 600,
          "ContrastBolusAgent": "NONE"}, "t1"),
        ({"Modality": "MR", "EchoTime": 10, "RepetitionTime": 600,
          "ContrastBolusAgent": "Gd", "SeriesDescription": "T1 pre"}, "t1"),
        ({"Modality": "MR", "EchoTime": 3, "RepetitionTime": 2300, "InversionTime": 900,
          "SeriesDescription": "MPRAGE +C"}, "t1c"),
        ({**T1, "SeriesDescription": "t1_gd_tra"}, "t1c"),
        ({**T1, "SeriesDescription": "T1 post contrast"}, "t1c"),
        ({**T1, "SeriesDescription": "t1_pre_gd"}, "t1"),
        ({**T1, "SeriesDescription": "T1 non-contrast"}, "t1"),
        ({**T1, "SeriesDescription": "T1 post-op"}, "t1"),
        ({**T1, "SeriesDescription": "T1 space"}, "t1"),
        ({"Modality": "MR", "SeriesDescription": "ax T2 dark fluid"}, "flair"),
        ({"Modality": "MR", "SeriesDescription": "t1 km"}, "t1c"),
        ({"Modality": "MR", "SeriesDescription": "perfusion"}, "dce"),
        ({"Modality": "MR", "SeriesDescription": "survey"}, "mr"),
    ],
)  # fmt: skip
def test_role(attributes: dict[str, object], role: str) -> None:
    assert role_of(header(**attributes)) == role
