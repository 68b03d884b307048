"""Ratings of cases by readers, the input of every coefficient of agreement."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onkos.core.errors import CohortError, ContentError
from onkos.core.geometry import FloatArray

MISSING = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ratings:
    """Categories given to cases by readers, with gaps. Build it with one of the class methods.

    Parameters
    ----------
    categories
        Every category, in order.
    counts
        (rows, categories): how many readers chose it.
    codes
        (rows, readers): number of the category, -1 where nothing was read; None when only the
        counts are known.
    frequency
        (rows,): cases that each row stands for (a cell of a table stands for many).
    groups
        (rows,): number of the patient of each row.
    rows
        (rows,): which row of the input each is; rows that nobody rated are left out.
    clustered
        True when patients were named: then they, not the cases, are the independent units.
    """

    categories: tuple[Any, ...]
    counts: FloatArray
    codes: NDArray[np.intp] | None
    frequency: FloatArray
    groups: NDArray[np.intp]
    rows: NDArray[np.intp]
    clustered: bool

    @classmethod
    def of(
        cls,
        values: Sequence[Sequence[Any]] | ArrayLike,
        *,
        categories: Sequence[Any] | None = None,
        patients: Sequence[Hashable] | None = None,
    ) -> Ratings:
        """Build from one row a case and one column a reader; None or NaN where nothing was read.

        Cases that nobody rated are left out: they say nothing.

        Raises
        ------
        ContentError
            If there is nothing to compare, a reader read nothing, or a rating is not among the
            categories.
        """
        table = np.asarray(values, dtype=object)
        if table.ndim != 2 or table.shape[1] < 1:
            raise ContentError(f"ratings of shape {table.shape}: expected (cases, readers)")
        missing = np.array([[_is_missing(cell) for cell in row] for row in table], dtype=bool)
        missing = missing.reshape(table.shape)
        silent = np.flatnonzero(missing.all(axis=0)).tolist()
        if silent:
            raise ContentError(f"readers {silent} gave no rating; leave these columns out")
        known = _categories(table[~missing].tolist(), categories)
        number = {category: index for index, category in enumerate(known)}
        codes = np.full(table.shape, MISSING, dtype=np.intp)
        codes[~missing] = [number[_plain(cell)] for cell in table[~missing]]
        kept = ~missing.all(axis=1)
        groups = _groups(patients, len(table))[kept]
        return cls(
            categories=known,
            counts=_counted(codes[kept], len(known)),
            codes=codes[kept],
            frequency=np.ones(int(kept.sum())),
            groups=np.unique(groups, return_inverse=True)[1].astype(np.intp),
            rows=np.flatnonzero(kept),
            clustered=patients is not None,
        )

    @classmethod
    def long(
        cls,
        readings: Iterable[tuple[Hashable, Hashable, Any]],
        *,
        categories: Sequence[Any] | None = None,
    ) -> Ratings:
        """Build from (case, reader, rating) triples in any order.

        Raises
        ------
        CohortError
            If a reader rated a case twice.
        """
        found: dict[tuple[Hashable, Hashable], Any] = {}
        for case, reader, rating in readings:
            if (case, reader) in found:
                raise CohortError(
                    f"case {case!r} was rated twice by reader {reader!r}; expected one rating "
                    "each. Decide which one counts"
                )
            found[case, reader] = rating
        cases = list(dict.fromkeys(case for case, _ in found))
        readers = list(dict.fromkeys(reader for _, reader in found))
        rows = [[found.get((case, reader)) for reader in readers] for case in cases]
        return cls.of(rows if rows else np.empty((0, 1)), categories=categories)

    @classmethod
    def table(cls, counts: ArrayLike, *, categories: Sequence[Any] | None = None) -> Ratings:
        """Build from the square table of two readers: rows the first, columns the second."""
        cells = np.asarray(counts, dtype=np.float64)
        if cells.ndim != 2 or cells.shape[0] != cells.shape[1]:
            raise ContentError(f"table of shape {cells.shape}: expected as many rows as columns")
        _require_counts(cells)
        q = len(cells)
        first, second = np.nonzero(cells)
        codes = np.stack([first, second], axis=1).astype(np.intp)
        return cls(
            categories=_named(q, categories),
            counts=_counted(codes, q),
            codes=codes,
            frequency=cells[first, second],
            groups=np.arange(len(codes), dtype=np.intp),
            rows=np.arange(len(codes), dtype=np.intp),
            clustered=False,
        )

    @classmethod
    def counted(
        cls,
        counts: ArrayLike,
        *,
        categories: Sequence[Any] | None = None,
        patients: Sequence[Hashable] | None = None,
    ) -> Ratings:
        """Build from how many readers put each case (row) into each category (column)."""
        cells = np.asarray(counts, dtype=np.float64)
        if cells.ndim != 2 or not cells.size:
            raise ContentError(f"counts of shape {cells.shape}: expected (cases, categories)")
        _require_counts(cells)
        kept = cells.sum(axis=1) > 0
        groups = _groups(patients, len(cells))[kept]
        return cls(
            categories=_named(cells.shape[1], categories),
            counts=cells[kept],
            codes=None,
            frequency=np.ones(int(kept.sum())),
            groups=np.unique(groups, return_inverse=True)[1].astype(np.intp),
            rows=np.flatnonzero(kept),
            clustered=patients is not None,
        )

    @property
    def readers(self) -> int:
        """Readers, or the most that rated one case where they are not told apart."""
        if self.codes is None:
            return int(self.counts.sum(axis=1).max(initial=0))
        return int(self.codes.shape[1])

    @property
    def cases(self) -> int:
        """Cases with at least one rating."""
        return int(self.frequency.sum())

    @property
    def n(self) -> int:
        """Independent units: patients where they were named, else cases."""
        return len(np.unique(self.groups)) if self.clustered else self.cases

    def keep(self, rows: NDArray[np.bool_]) -> Ratings:
        """Only some rows."""
        return Ratings(
            categories=self.categories,
            counts=self.counts[rows],
            codes=None if self.codes is None else self.codes[rows],
            frequency=self.frequency[rows],
            groups=np.unique(self.groups[rows], return_inverse=True)[1].astype(np.intp),
            rows=self.rows[rows],
            clustered=self.clustered,
        )


def _is_missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, (float, np.floating)) and math.isnan(cell))


def _plain(cell: Any) -> Any:
    return cell.item() if isinstance(cell, np.generic) else cell


def _categories(values: Iterable[Any], given: Sequence[Any] | None) -> tuple[Any, ...]:
    """The categories in order; refuses ratings outside those given, and infinities."""
    seen = {_plain(value) for value in values}
    if any(isinstance(value, float) and math.isinf(value) for value in seen):
        raise ContentError("ratings hold an infinity; expected categories or finite numbers")
    if given is None:
        try:
            return tuple(sorted(seen))
        except TypeError as error:
            raise ContentError(
                "ratings mix numbers and names; give every category in order as categories="
            ) from error
    known = tuple(_plain(value) for value in given)
    if len(set(known)) != len(known):
        raise ContentError(f"categories {known}: expected each once")
    strangers = sorted(seen - set(known), key=str)
    if strangers:
        raise ContentError(f"ratings {strangers[:5]} are not among the categories {known}")
    return known


def _named(q: int, given: Sequence[Any] | None) -> tuple[Any, ...]:
    """Names of the columns of a table of counts; 1, 2, 3 ... if not given."""
    if given is None:
        return tuple(range(1, q + 1))
    if len(given) != q or len(set(given)) != q:
        raise ContentError(f"categories {list(given)} for {q} columns; expected one each")
    return tuple(given)


def _groups(patients: Sequence[Hashable] | None, n: int) -> NDArray[np.intp]:
    if patients is None:
        return np.arange(n, dtype=np.intp)
    if len(patients) != n:
        raise ContentError(f"{len(patients)} patients for {n} cases; expected one each")
    number = {patient: index for index, patient in enumerate(dict.fromkeys(patients))}
    return np.array([number[patient] for patient in patients], dtype=np.intp)


def _require_counts(cells: FloatArray) -> None:
    whole = np.isfinite(cells).all() and (cells >= 0).all() and np.array_equal(cells, cells.round())
    if not whole or cells.sum() == 0:
        raise ContentError("counts: expected whole numbers from 0 on, and at least one above")


def _counted(codes: NDArray[np.intp], q: int) -> FloatArray:
    return np.stack([(codes == k).sum(axis=1) for k in range(q)], axis=1).astype(np.float64)
