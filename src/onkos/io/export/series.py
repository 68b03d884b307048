"""Images out as classic DICOM series: one file a slice, every geometry tag told truly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import Geometry
from onkos.core.source import PHANTOM, Instance, Source
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.io.whole import written_whole

_CLASSES: Final = {"MR": MRImageStorage, "CT": CTImageStorage}
_MANUFACTURER: Final = "Onkos"
_MR_LEVELS: Final = 4095  # 12 bits, as MR scanners store
_MIDNIGHT: Final = "000000"
_NO_DETAILS: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class MRAcquisition:
    """How an MR image was made: what its signal follows from and its header tells.

    Parameters
    ----------
    sequence
        Scanning sequence as DICOM writes it: ``SE`` spin echo or ``IR`` inversion recovery.
    repetition_ms, echo_ms, inversion_ms
        TR, TE, and TI of an inversion recovery.
    field_t
        Magnetic field strength in tesla.
    contrast_agent
        Name of the agent given before; empty for none.
    description
        Series description.
    body_part
        Body part examined, in DICOM's terms.
    """

    sequence: str
    repetition_ms: float
    echo_ms: float
    inversion_ms: float | None = None
    field_t: float
    contrast_agent: str = ""
    description: str = ""
    body_part: str = ""

    @property
    def attributes(self) -> dict[str, Any]:
        """The same as DICOM keywords."""
        found: dict[str, Any] = {
            "ScanningSequence": self.sequence,
            "SequenceVariant": "NONE",
            "ScanOptions": "",
            "MRAcquisitionType": "2D",
            "RepetitionTime": _decimal(self.repetition_ms),
            "EchoTime": _decimal(self.echo_ms),
            "EchoTrainLength": 1,
            "MagneticFieldStrength": _decimal(self.field_t),
            "FlipAngle": 90,
            "SeriesDescription": self.description,
        }
        if self.body_part:
            found["BodyPartExamined"] = self.body_part
        if self.inversion_ms is not None:
            found["InversionTime"] = _decimal(self.inversion_ms)
        if self.contrast_agent:
            found["ContrastBolusAgent"] = self.contrast_agent
        return found


def stable_uid(*words: str) -> str:
    """Return the UID that belongs to these words: the same words give the same UID anywhere."""
    return str(generate_uid(entropy_srcs=["onkos", *words]))


def write_study(
    folder: Path, study: Study, *, attributes: Mapping[str, Mapping[str, Any]] = _NO_DETAILS
) -> Study:
    """Write every image of a study as a DICOM series in a folder named by its role.

    Parameters
    ----------
    folder
        Where to write; created if need be.
    study
        What to write.
    attributes
        Role to DICOM keywords of how it was acquired, e.g. ``MRAcquisition.attributes``.

    Returns
    -------
    Study
        The study with its UID, its images carrying the series they were written as. Values are
        those given, not the rounded ones of the files.

    Raises
    ------
    ContentError, GeometryError
        As :func:`write_series`.
    """
    unknown = sorted(set(attributes) - set(study.volumes))
    if unknown:
        raise ContentError(
            f"attributes for the roles {unknown}; the study has {sorted(study.volumes)}"
        )
    study = replace(study, uid=_study_uid(study))
    written = {}
    for number, (role, volume) in enumerate(study.volumes.items(), start=1):
        described = {"SeriesDescription": role, **attributes.get(role, {}), "SeriesNumber": number}
        source = write_series(folder / role, volume=volume, study=study, attributes=described)
        written[role] = replace(volume, source=source)
    return replace(study, volumes=written)


def write_series(
    folder: Path, *, volume: Volume, study: Study, attributes: Mapping[str, Any]
) -> Source:
    """Write one image as a classic DICOM series, a file a slice along array axis k.

    Parameters
    ----------
    folder
        Where to write; created if need be, and each file is written whole or not at all.
    volume
        MR or CT with grey values. Hounsfield units are stored rounded; whole MR values from 0 to
        4095 as they are, others scaled to that range with the rescale slope that undoes it.
    study
        Whose image it is. All series of a study share the frame of reference.
    attributes
        Further DICOM keywords with their values; they overrule what is written by default.

    Returns
    -------
    Source
        The series as written, instances in the order of array axis k. UIDs follow from the
        study's UID and the series' number and description, so the same study written again is
        the same.

    Raises
    ------
    GeometryError
        If the grid is no volume or is sheared: single images cannot say where such slices lie
        to readers that take them for a block.
    ContentError
        If the modality has no writer, the values are in colour, or one of them is not finite.
    """
    _require_writable(volume)
    study_uid = _study_uid(study)
    number, description = attributes.get("SeriesNumber", 1), attributes.get("SeriesDescription", "")
    series_uid = stable_uid(study_uid, "series", str(number), str(description))
    source = Source(
        study_uid=study_uid,
        series_uid=series_uid,
        frame_of_reference_uid=stable_uid(study_uid, "frame of reference"),
        instances=tuple(
            Instance(uid=stable_uid(series_uid, str(k)), class_uid=str(_CLASSES[volume.modality]))
            for k in range(volume.geometry.shape[2])
        ),
        description=str(description),
        series_number=int(number),
    )
    common = _common(volume, study, source)
    common.update(_dataset(attributes))
    if "BodyPartExamined" not in common:
        common.Laterality = ""  # the body part is unknown, and so is whether it has a side
    stored, rescale = _stored(volume)
    common.update(_dataset(rescale))
    for k in range(volume.geometry.shape[2]):
        image = _slice(common, volume.geometry, source.instances[k], k)
        pixels = np.ascontiguousarray(stored[:, :, k].T).astype(stored.dtype.newbyteorder("<"))
        image.PixelData = pixels.tobytes()
        with written_whole(folder / f"{k + 1:04d}.dcm") as temporary:
            image.save_as(temporary, enforce_file_format=True)
    return source


def _require_writable(volume: Volume) -> None:
    if volume.geometry.ndim != 3:
        raise GeometryError("a plain picture is no series of slices; expected a volume")
    if volume.geometry.is_sheared:
        raise GeometryError(
            f"{volume.geometry}: the axes are not at right angles, expected an upright grid; "
            "resample the image onto one, with .on(geometry), before writing it"
        )
    if volume.modality not in _CLASSES or volume.channels > 1:
        raise ContentError(
            f"{volume.modality} image with {volume.channels} channel(s): expected grey values "
            f"of one of {sorted(_CLASSES)}; others cannot be written as a series"
        )
    if not np.isfinite(volume.data).all():
        raise ContentError(
            f"{volume.modality} image: some values are not finite, and DICOM stores integers; "
            "replace them first, e.g. .on(geometry, outside=0)"
        )


def _study_uid(study: Study) -> str:
    day = "" if study.date is None else study.date.isoformat()
    return study.uid or stable_uid("study", study.patient.id, day, study.time, study.description)


def _common(volume: Volume, study: Study, source: Source) -> Dataset:
    """Everything that all slices of the series share."""
    day = "" if study.date is None else study.date.strftime("%Y%m%d")
    simulated = any(caveat.code == PHANTOM.code for caveat in study.all_caveats)
    geometry = volume.geometry
    common = _dataset(
        {
            "SOPClassUID": _CLASSES[volume.modality],
            "PatientID": study.patient.id,
            "PatientName": study.patient.name,
            "PatientSex": study.patient.sex,
            "PatientBirthDate": study.patient.birth_date,
            "StudyInstanceUID": source.study_uid,
            "StudyID": "1",
            "StudyDate": day,
            "StudyTime": study.time or (_MIDNIGHT if day else ""),
            "StudyDescription": study.description,
            "AccessionNumber": study.accession,
            "ReferringPhysicianName": "",
            "SeriesInstanceUID": source.series_uid,
            "SeriesNumber": source.series_number,
            "Modality": volume.modality,
            "SeriesDescription": source.description,
            "PatientPosition": "HFS",
            "Manufacturer": _MANUFACTURER,
            "ManufacturerModelName": "phantom" if simulated else "image writer",
            "FrameOfReferenceUID": source.frame_of_reference_uid,
            "PositionReferenceIndicator": "",
            "AcquisitionNumber": 1,
            "ImageType": ["DERIVED" if simulated else "ORIGINAL", "PRIMARY", *_kind(volume)],
            "ImageComments": "phantom: simulated image" if simulated else "",
            "QualityControlImage": "YES" if simulated else "NO",  # YES: a phantom, to DICOM
            "Rows": geometry.shape[1],
            "Columns": geometry.shape[0],
            "PixelSpacing": [_decimal(geometry.spacing_mm[1]), _decimal(geometry.spacing_mm[0])],
            "SliceThickness": _decimal(geometry.spacing_mm[2]),
            "ImageOrientationPatient": [
                _decimal(part) for part in geometry.directions[:, :2].T.ravel()
            ],
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 16,
        }
    )
    common.update(_dataset(_by_modality(volume)))
    return common


def _kind(volume: Volume) -> list[str]:
    return ["AXIAL"] if volume.modality == "CT" else ["OTHER"]


def _by_modality(volume: Volume) -> dict[str, Any]:
    if volume.modality == "CT":
        return {"KVP": ""}
    return {
        "SpacingBetweenSlices": _decimal(volume.geometry.spacing_mm[2]),
        "ScanningSequence": "RM",
        "SequenceVariant": "NONE",
        "ScanOptions": "",
        "MRAcquisitionType": "2D",
        "EchoTime": "",
        "EchoTrainLength": "",
    }


def _stored(volume: Volume) -> tuple[NDArray[Any], dict[str, Any]]:
    """Integers to store, and the attributes that turn them back into the values."""
    data = volume.data
    if volume.modality == "CT":
        stored = np.rint(np.clip(data, -32768, 32767)).astype(np.int16)
        return stored, _encoding(bits=16, signed=True, slope=1.0, intercept=0.0, unit="HU")
    low, high = float(data.min()), float(data.max())
    if low >= 0 and high <= _MR_LEVELS and np.array_equal(data, np.rint(data)):
        return data.astype(np.uint16), _encoding(bits=12, slope=1.0, intercept=0.0)
    slope = float(_decimal((high - low) / _MR_LEVELS)) if high > low else 1.0
    intercept = float(_decimal(low))
    stored = np.clip(np.rint((data - intercept) / slope), 0, _MR_LEVELS).astype(np.uint16)
    return stored, _encoding(bits=12, slope=slope, intercept=intercept)


def _encoding(
    *, bits: int, slope: float, intercept: float, signed: bool = False, unit: str = "US"
) -> dict[str, Any]:
    encoding: dict[str, Any] = {
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(signed),
    }
    if unit == "HU" or (slope, intercept) != (1.0, 0.0):
        encoding |= {
            "RescaleSlope": _decimal(slope),
            "RescaleIntercept": _decimal(intercept),
            "RescaleType": unit,
        }
    return encoding


def _slice(common: Dataset, geometry: Geometry, instance: Instance, k: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(instance.class_uid)
    meta.MediaStorageSOPInstanceUID = UID(instance.uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset("", Dataset(common), file_meta=meta, preamble=b"\0" * 128)
    corner = geometry.to_mm((0, 0, k))
    normal = np.cross(geometry.directions[:, 0], geometry.directions[:, 1])
    image.SOPInstanceUID = instance.uid
    image.InstanceNumber = k + 1
    image.ImagePositionPatient = [_decimal(part) for part in corner]
    image.SliceLocation = _decimal(float(corner @ normal))
    return image


def _dataset(attributes: Mapping[str, Any]) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def _decimal(value: float) -> str:
    """Shortest text of at most 16 characters, which is all that DICOM's DS may hold."""
    for digits in range(17, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    raise ContentError(f"{value} cannot be written as a DICOM decimal string")
