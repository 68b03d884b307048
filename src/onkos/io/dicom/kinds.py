"""What kind of image a series holds, where that changes what its values and places mean."""

from __future__ import annotations

from collections.abc import Sequence

from onkos.core.source import PHANTOM, Caveat
from onkos.io.damage import short
from onkos.io.dicom.frames import is_placed
from onkos.io.dicom.header import PARSING, Header
from onkos.io.dicom.suv import private_number
from onkos.io.looked_at import caveats_by_rule

_CAPTURES = "1.2.840.10008.5.1.4.1.1.7"
_LOSSY = (
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
)
_SIDES = ("Laterality", "ImageLaterality", "FrameLaterality")
_PHILIPS_SLOPE = (0x2005, 0x100E)
_OVERLAYS = range(0x6000, 0x6020, 2)
_RAYS = ("MIP", "MAX_IP", "MINIP", "MIN_IP", "MIN IP", "PROJECTION IMAGE", "CSA MIP", "VRT", "SSD")
_REFORMATTED = ("MPR", "CSA MPR", "REFORMATTED", "CURVED", "OBLIQUE REFORMAT")
_MEASURED = ("ADC", "DIFFUSION", "TRACEW", "LOCALIZER", "MOSAIC")  # maps and views told otherwise
_COMPLEX = {"P": "phase", "PHASE": "phase", "PHASE MAP": "phase", "VELOCITY MAP": "velocity"}
_COMPLEX |= {"R": "real part", "REAL": "real part", "I": "imaginary part"}
_COMPLEX |= {"IMAGINARY": "imaginary part"}


def caveats_of(headers: Sequence[Header], series: str) -> tuple[Caveat, ...]:
    """Caveats that hold for a series as soon as one of its images gives cause."""
    found = [PHANTOM] if _told(headers, "QualityControlImage") & {"YES", "BOTH"} else []
    texts = {
        **_compression(headers),
        **_greys(headers),
        **_vendor(headers),
        **_sides(headers),
    }
    if "YES" in _told(headers, "BurnedInAnnotation"):
        texts["burned-in-text"] = "Text is burned into the image, perhaps with the patient's name."
    if "" in _told(headers, "SOPInstanceUID"):
        texts["no-instance-uid"] = (
            "Images without SOP Instance UID: what is written about them cannot refer to them."
        )
    found += [Caveat(code=code, text=text, where=series) for code, text in texts.items()]
    return (*found, *_by_rule(headers, series, set(texts)))


def caveats_of_making(headers: Sequence[Header], series: str) -> tuple[Caveat, ...]:
    """Caveats on one image of a series for what it is: a capture, computed, no magnitude."""
    simulated = bool(_told(headers, "QualityControlImage") & {"YES", "BOTH"})
    texts = {**_captured(headers), **_computed(headers, simulated=simulated), **_complex(headers)}
    return tuple(Caveat(code=code, text=text, where=series) for code, text in texts.items())


def _told(headers: Sequence[Header], keyword: str) -> set[str]:
    return {header.text(keyword).upper() for header in headers}


def _by_rule(headers: Sequence[Header], series: str, known: set[str]) -> tuple[Caveat, ...]:
    """Caveats of the list's own rules, each once."""
    made: dict[str, Caveat] = {}
    for header in headers:
        placed = is_placed(header)
        for one in caveats_by_rule("dicom", header.text, placed=placed, where=series):
            made.setdefault(one.code, one)
    return tuple(one for code, one in made.items() if code not in known)


def _compression(headers: Sequence[Header]) -> dict[str, str]:
    syntaxes = {header.syntax for header in headers}
    if "01" not in _told(headers, "LossyImageCompression") and not syntaxes & set(_LOSSY):
        return {}
    return {"lossy": "The images were compressed with loss; fine texture is not to be trusted."}


def _greys(headers: Sequence[Header]) -> dict[str, str]:
    """Inverted greys, and overlays."""
    told = {}
    photometric = _told(headers, "PhotometricInterpretation")
    if is_placed(headers[0]) and "MONOCHROME1" in photometric:
        told["inverted-greys"] = (
            "Marked for display with inverted greys (MONOCHROME1); values are as measured."
        )
    shapes = _told(headers, "PresentationLUTShape") - {""}
    usual = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}
    expected = {usual[one] for one in photometric if one in usual}
    if expected and shapes & set(usual.values()) and not shapes & expected:
        told["greys-contradiction"] = (
            f"{' and '.join(sorted(photometric))} and Presentation LUT Shape "
            f"{' and '.join(sorted(shapes))} contradict each other: whether bright is dense is not "
            "certain."
        )
    for header in headers:
        told.update(_overlay(header))
    return told


def _overlay(header: Header) -> dict[str, str]:
    """Graphics beside the pixels, or in bits of the values."""
    stored, present = header.number("BitsStored") or 0, header.attributes.keys()
    for group in _OVERLAYS:
        if group << 16 | 0x3000 in present:
            return {"overlay": "Graphics lie over the image (overlay); they are not shown."}
        if group << 16 | 0x0010 not in present:
            continue
        try:
            bit = int(header.attributes[group, 0x0102].value)
        except PARSING:
            continue
        if 0 < bit < stored:
            text = f"Graphics lie in bit {bit} of the values (overlay); values may be off by it."
            return {"overlay-in-values": text}
    return {}


def _is_capture(headers: Sequence[Header]) -> bool:
    return any(header.text("SOPClassUID").startswith(_CAPTURES) for header in headers)


def _captured(headers: Sequence[Header]) -> dict[str, str]:
    conversion = sorted(_told(headers, "ConversionType") - {""})
    if not _is_capture(headers) and not conversion:
        return {}
    kind = f" ({', '.join(conversion)})" if conversion else ""
    return {
        "secondary-capture": f"A secondary capture{kind}: its values may be a rendering, not what "
        "was measured."
    }


def _computed(headers: Sequence[Header], *, simulated: bool) -> dict[str, str]:
    """Projections, reformatted and otherwise computed images."""
    kinds = [header.text("ImageType").upper().split("\\") for header in headers]
    named = {part for kind in kinds for part in kind[2:]}
    if rays := sorted(named & set(_RAYS)):
        return {
            "projection-image": f"Values are taken along rays ({', '.join(rays)}), so what is seen "
            "has no depth: volumes and densities of it are not those of tissue."
        }
    if shown := sorted(named & set(_REFORMATTED)):
        return {
            "reformatted": f"Reformatted from another series ({', '.join(shown)}): values are "
            "interpolated."
        }
    told_otherwise = simulated or named & set(_MEASURED) or _is_capture(headers)
    if "DERIVED" not in {kind[0] for kind in kinds} or told_otherwise:
        return {}
    what = short(headers[0].text("DerivationDescription") or "\\".join(kinds[0]))
    return {"derived-image": f"Computed from other images ({what}), not as measured."}


def _complex(headers: Sequence[Header]) -> dict[str, str]:
    """Phase, real and imaginary images of MR."""
    parts = _told(headers, "ComplexImageComponent")
    if _told(headers, "Modality") == {"MR"}:
        kinds = [header.text("ImageType").upper().split("\\") for header in headers]
        parts |= {kind[2] for kind in kinds if len(kind) > 2}
    found = sorted({_COMPLEX[part] for part in parts if part in _COMPLEX})
    if not found:
        return {}
    return {"not-magnitude": f"Values are no magnitude but {' and '.join(found)} of the MR signal."}


def _vendor(headers: Sequence[Header]) -> dict[str, str]:
    """Philips' private scale of MR, which is not applied."""
    if _told(headers, "Modality") != {"MR"} or "PHILIPS" not in str(_told(headers, "Manufacturer")):
        return {}
    slopes = {private_number(header, _PHILIPS_SLOPE) for header in headers} - {0.0, 1.0}
    if not slopes:
        return {}
    return {
        "vendor-scale": "Values are on Philips' display scale (private scale slope not applied): "
        "those of two series cannot be compared."
    }


def _sides(headers: Sequence[Header]) -> dict[str, str]:
    sides = [{header.text(side) for side in _SIDES} for header in headers]
    if is_placed(headers[0]):
        sides = [set().union(*sides)]  # one volume has one side; pictures of a series may differ
    if not any({"L", "R"} <= here for here in sides):
        return {}
    text = "The header says both left and right; check the side on the picture."
    return {"laterality-contradiction": text}
