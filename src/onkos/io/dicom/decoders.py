"""Which compressed pixels this installation can decode."""

from __future__ import annotations

from pydicom.pixels import get_decoder
from pydicom.uid import (
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

_SYNTAXES = {
    "RLE": RLELossless,
    "JPEG": JPEGBaseline8Bit,
    "JPEG lossless": JPEGLosslessSV1,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
    "HTJ2K": HTJ2KLossless,
}


def decodable_syntaxes() -> list[tuple[str, bool, str]]:
    """Name, whether it can be decoded, and the remedy if not."""
    return [
        (name, bool(get_decoder(syntax).is_available), "pip install 'pylibjpeg[all]' python-gdcm")
        for name, syntax in _SYNTAXES.items()
    ]
