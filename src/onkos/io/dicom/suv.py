"""PET activity to standardised uptake values by body weight (SUVbw)."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.errors import ContentError
from onkos.core.source import Caveat
from onkos.io.dicom.frames import Frame
from onkos.io.dicom.header import Header

SUV_UNIT = "g/ml"
_DAY_S = 86_400.0
_PHILIPS_SUV = (0x7053, 0x1000)
_PHILIPS_ACTIVITY = (0x7053, 0x1009)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptake:
    """What a PET image's values must be multiplied with, and the unit they then have."""

    factor: float
    unit: str
    caveats: tuple[Caveat, ...] = ()


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
    unit = header.text("Units").upper()
    if unit == "GML":
        return Uptake(factor=1.0, unit=SUV_UNIT)
    if unit == "CNTS":
        return _philips(header, series)
    if unit != "BQML":
        what = f"PET units are {unit or 'not stated'}"
        return _unknown(f"{what}, not Bq/ml", "1", series)
    try:
        return Uptake(factor=_factor(frames), unit=SUV_UNIT)
    except ContentError as error:
        return _unknown(str(error), "Bq/ml", series)


def _factor(frames: Sequence[Frame]) -> float:
    """Grams a becquerel; :class:`ContentError` names what is missing."""
    header = frames[0].header
    weight = header.number("PatientWeight")
    if not weight or weight <= 0:
        raise ContentError("the patient's weight is missing")
    agents = header.get("RadiopharmaceuticalInformationSequence")
    if not agents:
        raise ContentError("the injected dose is missing")
    agent = Header(
        path=header.path,
        shown=header.shown,
        attributes=agents[0],
        pixels_at=None,
        pixels_length=None,
    )
    dose = agent.number("RadionuclideTotalDose")
    if not dose or dose <= 0:
        raise ContentError("the injected dose is missing")
    corrected = header.text("DecayCorrection").upper()
    if corrected == "ADMIN":
        return weight * 1000.0 / dose
    if corrected != "START":
        raise ContentError(f"decay correction {corrected or 'not stated'} is not START or ADMIN")
    half_life = agent.number("RadionuclideHalfLife")
    if not half_life or half_life <= 0:
        raise ContentError("the half-life is missing")
    elapsed = _elapsed_s(agent, header, frames)
    return weight * 1000.0 / (dose * math.pow(2.0, -elapsed / half_life))


def _elapsed_s(agent: Header, header: Header, frames: Sequence[Frame]) -> float:
    """Seconds from injection to the time the activity is corrected to.

    That time is the series' start, unless acquisition began before it (a series made anew later
    keeps a later series time): then the earliest acquisition.
    """
    start = _moment(header.text("SeriesDate"), header.text("SeriesTime"))
    times = [
        _moment(
            frame.header.text("AcquisitionDate") or header.text("SeriesDate"),
            frame.header.text("AcquisitionTime"),
        )
        for frame in frames
    ]
    acquired = [moment for moment in times if moment is not None]
    if start is None or (acquired and min(acquired) < start):
        start = min(acquired, default=None)
    injected_at = agent.text("RadiopharmaceuticalStartDateTime")
    injected = _moment(injected_at[:8], injected_at[8:])
    if start is None:
        raise ContentError("the time of acquisition is missing")
    if injected is None:
        clock = agent.text("RadiopharmaceuticalStartTime")
        injected = _moment(start.strftime("%Y%m%d"), clock)
        if injected is None:
            raise ContentError("the time of injection is missing")
        if injected > start:
            injected -= datetime.timedelta(days=1)  # injected before midnight
    elapsed = (start - injected).total_seconds()
    if not 0 <= elapsed < _DAY_S:
        raise ContentError(f"injection lies {elapsed / 3600:.1f} h before acquisition")
    return elapsed


def _philips(header: Header, series: str) -> Uptake:
    """Counts with Philips' private factor to SUV."""
    for tag, then in ((_PHILIPS_SUV, 1.0), (_PHILIPS_ACTIVITY, None)):
        element = header.attributes.get(tag)
        try:
            factor = float(str(element.value)) if element is not None else 0.0
        except ValueError:
            factor = 0.0
        if factor > 0 and then is not None:
            return Uptake(factor=factor, unit=SUV_UNIT)
        if factor > 0:
            caveat = f"counts are scaled to Bq/ml by the scanner's private factor {factor:g}"
            found = _unknown(caveat, "Bq/ml", series)
            return Uptake(factor=factor, unit="Bq/ml", caveats=found.caveats)
    return _unknown("counts without the scanner's factor", "1", series)


def _unknown(why: str, unit: str, series: str) -> Uptake:
    text = f"No SUV: {why}. Values are in {unit if unit != '1' else 'unknown units'}."
    return Uptake(factor=1.0, unit=unit, caveats=(Caveat(code="no-suv", text=text, where=series),))


def _moment(date: str, time: str) -> datetime.datetime | None:
    """DICOM date and time as one moment; None where either is missing or malformed."""
    clock = time.split(".")[0].ljust(6, "0")[:6]
    try:
        moment = datetime.datetime.strptime(date + clock, "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return moment if time else None
