"""Files without a patient in their header: NIfTI, NRRD, pictures. Their names are all there is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from onkos.core.errors import OnkosError
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume
from onkos.core.wording import printable
from onkos.io import nifti, nrrd, picture

SUFFIXES = (*nifti.SUFFIXES, *nrrd.SUFFIXES, *picture.SUFFIXES)
_OUTLINE = re.compile(r"(^|[^a-z])(masks?|seg|segmentation|labels?|gtv|roi)([^a-z]|$)")
_MR = r"(?:^|[^a-z]|ax|cor|sag|tra){}"  # no part of a word: "guerbet23" is no T2
_ROLES = (
    ("t1c", "MR", re.compile(_MR.format(r"t1(c|ce|gd|post|_?km)") + r"|t1.*contrast")),
    ("flair", "MR", re.compile(r"flair|" + _MR.format("t2f"))),
    ("adc", "MR", re.compile(r"(^|[^a-z])adc([^a-z]|$)")),
    ("dwi", "MR", re.compile(r"(^|[^a-z])(dwi|hbv)([^a-z]|$)")),
    ("t2", "MR", re.compile(_MR.format("t2"))),
    ("t1", "MR", re.compile(_MR.format("t1"))),
    ("pet", "PT", re.compile(r"(^|[^a-z])(pet|suv)([^a-z]|$)")),
    ("ct", "CT", re.compile(r"(^|[^a-z])ct([^a-z]|$)")),
)

Refuse = Callable[[str, Exception], None]


def is_loose(path: Path) -> bool:
    """Whether a file is read by its ending."""
    return path.name.lower().endswith(SUFFIXES)


def studies(files: Sequence[tuple[Path, str]], refuse: Refuse, *, given: Path) -> list[Study]:
    """Make one study of each folder of such files; what cannot be read is refused by name.

    The study is called by its folder, or by its file where that file is the path ``given``.
    """
    by_folder: dict[Path, list[tuple[Path, str]]] = {}
    for path, shown in files:
        by_folder.setdefault(path.parent, []).append((path, shown))
    made = []
    for members in by_folder.values():
        study = _study(members, refuse, given)
        if study.volumes or study.masks:
            made.append(study)
    return made


def _study(members: Sequence[tuple[Path, str]], refuse: Refuse, given: Path) -> Study:
    """Images in the roles their names tell, and outlines; the folder's name is the patient's."""
    volumes: dict[str, Volume] = {}
    masks: list[Mask] = []
    for path, shown in members:
        try:
            if _OUTLINE.search(_stem(path)):
                masks += _read_masks(path)
                continue
            role, volume = _read_image(path)
        except (OnkosError, OSError) as error:
            refuse(shown, error)
            continue
        number, unique = 2, role
        while unique in volumes:
            unique, number = f"{role}-{number}", number + 1
        volumes[unique] = volume
    first = Path(members[0][1])
    name = _stem(first, lower=False) if first == given else first.absolute().parent.name
    name = printable(name)
    return Study(patient=Patient(id=name), volumes=volumes, masks=tuple(masks))


def _read_image(path: Path) -> tuple[str, Volume]:
    role, modality = _role(path)
    name = path.name.lower()
    if name.endswith(nifti.SUFFIXES):
        return role, nifti.read(path, modality=modality)
    if name.endswith(nrrd.SUFFIXES):
        return role, nrrd.read(path, modality=modality)
    return role, replace(picture.read(path), modality=modality)


def _read_masks(path: Path) -> tuple[Mask, ...]:
    name = path.name.lower()
    if name.endswith(nifti.SUFFIXES):
        return (nifti.read_mask(path, None),)
    if name.endswith(nrrd.SUFFIXES):
        return nrrd.read_masks(path, None)
    return (picture.read_mask(path, None),)


def _role(path: Path) -> tuple[str, str]:
    stem = _stem(path)
    for role, modality, pattern in _ROLES:
        if pattern.search(stem):
            return role, modality
    return "image", "OT"


def _stem(path: Path, *, lower: bool = True) -> str:
    name = path.name.lower() if lower else path.name
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name
