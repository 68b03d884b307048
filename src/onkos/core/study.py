"""One visit of one patient, and several visits in order."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from onkos.core.errors import ContentError
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.core.volume import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Who was imaged, as the files say; ``sex`` and ``birth_date`` in DICOM's notation."""

    id: str
    name: str = ""
    sex: str = ""
    birth_date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """The images of one examination, by role, and the outlines that came with them.

    Parameters
    ----------
    patient
        Who was imaged.
    date
        Day of the examination, if known.
    volumes
        Role ("t1c", "flair", "ct", "pet", ...) to image.
    masks
        Outlines found with the images (SEG, RTSTRUCT, a mask file).
    caveats
        What a reader must know about the study as a whole.
    uid, time, accession, description
        DICOM's Study Instance UID, Study Time, Accession Number and Study Description.
    facts
        What else is known of the patient at the time, as text: age, PSA, smoking, ...
    """

    patient: Patient
    date: datetime.date | None = None
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    masks: tuple[Mask, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    uid: str = ""
    time: str = ""
    accession: str = ""
    description: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "volumes", MappingProxyType(dict(self.volumes)))
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    def volume(self, role: str) -> Volume:
        """Return the image in a role.

        Raises
        ------
        ContentError
            If the study has no such image; the message lists the roles it has.
        """
        if role not in self.volumes:
            raise ContentError(
                f"study of {self.patient.id}: no image in the role {role!r}; "
                f"it has {sorted(self.volumes)}. Name one with --role {role}=SERIES_UID"
            )
        return self.volumes[role]

    @property
    def all_caveats(self) -> tuple[Caveat, ...]:
        """Caveats of the study, of its images and of its outlines, each once."""
        found = list(self.caveats)
        for volume in self.volumes.values():
            found.extend(volume.caveats)
        for mask in self.masks:
            found.extend(mask.caveats)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """Studies of one patient in the order they were made.

    Raises
    ------
    ContentError
        If the studies are of several patients, or one of them has no date.
    """

    studies: tuple[Study, ...]

    def __post_init__(self) -> None:
        patients = {study.patient.id for study in self.studies}
        if len(patients) > 1:
            raise ContentError(f"a timeline of several patients: {sorted(patients)}")
        if any(study.date is None for study in self.studies):
            raise ContentError("a study without a date cannot be placed on a timeline")
        ordered = sorted(
            self.studies, key=lambda study: (study.date or datetime.date.min, study.time)
        )
        object.__setattr__(self, "studies", tuple(ordered))
