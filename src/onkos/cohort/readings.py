"""Readings of the same cases by several readers as a table: categories or measurements."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from onkos.cohort.names import alike, ordered
from onkos.cohort.ratings import rows_under
from onkos.core.errors import CohortError, UsageError
from onkos.core.source import Caveat

_SPELLED = {
    name.capitalize(): name
    for name in ("case", "reader", "rating", "value", "patient", "replicate", "session", "date")
} | {"rater": "reader", "Rater": "reader", "observer": "reader", "Observer": "reader"}
_REPEATS = ("replicate", "session", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What stands in the table, and on which line."""

    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingTable:
    """A table of readings, not yet taken for categories or numbers.

    Parameters
    ----------
    path, sha256
        Of the file.
    column
        ``rating`` or ``value`` as the table has it; empty where each reader has a column.
    cases, patients
        Cases in their order, and the patient of each (the case itself where none is told).
    clustered
        Whether patients are told.
    readers
        In their order.
    repeats
        Names of repeated readings in their order; one without a name where there are none.
    cells
        Place (case, reader, repeat) to what stands there; empty cells are not there.
    caveats
        What is doubtful about it.
    """

    path: Path
    sha256: str
    column: str
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    clustered: bool
    readers: tuple[str, ...]
    repeats: tuple[str, ...]
    cells: Mapping[tuple[int, int, int], Cell]
    caveats: tuple[Caveat, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cases, readers, repeats."""
        return len(self.cases), len(self.readers), len(self.repeats)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    case: str
    patient: str
    reader: str
    repeat: str
    cell: Cell


def load_readings(path: Path, *, readers: Sequence[str] = ()) -> ReadingTable:
    """Read a table of readings, comma-separated UTF-8 (a byte order mark too), plain or ``.gz``.

    One row a reading: ``case``, ``reader`` (or rater, observer), and ``rating`` or ``value``.
    Or one row a case and one column a reader: ``case`` and the columns named by ``readers``.
    Either may have ``patient`` (cases of one patient are not independent) and one of
    ``replicate``, ``session`` or ``date`` (YYYY-MM-DD) where a reader read a case several
    times. Further columns are left alone. An empty cell says that nothing was read.

    Raises
    ------
    CohortError
        If a column is missing, a case or reader has no name or is spelt in two ways, or a
        reading stands twice; with the number of its line.
    UsageError
        If a column named by ``readers`` is not there.
    """
    if not path.is_file():
        raise CohortError(f"{path}: no such table; check the path")
    header, rows = rows_under(
        path, (), also_called={k: v for k, v in _SPELLED.items() if k not in readers}
    )
    column = _column(path, header, readers)
    repeat = next((name for name in _REPEATS if name in header), "")
    found: list[_Row] = []
    for line, row in rows:
        found += _rows_of(path, line, row, readers=readers, column=column, repeat=repeat)
    return _table(path, found, column=column, repeat=repeat, clustered="patient" in header)


def _column(path: Path, header: Sequence[str], readers: Sequence[str]) -> str:
    """Name of the column with the readings; empty for a column a reader."""
    absent = [name for name in readers if name not in header]
    if absent:
        raise UsageError(
            f"{path}: no column {absent[0]!r} as --readers names it; its columns are {header}"
        )
    both = [name for name in ("rating", "value") if name in header]
    if readers and "reader" in header:
        raise UsageError(
            f"{path}: a column reader and --readers too; --readers is for tables with one column "
            "a reader. Leave it out"
        )
    if "case" in header and readers:
        return ""
    if "case" not in header or "reader" not in header or len(both) != 1:
        raise CohortError(
            f"{path}: columns {list(header)[:8]}; expected case, reader and one of rating or "
            "value; of a table with one column a reader name these with --readers A,B,C"
        )
    return both[0]


def _rows_of(
    path: Path,
    line: int,
    row: Mapping[str, str],
    *,
    readers: Sequence[str],
    column: str,
    repeat: str,
) -> list[_Row]:
    """The readings of one line."""
    where = f"{path}, line {line}"
    needed = ["case"] + (["reader"] if column else []) + ([repeat] if repeat else [])
    needed += ["patient"] if "patient" in row else []
    empty = [name for name in needed if not row[name]]
    if empty:
        raise CohortError(f"{where}: {empty[0]} must not be empty")
    if repeat == "date":
        _require_date(row["date"], where)
    pairs = (
        [(name, row[name]) for name in readers] if not column else [(row["reader"], row[column])]
    )
    return [
        _Row(
            case=row["case"],
            patient=row.get("patient", row["case"]),
            reader=reader,
            repeat=row[repeat] if repeat else "",
            cell=Cell(text=text, line=line),
        )
        for reader, text in pairs
    ]


def _table(
    path: Path, rows: Sequence[_Row], *, column: str, repeat: str, clustered: bool
) -> ReadingTable:
    patients = _patients(path, rows)
    cases, readers = ordered(patients), ordered(row.reader for row in rows)
    _require_spelling(path, rows, readers)
    _require_once(path, rows, repeat)
    repeats, place = _repeats(rows, by_date=repeat == "date")
    at_case = {name: n for n, name in enumerate(cases)}
    at_reader = {name: n for n, name in enumerate(readers)}
    cells = {
        (at_case[row.case], at_reader[row.reader], place(row)): row.cell
        for row in rows
        if row.cell.text
    }
    silent = [name for n, name in enumerate(readers) if not any(at[1] == n for at in cells)]
    if silent:
        raise CohortError(
            f"{path}: reader {silent[0]!r} read nothing; take this reader out of the table"
        )
    _require_two(path, cells)
    return ReadingTable(
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        column=column,
        cases=cases,
        patients=tuple(patients[case] for case in cases),
        clustered=clustered,
        readers=readers,
        repeats=repeats,
        cells=cells,
        caveats=_doubled(rows),
    )


def _require_two(path: Path, cells: Mapping[tuple[int, int, int], Cell]) -> None:
    """Refuse a table in which no case was read twice."""
    if len({case for case, _, _ in cells}) == len(cells):
        raise CohortError(
            f"{path}: no case was read twice, by two readers or by one; agreement needs cases that "
            "were. Are the cases called alike by all readers?"
        )


def _patients(path: Path, rows: Sequence[_Row]) -> dict[str, str]:
    """Case to patient; a case of two patients is refused."""
    found: dict[str, str] = {}
    for row in rows:
        if found.setdefault(row.case, row.patient) != row.patient:
            raise CohortError(
                f"{path}, line {row.cell.line}: case {row.case!r} is of patient {row.patient!r} "
                f"here and of {found[row.case]!r} before; correct the one that is wrong"
            )
    return found


def _require_spelling(path: Path, rows: Sequence[_Row], readers: Sequence[str]) -> None:
    """Refuse one reader, or one case of two readers, under two spellings."""
    for one, other in alike(readers):
        first, second = (
            next(row.cell.line for row in rows if row.reader == name) for name in (one, other)
        )
        raise CohortError(
            f"{path}: reader {one!r} (line {first}) and reader {other!r} (line {second}) differ "
            "only in spelling; write each reader in one way"
        )
    by: dict[str, set[str]] = {}
    for row in rows:
        if row.cell.text:
            by.setdefault(row.case, set()).add(row.reader)
    for one, other in alike(by):
        if by[one].isdisjoint(by[other]):
            first, second = (
                next(row.cell.line for row in rows if row.case == name) for name in (one, other)
            )
            raise CohortError(
                f"{path}: case {one!r} (line {first}) and case {other!r} (line {second}), read by "
                "different readers, differ only in leading zeros or spelling; write each case in "
                "one way"
            )


def _doubled(rows: Sequence[_Row]) -> tuple[Caveat, ...]:
    """Cases that look like one and were read by the same reader: two cases, but said."""
    pairs = alike(row.case for row in rows if row.cell.text)
    if not pairs:
        return ()
    one, other = pairs[0]
    text = (
        f"{len(pairs)} pairs of cases differ only in leading zeros or spelling, {one!r} and "
        f"{other!r} for one; they are taken for different cases, since one reader read both."
    )
    return (Caveat(code="cases-alike", text=text),)


def _require_once(path: Path, rows: Sequence[_Row], repeat: str) -> None:
    seen: dict[tuple[str, str, str], int] = {}
    for row in rows:
        before = seen.setdefault((row.case, row.reader, row.repeat), row.cell.line)
        if before != row.cell.line:
            what = f", {repeat} {row.repeat!r}," if repeat else ""
            remedy = "keep one" if repeat else "keep one, or tell them apart in a column replicate"
            raise CohortError(
                f"{path}, line {row.cell.line}: case {row.case!r} of reader {row.reader!r}{what} "
                f"stands on line {before}, too; {remedy}"
            )


def _repeats(
    rows: Sequence[_Row], *, by_date: bool
) -> tuple[tuple[str, ...], Callable[[_Row], int]]:
    """Names of the repeated readings, and the place of one among them.

    Dates are a reader's own: they are counted within case and reader.
    """
    if not by_date:
        names = ordered(row.repeat for row in rows)
        at = {name: n for n, name in enumerate(names)}
        return names, lambda row: at[row.repeat]
    of: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.cell.text:
            of.setdefault((row.case, row.reader), []).append(row.repeat)
    rank = {key: {date: n for n, date in enumerate(sorted(dates))} for key, dates in of.items()}
    most = max((len(dates) for dates in of.values()), default=1)
    return (
        tuple(f"reading {n}" for n in range(1, most + 1)),
        lambda row: rank.get((row.case, row.reader), {}).get(row.repeat, 0),
    )


def _require_date(text: str, where: str) -> None:
    try:
        datetime.date.fromisoformat(text[:10])
    except ValueError as error:
        raise CohortError(
            f"{where}: date {text!r}; expected YYYY-MM-DD, so that first and second reading are "
            "certain"
        ) from error
