"""Structured reports: measurements of lesions after DICOM's template TID 1500."""

from onkos.io.sr.reading import read
from onkos.io.sr.writing import write

__all__ = ["read", "write"]
