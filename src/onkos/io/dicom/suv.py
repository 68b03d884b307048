"""PET activity to standardised uptake values by body weight (SUVbw)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray
from onkos.core.source import Caveat
from onkos.io.dicom.clocks import since_injection
from onkos.io.dicom.frames import Frame
from onkos.io.dicom.header import PARSING, Header
from onkos.io.dicom.tracer import Dose, agent_of

SUV_UNIT = "g/ml"
_LEAST_LEFT = 1e-6
_PHILIPS_SUV = (0x7053, 0x1000)
_PHILIPS_ACTIVITY = (0x7053, 0x1009)
_SAMPLED = 1_000_000  # values looked at to see whether they can be SUV
_LIT = 0.05  # share of the brightest values from which on a voxel counts as tissue
_MOST_SUV = 40.0  # of half of the tissue; a bladder may be brighter, a body cannot
_LEAST_SUV = 0.05  # of the brightest voxel
_MOST_HELD = 1.5  # times the dose; calibrations are off by a tenth


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptake:
    """What a PET image's values must be multiplied with, and the unit they then have.

    ``own`` is the factor and unit they have where they turn out to be no SUV; ``grams`` the
    patient's weight where it is known.
    """

    factor: float
    unit: str
    caveats: tuple[Caveat, ...] = ()
    own: tuple[float, str] = (1.0, "1")
    grams: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToSuv:
    """Grams a becquerel, the patient's weight, and what is doubtful about the clocks."""

    factor: float
    grams: float
    doubts: tuple[str, ...] = ()


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
    return _from_activity(frames, 1.0, series)


def checked(uptake: Uptake, data: AnyArray, voxel_ml: float, series: str) -> Uptake:
    """Take back the name SUV from values that cannot be: too high, too low, more than was given.

    Parameters
    ----------
    uptake
        Factor and unit as :func:`uptake_of` found them.
    data
        Values before the factor.
    voxel_ml
        Volume of a voxel in millilitres.
    series
        How messages name the series.
    """
    if uptake.unit != SUV_UNIT:
        return uptake
    why = _cannot_be(uptake, data, voxel_ml)
    if not why:
        return uptake
    factor, unit = uptake.own
    taken_back = _unknown(why, unit, series)
    return replace(taken_back, factor=factor, caveats=(*uptake.caveats, *taken_back.caveats))


def _cannot_be(uptake: Uptake, data: AnyArray, voxel_ml: float) -> str:
    """Why values are no SUV; empty where they may be."""
    values = data.ravel(order="K")[:: max(1, data.size // _SAMPLED)].astype(np.float64)
    values = values[np.isfinite(values)] * uptake.factor
    bright = float(np.percentile(values, 99.5)) if values.size else 0.0
    if bright <= 0:
        return ""
    usual = float(np.median(values[values > _LIT * bright]))
    if usual > _MOST_SUV:
        return f"half of the tissue would have an SUV above {usual:.3g}, which cannot be"
    if float(values.max()) < _LEAST_SUV:
        return f"no voxel would have an SUV above {float(values.max()):.2g}, which cannot be"
    if uptake.grams:
        held = float(values.mean()) * data.size * voxel_ml / uptake.grams
        if held > _MOST_HELD:
            return f"the image would hold {held:.3g} times the dose that was given"
    return ""


def _from_activity(frames: Sequence[Frame], to_activity: float, series: str) -> Uptake:
    """SUV of values that are ``to_activity`` Bq/ml each; that activity where it cannot be told."""
    try:
        found = _to_suv(frames)
    except ContentError as error:
        return replace(_unknown(str(error), "Bq/ml", series), factor=to_activity)
    clocks = tuple(
        Caveat(code="pet-clock", text=f"Time from injection: {doubt}.", where=series)
        for doubt in found.doubts
    )
    return Uptake(
        factor=to_activity * found.factor,
        unit=SUV_UNIT,
        caveats=(*_uncorrected(frames[0].header, series), *clocks),
        own=(to_activity, "Bq/ml"),
        grams=found.grams,
    )


def _uncorrected(header: Header, series: str) -> tuple[Caveat, ...]:
    """Notice values that were not corrected for attenuation, where the header lists corrections."""
    corrections = header.text("CorrectedImage").upper()
    if not corrections or "ATTN" in corrections.split("\\"):
        return ()
    text = "Not corrected for attenuation: uptake in the depth of the body is far too low."
    return (Caveat(code="not-attenuation-corrected", text=text, where=series),)


def _to_suv(frames: Sequence[Frame]) -> _ToSuv:
    """Grams a becquerel; :class:`ContentError` names what is missing or cannot be."""
    header = frames[0].header
    doses = {Dose.of(frame.header) for frame in frames}
    if len(doses) > 1:
        raise ContentError("weight, dose, half-life or decay correction differ by slice")
    dose = doses.pop()
    grams, becquerel = dose.grams, dose.given_bq
    corrected = header.text("CorrectedImage").upper().split("\\")
    if dose.correction in ("START", "ADMIN") and corrected != [""] and "DECY" not in corrected:
        raise ContentError(
            f"decay correction {dose.correction} is stated, and Corrected Image lists none"
        )
    if dose.correction == "ADMIN":
        return _ToSuv(factor=grams / becquerel, grams=grams)
    if dose.correction != "START":
        stated = dose.correction or "not stated"
        raise ContentError(f"decay correction {stated} is not START or ADMIN")
    half_life = dose.lasting_s
    elapsed = since_injection(frames, _one_agent(frames), half_life)
    decayed = math.pow(2.0, -elapsed.seconds / half_life)
    if decayed < _LEAST_LEFT:
        raise ContentError("nothing of the dose would be left; half-life or times cannot be")
    return _ToSuv(factor=grams / (becquerel * decayed), grams=grams, doubts=elapsed.doubts)


def _one_agent(frames: Sequence[Frame]) -> Header:
    """The tracer; :class:`ContentError` if slices tell its injection differently."""
    clocks = ("RadiopharmaceuticalStartDateTime", "RadiopharmaceuticalStartTime")
    agents = [agent_of(frame.header) for frame in frames]
    if len({tuple(agent.text(clock) for clock in clocks) for agent in agents}) > 1:
        raise ContentError("the time of injection differs by slice")
    return agents[0]


def _philips(frames: Sequence[Frame], series: str) -> Uptake:
    """Counts with Philips' private factor to SUV, or to Bq/ml and on from there."""
    told = {
        (
            private_number(frame.header, _PHILIPS_SUV),
            private_number(frame.header, _PHILIPS_ACTIVITY),
        )
        for frame in frames
    }
    if len(told) > 1:
        return _unknown("counts whose factors differ between slices", "1", series)
    to_suv, to_activity = told.pop()
    if to_suv > 0:
        return Uptake(factor=to_suv, unit=SUV_UNIT, caveats=_uncorrected(frames[0].header, series))
    if to_activity <= 0:
        return _unknown("counts without the scanner's factor", "1", series)
    return _from_activity(frames, to_activity, series)


def private_number(header: Header, tag: tuple[int, int]) -> float:
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
