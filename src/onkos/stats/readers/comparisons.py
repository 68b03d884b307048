"""Pairs of cases compared: what a figure of merit that is a mean over pairs is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from onkos.core.geometry import FloatArray
from onkos.stats.midranks import Ranked, SortedGroups, weight_below
from onkos.stats.resampling import IntArray

ReaderCell = tuple[int, int]  # number of a reader, number of a modality


class PairScores(Protocol):
    """What each pair of a row case and a column case scores, in each cell.

    A cell is a reader in a modality. The pairs of a study of thousands of cases are too many to
    be held; what is needed are sums over them.
    """

    def row_sums(self) -> FloatArray:
        """Sum of each row case over the column cases, shape (readers, modalities, rows)."""

    def column_sums(self) -> FloatArray:
        """Sum of each column case over the row cases, shape (readers, modalities, columns)."""

    def of_pairs(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Score of some pairs, given by their places; shape (readers, modalities, pairs)."""

    def products(self, first: Sequence[ReaderCell], second: Sequence[ReaderCell]) -> FloatArray:
        """Sum over all pairs of one cell's score times another's, shape (first, second)."""

    def totals(self, cell: ReaderCell, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """Sum over all pairs of a cell, cases weighing as said; shape (weightings,).

        ``rows`` and ``columns`` have shape (weightings, cases of either kind).
        """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankScores:
    """Scores by comparing ratings: 1 where the column case's is higher, one half for a tie.

    A column case may have several ratings (its lesions) of different weight; the weighted
    scores are added. Everything is computed from mid-ranks, in n log n steps.

    Parameters
    ----------
    low, low_weight
        Rating and weight of each row case, shape (readers, modalities, rows); weight 0 where a
        reader did not read the case. No NaN.
    high, high_weight
        Ratings and weights of the column cases, shape (readers, modalities, columns, ratings).
    """

    low: FloatArray
    low_weight: FloatArray
    high: FloatArray
    high_weight: FloatArray

    def row_sums(self) -> FloatArray:
        """Sum of each row case over the column cases, shape (readers, modalities, rows)."""
        found = np.zeros(self.low.shape)
        for cell in np.ndindex(self.low.shape[:2]):
            high, weight = self.high[cell].ravel(), self.high_weight[cell].ravel()
            above = weight.sum() - weight_below(self.low[cell], high, weight)
            found[cell] = self.low_weight[cell] * above
        return found

    def column_sums(self) -> FloatArray:
        """Sum of each column case over the row cases, shape (readers, modalities, columns)."""
        found = np.zeros(self.high.shape[:3])
        for cell in np.ndindex(self.high.shape[:2]):
            below = weight_below(self.high[cell], self.low[cell], self.low_weight[cell])
            found[cell] = (self.high_weight[cell] * below).sum(axis=-1)
        return found

    def of_pairs(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Score of some pairs, given by their places; shape (readers, modalities, pairs)."""
        won = better(self.low[..., rows, None], self.high[..., columns, :])
        total = (won * self.high_weight[..., columns, :]).sum(axis=-1)
        return np.asarray(self.low_weight[..., rows] * total)

    def products(self, first: Sequence[ReaderCell], second: Sequence[ReaderCell]) -> FloatArray:
        """Sum over all pairs of one cell's score times another's, shape (first, second)."""
        ranked = {cell: self._ranked(cell) for cell in {*first, *second}}
        found = np.zeros((len(first), len(second)))
        same = list(first) == list(second)
        for a, one in enumerate(first):
            for b, other in enumerate(second):
                done = same and b < a
                found[a, b] = found[b, a] if done else ranked[one].product(ranked[other])
        return found

    def totals(self, cell: ReaderCell, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """Sum over all pairs of a cell, cases weighing as said; shape (weightings,)."""
        count, ratings = rows.shape[1], self.high.shape[3]
        ordered = SortedGroups.of(
            (self.low[cell], self.low_weight[cell], np.arange(count)),
            (
                self.high[cell].ravel(),
                self.high_weight[cell].ravel(),
                np.repeat(count + np.arange(columns.shape[1]), ratings),
            ),
        )
        return ordered.wins(np.concatenate([rows, columns], axis=1))[:, 0]

    def _ranked(self, cell: ReaderCell) -> Ranked:
        return Ranked.of(
            self.low[cell], self.low_weight[cell], self.high[cell], self.high_weight[cell]
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableScores:
    """Scores that no ranking gives, pair by pair: for rules such as Song's second.

    Parameters
    ----------
    table
        Scores of a cell, shape (rows, columns); 0 where a reader did not read either case.
    shape
        Readers and modalities.
    """

    table: Callable[[ReaderCell], FloatArray]
    shape: tuple[int, int]

    def row_sums(self) -> FloatArray:
        """Sum of each row case over the column cases, shape (readers, modalities, rows)."""
        return self._each(lambda table: np.asarray(table.sum(axis=1)))

    def column_sums(self) -> FloatArray:
        """Sum of each column case over the row cases, shape (readers, modalities, columns)."""
        return self._each(lambda table: np.asarray(table.sum(axis=0)))

    def of_pairs(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Score of some pairs, given by their places; shape (readers, modalities, pairs)."""
        return self._each(lambda table: np.asarray(table[rows, columns]))

    def products(self, first: Sequence[ReaderCell], second: Sequence[ReaderCell]) -> FloatArray:
        """Sum over all pairs of one cell's score times another's, shape (first, second)."""
        one, other = (np.stack([self.table(c).ravel() for c in cells]) for cells in (first, second))
        return np.asarray(one @ other.T)

    def totals(self, cell: ReaderCell, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """Sum over all pairs of a cell, cases weighing as said; shape (weightings,)."""
        return np.asarray(np.einsum("ba,ba->b", rows @ self.table(cell), columns))

    def _each(self, reduced: Callable[[FloatArray], FloatArray]) -> FloatArray:
        flat = [reduced(self.table(cell)) for cell in np.ndindex(self.shape)]
        return np.stack(flat).reshape(*self.shape, -1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparisons:
    """Comparisons of cases: a figure of merit is their mean score.

    Parameters
    ----------
    scores
        What each pair scores.
    row_mass, column_mass
        What each case counts in the denominator, shape (readers, modalities, rows or columns);
        0 where it was not read.
    rows, columns
        Numbers of the cases; a case may be both.
    """

    scores: PairScores
    row_mass: FloatArray
    column_mass: FloatArray
    rows: IntArray
    columns: IntArray

    @property
    def plain(self) -> bool:
        """True where normal cases meet abnormal ones and every case read counts once."""
        once = np.isin(self.row_mass, [0, 1]).all() and np.isin(self.column_mass, [0, 1]).all()
        return bool(once) and not np.isin(self.rows, self.columns).any()

    def by_case(self, count: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """What goes when a case is left out.

        Returns
        -------
        score, row_mass, column_mass, total
            The first three of shape (readers, modalities, count), 0 for a case that does not
            enter: the sum of the scores that a case takes part in, and what it counts;
            ``total`` the sum of all scores, shape (readers, modalities).
        """
        shape = (*self.row_mass.shape[:2], count)
        score, row_mass, column_mass = (np.zeros(shape) for _ in range(3))
        by_row = self.scores.row_sums()
        score[..., self.rows] += by_row
        score[..., self.columns] += self.scores.column_sums()
        both, rows, columns = np.intersect1d(self.rows, self.columns, return_indices=True)
        if both.size:
            score[..., both] -= self.scores.of_pairs(rows, columns)
        row_mass[..., self.rows] = self.row_mass
        column_mass[..., self.columns] = self.column_mass
        return score, row_mass, column_mass, np.asarray(by_row.sum(axis=-1))


def better(lower: FloatArray, higher: FloatArray) -> FloatArray:
    """1 where the second is rated higher, a half where both are rated the same."""
    return np.asarray((lower < higher) + 0.5 * (lower == higher), dtype=np.float64)
