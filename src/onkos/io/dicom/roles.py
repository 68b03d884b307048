"""Which role an image plays, told from how it was made, never from a file's name."""

from __future__ import annotations

import re

from onkos.io.dicom.header import Header

_BY_MODALITY = {
    "CT": "ct",
    "PT": "pet",
    "MG": "mg",
    "US": "us",
    "DX": "dx",
    "CR": "dx",
    "NM": "nm",
    "XA": "xa",
}

#: From the most to the least telling; used for MR where the acquisition does not decide.
_MR_WORDS = (
    (r"\badc\b|apparent.diffusion", "adc"),
    (r"flair|dark.?fluid", "flair"),
    (r"dwi|diff|b[_ -]?(val|\d{3,4})|trace", "dwi"),
    (r"t1.*(gd|gad|post|contrast|\bce\b|\+c|c\+)|t1c|t1ce|t1gd|t1.?km", "t1c"),
    (r"t2", "t2"),
    (r"t1|mprage|spgr|bravo", "t1"),
    (r"perf|dce|dyn", "dce"),
)
_CONTRAST = (
    r"(?<![a-z])(gd|gado[a-z]*|ce|km|contrast|post(?!.?op))(?![a-z])"
    r"|\+ ?c(?![a-z])|(?<![a-z])c\+|t1(c|ce|gd|.?km)(?![a-z])"
)
_NATIVE = r"(?<![a-z])(pre|native?|non?|without|w/?o)(?![a-z])"


def role_of(header: Header) -> str:
    """Role of a series: ``ct``, ``pet``, ``t1``, ``t1c``, ``t2``, ``flair``, ``adc``, ``dwi``, ...

    A planning view (ImageType LOCALIZER) is a ``localizer`` and never stands for the images.
    For MR: ADC maps and diffusion by ImageType and b-value; inversion recovery with a long TI as
    FLAIR; T1 or T2 weighting by TE and TR (or flip angle for gradient echoes); T1 after a contrast
    agent as T1c. Only where these are missing does the series description decide.
    """
    if is_localizer(header):
        return "localizer"
    modality = header.text("Modality").upper()
    if modality != "MR":
        return _BY_MODALITY.get(modality, modality.lower() or "image")
    description = f"{header.text('SeriesDescription')} {header.text('ProtocolName')}".lower()
    kind = header.text("ImageType").upper()
    if "ADC" in kind or re.search(_MR_WORDS[0][0], description):
        return "adc"
    if "DIFFUSION" in kind or header.get("DiffusionBValue") is not None:
        return "dwi"
    return _by_contrast(header, description) or _by_words(description) or "mr"


def is_localizer(header: Header) -> bool:
    """Whether an image is a planning view: of CT a projection, of MR a few coarse slices."""
    return "LOCALIZER" in header.text("ImageType").upper().split("\\")


def _by_contrast(header: Header, description: str) -> str:
    """Role from echo, repetition and inversion time; empty where they do not decide."""
    echo, repetition = header.number("EchoTime"), header.number("RepetitionTime")
    inversion = header.number("InversionTime")
    sequence = header.text("ScanningSequence").upper()
    if re.search(r"\bdwi\b|diff|ep2d", description) and "EP" in sequence:
        return "dwi"
    if echo is None or repetition is None:
        return ""
    if inversion and inversion > 1500:
        return "flair"
    if echo >= 60 and repetition >= 1500:
        return "t2"
    short_gradient_echo = "GR" in sequence and repetition < 100
    if echo < 35 and (repetition < 1200 or short_gradient_echo or (inversion and inversion > 400)):
        return "t1c" if _contrast_given(header, description) else "t1"
    return ""


def _contrast_given(header: Header, description: str) -> bool:
    """Whether a contrast agent was in the patient, as the header or the description says."""
    if re.search(_NATIVE, description):
        return False
    agent = header.text("ContrastBolusAgent").lower()
    return agent not in ("", "none", "no", "n") or bool(re.search(_CONTRAST, description))


def _by_words(description: str) -> str:
    for pattern, role in _MR_WORDS:
        if re.search(pattern, description):
            return role
    return ""
