"""What leaves as DICOM: segmentations, structure sets, structured reports, image series."""

from onkos.io.export import rtstruct, seg, series, sr

__all__ = ["rtstruct", "seg", "series", "sr"]
