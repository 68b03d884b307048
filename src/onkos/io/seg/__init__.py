"""DICOM segmentations: outlines written from masks and read back, voxel for voxel."""

from onkos.io.seg.reading import read
from onkos.io.seg.writing import SegKind, write

__all__ = ["SegKind", "read", "write"]
