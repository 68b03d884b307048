"""Pictures in DICOM: mammograms, radiographs, ultrasound, captures. Mostly of unsure scale."""

from __future__ import annotations

from onkos.core.geometry import AnyArray, Geometry
from onkos.core.source import Caveat, Instance, Source
from onkos.core.volume import Volume
from onkos.io.dicom.header import Header
from onkos.io.dicom.pixels import picture_of

_CENTIMETRES = 3
_TISSUE_2D = 1

Spacing = tuple[float, float] | None


def picture_volume(header: Header, series: str, source: Source) -> Volume:
    """Turn one picture into a Volume on a 2-D grid, with what is doubtful about it.

    The pixel size is taken, in this order, from a calibrated ultrasound region, Pixel Spacing,
    Imager Pixel Spacing (at the detector: divided by the magnification where it is known) and
    Nominal Scanned Pixel Spacing; without any it stays unknown and millimetres are refused.
    """
    data = picture_of(header)
    data, inverted = _upright_greys(data, header, series)
    spacing, scale = _spacing(header, series)
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
        caveats=(*inverted, *scale, *_laterality(header, series)),
    )


def _upright_greys(
    data: AnyArray, header: Header, series: str
) -> tuple[AnyArray, tuple[Caveat, ...]]:
    """Make bright mean dense: MONOCHROME1 stores it the other way round."""
    if data.ndim == 3 or header.text("PhotometricInterpretation") != "MONOCHROME1":
        return data, ()
    text = "Stored with inverted greys (MONOCHROME1); turned so that bright is dense."
    turned: AnyArray = (int(data.max()) + int(data.min())) - data.astype("int32")
    return turned.astype(data.dtype), (Caveat(code="inverted-greys", text=text, where=series),)


def _spacing(header: Header, series: str) -> tuple[Spacing, tuple[Caveat, ...]]:
    """Pixel size along (i, j) in mm, or None, and what to know about it."""
    region = _ultrasound(header)
    if region is not None:
        return region, ()
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
    text = "The pixel size is not stated: nothing can be measured in millimetres."
    return None, (Caveat(code="pixel-size-unknown", text=text, where=series),)


def _calibration(
    header: Header,
    exact: tuple[float, ...],
    detector: tuple[float, ...] | None,
    series: str,
) -> tuple[Caveat, ...]:
    """Tell what a projection's Pixel Spacing was calibrated to."""
    kind = header.text("PixelSpacingCalibrationType")
    if detector is None or detector == exact:
        return ()
    text = (
        f"PixelSpacing {exact[0]:g} mm differs from {detector[0]:g} mm at the detector "
        f"(calibration: {kind or 'not stated'}); PixelSpacing is used."
    )
    return (Caveat(code="spacing-contradiction", text=text, where=series),)


def _ultrasound(header: Header) -> Spacing:
    """Pixel size of the tissue regions of an ultrasound picture, where all agree on one."""
    found = set()
    for region in header.get("SequenceOfUltrasoundRegions") or ():
        if region.get("RegionSpatialFormat") != _TISSUE_2D:
            continue
        units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
        steps = (region.get("PhysicalDeltaX"), region.get("PhysicalDeltaY"))
        if units != (_CENTIMETRES, _CENTIMETRES) or not all(steps):
            return None
        found.add((round(abs(float(steps[0])) * 10, 6), round(abs(float(steps[1])) * 10, 6)))
    return found.pop() if len(found) == 1 else None


def _laterality(header: Header, series: str) -> tuple[Caveat, ...]:
    """Notice a side that contradicts itself."""
    sides = {header.text(name) for name in ("ImageLaterality", "Laterality", "FrameLaterality")}
    sides &= {"L", "R"}
    if len(sides) < 2:
        return ()
    text = "The header says both left and right; check the side on the picture."
    return (Caveat(code="laterality-contradiction", text=text, where=series),)
