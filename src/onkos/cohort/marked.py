"""Marked lesions as a table: one row a mark, points or boxes, in millimetres or in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from onkos.cohort.ratings import rows_under
from onkos.core.answers import Finding, Findings, Unit
from onkos.core.comparison import Predicted
from onkos.core.errors import CohortError
from onkos.core.task import Task

_AXES = ("x", "y", "z")
_WIDTHS = ("width", "height", "depth")
_UNITS: tuple[Unit, Unit] = ("mm", "px")


def load_findings(path: Path | str) -> Mapping[tuple[str, int, str], Findings]:
    """Read marked lesions, comma-separated UTF-8.

    Columns: ``case``, ``patient``; the centre as ``x_mm``, ``y_mm``, ``z_mm`` (LPS) or, in a
    picture, ``x``, ``y`` in pixels (column, row); optionally the full widths of a box,
    ``width_mm``, ``height_mm``, ``depth_mm`` or ``width``, ``height`` in pixels; ``score``
    (higher is surer; 1 without it) and ``class``. Several models have a column ``arm``, several
    draws of the folds ``repeat``. A row without a centre says that the case was read and nothing
    marked in it.

    Returns
    -------
    mapping
        (arm, repeat from 0, case) to its marks.

    Raises
    ------
    CohortError
        If a column is missing or a cell cannot be understood, with its line.
    """
    path = Path(path)
    header, rows = rows_under(path, ("case", "patient"))
    unit = _unit(header, path)
    marks: dict[tuple[str, int, str], list[Finding]] = {}
    for line, row in rows:
        where = f"{path}, line {line}"
        if not row["case"]:
            raise CohortError(f"{where}: case must not be empty")
        repeat = int(_number("repeat", row["repeat"], where)) - 1 if row.get("repeat") else 0
        kept = marks.setdefault((row.get("arm", ""), repeat, row["case"]), [])
        centre = _numbers(row, _AXES, unit, where)
        if centre:
            kept.append(
                Finding(
                    centre=centre,
                    size=_numbers(row, _WIDTHS, unit, where),
                    score=_number("score", row["score"], where) if row.get("score") else 1.0,
                    kind=row.get("class", ""),
                )
            )
    return {key: Findings(marks=tuple(kept), unit=unit) for key, kept in marks.items()}


def load_lesions(path: Path, cases: Iterable[str]) -> Mapping[str, Findings]:
    """Read the lesions that are there, ``lesions.csv`` beside a table of cases.

    Columns as of :func:`load_findings`. Every case has a row, one without lesions a row without
    a centre: a case that was forgotten is so told from one that is known to have none.

    Raises
    ------
    CohortError
        If a case of the table has no row, or the rows are of several arms or repeats.
    """
    found = load_findings(path)
    if any(arm or repeat for arm, repeat, _ in found):
        raise CohortError(f"{path}: columns arm or repeat; the lesions that are there have neither")
    lesions = {case: marks for (_, _, case), marks in found.items()}
    without = [case for case in cases if case not in lesions]
    if without:
        raise CohortError(
            f"{path}: no row of {len(without)} cases of the table, {without[:5]}; give their "
            "lesions, or one row without a centre where it is known that there is none"
        )
    return lesions


def is_detections(header: Iterable[str]) -> bool:
    """Whether these are the columns of marked lesions and of nothing else."""
    known = set(header)
    return not {"risk", "mask"} & known and ({"x_mm", "y_mm"} <= known or {"x", "y"} <= known)


def rows_of(predicted: Iterable[Predicted]) -> list[dict[str, str]]:
    """Rows of ``detections.csv``: every mark of every model; a row without a centre for none.

    Raises
    ------
    CohortError
        If some marks are in millimetres and others in pixels.
    """
    predicted = tuple(predicted)
    units = {found.unit for found in _all_findings(predicted) if found.marks}
    if len(units) > 1:
        raise CohortError("marks in millimetres and in pixels; expected one unit for all arms")
    ending = "_mm" if units <= {"mm"} else ""
    rows = []
    for one in predicted:
        for repeat, answered in enumerate(one.repeats, start=1):
            for case in answered:
                found = case.answers.get(Task.DETECT)
                if not isinstance(found, Findings):
                    continue
                head = {
                    "case": case.case,
                    "patient": case.patient,
                    "arm": one.name,
                    "repeat": str(repeat),
                    "fold": str(case.fold + 1),
                }
                nothing = {**head, f"x{ending}": "", f"y{ending}": ""}
                rows += [{**head, **_row(mark, found.unit)} for mark in found.marks] or [nothing]
    return rows


def _all_findings(predicted: Iterable[Predicted]) -> Iterator[Findings]:
    for one in predicted:
        for answered in one.repeats:
            for case in answered:
                found = case.answers.get(Task.DETECT)
                if isinstance(found, Findings):
                    yield found


def _row(mark: Finding, unit: Unit) -> dict[str, str]:
    ending = "_mm" if unit == "mm" else ""
    cells = {f"{axis}{ending}": repr(at) for axis, at in zip(_AXES, mark.centre, strict=False)}
    widths = zip(_WIDTHS, mark.size, strict=False)
    cells |= {f"{name}{ending}": repr(width) for name, width in widths}
    return {**cells, "score": repr(mark.score), "class": mark.kind}


def _unit(header: Iterable[str], path: Path) -> Unit:
    known = set(header)
    if {"x_mm", "y_mm"} <= known and known & set(_AXES):
        raise CohortError(
            f"{path}: columns {sorted(known)}; expected centres in millimetres (x_mm, y_mm, z_mm) "
            "or in pixels (x, y), not both"
        )
    if {"x_mm", "y_mm"} <= known:
        return "mm"
    if {"x", "y"} <= known:
        return "px"
    raise CohortError(
        f"{path}: columns {sorted(known)}; expected the centre of each mark as x_mm, y_mm, z_mm, "
        "or as x, y in pixels"
    )


def _numbers(
    row: Mapping[str, str], names: Iterable[str], unit: Unit, where: str
) -> tuple[float, ...]:
    """The numbers of a row under some columns, as many as are filled in, without a gap."""
    ending = "_mm" if unit == "mm" else ""
    cells = [(f"{name}{ending}", row.get(f"{name}{ending}", "")) for name in names]
    filled = [bool(cell) for _, cell in cells]
    if any(later and not earlier for earlier, later in pairwise(filled)):
        raise CohortError(f"{where}: {dict(cells)}; expected each coordinate, or none")
    return tuple(_number(name, cell, where) for name, cell in cells if cell)


def _number(name: str, cell: str, where: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise CohortError(f"{where}: {name} is {cell!r}; expected a number")
    return number
