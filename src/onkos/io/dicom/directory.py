"""The list of files on a medium: DICOMDIR."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onkos.core.errors import ContentError
from onkos.io.dicom.header import Header

_DIRECTORY = "1.2.840.10008.1.3.10"


def is_directory(header: Header) -> bool:
    """Whether a file is a DICOMDIR, whatever it is called."""
    return _DIRECTORY in (header.text("SOPClassUID"), header.storage_class)


def list_alone(header: Header, missing: int) -> ContentError:
    """Refusal of a DICOMDIR that stands without the files it lists."""
    return ContentError(
        f"{header.shown}: a DICOMDIR, which is a list of files, and no image; {missing} files that "
        "it lists are not beside it. Copy the whole medium and give its folder"
    )


def listed(header: Header) -> Iterator[Path]:
    """Files a DICOMDIR lists."""
    for record in header.items("DirectoryRecordSequence"):
        names = record.text("ReferencedFileID")
        if names:
            yield header.path.parent.joinpath(*names.split("\\"))
