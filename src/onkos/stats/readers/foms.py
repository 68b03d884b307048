"""Figures of merit of reader studies: what one reader achieved in one modality.

Each is a value over *weighted* cases: all weights 1 for the study itself, one weight 0 for the
jackknife, whole numbers for the bootstrap. So each is defined once and resampled in one pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.readers.comparisons import Comparisons, RankScores, ReaderCell
from onkos.stats.readers.ratings import Kind, ReaderStudy
from onkos.stats.resampling import IntArray

Counted = Literal["all", "normal", "abnormal"]


class FigureOfMerit(Protocol):
    """A value for each reader and modality, over weighted cases."""

    @property
    def name(self) -> str:
        """Name as the field prints it."""

    @property
    def counted(self) -> Counted:
        """Which cases enter at all; only these are left out by the jackknife."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What studies it can be computed from."""

    def over(self, study: ReaderStudy, weights: FloatArray) -> FloatArray:
        """Value for each row of weights, shape (rows, readers, modalities); NaN where unread."""

    def without(self, study: ReaderStudy, cases: IntArray) -> FloatArray:
        """Value without each of some cases in turn, shape (cases, readers, modalities)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairMerit:
    """A figure of merit that is a mean over pairs of cases."""

    name: str
    kinds: tuple[Kind, ...]
    pairs: Callable[[ReaderStudy], Comparisons]
    counted: Counted = "all"

    def over(self, study: ReaderStudy, weights: FloatArray) -> FloatArray:
        """Value for each row of weights."""
        found = self.pairs(study)
        left, right = weights[:, found.rows], weights[:, found.columns]
        values = np.full((len(weights), *study.took_part.shape), np.nan)
        for cell in cells_of(study):
            top = found.scores.totals(cell, left, right)
            bottom = (left @ found.row_mass[cell]) * (right @ found.column_mass[cell])
            values[:, *cell] = top / _filled(bottom, self.name, study, cell)
        return values

    def without(self, study: ReaderStudy, cases: IntArray) -> FloatArray:
        """Value without each of some cases in turn: the whole less what they take part in."""
        score, row_mass, column_mass, total = self.pairs(study).by_case(len(study.cases))
        values = np.full((len(cases), *study.took_part.shape), np.nan)
        for cell in cells_of(study):
            rows = row_mass[cell].sum() - row_mass[cell][cases]
            columns = column_mass[cell].sum() - column_mass[cell][cases]
            bottom = _filled(rows * columns, self.name, study, cell)
            values[:, *cell] = (total[cell] - score[cell][cases]) / bottom
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareMerit:
    """A figure of merit that is a share or a rate: a sum over cases by a sum over cases."""

    name: str
    kinds: tuple[Kind, ...]
    parts: Callable[[ReaderStudy], tuple[FloatArray, FloatArray]]
    counted: Counted = "all"
    finish: Callable[[FloatArray], FloatArray] = np.positive

    def over(self, study: ReaderStudy, weights: FloatArray) -> FloatArray:
        """Value for each row of weights."""
        part, whole = self.parts(study)
        values = np.full((len(weights), *part.shape[:2]), np.nan)
        for cell in cells_of(study):
            bottom = _filled(weights @ whole[cell], self.name, study, cell)
            values[:, *cell] = self.finish(weights @ part[cell] / bottom)
        return values

    def without(self, study: ReaderStudy, cases: IntArray) -> FloatArray:
        """Value without each of some cases in turn."""
        part, whole = self.parts(study)
        values = np.full((len(cases), *part.shape[:2]), np.nan)
        for cell in cells_of(study):
            left = whole[cell].sum() - whole[cell][cases]
            bottom = _filled(left, self.name, study, cell)
            values[:, *cell] = self.finish((part[cell].sum() - part[cell][cases]) / bottom)
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveMerit:
    """A figure of merit of an ROC or LROC curve.

    ``of_counts`` gets how many normal and abnormal cases (correctly marked ones in LROC) were
    rated at each level, lowest level first, and how many abnormal cases there are.
    """

    name: str
    kinds: tuple[Kind, ...]
    of_counts: Callable[[FloatArray, FloatArray, float], float]
    counted: Counted = "all"

    def over(self, study: ReaderStudy, weights: FloatArray) -> FloatArray:
        """Value for each row of weights; equal counts are worked out once."""
        values = np.full((len(weights), *study.took_part.shape), np.nan)
        for cell in cells_of(study):
            levels = _Levels.of(study, cell, self.name)
            counts = levels.counts(weights)
            _filled(counts[:, : levels.count].sum(axis=1), self.name, study, cell)
            _filled(counts[:, -1], self.name, study, cell)
            distinct, back = np.unique(counts, axis=0, return_inverse=True)
            found = np.array([self._of(row, levels.count) for row in distinct])
            values[:, *cell] = found[back.reshape(-1)]
        return values

    def without(self, study: ReaderStudy, cases: IntArray) -> FloatArray:
        """Value without each of some cases in turn; cases of one class and rating are alike."""
        values = np.full((len(cases), *study.took_part.shape), np.nan)
        for cell in cells_of(study):
            levels = _Levels.of(study, cell, self.name)
            whole = levels.counts(np.ones((1, len(study.cases))))[0]
            alike, back = np.unique(levels.place[:, cases], axis=1, return_inverse=True)
            found = []
            for place in alike.T:
                left = whole.copy()
                left[place[place >= 0]] -= 1
                _filled(left[: levels.count].sum(keepdims=True), self.name, study, cell)
                _filled(left[-1:], self.name, study, cell)
                found.append(self._of(left, levels.count))
            values[:, *cell] = np.array(found)[back.reshape(-1)]
        return values

    def _of(self, counts: FloatArray, levels: int) -> float:
        return self.of_counts(counts[:levels], counts[levels:-1], float(counts[-1]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Levels:
    """Where each case is counted in one cell, by the levels of rating.

    Counts are of normal cases at each level, then of abnormal ones (in LROC those marked in the
    right place) at each level, then of all abnormal ones. ``place``, shape (2, cases), has the
    two counts that a case enters, -1 where there is none.
    """

    count: int
    place: IntArray

    @classmethod
    def of(cls, study: ReaderStudy, cell: ReaderCell, name: str) -> _Levels:
        read, highest = study.read[cell], study.highest[cell]
        right = highest
        if study.kind == "LROC":
            right = study.require_marks(name).lesion[cell][:, 0]
        levels = np.unique(highest[read])
        count = len(levels)
        at = np.minimum(np.searchsorted(levels, right), count - 1)
        place = np.full((2, len(read)), -1, dtype=np.intp)
        normal, abnormal = read & ~study.truth, read & study.truth
        place[0, normal] = np.searchsorted(levels, highest[normal])
        place[0, abnormal] = np.where(levels[at] == right, count + at, -1)[abnormal]
        place[1, abnormal] = 2 * count
        return cls(count=count, place=place)

    def counts(self, weights: FloatArray) -> FloatArray:
        """Counts for each row of weights, shape (rows, 2 levels + 1)."""
        found = np.zeros((len(weights), 2 * self.count + 1))
        for entry in self.place:
            there = entry >= 0
            for row, weight in zip(found, weights, strict=True):
                row += np.bincount(entry[there], weights=weight[there], minlength=row.size)
        return found


def cells_of(study: ReaderStudy) -> list[ReaderCell]:
    """Readers and the modalities they took part in, by number."""
    return [(int(r), int(m)) for r, m in np.argwhere(study.took_part)]


def values(study: ReaderStudy, fom: FigureOfMerit) -> FloatArray:
    """Give the figure of merit of each reader in each modality.

    Returns
    -------
    FloatArray
        Shape (readers, modalities); NaN where a reader did not take part in a modality.

    Raises
    ------
    ContentError
        If the study is of another kind than the figure of merit needs.
    """
    require_kind(study, fom)
    return np.asarray(fom.over(study, np.ones((1, len(study.cases))))[0])


def require_kind(study: ReaderStudy, fom: FigureOfMerit) -> None:
    """Refuse a figure of merit that this kind of study cannot give."""
    if study.kind not in fom.kinds:
        raise ContentError(
            f"{fom.name}: needs {' or '.join(fom.kinds)} data; this is an {study.kind} study"
        )


def _filled(bottom: FloatArray, name: str, study: ReaderStudy, cell: tuple[int, int]) -> FloatArray:
    """Refuse an empty denominator: no case of a class is left."""
    if not (bottom > 0).all():
        raise ContentError(
            f"{name}: reader {study.readers[cell[0]]}, modality {study.modalities[cell[1]]} has "
            "too few cases of one class; at least two normal and two abnormal are needed"
        )
    return bottom


def compared(study: ReaderStudy, ratings: FloatArray) -> Comparisons:
    """Compare each normal case with each abnormal one by one rating a case.

    Parameters
    ----------
    study
        Who read what.
    ratings
        Shape (readers, modalities, cases); of cases that were not read they do not matter.
    """
    rows, columns = study.normal, study.abnormal
    row_mass, column_mass = (study.read[..., part].astype(np.float64) for part in (rows, columns))
    known = np.where(study.read, ratings, 0.0)
    return Comparisons(
        scores=RankScores(
            low=known[..., rows],
            low_weight=row_mass,
            high=known[..., columns, None],
            high_weight=column_mass[..., None],
        ),
        row_mass=row_mass,
        column_mass=column_mass,
        rows=rows,
        columns=columns,
    )


def _wilcoxon(study: ReaderStudy) -> Comparisons:
    return compared(study, study.highest)


WILCOXON = PairMerit(name="Wilcoxon", kinds=("ROC", "LROC"), pairs=_wilcoxon)
HR_AUC = PairMerit(name="HrAuc", kinds=("ROC", "FROC", "LROC"), pairs=_wilcoxon)


def sensitivity(threshold: float) -> ShareMerit:
    """Share of abnormal cases rated ``threshold`` or higher."""

    def parts(study: ReaderStudy) -> tuple[FloatArray, FloatArray]:
        whole = (study.read & study.truth).astype(np.float64)
        return whole * (study.highest >= threshold), whole

    return ShareMerit(
        name=f"sensitivity at {threshold:g}",
        kinds=("ROC", "FROC", "LROC"),
        parts=parts,
        counted="abnormal",
    )


def specificity(threshold: float) -> ShareMerit:
    """Share of normal cases rated lower than ``threshold``."""

    def parts(study: ReaderStudy) -> tuple[FloatArray, FloatArray]:
        whole = (study.read & ~study.truth).astype(np.float64)
        return whole * (study.highest < threshold), whole

    return ShareMerit(
        name=f"specificity at {threshold:g}",
        kinds=("ROC", "FROC", "LROC"),
        parts=parts,
        counted="normal",
    )
