"""Files that Onkos does not read, called by what they are."""

from __future__ import annotations

from pathlib import Path

from onkos.core.errors import ContentError

_LONGEST_START = 512
_ZIPPED = "unpack it and give what is in it"
_RENAMED = "give its name that ending"

#: How files begin, what they are then, and what to do.
_STARTS = (
    (b"\x1f\x8b", "packed with gzip", f"{_ZIPPED}, or call it .nii.gz or .tar.gz if it is one"),
    (b"PK\x03\x04", "a zip archive", "give its name the ending .zip"),
    (b"BZh", "packed with bzip2", _ZIPPED),
    (b"\xfd7zXZ", "packed with xz", _ZIPPED),
    (b"7z\xbc\xaf", "a 7z archive", _ZIPPED),
    (b"Rar!", "a RAR archive", _ZIPPED),
    (b"%PDF", "a PDF", "give the images themselves"),
    (b"\x89PNG", "a PNG picture", f"{_RENAMED} .png"),
    (b"\xff\xd8\xff", "a JPEG picture", f"{_RENAMED} .jpg"),
    (b"II*\0", "a TIFF picture", f"{_RENAMED} .tif"),
    (b"MM\0*", "a TIFF picture", f"{_RENAMED} .tif"),
    (b"NRRD", "an NRRD image", f"{_RENAMED} .nrrd"),
    (b"\x89HDF", "an HDF5 file (as MINC 2 is)", "convert it to NIfTI"),
    (b"ObjectType", "a MetaImage", "convert it to NIfTI or NRRD"),
    (b"<!DOCTYPE", "a web page", "copy the file itself or export it again"),
    (b"<html", "a web page", "copy the file itself or export it again"),
    (b"<?xml", "XML", "give the images themselves"),
)
_NIFTI_AT, _NIFTI = 344, (b"n+1\0", b"ni1\0")


def unknown(path: Path, shown: str) -> ContentError:
    """Say what a file is that is no DICOM and has no ending Onkos knows."""
    with path.open("rb") as file:
        start = file.read(_LONGEST_START)
    for begins, what, remedy in _STARTS:
        if start.lower().startswith(begins.lower()):
            return ContentError(f"{shown}: {what}, and no DICOM; {remedy}")
    if start[_NIFTI_AT : _NIFTI_AT + 4] in _NIFTI:
        return ContentError(f"{shown}: a NIfTI image, and no DICOM; {_RENAMED} .nii")
    return ContentError(
        f"{shown}: no DICOM (it begins with no DICOM element), and its ending is that of no other "
        "image Onkos reads. If it should be DICOM it is damaged: copy it or export it again"
    )
