"""DICOM segmentations: outlines written from masks and read back, voxel for voxel."""

from onkos.io.seg.reading import read
from onkos.io.seg.writing import SegKind, segment_numbers, write

__all__ = ["SegKind", "read", "segment_numbers", "write"]
