"""Coded concepts: the words that DICOM objects, tables and reports share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A concept of a coding scheme: SCT (SNOMED CT), DCM, UCUM, IBSI, NCIt."""

    value: str
    scheme: str
    meaning: str


VOLUME = Code("118565006", "SCT", "Volume")
LONG_AXIS = Code("103339001", "SCT", "Long Axis")
SHORT_AXIS = Code("103340004", "SCT", "Short Axis")
MAXIMUM_3D_DIAMETER = Code("L0JK", "IBSI", "Maximum 3D Diameter")
AREA = Code("42798000", "SCT", "Area")

ABNORMAL_STRUCTURE = Code("49755003", "SCT", "Morphologically Altered Structure")
TISSUE = Code("85756007", "SCT", "Tissue")
NEOPLASM = Code("108369006", "SCT", "Neoplasm")
BRAIN = Code("12738006", "SCT", "Brain")

#: What each tissue name means; a name that is not here is written as its own text under 99ONKOS.
TISSUES: dict[str, Code] = {
    "tumour": NEOPLASM,
    "core": Code("86049000", "SCT", "Neoplasm, Primary"),
    "enhancing": Code("C113842", "NCIt", "Enhancing Lesion"),
    "necrosis": Code("6574001", "SCT", "Necrosis"),
    "oedema": Code("79654002", "SCT", "Edema"),
    "lesion": Code("52988006", "SCT", "Lesion"),
}

#: Code of each site a model card may name.
SITES: dict[str, Code] = {
    "brain": BRAIN,
}
