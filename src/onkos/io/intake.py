"""The firewall's front: whatever a path holds becomes studies, or is refused by name."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from onkos.core.errors import ContentError, OnkosError
from onkos.core.findings import Lesion
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume
from onkos.core.wording import brief, printable
from onkos.io import archive, loose, rtstruct, seg, sr
from onkos.io.dicom.directory import is_directory, list_alone, listed
from onkos.io.dicom.header import Header, parse
from onkos.io.dicom.series import require_image, series_name, volumes_of
from onkos.io.foreign import unknown

Progress = Callable[[int, int], None]

_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
_REPORTS = (
    "1.2.840.10008.5.1.4.1.1.88.22",
    "1.2.840.10008.5.1.4.1.1.88.33",
    "1.2.840.10008.5.1.4.1.1.88.34",
)
_UID = re.compile(r"[0-9.]*")
_NAMES = (
    "PatientID",
    "PatientName",
    "PatientSex",
    "PatientBirthDate",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "AccessionNumber",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SeriesDescription",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that was not opened: the path as given, the error's kind, and the reason."""

    path: str
    error: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """All that a path holds: studies, lesions of structured reports, and what was refused."""

    studies: tuple[Study, ...]
    refused: tuple[Refusal, ...]
    lesions: tuple[Lesion, ...] = ()


def open_path(path: Path | str, *, progress: Progress = lambda _done, _all: None) -> Intake:
    """Open a file, a folder tree or an archive, and sort what is in it into studies.

    DICOM is grouped by study, series and geometry, never by file name. NIfTI, NRRD and plain
    pictures have no such header: each folder of them is a study, and their names tell the roles.

    Parameters
    ----------
    path
        A file, a folder, or a zip or tar archive (gz, xz, bz2).
    progress
        Called with (files looked at, all files).

    Returns
    -------
    Intake
        What was opened and what was refused; nothing is dropped without a word.

    Raises
    ------
    ContentError
        If the path does not exist.
    """
    path = Path(path)
    if not path.exists():
        raise ContentError(f"{path}: there is no such file or folder; check the path")
    with ExitStack() as unpacked:
        heaps = _Sorting()
        files = list(_files(_root(path), heaps, unpacked))
        if not files and not heaps.refused:
            heaps.refuse(str(path), _empty(path))
        return _sort(files, heaps, progress, path)


def open_study(path: Path | str, *, progress: Progress = lambda _done, _all: None) -> Study:
    """Open a path that holds exactly one study.

    Raises
    ------
    ContentError
        If it holds none, or several; the message says what was refused and why, or lists them.
    """
    found = open_path(path, progress=progress)
    if len(found.studies) == 1:
        return found.studies[0]
    if found.studies:
        names = ", ".join(f"{s.patient.id} of {s.date or 'no date'}" for s in found.studies)
        raise ContentError(f"{path}: {len(found.studies)} studies ({names}); give one of them")
    reasons = "; ".join(refusal.reason for refusal in found.refused[:3])
    raise ContentError(f"{path}: no study in it. {reasons or 'It holds a report only'}")


def read_masks(path: Path, volumes: Sequence[Volume], *, shown: str = "") -> tuple[Mask, ...]:
    """Read the outlines of one DICOM SEG or RTSTRUCT, placed on the images given.

    Messages name the file as ``shown``, or by its path.

    Raises
    ------
    ContentError
        If the file is neither.
    """
    header = parse(path)
    kind = "" if header is None else header.text("SOPClassUID")
    if kind in _SEGMENTATIONS:
        return seg.read(path, volumes, shown=shown)
    if kind == _STRUCTURES:
        return rtstruct.read(path, volumes, shown=shown)
    raise ContentError(f"{shown or path}: neither a DICOM SEG nor an RTSTRUCT; expected an outline")


def _root(path: Path) -> Path:
    """What to look through: the folder of a DICOMDIR, whatever that file is called."""
    if not path.is_file() or archive.is_archive(path) or loose.is_loose(path):
        return path
    try:
        header = parse(path)
    except (OnkosError, OSError):
        return path  # refused when it is looked at
    return path.parent if header is not None and is_directory(header) else path


def _empty(path: Path) -> ContentError:
    return ContentError(
        f"{path}: it is empty, but for hidden files perhaps, which are left out; expected DICOM, "
        "NIfTI, NRRD or pictures. Check the path, or copy the files again"
    )


class _Sorting:
    """Files put into heaps while they are looked at."""

    def __init__(self) -> None:
        self.images: dict[tuple[str, str], list[Header]] = {}
        self.outlines: list[Header] = []
        self.reports: list[Header] = []
        self.directories: list[Header] = []
        self.loose: list[tuple[Path, str]] = []
        self.refused: list[Refusal] = []

    def refuse(self, shown: str, error: Exception) -> None:
        """Note a refusal by the error's kind and words."""
        reason = brief(str(error))
        self.refused.append(Refusal(path=shown, error=type(error).__name__, reason=reason))


def _files(root: Path, heaps: _Sorting, unpacked: ExitStack) -> Iterator[tuple[Path, str]]:
    """All files of a tree in a fixed order with the names to show; archives are unpacked.

    Hidden files are left out. An archive inside an archive is not opened but refused.
    """
    for file in _tree(root):
        if not archive.is_archive(file):
            yield file, printable(str(file))
            continue
        try:
            folder = unpacked.enter_context(archive.unpacked(file))
        except ContentError as error:
            heaps.refuse(printable(str(file)), error)
            continue
        for inner in _tree(folder):
            yield inner, printable(str(file / inner.relative_to(folder)))


def _tree(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    found = (file for file in root.rglob("*") if file.is_file())
    return sorted(f for f in found if not any(p.startswith(".") for p in f.relative_to(root).parts))


def _sort(
    files: Sequence[tuple[Path, str]], heaps: _Sorting, progress: Progress, given: Path
) -> Intake:
    """Look at every file, then build studies from the heaps."""
    for number, (file, shown) in enumerate(files, start=1):
        try:
            _look(file, shown, heaps)
        except (OnkosError, OSError) as error:
            heaps.refuse(shown, error)
        progress(number, len(files))
    studies = [*_dicom_studies(heaps), *loose.studies(heaps.loose, heaps.refuse, given=given)]
    studies = _with_outlines(studies, heaps)
    lesions: list[Lesion] = []
    for header in heaps.reports:
        try:
            lesions += sr.read(header.path, shown=header.shown)
        except OnkosError as error:
            heaps.refuse(header.shown, error)
    doubts = _doubts(heaps, alone=not studies and not lesions)
    return Intake(
        studies=tuple(replace(s, caveats=(*s.caveats, *doubts)) for s in studies),
        refused=tuple(heaps.refused),
        lesions=tuple(lesions),
    )


def _look(file: Path, shown: str, heaps: _Sorting) -> None:
    """Put one file onto its heap."""
    if archive.is_archive(file):
        raise ContentError(f"{shown}: an archive within an archive; unpack it and give the folder")
    if loose.is_loose(file):
        heaps.loose.append((file, shown))
        return
    if file.stat().st_size == 0:
        raise ContentError(f"{shown}: the file is empty (0 bytes); copy it or export it again")
    header = parse(file, shown=shown)
    if header is None:
        raise unknown(file, shown)
    for keyword in _NAMES:
        header.text(keyword)  # a file whose names cannot be read is refused here, by itself
    kind = header.text("SOPClassUID")
    if kind in _SEGMENTATIONS or kind == _STRUCTURES:
        heaps.outlines.append(header)
    elif kind in _REPORTS:
        heaps.reports.append(header)
    elif is_directory(header):
        heaps.directories.append(header)
    else:
        require_image(header)
        key = (header.text("StudyInstanceUID"), header.text("SeriesInstanceUID"))
        heaps.images.setdefault(key, []).append(header)


def _dicom_studies(heaps: _Sorting) -> list[Study]:
    """One study a patient and Study Instance UID, with every series that could be trusted."""
    opened: dict[tuple[str, str], list[tuple[str, Volume]]] = {}
    everything: dict[str, list[Header]] = {}
    for (study_uid, series_uid), headers in heaps.images.items():
        everything.setdefault(study_uid, []).extend(headers)
        try:
            if len(headers) > 1 and not (study_uid and series_uid):
                raise ContentError(
                    f"{headers[0].shown} and {len(headers) - 1} more files: no Study or Series "
                    "Instance UID, so what belongs together is not known; expected both. Give the "
                    "files one by one, or export them again"
                )
            volumes = volumes_of(headers)
        except OnkosError as error:
            heaps.refuse(_common(headers), error)
            continue
        opened.setdefault((study_uid, headers[0].text("PatientID")), []).extend(volumes)
    made = []
    for (study_uid, patient), volumes in opened.items():
        headers = everything[study_uid]
        first = next(header for header in headers if header.text("PatientID") == patient)
        made.append(replace(_study(first, volumes), caveats=_unsure(headers, volumes)))
    return made


def _study(header: Header, volumes: Iterable[tuple[str, Volume]]) -> Study:
    """Describe the study by one of its headers; roles that occur twice are numbered."""
    named: dict[str, Volume] = {}
    for role, volume in volumes:
        number = 2
        unique = role
        while unique in named:
            unique = f"{role}-{number}"
            number += 1
        named[unique] = volume
    return Study(
        patient=Patient(
            id=header.text("PatientID"),
            name=header.text("PatientName"),
            sex=header.text("PatientSex"),
            birth_date=header.text("PatientBirthDate"),
        ),
        date=_date(header.text("StudyDate")),
        volumes=named,
        uid=header.text("StudyInstanceUID"),
        time=header.text("StudyTime"),
        accession=header.text("AccessionNumber"),
        description=header.text("StudyDescription"),
    )


def _unsure(headers: Sequence[Header], volumes: Sequence[tuple[str, Volume]]) -> tuple[Caveat, ...]:
    """What the images of a study say differently about it, and whether they can be compared."""
    found = []
    if not headers[0].text("PatientID"):
        text = "Its images carry no Patient ID: whose they are cannot be checked."
        found.append(Caveat(code="no-patient-id", text=text))
    for keyword in ("PatientID", "PatientName", "PatientSex", "PatientBirthDate", "StudyDate"):
        told = sorted({header.text(keyword) for header in headers})
        if len(told) > 1:
            text = f"Its images do not agree on {keyword}: {' and '.join(told[:3])}; one is wrong."
            found.append(Caveat(code="study-contradiction", text=text))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        odd = sorted({uid for h in headers if _UID.fullmatch(uid := h.text(keyword)) is None})
        if odd:
            text = f"{keyword} is {odd[0]!r}, no UID: the header may be damaged."
            found.append(Caveat(code="uid-damaged", text=text))
    date = headers[0].text("StudyDate")
    if date and _date(date) is None:
        text = f"The date of the study, {date!r}, cannot be read."
        found.append(Caveat(code="study-contradiction", text=text))
    spaces = {
        volume.source.frame_of_reference_uid
        for _, volume in volumes
        if volume.source and volume.geometry.ndim == 3
    }
    if len(spaces) > 1:
        text = (
            f"Its images lie in {len(spaces)} frames of reference: places in one are not the same "
            "places in another until they are registered."
        )
        found.append(Caveat(code="several-frames-of-reference", text=text))
    return tuple(found)


def _with_outlines(studies: Sequence[Study], heaps: _Sorting) -> list[Study]:
    """Give each SEG and RTSTRUCT to its study, or a study of its own where no image is here."""
    volumes = tuple(v for s in studies for v in s.volumes.values())
    found = list(studies)
    at = {study.uid: number for number, study in enumerate(found) if study.uid}
    for header in heaps.outlines:
        try:
            masks = read_masks(header.path, volumes, shown=header.shown)
        except OnkosError as error:
            heaps.refuse(header.shown, error)
            continue
        uid = header.text("StudyInstanceUID")
        if uid not in at:
            at[uid] = len(found)
            found.append(_study(header, ()))
        study = found[at[uid]]
        found[at[uid]] = replace(study, masks=(*study.masks, *masks))
    return found


def _doubts(heaps: _Sorting, *, alone: bool) -> list[Caveat]:
    """What the rest of the path says about the completeness of its studies.

    A DICOMDIR ``alone``, without any of the files it lists, is refused.
    """
    found = []
    for header in heaps.directories:
        try:
            missing = [path for path in listed(header) if not path.is_file()]
        except ContentError as error:
            heaps.refuse(header.shown, error)
            continue
        if alone:
            heaps.refuse(header.shown, list_alone(header, len(missing)))
        elif missing:
            text = f"{len(missing)} files that the DICOMDIR lists are not here."
            found.append(Caveat(code="dicomdir-incomplete", text=text, where=header.shown))
    if heaps.refused:
        text = (
            f"{len(heaps.refused)} files or series beside it were refused; "
            "what was opened may not be all there is."
        )
        found.append(Caveat(code="files-refused", text=text))
    return found


def _common(headers: Sequence[Header]) -> str:
    """How a refused series is called: its only file, or the folder its files share."""
    if len(headers) == 1:
        return headers[0].shown
    folders = {str(Path(header.shown).parent) for header in headers}
    return folders.pop() if len(folders) == 1 else series_name(headers[0])


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(text[:8], "%Y%m%d").date()
    except ValueError:
        return None
