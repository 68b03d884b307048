"""Pictures in DICOM: mammograms, radiographs, ultrasound, captures. Mostly of unsure scale."""

from __future__ import annotations

import numpy as np

from onkos.core.geometry import AnyArray, Geometry
from onkos.core.source import Caveat, Instance, Source
from onkos.core.volume import Volume
from onkos.io.dicom.header import Header
from onkos.io.dicom.pixels import picture_of, stored_type

_CENTIMETRES = 3
_TISSUE_2D = 1
_ROUNDING = 0.01  # of scaled values, to single precision
_SAME_SIZE = 1e-4
_PROJECTIONS = ("CR", "DX", "MG", "XA", "RF", "RG", "IO", "PX", "XR", "DR", "PR", "RTIMAGE")

Spacing = tuple[float, ...] | None


def picture_volume(header: Header, series: str, source: Source) -> Volume:
    """Turn one picture into a Volume on a 2-D grid, with what is doubtful about it.

    The pixel size is taken, in this order, from a calibrated ultrasound region, Pixel Spacing,
    Imager Pixel Spacing (at the detector: divided by the magnification where it is known) and
    Nominal Scanned Pixel Spacing; without any it stays unknown and millimetres are refused.
    """
    data, table = picture_of(header)
    data, inverted = _upright_greys(data, header, series)
    spacing, scale = _spacing(header, series)
    tabled = (table_caveat(table, series),) if table else ()
    return Volume(
        data=data,
        geometry=Geometry.picture(data.shape[:2], spacing_mm=spacing),
        modality=header.text("Modality").upper() or "OT",
        unit="rgb" if data.ndim == 3 else "1",
        source=Source(
            study_uid=source.study_uid,
            series_uid=source.series_uid,
            frame_of_reference_uid=source.frame_of_reference_uid,
            instances=(
                Instance(uid=header.text("SOPInstanceUID"), class_uid=header.text("SOPClassUID")),
            ),
            description=source.description,
            series_number=source.series_number,
        ),
        caveats=(*tabled, *inverted, *scale),
    )


def table_caveat(kind: str, series: str) -> Caveat:
    """Tell which table made the values of an image, or that a palette was filled oddly."""
    if kind == "low":
        text = (
            "The palette of 16 bits is filled in the low byte only, as some exporters do; its "
            "colours are taken from there."
        )
        return Caveat(code="palette-low-byte", text=text, where=series)
    meant = ", thousandths of optical density" if kind == "OD" else ""
    text = f"Values come from a table in the file (Modality LUT {kind}{meant})."
    return Caveat(code="modality-lut", text=text, where=series)


def _upright_greys(
    data: AnyArray, header: Header, series: str
) -> tuple[AnyArray, tuple[Caveat, ...]]:
    """Make bright mean dense: MONOCHROME1 stores it the other way round.

    Values are turned about the middle of what the stored bits can hold, so that pictures of one
    device stay comparable; as GDCM does.
    """
    if data.ndim == 3 or header.text("PhotometricInterpretation") != "MONOCHROME1":
        return data, ()
    text = "Stored with inverted greys (MONOCHROME1); turned so that bright is dense."
    caveats = (Caveat(code="inverted-greys", text=text, where=series),)
    ends = (float(data.min()), float(data.max()))
    stated = _limits(header)
    if stated and stated[0] <= ends[0] + _ROUNDING and ends[1] <= stated[1] + _ROUNDING:
        ends = stated
    if data.dtype.kind == "f":
        return np.float32(sum(ends)) - data, caveats
    turned: AnyArray = int(sum(ends)) - data.astype(np.int64)
    return turned.astype(data.dtype), caveats


def _limits(header: Header) -> tuple[float, float] | None:
    """Least and greatest value, scaled, that a grey picture's bits can hold; None if real."""
    kind = stored_type(header)
    if kind.kind == "f" or header.get("ModalityLUTSequence") is not None:
        return None
    bits = int(header.number("BitsStored") or 8 * kind.itemsize)
    low = -(1 << bits - 1) if kind.kind == "i" else 0
    slope, intercept = header.number("RescaleSlope") or 1.0, header.number("RescaleIntercept") or 0
    ends = (low * slope + intercept, (low + (1 << bits) - 1) * slope + intercept)
    return min(ends), max(ends)


def _spacing(header: Header, series: str) -> tuple[Spacing, tuple[Caveat, ...]]:
    """Pixel size along (i, j) in mm, or None, and what to know about it."""
    region, why_not = _ultrasound(header)
    if region is not None:
        return region, ()
    if why_not:
        text = f"The pixel size is not one: {why_not}. Nothing can be measured in millimetres."
        return None, (Caveat(code="pixel-size-unknown", text=text, where=series),)
    exact = header.numbers("PixelSpacing", 2)
    detector = header.numbers("ImagerPixelSpacing", 2)
    if exact and min(exact) > 0:
        return (exact[1], exact[0]), _calibration(header, exact, detector, series)
    if detector and min(detector) > 0:
        factor = header.number("EstimatedRadiographicMagnificationFactor")
        if factor and factor > 0:
            text = (
                f"Lengths are those at the detector divided by the stated magnification "
                f"{factor:g}; they hold at one depth only."
            )
        else:
            factor = 1.0
            text = "Lengths are those at the detector; in the patient things are smaller."
        caveat = Caveat(code="projected-size", text=text, where=series)
        return (detector[1] / factor, detector[0] / factor), (caveat,)
    scanned = header.numbers("NominalScannedPixelSpacing", 2)
    if scanned and min(scanned) > 0:
        text = "Lengths are those on the scanned film, not in the patient."
        return (scanned[1], scanned[0]), (Caveat(code="film-size", text=text, where=series),)
    ratio = header.numbers("PixelAspectRatio", 2)
    if ratio and min(ratio) > 0 and ratio[0] != ratio[1]:
        text = (
            f"Pixels are not square (Pixel Aspect Ratio {ratio[0]:g} to {ratio[1]:g}) and their "
            "size is not stated: shapes and areas in pixels do not hold."
        )
        return None, (Caveat(code="pixel-aspect", text=text, where=series),)
    text = "The pixel size is not stated: nothing can be measured in millimetres."
    return None, (Caveat(code="pixel-size-unknown", text=text, where=series),)


def _calibration(
    header: Header,
    exact: tuple[float, ...],
    detector: tuple[float, ...] | None,
    series: str,
) -> tuple[Caveat, ...]:
    """Tell what a projection's Pixel Spacing was calibrated to, if to anything."""
    if header.text("Modality").upper() not in _PROJECTIONS:
        return ()
    kind = header.text("PixelSpacingCalibrationType").upper()
    if detector is not None and not np.allclose(detector, exact, rtol=_SAME_SIZE):
        text = (
            f"PixelSpacing {exact[0]:g} mm differs from {detector[0]:g} mm at the detector "
            f"(calibration: {kind or 'not stated'}); PixelSpacing is used."
        )
        return (Caveat(code="spacing-contradiction", text=text, where=series),)
    if kind:
        text = (
            f"Lengths are calibrated ({kind}): they hold at the depth of what was measured for it."
        )
    elif detector is not None:
        text = "Lengths are those at the detector; in the patient things are smaller."
    else:
        text = (
            "PixelSpacing of a projection without a calibration: lengths may be those at the "
            "detector, and in the patient things are smaller."
        )
    return (Caveat(code="projected-size", text=text, where=series),)


def _ultrasound(header: Header) -> tuple[Spacing, str]:
    """Pixel size of the tissue regions where all agree on one; else why they do not."""
    found: set[Spacing] = set()
    for region in header.items("SequenceOfUltrasoundRegions"):
        if region.number("RegionSpatialFormat") != _TISSUE_2D:
            continue
        units = [region.number(f"PhysicalUnits{axis}Direction") for axis in "XY"]
        steps = [abs(region.number(f"PhysicalDelta{axis}") or 0.0) * 10 for axis in "XY"]
        calibrated = units == [_CENTIMETRES] * 2 and min(steps) > 0
        found.add(tuple(round(step, 6) for step in steps) if calibrated else None)
    if len(found) > 1:
        return None, "the regions of the picture have different scales, or some none"
    return (found.pop() if found else None), ""
