"""What every DICOM object Onkos writes has in common: patient, study, equipment, references."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from onkos.core.coding import TISSUES, Code
from onkos.core.errors import ContentError
from onkos.core.reading import Provenance
from onkos.core.source import PHANTOM, Source
from onkos.core.study import Study
from onkos.core.version import __version__
from onkos.core.volume import Volume
from onkos.io.whole import written_whole

MANUFACTURER = "Onkos"
PRIVATE_SCHEME = "99ONKOS"

_LONG_STRING = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Identity of an object that was written, so that another one can refer to it."""

    class_uid: str
    series_uid: str
    uid: str

    @classmethod
    def of(cls, made: Dataset) -> Written:
        """Identity of a data set."""
        return cls(
            class_uid=str(made.SOPClassUID),
            series_uid=str(made.SeriesInstanceUID),
            uid=str(made.SOPInstanceUID),
        )


def source_of(volume: Volume, *, what: str) -> Source:
    """Return the DICOM series behind a volume.

    Raises
    ------
    ContentError
        If there is none: a DICOM object must name the images it is about.
    """
    if volume.source is None or not volume.source.instances:
        raise ContentError(
            f"{what}: the image did not come from DICOM, so the object would have no image to "
            "refer to; write the outline as NIfTI, or convert the image to DICOM first"
        )
    return volume.source


def new_object(
    class_uid: str, *, modality: str, study: Study, source: Source, description: str
) -> Dataset:
    """Begin an object of the study: patient, study, series, equipment and its own identity."""
    now = datetime.datetime.now(datetime.UTC)
    made = Dataset()
    set_all(
        made,
        {
            "SpecificCharacterSet": "ISO_IR 192",
            "SOPClassUID": class_uid,
            "SOPInstanceUID": generate_uid(),
            "InstanceCreationDate": now.strftime("%Y%m%d"),
            "InstanceCreationTime": now.strftime("%H%M%S"),
            "PatientName": study.patient.name,
            "PatientID": study.patient.id,
            "PatientBirthDate": study.patient.birth_date,
            "PatientSex": study.patient.sex,
            "StudyInstanceUID": source.study_uid,
            "StudyDate": "" if study.date is None else study.date.strftime("%Y%m%d"),
            "StudyTime": study.time,
            "StudyID": "",
            "StudyDescription": study.description[:_LONG_STRING],
            "AccessionNumber": study.accession,
            "ReferringPhysicianName": "",
            "Modality": modality,
            "SeriesInstanceUID": generate_uid(),
            "SeriesNumber": 1000 + (source.series_number or 0),
            "SeriesDescription": description[:_LONG_STRING],
            "SeriesDate": now.strftime("%Y%m%d"),
            "SeriesTime": now.strftime("%H%M%S"),
            "Manufacturer": MANUFACTURER,
            "ManufacturerModelName": MANUFACTURER,
            "DeviceSerialNumber": "0",
            "SoftwareVersions": __version__,
            "InstanceNumber": 1,
        },
    )
    return made


def set_all(item: Dataset, values: Mapping[str, Any]) -> Dataset:
    """Set attributes by keyword; lists of data sets become sequences."""
    for keyword, value in values.items():
        is_items = isinstance(value, list) and value and isinstance(value[0], Dataset)
        setattr(item, keyword, Items(value) if is_items else value)
    return item


def item(**values: Any) -> Dataset:
    """Make a sequence item from attributes by keyword."""
    return set_all(Dataset(), values)


def coded(code: Code) -> list[Dataset]:
    """Make a code sequence of one item."""
    return [
        item(CodeValue=code.value, CodingSchemeDesignator=code.scheme, CodeMeaning=code.meaning)
    ]


def tissue_code(name: str) -> Code:
    """Code of a tissue name; a name without one is its own code in a private scheme."""
    value = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")[:16] or "TISSUE"
    return TISSUES.get(name, Code(value, PRIVATE_SCHEME, name[:_LONG_STRING]))


def algorithm(provenance: Provenance) -> Dataset:
    """Identify the algorithm that made a result."""
    return item(
        AlgorithmFamilyCodeSequence=coded(Code("123109", "DCM", "Manual Processing"))
        if not provenance.model
        else coded(Code("123110", "DCM", "Artificial Intelligence")),
        AlgorithmName=(provenance.model or MANUFACTURER)[:_LONG_STRING],
        AlgorithmVersion=provenance.version,
        AlgorithmSource=MANUFACTURER,
    )


def references(source: Source) -> list[Dataset]:
    """Name every image of the source series once, for a Common Instance Reference."""
    distinct = dict.fromkeys((one.class_uid, one.uid) for one in source.instances)
    instances = [
        item(ReferencedSOPClassUID=class_uid, ReferencedSOPInstanceUID=uid)
        for class_uid, uid in distinct
    ]
    return [
        item(ReferencedInstanceSequence=instances, SeriesInstanceUID=source.series_uid),
    ]


def is_phantom(study: Study) -> bool:
    """Whether the study's images are simulated."""
    return any(caveat.code == PHANTOM.code for caveat in study.all_caveats)


def labelled(description: str, study: Study) -> str:
    """Description that says phantom where it must."""
    return f"{description} (phantom)" if is_phantom(study) else description


def file_meta(made: Dataset, syntax: UID = ExplicitVRLittleEndian) -> FileMetaDataset:
    """File meta information of an object."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = pydicom.uid.PYDICOM_IMPLEMENTATION_UID
    meta.ImplementationVersionName = "ONKOS"
    return meta


def save(path: Path, made: Dataset, *, syntax: UID = ExplicitVRLittleEndian) -> None:
    """Write an object as a DICOM file, whole or not at all."""
    made.file_meta = file_meta(made, syntax)
    with written_whole(path) as temporary:
        pydicom.dcmwrite(temporary, made, enforce_file_format=True)


def decimal(value: float) -> str:
    """Decimal string of at most 16 characters, as exact as that allows."""
    text = repr(float(value))
    digits = 16
    while len(text) > 16:
        digits -= 1
        text = f"{value:.{digits}g}"
    return text


def decimals(values: Sequence[float]) -> list[str]:
    """Decimal strings of several values."""
    return [decimal(value) for value in values]
