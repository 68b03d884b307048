"""What all layouts share: finding the set, reading its table, telling its state."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import CohortError
from onkos.core.study import Patient, Study


def found(data: Path, *names: str, holds: str) -> Path:
    """Folder of a set: one of those names in ``data``, or ``data`` itself.

    It is taken for the set where it ``holds`` a file or folder that belongs to it.

    Raises
    ------
    CohortError
        If there is none, or it lacks what the set begins with.
    """
    for folder in (*(data / name for name in names), data):
        if (folder / holds).exists():
            return folder
    raise CohortError(
        f"{data}: no folder {' or '.join(map(repr, names))} with {holds!r} in it; expected the "
        "data set as it is published, in the folder given or as the folder given"
    )


def file_in(folder: Path, *names: str) -> Path:
    """First of the names that is a file of the set; :class:`CohortError` if none is."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise CohortError(f"{folder}: no file {' or '.join(names)}; get the data set whole")


def rows_of(path: Path, *columns: str) -> list[dict[str, str]]:
    """Rows of a set's table (CSV, or CSV in gzip), stripped.

    Raises
    ------
    CohortError
        If the file is missing, damaged or empty, or lacks a column named.
    """
    if not path.is_file():
        raise CohortError(f"{path}: no such table; get the data set whole")
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", newline="", encoding="utf-8-sig") as handle:
            read = list(csv.DictReader(handle, strict=True))
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError) as error:
        raise CohortError(f"{path}: a damaged table: {error}; get it again") from error
    rows = [{key.strip(): (text or "").strip() for key, text in row.items() if key} for row in read]
    missing = [name for name in columns if not rows or name not in rows[0]]
    if missing:
        raise CohortError(f"{path}: no columns {missing}; expected the table as it is published")
    return rows


def known(row: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    """Facts under new names, ``{"age": "Age at MRI"}``; empty cells are left out."""
    return {name: row[column] for name, column in columns.items() if row.get(column)}


def facts_case(
    name: str, patient: str, *, facts: Mapping[str, str], target: str, site: str = ""
) -> Case:
    """Case without images: what is known of the patient is all there is."""
    return Case(
        id=name,
        patient=patient,
        load=partial(Study, patient=Patient(id=patient), facts=facts),
        truths=known_truths(target=target),
        site=site,
        covariates=facts,
    )


def cohort_of(cases: list[Case], *, name: str, folder: Path) -> Cohort:
    """Cohort of a set's cases; :class:`CohortError` if nothing of it was found."""
    if not cases:
        raise CohortError(f"{folder}: no cases of {name}; expected the data set as it is published")
    return Cohort(name=name, cases=tuple(cases), fingerprint=fingerprint(folder, name))


def fingerprint(folder: Path, question: str) -> str:
    """Digest of the question and of the names and sizes of all files of a set."""
    state = hashlib.sha256(f"{question}\n".encode())
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        state.update(f"{file.relative_to(folder).as_posix()}|{file.stat().st_size}\n".encode())
    return state.hexdigest()
