"""What all layouts share: finding the set, reading its table, telling its state."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

from onkos.core.errors import CohortError


def found(data: Path, name: str) -> Path:
    """Folder of a set: ``data`` itself or the folder of that name in it.

    Raises
    ------
    CohortError
        If there is none.
    """
    for folder in (data / name, data):
        if folder.is_dir() and folder.name == name:
            return folder
    raise CohortError(f"{data}: holds no folder {name!r}; expected the data set as it is published")


def rows_of(path: Path, *columns: str, delimiter: str = ",") -> list[dict[str, str]]:
    """Rows of a set's table, stripped; refuses one without the columns named.

    Raises
    ------
    CohortError
        If the file is missing or lacks a column.
    """
    if not path.is_file():
        raise CohortError(f"{path}: no such table; get the data set whole")
    with path.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.DictReader(handle, delimiter=delimiter)
        rows = [{k.strip(): (v or "").strip() for k, v in row.items() if k} for row in reader]
    missing = [name for name in columns if not rows or name not in rows[0]]
    if missing:
        raise CohortError(f"{path}: no columns {missing}; expected the table as it is published")
    return rows


def fingerprint(folder: Path) -> str:
    """Digest of the names and sizes of all files of a set."""
    state = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        state.update(f"{file.relative_to(folder)}|{file.stat().st_size}\n".encode())
    return state.hexdigest()
