"""A reading to a structured report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom.sr as theirs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code as TheirCode
from pydicom.uid import generate_uid

from onkos.core.coding import ABNORMAL_STRUCTURE, SITES, Code
from onkos.core.errors import ContentError
from onkos.core.findings import Lesion, Measurement, Segment
from onkos.core.reading import Provenance, Reading
from onkos.core.source import Source
from onkos.io.attributes import (
    MANUFACTURER,
    Written,
    item,
    labelled,
    new_object,
    save,
    set_all,
    source_of,
    tissue_code,
)
from onkos.io.export import seg
from onkos.io.sr.concepts import COMMENT, JOIN

CLASS = "1.2.840.10008.5.1.4.1.1.88.34"  # Comprehensive 3D SR: it may hold points in the patient
_PROCEDURE = TheirCode("363679005", "SCT", "Imaging procedure")
_COMMENT = TheirCode(*COMMENT, "Comment")
_UNITS = {"ml": "milliliter", "mm": "millimeter", "mm2": "square millimeter"}


def write(path: Path, *, reading: Reading, outline: Written) -> Written:
    """Write the measurements of a reading as a TID 1500 report.

    Every lesion is a volumetric measurement group (TID 1411) that refers to its segments and
    carries its tracking UID; each of its tissues is a further group of the same UID. A number
    comes with its unit (UCUM), how it was measured, and its 95 % interval as the range of
    measurement uncertainty. Diameters come with their two points in the patient, which a
    volumetric group may not hold, and so in a group of their own (TID 1501), of the same UID.

    Parameters
    ----------
    path
        The file.
    reading
        What was found.
    outline
        The segmentation that :func:`onkos.io.export.seg.write` made of its mask.

    Returns
    -------
    Written
        The report's identity.

    Raises
    ------
    ContentError
        If the reference image did not come from DICOM, or nothing was outlined.
    """
    source = source_of(reading.study.volume(reading.reference), what="SR")
    if reading.mask is None:
        raise ContentError("writing an SR: the reading has no outline to refer to")
    numbers = seg.segment_numbers(reading.mask)
    groups = [
        group
        for lesion in reading.lesions
        for group in _Writer(lesion, reading.provenance, source, outline, numbers).groups()
    ]
    made = new_object(
        CLASS,
        modality="SR",
        study=reading.study,
        source=source,
        description=labelled("Tumour measurements", reading.study),
    )
    set_all(
        made,
        {
            "ContentDate": made.InstanceCreationDate,
            "ContentTime": made.InstanceCreationTime,
            "CompletionFlag": "COMPLETE",
            "VerificationFlag": "UNVERIFIED",
            "PreliminaryFlag": "PRELIMINARY",
            "ReferencedPerformedProcedureStepSequence": [],
            "PerformedProcedureCodeSequence": [],
            "CurrentRequestedProcedureEvidenceSequence": [_evidence(source, outline)],
        },
    )
    report = theirs.MeasurementReport(
        observation_context=_observer(reading.provenance),
        procedure_reported=_PROCEDURE,
        imaging_measurements=groups or None,
    )
    for element in report[0]:
        made[element.tag] = element
    save(path, made)
    return Written.of(made)


def _observer(provenance: Provenance) -> theirs.ObservationContext:
    """Say that a program observed, and which."""
    attributes = theirs.DeviceObserverIdentifyingAttributes(
        uid=generate_uid(entropy_srcs=[MANUFACTURER, provenance.version]),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=(provenance.model or MANUFACTURER)[:64],
    )
    device = theirs.ObserverContext(
        observer_type=TheirCode("121007", "DCM", "Device"),
        observer_identifying_attributes=attributes,
    )
    return theirs.ObservationContext(observer_device_context=device)


def _evidence(source: Source, outline: Written) -> Dataset:
    """Name the images and the segmentation the report is about."""
    segmentation = item(
        ReferencedSOPSequence=[
            item(ReferencedSOPClassUID=outline.class_uid, ReferencedSOPInstanceUID=outline.uid)
        ],
        SeriesInstanceUID=outline.series_uid,
    )
    distinct = dict.fromkeys((one.class_uid, one.uid) for one in source.instances)
    images = item(
        ReferencedSOPSequence=[
            item(ReferencedSOPClassUID=class_uid, ReferencedSOPInstanceUID=uid)
            for class_uid, uid in distinct
        ],
        SeriesInstanceUID=source.series_uid,
    )
    return item(ReferencedSeriesSequence=[segmentation, images], StudyInstanceUID=source.study_uid)


@dataclass(frozen=True, slots=True)
class _Writer:
    """One lesion on its way into a report."""

    lesion: Lesion
    provenance: Provenance
    source: Source
    outline: Written
    numbers: Mapping[str, int]

    def groups(self) -> Iterator[theirs.MeasurementsAndQualitativeEvaluations]:
        """Measurement groups of the whole lesion, then of each tissue measured."""
        tissues = dict.fromkeys(one.tissue for one in self.lesion.measurements)
        for tissue in ["", *(t for t in tissues if t)]:
            own = [one for one in self.lesion.measurements if one.tissue == tissue]
            drawn = [one for one in own if self._ends(one.line)]
            yield theirs.VolumetricROIMeasurementsAndQualitativeEvaluations(
                **self._about(tissue),
                referenced_segment=self._segment(tissue),
                measurements=[self._measurement(one) for one in own if one not in drawn],
            )
            if drawn:
                yield theirs.MeasurementsAndQualitativeEvaluations(
                    **self._about(tissue),
                    measurements=[self._measurement(one) for one in drawn],
                )

    def _about(self, tissue: str) -> dict[str, Any]:
        """What every group says of the lesion."""
        lesion = self.lesion
        return {
            "tracking_identifier": theirs.TrackingIdentifier(
                uid=lesion.uid, identifier=f"{lesion.id}{JOIN}{tissue}" if tissue else lesion.id
            ),
            "finding_category": _their(ABNORMAL_STRUCTURE),
            "finding_type": _their(tissue_code(tissue or lesion.kind)),
            "finding_sites": [theirs.FindingSite(_their(_site_code(lesion.site)))],
            "algorithm_id": theirs.AlgorithmIdentification(
                name=self.provenance.model or MANUFACTURER,
                version=self.provenance.version,
            ),
        }

    def _segment(self, tissue: str) -> theirs.ReferencedSegment:
        """Segment of a tissue, or all segments."""
        return theirs.ReferencedSegment(
            sop_class_uid=self.outline.class_uid,
            sop_instance_uid=self.outline.uid,
            segment_number=[self.numbers[tissue]] if tissue else list(self.numbers.values()),
            source_series=theirs.SourceSeriesForSegmentation(self.source.series_uid),
        )

    def _measurement(self, measured: Measurement) -> theirs.Measurement:
        made = theirs.Measurement(
            name=_their(measured.concept),
            value=measured.value,
            unit=TheirCode(measured.ucum, "UCUM", _UNITS.get(measured.ucum, measured.ucum)),
            properties=_interval(measured),
            referenced_coordinates=self._ends(measured.line),
        )
        comment = theirs.TextContentItem(
            name=_COMMENT,
            value=measured.method,
            relationship_type=theirs.RelationshipTypeValues.HAS_PROPERTIES,
        )
        number = made[0]
        number.ContentSequence = [*(number.get("ContentSequence") or ()), comment]
        return made

    def _ends(self, line: Segment | None) -> list[theirs.CoordinatesForMeasurement3D] | None:
        """Both ends of a diameter."""
        if line is None or not self.source.frame_of_reference_uid:
            return None
        return [
            theirs.CoordinatesForMeasurement3D(
                graphic_type="POLYLINE",
                graphic_data=np.array([line.start_mm, line.end_mm]),
                frame_of_reference_uid=self.source.frame_of_reference_uid,
            )
        ]


def _interval(measured: Measurement) -> theirs.MeasurementProperties | None:
    """How far the 95 % interval reaches above and below the number."""
    if measured.interval is None:
        return None
    low, high = measured.interval
    return theirs.MeasurementProperties(
        upper_measurement_uncertainty=high - measured.value,
        lower_measurement_uncertainty=measured.value - low,
    )


def _site_code(site: str) -> Code:
    return SITES.get(site) or tissue_code(site)


def _their(code: Code) -> TheirCode:
    return TheirCode(code.value, code.scheme, code.meaning)
