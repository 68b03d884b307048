"""DICOM series built slice by slice with pydicom alone, in any geometry.

A phantom: noise, of no patient. Nothing here uses Onkos' own readers or writers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    generate_uid,
)

from onkos.core.geometry import Geometry

CLASSES = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "PT": PositronEmissionTomographyImageStorage,
}


def decimal(value: float) -> str:
    """Text for DICOM's DS, at most 16 characters."""
    return next(t for d in range(17, 0, -1) if len(t := f"{value:.{d}g}") <= 16)


def slices(
    geometry: Geometry,
    rng: np.random.Generator,
    *,
    modality: str = "CT",
    seed: str = "",
    **attributes: Any,
) -> list[Dataset]:
    """Slices of one series on a grid, in its order; keywords overrule what is told by default."""
    word = seed or str(rng.integers(1 << 62))
    uids = {name: generate_uid(entropy_srcs=[word, name]) for name in ("study", "series", "frame")}
    made = []
    for k in range(geometry.shape[2]):
        one = Dataset()
        one.SOPClassUID = CLASSES[modality]
        one.SOPInstanceUID = generate_uid(entropy_srcs=[word, str(k)])
        one.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        one.StudyDate, one.StudyTime, one.Modality = "20010203", "101500", modality
        one.SeriesDescription, one.QualityControlImage = "noise", "YES"
        one.PatientName, one.PatientID, one.PatientSex = "Phantom^Noise", "PHANTOM-1", "O"
        one.StudyInstanceUID, one.SeriesInstanceUID = uids["study"], uids["series"]
        one.FrameOfReferenceUID = uids["frame"]
        one.SeriesNumber, one.InstanceNumber, one.AcquisitionNumber = 7, k + 1, 1
        steps = geometry.spacing_mm
        one.SliceThickness = decimal(steps[2])
        one.SpacingBetweenSlices = decimal(steps[2])
        one.ImagePositionPatient = [decimal(x) for x in geometry.to_mm((0, 0, k))]
        one.ImageOrientationPatient = [decimal(x) for x in geometry.directions[:, :2].T.ravel()]
        one.PixelSpacing = [decimal(steps[1]), decimal(steps[0])]
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.Columns, one.Rows = geometry.shape[:2]
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
        if modality != "MR":
            one.RescaleSlope, one.RescaleIntercept = "1", "-1024" if modality == "CT" else "0"
        for keyword, value in attributes.items():
            setattr(one, keyword, value)
        one.PixelData = noise(one, rng)
        made.append(one)
    return made


def noise(one: Dataset, rng: np.random.Generator) -> bytes:
    """Stored values over the whole range that a slice's header allows."""
    low = -(1 << one.BitsStored - 1) if one.PixelRepresentation else 0
    stored = rng.integers(low, low + (1 << one.BitsStored), size=one.Rows * one.Columns)
    return stored.astype("<i2" if one.PixelRepresentation else "<u2").tobytes()


Drawn = tuple[int, str, Sequence[tuple[float, float]]]


def structures(
    images: Sequence[Dataset], regions: Sequence[tuple[int, str, Sequence[Drawn]]]
) -> Dataset:
    """Structure set; each region is a number, a name and contours (slice, type, pixel indices)."""
    first = images[0]
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    made.SOPInstanceUID = generate_uid(entropy_srcs=[first.SOPInstanceUID, "structures"])
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "StudyDate", "StudyTime"):
        setattr(made, keyword, getattr(first, keyword))
    made.Modality, made.StructureSetLabel = "RTSTRUCT", "A"
    made.SeriesInstanceUID = generate_uid(entropy_srcs=[first.SeriesInstanceUID, "structures"])
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = first.SeriesInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = first.FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    made.ReferencedFrameOfReferenceSequence = [frame]
    made.StructureSetROISequence, made.ROIContourSequence = [], []
    for number, name, drawn in regions:
        told, region = Dataset(), Dataset()
        told.ROINumber, told.ROIName, told.ROIGenerationAlgorithm = number, name, "MANUAL"
        told.ReferencedFrameOfReferenceUID = first.FrameOfReferenceUID
        region.ReferencedROINumber = number
        region.ContourSequence = [_contour(images[k], kind, points) for k, kind, points in drawn]
        made.StructureSetROISequence.append(told)
        made.ROIContourSequence.append(region)
    return made


def _contour(image: Dataset, kind: str, points: Sequence[tuple[float, float]]) -> Dataset:
    made, named = Dataset(), Dataset()
    named.ReferencedSOPClassUID = image.SOPClassUID
    named.ReferencedSOPInstanceUID = image.SOPInstanceUID
    made.ContourImageSequence = [named]
    made.ContourGeometricType, made.NumberOfContourPoints = kind, len(points)
    at = np.c_[np.array(points, dtype=float).reshape(-1, 2), np.ones(len(points))]
    made.ContourData = [f"{value:.4f}" for value in (at @ placed(image).T).ravel()]
    return made


def write(
    folder: Path, datasets: Sequence[Dataset], *, implicit: bool = False, prefix: str = ""
) -> list[Path]:
    """Write data sets under names that say nothing of their order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, one in enumerate(datasets):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = one.get("SOPClassUID", CTImageStorage)
        meta.MediaStorageSOPInstanceUID = one.get("SOPInstanceUID") or generate_uid()
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        word = f"{prefix}{number}{one.get('SOPInstanceUID', '')}"
        name = hashlib.sha256(word.encode()).hexdigest()[:12]
        file = FileDataset("", one, file_meta=meta, preamble=b"\0" * 128)
        file.save_as(folder / name, enforce_file_format=True)
        paths.append(folder / name)
    return paths


def placed(one: Dataset) -> np.ndarray:
    """(3, 3): one step along i, one along j, and the first voxel, in LPS mm."""
    cosines = np.array([float(x) for x in one.ImageOrientationPatient])
    down, along = (float(x) for x in one.PixelSpacing)
    corner = np.array([float(x) for x in one.ImagePositionPatient])
    return np.stack([cosines[:3] * along, cosines[3:] * down, corner], axis=1)


def real(one: Dataset) -> np.ndarray:
    """Real values of a slice, (columns, rows)."""
    kind = "<i2" if one.PixelRepresentation else "<u2"
    stored = np.frombuffer(one.PixelData, dtype=kind).reshape(one.Rows, one.Columns)
    slope, intercept = one.get("RescaleSlope", 1), one.get("RescaleIntercept", 0)
    return (stored.astype(np.float64) * float(slope) + float(intercept)).T
