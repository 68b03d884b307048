"""Outlines of the same cases by several readers: files of one case, or a folder a reader."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from onkos.cohort.names import alike, ordered
from onkos.core.errors import CohortError, ContentError, UsageError
from onkos.core.mask import Mask
from onkos.core.study import Study
from onkos.io import intake, loose, outline

ONE_CASE = "case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlined:
    """Outlines, opened when they are asked for.

    Parameters
    ----------
    name
        What was given, in words.
    readers
        In their order.
    cases
        Case to reader to what opens the outline; a reader without one is not there.
    digests
        SHA-256 of every file, by its place in ``cases``.
    """

    name: str
    readers: tuple[str, ...]
    cases: Mapping[str, Mapping[str, Callable[[], Mask]]]
    digests: tuple[str, ...]


def find_outlines(
    paths: Sequence[Path], *, readers: Sequence[str] = (), image: Path | None = None
) -> Outlined:
    """Find the outlines of several readers.

    Parameters
    ----------
    paths
        Files of one case, one a reader; or folders, one a reader, whose files are called by
        case (``CASE.nii.gz``) and matched by that name.
    readers
        Names in the order of the paths; the names of the files or folders without them.
    image
        The image that DICOM SEG and RTSTRUCT were drawn on; for folders a folder that holds
        ``CASE`` (a folder or file) for each case.

    Raises
    ------
    UsageError
        If files and folders are mixed, or readers and paths differ in number.
    CohortError
        If a name stands twice, a folder holds no outline, or cases of two readers differ only
        in leading zeros.
    """
    absent = [path for path in paths if not path.exists()]
    if absent:
        raise ContentError(f"{absent[0]}: there is no such file or folder; check the path")
    folders = [path for path in paths if path.is_dir()]
    if folders and len(folders) != len(paths):
        raise UsageError(
            f"{folders[0]} is a folder and others are files; give files of one case, or one folder "
            "a reader"
        )
    if len(paths) < 2:
        raise UsageError(f"{paths[0]}: one reader's outlines; agreement needs two readers at least")
    names = _readers(paths, readers)
    if not folders:
        files = {ONE_CASE: dict(zip(names, paths, strict=True))}
    else:
        files = _by_case(dict(zip(names, paths, strict=True)))
    order = ordered(names)
    study = _studies(image, many=bool(folders))
    opened = {
        case: {name: _opener(of[name], case, study) for name in order if name in of}
        for case, of in files.items()
    }
    digests = (
        hashlib.sha256(of[name].read_bytes()).hexdigest()
        for of in files.values()
        for name in order
        if name in of
    )
    title = " ".join(path.name for path in paths)
    return Outlined(name=title, readers=order, cases=opened, digests=tuple(digests))


def _readers(paths: Sequence[Path], given: Sequence[str]) -> tuple[str, ...]:
    """Names of the readers: as given, else what tells the paths apart."""
    if given and len(given) != len(paths):
        raise UsageError(f"--readers names {len(given)} readers for {len(paths)} paths")
    choices = (
        given,
        [_stem(path) for path in paths],
        [path.absolute().parent.name for path in paths],
    )
    for names in choices:
        if names and len(set(names)) == len(paths) and not alike(names):
            return tuple(names)
        if names and names is given:
            raise UsageError(f"--readers {','.join(given)}: expected each name once")
    raise UsageError(
        f"{paths[0]} and others have no names that tell readers apart; name them with --readers A,B"
    )


def _by_case(folders: Mapping[str, Path]) -> dict[str, dict[str, Path]]:
    """Case to reader to file."""
    found: dict[str, dict[str, Path]] = {}
    for reader, folder in folders.items():
        held = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
        if not held:
            raise CohortError(f"{folder}: no file in it; expected outlines CASE.nii.gz")
        for path in held:
            of = found.setdefault(_stem(path), {})
            if reader in of:
                raise CohortError(
                    f"{path} and {of[reader].name} are both of case {_stem(path)!r}; keep one"
                )
            of[reader] = path
    for one, other in alike(found):
        if set(found[one]).isdisjoint(found[other]):
            paths = [next(iter(found[name].values())) for name in (one, other)]
            raise CohortError(
                f"{paths[0]} and {paths[1]} differ only in leading zeros or spelling; call each "
                "case by one name"
            )
    if not any(len(of) > 1 for of in found.values()):
        raise CohortError(
            f"no case has outlines by two readers; cases are {list(found)[:4]}. Outlines are "
            "matched by file name: CASE.nii.gz in each folder"
        )
    return {case: found[case] for case in ordered(found)}


def _studies(image: Path | None, *, many: bool) -> Callable[[str, Path], Study]:
    """What opens the image of a case; the last one is kept, as its readers follow each other."""
    last: dict[str, Study] = {}

    def study(case: str, path: Path) -> Study:
        if image is None:
            raise ContentError(
                f"{path}: a SEG or RTSTRUCT holds only the slices that were drawn on; name the "
                "image it was drawn on with --image"
            )
        if case not in last:
            last.clear()
            last[case] = intake.open_study(_image_of(image, case) if many else image)
        return last[case]

    return study


def _opener(path: Path, case: str, study: Callable[[str, Path], Study]) -> Callable[[], Mask]:
    return partial(outline.read, path, labels={}, study=lambda: study(case, path))


def _image_of(folder: Path, case: str) -> Path:
    if not folder.is_dir():
        raise ContentError(f"{folder}: expected a folder with an image for each case, called by it")
    fits = [path for path in sorted(folder.iterdir()) if path.name == case or _stem(path) == case]
    if len(fits) != 1:
        raise ContentError(f"{folder}: {len(fits)} images called {case!r}; expected one")
    return fits[0]


def _stem(path: Path) -> str:
    """Name without the ending of an image."""
    name = path.name
    for ending in sorted((*loose.SUFFIXES, ".dcm"), key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name
