"""PET activity to standardised uptake values by body weight (SUVbw)."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.errors import ContentError
from onkos.core.source import Caveat
from onkos.io.dicom.frames import Frame
from onkos.io.dicom.header import PARSING, Header

SUV_UNIT = "g/ml"
_DAY_S = 86_400.0
_KG = (0.3, 400.0)  # from a premature child to the heaviest who fit a scanner
_LEAST_BQ = 1e5  # a thousandth of the usual dose; below, it was written in MBq
_LEAST_LEFT = 1e-6
_PHILIPS_SUV = (0x7053, 0x1000)
_PHILIPS_ACTIVITY = (0x7053, 0x1009)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptake:
    """What a PET image's values must be multiplied with, and the unit they then have."""

    factor: float
    unit: str
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dose:
    """What was given to whom, and when, as one image says it."""

    weight_kg: float | None
    becquerel: float | None
    half_life_s: float | None
    correction: str
    injected_at: str
    injected_clock: str
    series_at: tuple[str, str]


def uptake_of(frames: Sequence[Frame], series: str) -> Uptake:
    """Find the factor to SUVbw; where something it needs is missing, 1 and a caveat.

    SUVbw = activity x weight / (dose decayed to the time the activity is corrected to).
    ``DecayCorrection`` START corrects to the start of the series, ADMIN to the injection, so that
    the dose is not decayed; NONE leaves each frame at its own time, which is not supported.

    References
    ----------
    Quantitative Imaging Biomarkers Alliance. SUV calculation pseudo-code, vendor-neutral.
    Kinahan PE, Fletcher JW. Semin Ultrasound CT MR 2010;31:496-505.
    doi:10.1053/j.sult.2010.10.001
    """
    header = frames[0].header
    told = {frame.header.text("Units").upper() for frame in frames}
    if len(told) > 1:
        raise ContentError(
            f"{series}: Units are {' and '.join(sorted(told))} in one series; expected one. "
            "Export the series again"
        )
    unit = told.pop()
    if unit == "GML":
        kind = header.text("SUVType").upper()
        if kind in ("", "BW"):
            return Uptake(factor=1.0, unit=SUV_UNIT, caveats=_uncorrected(header, series))
        return _unknown(f"values are SUV by {kind}, not by body weight", "1", series)
    if unit == "CNTS":
        return _philips(frames, series)
    if unit != "BQML":
        what = f"PET units are {unit or 'not stated'}"
        return _unknown(f"{what}, not Bq/ml", "1", series)
    try:
        return Uptake(factor=_factor(frames), unit=SUV_UNIT, caveats=_uncorrected(header, series))
    except ContentError as error:
        return _unknown(str(error), "Bq/ml", series)


def _uncorrected(header: Header, series: str) -> tuple[Caveat, ...]:
    """Notice values that were not corrected for attenuation, where the header lists corrections."""
    corrections = header.text("CorrectedImage").upper()
    if not corrections or "ATTN" in corrections.split("\\"):
        return ()
    text = "Not corrected for attenuation: uptake in the depth of the body is far too low."
    return (Caveat(code="not-attenuation-corrected", text=text, where=series),)


def _factor(frames: Sequence[Frame]) -> float:
    """Grams a becquerel; :class:`ContentError` names what is missing."""
    doses = {_dose(frame.header) for frame in frames}
    if len(doses) > 1:
        raise ContentError("weight, dose, half-life, injection or decay correction differ by slice")
    dose = doses.pop()
    if not dose.weight_kg or dose.weight_kg <= 0:
        raise ContentError("the patient's weight is missing")
    if not _KG[0] <= dose.weight_kg <= _KG[1]:
        raise ContentError(f"the patient's weight of {dose.weight_kg:g} kg cannot be")
    if not dose.becquerel or dose.becquerel <= 0:
        raise ContentError("the injected dose is missing")
    if dose.becquerel < _LEAST_BQ:
        raise ContentError(f"the dose of {dose.becquerel:g} Bq cannot be; perhaps it is in MBq")
    grams = dose.weight_kg * 1000.0
    if dose.correction == "ADMIN":
        return grams / dose.becquerel
    if dose.correction != "START":
        stated = dose.correction or "not stated"
        raise ContentError(f"decay correction {stated} is not START or ADMIN")
    if not dose.half_life_s or dose.half_life_s <= 0:
        raise ContentError("the half-life is missing")
    decayed = math.pow(2.0, -_elapsed_s(dose, frames) / dose.half_life_s)
    if decayed < _LEAST_LEFT:
        raise ContentError("nothing of the dose would be left; half-life or times cannot be")
    return grams / (dose.becquerel * decayed)


def _dose(header: Header) -> _Dose:
    """What the header says about the patient's dose; :class:`ContentError` if it is no number."""
    agents = header.items("RadiopharmaceuticalInformationSequence")
    if not agents:
        raise ContentError("the injected dose is missing")
    if len(agents) > 1:
        raise ContentError(f"{len(agents)} radiopharmaceuticals were given")
    agent = agents[0]
    return _Dose(
        weight_kg=header.number("PatientWeight"),
        becquerel=agent.number("RadionuclideTotalDose"),
        half_life_s=agent.number("RadionuclideHalfLife"),
        correction=header.text("DecayCorrection").upper(),
        injected_at=agent.text("RadiopharmaceuticalStartDateTime"),
        injected_clock=agent.text("RadiopharmaceuticalStartTime"),
        series_at=(header.text("SeriesDate"), header.text("SeriesTime")),
    )


def _elapsed_s(dose: _Dose, frames: Sequence[Frame]) -> float:
    """Seconds from injection to the time the activity is corrected to.

    That time is the series' start, unless acquisition began before it (a series made anew later
    keeps a later series time): then the earliest acquisition.
    """
    start = _moment(*dose.series_at)
    times = [
        _moment(
            frame.header.text("AcquisitionDate") or dose.series_at[0],
            frame.header.text("AcquisitionTime"),
        )
        for frame in frames
    ]
    acquired = [moment for moment in times if moment is not None]
    if start is None or (acquired and min(acquired) < start):
        start = min(acquired, default=None)
    injected = _moment(dose.injected_at[:8], dose.injected_at[8:])
    if start is None:
        raise ContentError("the time of acquisition is missing")
    if injected is None:
        injected = _moment(start.strftime("%Y%m%d"), dose.injected_clock)
        if injected is None:
            raise ContentError("the time of injection is missing")
        if injected > start:
            injected -= datetime.timedelta(days=1)  # injected before midnight
    elapsed = (start - injected).total_seconds()
    if not 0 <= elapsed < _DAY_S:
        raise ContentError(f"injection lies {elapsed / 3600:.1f} h before acquisition")
    return elapsed


def _philips(frames: Sequence[Frame], series: str) -> Uptake:
    """Counts with Philips' private factor to SUV, or to Bq/ml and on from there."""
    told = {
        (_private(frame.header, _PHILIPS_SUV), _private(frame.header, _PHILIPS_ACTIVITY))
        for frame in frames
    }
    if len(told) > 1:
        return _unknown("counts whose factors differ between slices", "1", series)
    to_suv, to_activity = told.pop()
    if to_suv > 0:
        return Uptake(factor=to_suv, unit=SUV_UNIT, caveats=_uncorrected(frames[0].header, series))
    if to_activity <= 0:
        return _unknown("counts without the scanner's factor", "1", series)
    try:
        return Uptake(factor=to_activity * _factor(frames), unit=SUV_UNIT)
    except ContentError as error:
        found = _unknown(str(error), "Bq/ml", series)
        return Uptake(factor=to_activity, unit="Bq/ml", caveats=found.caveats)


def _private(header: Header, tag: tuple[int, int]) -> float:
    """Number in a private attribute, also where its type is not known; 0 where there is none."""
    try:
        value = header.attributes[tag].value
        text = value.decode("ascii") if isinstance(value, bytes) else str(value)
        number = float(text.strip("\0 "))
    except PARSING:
        return 0.0
    return number if 0 < number < math.inf else 0.0


def _unknown(why: str, unit: str, series: str) -> Uptake:
    text = f"No SUV: {why}. Values are in {unit if unit != '1' else 'unknown units'}."
    return Uptake(factor=1.0, unit=unit, caveats=(Caveat(code="no-suv", text=text, where=series),))


def _moment(date: str, time: str) -> datetime.datetime | None:
    """DICOM date and time as one moment; None where either is missing or malformed."""
    digits = re.match(r"\d*", time.replace(":", ""))
    clock = (digits.group() if digits else "").ljust(6, "0")[:6]
    try:
        moment = datetime.datetime.strptime(date.replace(".", "") + clock, "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return moment if time else None
