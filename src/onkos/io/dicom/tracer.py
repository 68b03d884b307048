"""What was given to whom, and whether it can be: dose, weight, half-life."""

from __future__ import annotations

import re
from dataclasses import dataclass

from onkos.core.errors import ContentError
from onkos.io.dicom.header import Header

_KG = (0.3, 400.0)  # from a premature child to the heaviest who fit a scanner
_ADULT_YEARS, _ADULT_KG = 18, 20.0
_BODY_MASS_INDEX = (7.0, 120.0)
_BQ = (2e6, 1e10)  # from a tenth of an infant's dose to several times the largest of rubidium
_HALF_LIFE_OFF = 0.03

#: Half-life in seconds of what is given for PET (NIST), by what files call it.
_NUCLIDES = (
    (r"\b18-?F\b|\bF-?18\b|\^18\^F|fluor|\bfdg\b", "fluorine-18", 6586.2),
    (r"\b11-?C\b|\bC-?11\b|\^11\^C", "carbon-11", 1221.8),
    (r"\b13-?N\b|\bN-?13\b|\^13\^N", "nitrogen-13", 597.9),
    (r"\b15-?O\b|\bO-?15\b|\^15\^O", "oxygen-15", 122.2),
    (r"\b68-?Ga\b|\bGa-?68\b|\^68\^Ga", "gallium-68", 4062.6),
    (r"\b82-?Rb\b|\bRb-?82\b|\^82\^Ru?b", "rubidium-82", 75.5),
    (r"\b64-?Cu\b|\bCu-?64\b|\^64\^Co?", "copper-64", 45_720.0),
    (r"\b89-?Zr\b|\bZr-?89\b|\^89\^Zi?r", "zirconium-89", 282_280.0),
    (r"\b124-?I\b|\bI-?124\b|\^124\^I", "iodine-124", 360_800.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """What was given to whom, as one image says it."""

    weight_kg: float | None
    becquerel: float | None
    half_life_s: float | None
    nuclide: str
    correction: str
    size_m: float | None
    age: str

    @classmethod
    def of(cls, header: Header) -> Dose:
        """What a header says; :class:`ContentError` if it is no number or not one tracer."""
        agent = agent_of(header)
        codes = agent.items("RadionuclideCodeSequence")
        named = [agent.text("Radiopharmaceutical"), *(code.text("CodeMeaning") for code in codes)]
        return cls(
            weight_kg=header.number("PatientWeight"),
            becquerel=agent.number("RadionuclideTotalDose"),
            half_life_s=agent.number("RadionuclideHalfLife"),
            nuclide=" ".join(named).strip(),
            correction=header.text("DecayCorrection").upper(),
            size_m=header.number("PatientSize"),
            age=header.text("PatientAge").upper(),
        )

    @property
    def grams(self) -> float:
        """Weight of the patient; :class:`ContentError` if it is missing or cannot be."""
        if not self.weight_kg or self.weight_kg <= 0:
            raise ContentError("the patient's weight is missing")
        kg = f"the patient's weight of {self.weight_kg:g} kg cannot be"
        if not _KG[0] <= self.weight_kg <= _KG[1]:
            raise ContentError(kg)
        years = re.fullmatch(r"(\d+)Y", self.age)
        if years and int(years.group(1)) >= _ADULT_YEARS and self.weight_kg < _ADULT_KG:
            raise ContentError(f"{kg} at {int(years.group(1))} years")
        if self.size_m and 1.3 <= self.size_m <= 2.5:
            index = self.weight_kg / self.size_m**2
            if not _BODY_MASS_INDEX[0] <= index <= _BODY_MASS_INDEX[1]:
                raise ContentError(f"{kg} at {self.size_m:g} m")
        return self.weight_kg * 1000.0

    @property
    def given_bq(self) -> float:
        """Activity given; :class:`ContentError` if it is missing or cannot be."""
        if not self.becquerel or self.becquerel <= 0:
            raise ContentError("the injected dose is missing")
        if _BQ[0] <= self.becquerel <= _BQ[1]:
            return self.becquerel
        units = (("MBq", 1e6), ("kBq", 1e3), ("mCi", 3.7e7))
        usual = (3e7, 1.2e9)
        meant = next((u for u, by in units if usual[0] <= self.becquerel * by <= usual[1]), "")
        perhaps = f"; perhaps it is in {meant}" if meant else ""
        raise ContentError(f"the dose of {self.becquerel:g} Bq cannot be{perhaps}")

    @property
    def lasting_s(self) -> float:
        """Half-life; :class:`ContentError` if it is missing or that of another nuclide."""
        if not self.half_life_s or self.half_life_s <= 0:
            raise ContentError("the half-life is missing")
        for pattern, name, known in _NUCLIDES:
            if not re.search(pattern, self.nuclide, re.IGNORECASE):
                continue
            if abs(self.half_life_s / known - 1) > _HALF_LIFE_OFF:
                raise ContentError(
                    f"the half-life of {self.half_life_s:g} s is not that of {name}, {known:g} s"
                )
            break
        return self.half_life_s


def agent_of(header: Header) -> Header:
    """The one radiopharmaceutical; :class:`ContentError` where there is none or several."""
    agents = header.items("RadiopharmaceuticalInformationSequence")
    if not agents:
        raise ContentError("the injected dose is missing")
    if len(agents) > 1:
        raise ContentError(f"{len(agents)} radiopharmaceuticals were given")
    return agents[0]
