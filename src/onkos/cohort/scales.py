"""Readings taken for what they are: categories, or measurements in a unit."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onkos.cohort.names import alike, ordered
from onkos.cohort.readings import Cell, ReadingTable
from onkos.core.errors import CohortError, UsageError
from onkos.core.geometry import FloatArray

Scale = Literal["nominal", "ordinal"]
Category = str | float

UNREAD = -1

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_GAPS = ("na", "n/a", "#n/a", "nan", "null", "-", "--", ".", "?", "missing", "not read", "inf")
_FEW = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rated:
    """Categories: ``codes`` (cases, readers, repeats) number them, -1 where nothing was read."""

    table: ReadingTable
    codes: NDArray[np.intp]
    categories: tuple[Category, ...]
    scale: Scale


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Measurements: ``values`` (cases, readers, repeats), NaN where nothing was read."""

    table: ReadingTable
    values: FloatArray
    unit: str


def rated(table: ReadingTable, *, scale: str | None, order: Sequence[str] = ()) -> Rated:
    """Take readings for categories.

    Parameters
    ----------
    table
        The readings.
    scale
        ``nominal`` or ``ordinal``; None is enough for two categories, where it does not matter.
    order
        Every category, in order; needed for ordinal words, and where a category of the scale
        was never used.

    Raises
    ------
    UsageError
        If the scale or the order of words is not told and matters.
    CohortError
        If a rating is not among the categories, a word stands among numbers, or two words
        differ only in spelling; with its line.
    """
    if scale not in (None, "nominal", "ordinal"):
        raise UsageError(f"scale {scale!r}: expected nominal or ordinal")
    categories = _listed(table, order) if order else _seen(table)
    shown = [said(category) for category in categories]
    if scale is None and len(categories) > 2:
        kind = "different numbers" if isinstance(categories[0], float) else "words"
        many = len(categories) > _FEW and isinstance(categories[0], float)
        more = "; measurements have a --unit and the column value" if many else ""
        raise UsageError(
            f"{table.path}: ratings are {len(categories)} {kind} ({_few(shown)}); whether they are "
            f"steps of a scale or mere names changes the answer. Say --scale ordinal or "
            f"--scale nominal{more}"
        )
    if scale == "ordinal" and not order and len(categories) > 2 and isinstance(categories[0], str):
        raise UsageError(
            f"{table.path}: ordinal words have an order that the table does not tell; give all of "
            f"them from least to most with --order, e.g. --order {_few(shown, joined=',')}"
        )
    number = {name: code for code, name in enumerate(shown)}
    codes = np.full(table.shape, UNREAD, dtype=np.intp)
    for place, cell in table.cells.items():
        codes[place] = number[_canonical(cell.text)]
    return Rated(
        table=table,
        codes=codes,
        categories=categories,
        scale="ordinal" if scale == "ordinal" else "nominal",
    )


def measured(table: ReadingTable, *, unit: str) -> Measured:
    """Take readings for measurements in one unit.

    Raises
    ------
    CohortError
        If a cell holds no number, with its line.
    """
    values = np.full(table.shape, math.nan)
    for place, cell in table.cells.items():
        values[place] = _number(cell, f"{table.path}, line {cell.line}")
    return Measured(table=table, values=values, unit=unit)


def said(category: Category) -> str:
    """A category as it is printed."""
    return category if isinstance(category, str) else f"{category:.12g}"


def _listed(table: ReadingTable, order: Sequence[str]) -> tuple[Category, ...]:
    """Categories as given; refuses ratings that are none of them."""
    numeric = all(_NUMBER.fullmatch(name) for name in order)
    shown = [_canonical(name) for name in order]
    if len(set(shown)) != len(shown):
        raise UsageError(f"--order {','.join(order)}: expected each category once")
    for cell in table.cells.values():
        if _canonical(cell.text) not in shown:
            raise CohortError(
                f"{table.path}, line {cell.line}: rating {cell.text!r} is none of {_few(shown)}, "
                "as --order has them; correct it, or add it there"
            )
    return tuple(float(name) for name in order) if numeric else tuple(shown)


def _seen(table: ReadingTable) -> tuple[Category, ...]:
    """Categories that occur, in order: numbers by size, words by letters."""
    cells = sorted(table.cells.values(), key=lambda cell: cell.line)
    numbers = [cell for cell in cells if _NUMBER.fullmatch(cell.text)]
    words = [cell for cell in cells if not _NUMBER.fullmatch(cell.text)]
    gap = next((cell for cell in words if cell.text.casefold() in _GAPS), None)
    if gap is not None or (numbers and words):
        _refuse_word(table, gap or words[0], numeric=bool(numbers))
    if numbers:
        return tuple(sorted({float(cell.text) for cell in numbers}))
    names = ordered(cell.text for cell in words)
    for one, other in alike(names):
        lines = [next(c.line for c in words if c.text == name) for name in (one, other)]
        raise CohortError(
            f"{table.path}: ratings {one!r} (line {lines[0]}) and {other!r} (line {lines[1]}) "
            "differ only in spelling; write each category in one way, or list all with --order"
        )
    return names


def _refuse_word(table: ReadingTable, cell: Cell, *, numeric: bool) -> None:
    where = f"{table.path}, line {cell.line}: rating {cell.text!r}"
    if numeric and _COMMA.fullmatch(cell.text):
        raise CohortError(f"{where} has a decimal comma; write a point")
    if numeric:
        raise CohortError(
            f"{where} stands among numbers; leave the cell empty where nothing was read, or list "
            "every category in order with --order"
        )
    raise CohortError(
        f"{where} looks like a gap; leave the cell empty where nothing was read, or list every "
        "category with --order"
    )


def _number(cell: Cell, where: str) -> float:
    if _NUMBER.fullmatch(cell.text) and math.isfinite(value := float(cell.text)):
        return value
    if _COMMA.fullmatch(cell.text):
        raise CohortError(f"{where}: value {cell.text!r} has a decimal comma; write a point")
    raise CohortError(
        f"{where}: value {cell.text!r}; expected a number, or nothing where it was not measured"
    )


def _canonical(text: str) -> str:
    """One spelling for ``3``, ``3.0`` and ``03``; words as they are."""
    return said(float(text)) if _NUMBER.fullmatch(text) else text


def _few(names: Sequence[str], *, joined: str = ", ") -> str:
    more = "" if len(names) <= 6 else f"{joined}..."
    return joined.join(names[:6]) + more
