"""Ratings of a reader study as a table: one row a reading, or one row a mark."""

from __future__ import annotations

import csv
import gzip
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from onkos.core.errors import CohortError

_NEEDED = ("reader", "modality", "case", "truth", "rating")
_ALSO_CALLED = {"treatment": "modality", "test": "modality"}
_MARKS = ("", "NL", "LL", "LL_IL")
_TRUTH = {"0": False, "1": True, "normal": False, "abnormal": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingTable:
    """Columns of a table of ratings, all of one length.

    ``rating`` is NaN in a row that says "read, nothing marked", ``seconds`` where no reading
    time is given, ``mark`` and ``lesion`` are empty where not told.
    """

    reader: tuple[str, ...]
    modality: tuple[str, ...]
    case: tuple[str, ...]
    truth: tuple[bool, ...]
    rating: tuple[float, ...]
    mark: tuple[str, ...]
    lesion: tuple[str, ...]
    seconds: tuple[float, ...]


def load_ratings(path: Path) -> RatingTable:
    """Read a table of ratings, comma-separated UTF-8, plain or ``.gz``.

    Columns: ``reader``, ``modality``, ``case``, ``truth`` (0 or 1), ``rating`` (a number, more
    is more suspicious); for studies with marks also ``mark`` (``NL`` no lesion there, ``LL`` a
    lesion, ``LL_IL`` an abnormal case marked in the wrong place) and, where lesions weigh
    differently, ``lesion`` (the number of the lesion hit, from 1); ``time_s`` the reading time
    in seconds. ``modality`` may also be called ``treatment`` or ``test``. Further columns are
    left alone. A row with empty ``rating`` and ``mark`` says
    that the case was read and nothing marked.

    Raises
    ------
    CohortError
        If a column is missing, or a cell cannot be understood; with the number of its line.
    """
    header, lines, rows = _table(path, _NEEDED)
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    del rows
    empty = ("",) * len(lines)
    marks = columns.get("mark", empty)
    for line, mark in zip(lines, marks, strict=True):
        if mark not in _MARKS:
            raise CohortError(
                f"{path}, line {line}: mark {mark!r}; expected one of NL, LL, LL_IL, or nothing"
            )
    for name in ("reader", "modality", "case"):
        for line, cell in zip(lines, columns[name], strict=True):
            if not cell:
                raise CohortError(f"{path}, line {line}: {name} must not be empty")
    return RatingTable(
        reader=_once_each(columns["reader"]),
        modality=_once_each(columns["modality"]),
        case=_once_each(columns["case"]),
        truth=tuple(_truths(columns["truth"], lines, path)),
        rating=tuple(_numbers("rating", columns["rating"], lines, path)),
        mark=_once_each(marks),
        lesion=_once_each(columns.get("lesion", empty)),
        seconds=tuple(_numbers("time_s", columns.get("time_s", empty), lines, path)),
    )


def load_lesions(path: Path) -> dict[str, tuple[float, ...]]:
    """Read the lesions of every case of an FROC study, weights by case.

    Columns: ``case``, ``lesions`` (how many; 0 for a normal case), and optionally ``weights``,
    one number a lesion with blanks between, in the order of the lesions' numbers; without them
    the lesions of a case weigh the same. Every case of the study has a row: this list is what
    tells a case without marks from one that was not read.

    Raises
    ------
    CohortError
        If a column is missing, a case occurs twice, or a cell cannot be understood.
    """
    _, rows = rows_under(path, ("case", "lesions"))
    lesions: dict[str, tuple[float, ...]] = {}
    for line, row in rows:
        where, case = f"{path}, line {line}", row["case"]
        if not case or case in lesions:
            raise CohortError(f"{where}: case {case!r} is empty or was listed before; list it once")
        try:
            count = int(row["lesions"])
            weights = tuple(float(word) for word in row.get("weights", "").split())
        except ValueError as error:
            raise CohortError(
                f"{where}: {error}; expected a whole number of lesions and numbers as weights"
            ) from error
        weights = weights or (1.0,) * max(count, 0)
        if count < 0 or len(weights) != count or not all(0 < w < math.inf for w in weights):
            raise CohortError(
                f"{where}: {count} lesions with weights {list(weights)}; expected one weight above "
                "0 for each lesion"
            )
        lesions[case] = weights
    return lesions


def rows_under(
    path: Path, needed: tuple[str, ...], *, also_called: Mapping[str, str] = _ALSO_CALLED
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header and rows with their line numbers, every cell stripped."""
    header, lines, rows = _table(path, needed, also_called)
    pairs = zip(lines, rows, strict=True)
    return header, [(line, dict(zip(header, row, strict=True))) for line, row in pairs]


def _table(
    path: Path, needed: tuple[str, ...], also_called: Mapping[str, str] = _ALSO_CALLED
) -> tuple[list[str], list[int], list[list[str]]]:
    """Header, numbers of the lines that are not empty, and their cells."""
    if not path.is_file():
        raise CohortError(f"{path}: no such table; expected columns {list(needed)}")
    try:
        lines = [(n, row) for n, row in _lines(path) if any(row)]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise CohortError(f"{path}: not a table of comma-separated UTF-8 text: {error}") from error
    header = [also_called.get(name, name) for name in lines[0][1]] if lines else []
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise CohortError(
            f"{path}: its columns are separated by semicolons or tabs; expected commas. Save it as "
            "comma-separated text, with a point in decimal numbers"
        )
    missing = [name for name in needed if name not in header]
    if missing or len(set(header)) != len(header):
        raise CohortError(f"{path}: columns {header}; expected {list(needed)}, each column once")
    if len(lines) < 2:
        raise CohortError(f"{path}: no rows under the header")
    for number, row in lines[1:]:
        if len(row) != len(header):
            raise CohortError(
                f"{path}, line {number}: {len(row)} cells under {len(header)} columns; "
                "give each line as many commas as the first"
            )
    return header, [number for number, _ in lines[1:]], [row for _, row in lines[1:]]


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and stripped cells."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", newline="", encoding="utf-8-sig") as handle:
        reader = csv.reader(handle, strict=True)
        for row in reader:
            yield reader.line_num, list(map(str.strip, row))


def _once_each(cells: Sequence[str]) -> tuple[str, ...]:
    """The same cells, text that recurs held in memory once."""
    return tuple(map(sys.intern, cells))


def _truths(cells: Sequence[str], lines: list[int], path: Path) -> Iterator[bool]:
    for line, cell in zip(lines, cells, strict=True):
        known = _TRUTH.get(cell.lower(), _TRUTH.get(cell.removesuffix(".0")))
        if known is None:
            raise CohortError(f"{path}, line {line}: truth {cell!r}; expected 0 or 1")
        yield known


def _numbers(name: str, cells: Sequence[str], lines: list[int], path: Path) -> Iterator[float]:
    """Cells as numbers, NaN where empty; words such as nan and inf are refused."""
    for line, cell in zip(lines, cells, strict=True):
        if not cell:
            yield math.nan
            continue
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise CohortError(
                f"{path}, line {line}: {name} {cell!r}; expected a number, or nothing"
            )
        yield number
