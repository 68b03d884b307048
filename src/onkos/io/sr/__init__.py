"""Structured reports of DICOM's TID 1500 read back; written by :mod:`onkos.io.export.sr`."""

from onkos.io.sr.reading import read

__all__ = ["read"]
