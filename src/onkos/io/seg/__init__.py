"""DICOM segmentations read back, voxel for voxel; written by :mod:`onkos.io.export.seg`."""

from onkos.io.seg.reading import read

__all__ = ["read"]
