"""Volumes and masks with a DICOM source, for tests of what is written about them."""

from __future__ import annotations

import datetime

import numpy as np
from pydicom.uid import generate_uid

from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.reading import Provenance
from onkos.core.source import Instance, Source
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume

MR_CLASS = "1.2.840.10008.5.1.4.1.1.4"
PROVENANCE = Provenance(
    version="0.1.0",
    model="supervoxel-forest",
    weights_sha256="ab" * 32,
    inputs=("1.2.3",),
    settings={},
    seed=1,
    created="2026-11-23T10:00:00+00:00",
)


def sourced(geometry: Geometry, data: np.ndarray | None = None) -> Volume:
    """Volume that says it came from a DICOM MR series."""
    instances = tuple(
        Instance(uid=generate_uid(), class_uid=MR_CLASS) for _ in range(geometry.shape[2])
    )
    return Volume(
        data=np.zeros(geometry.shape, dtype=np.int16) if data is None else data,
        geometry=geometry,
        modality="MR",
        unit="1",
        source=Source(
            study_uid=generate_uid(),
            series_uid=generate_uid(),
            frame_of_reference_uid=generate_uid(),
            instances=instances,
            description="T1c",
            series_number=4,
        ),
    )


def study_of(volume: Volume, *, patient: Patient | None = None) -> Study:
    """Study around one volume; patient fields may be empty."""
    return Study(
        patient=patient or Patient(id="P-1", name="Doe^Jane", sex="F", birth_date="19600102"),
        date=datetime.date(2026, 11, 23),
        volumes={"t1c": volume},
        uid=volume.source.study_uid if volume.source else "",
        time="101500",
    )


def ball(geometry: Geometry, centre: tuple[float, ...], radius_mm: float) -> np.ndarray:
    """Voxels within a distance of a place given as parts of the grid's sides."""
    index = np.moveaxis(np.indices(geometry.shape), 0, -1)
    middle = geometry.to_mm((np.array(geometry.shape) - 1) * np.array(centre))
    return np.linalg.norm(geometry.to_mm(index) - middle, axis=-1) <= radius_mm


def shell(geometry: Geometry, radius_mm: float) -> Mask:
    """A ball of core with a hole (necrosis left out), inside oedema."""
    far = ball(geometry, (0.5, 0.5, 0.5), 1.5 * radius_mm)
    near = ball(geometry, (0.5, 0.5, 0.5), radius_mm)
    hole = ball(geometry, (0.5, 0.5, 0.5), 0.4 * radius_mm)
    labels = np.where(hole, 0, np.where(near, 1, np.where(far, 2, 0))).astype(np.uint8)
    return Mask(labels=labels, geometry=geometry, names={1: "core", 2: "oedema"})
