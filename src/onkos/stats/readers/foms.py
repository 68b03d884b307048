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
from onkos.stats.readers.ratings import IntArray, Kind, ReaderStudy

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Comparisons of cases: the mean of a kernel over pairs.

    ``kernel`` has shape (readers, modalities, row cases, column cases), ``row_mass`` and
    ``column_mass`` say what each case counts in the denominator.
    """

    kernel: FloatArray
    row_mass: FloatArray
    column_mass: FloatArray
    rows: IntArray
    columns: IntArray

    @property
    def plain(self) -> bool:
        """True where normal cases meet abnormal ones and every case read counts once."""
        once = np.isin(self.row_mass, [0, 1]).all() and np.isin(self.column_mass, [0, 1]).all()
        return bool(once) and not np.isin(self.rows, self.columns).any()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairMerit:
    """A figure of merit that is a mean over pairs of cases."""

    name: str
    kinds: tuple[Kind, ...]
    pairs: Callable[[ReaderStudy], Pairs]
    counted: Counted = "all"

    def over(self, study: ReaderStudy, weights: FloatArray) -> FloatArray:
        """Value for each row of weights."""
        found = self.pairs(study)
        left, right = weights[:, found.rows], weights[:, found.columns]
        values = np.full((len(weights), *found.kernel.shape[:2]), np.nan)
        for reader, modality in np.argwhere(study.took_part):
            cell = (reader, modality)
            top = np.einsum("ba,ba->b", left @ found.kernel[cell], right)
            bottom = (left @ found.row_mass[cell]) * (right @ found.column_mass[cell])
            values[:, reader, modality] = top / _filled(bottom, self.name, study, cell)
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
        for reader, modality in np.argwhere(study.took_part):
            cell = (reader, modality)
            bottom = _filled(weights @ whole[cell], self.name, study, cell)
            values[:, reader, modality] = self.finish(weights @ part[cell] / bottom)
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
        right = study.highest if study.kind != "LROC" else study.require_marks(self.name).lesion
        right = right[..., 0] if right.ndim == 4 else right
        for reader, modality in np.argwhere(study.took_part):
            cell = (reader, modality)
            read = study.read[cell]
            normal, abnormal = read & ~study.truth, read & study.truth
            levels = np.unique(study.highest[cell][read])
            counts = np.concatenate(
                [
                    weights[:, normal] @ (study.highest[cell][normal][:, None] == levels),
                    weights[:, abnormal] @ (right[cell][abnormal][:, None] == levels),
                    weights[:, abnormal].sum(axis=1, keepdims=True),
                ],
                axis=1,
            )
            _filled(weights[:, normal].sum(axis=1), self.name, study, cell)
            _filled(counts[:, -1], self.name, study, cell)
            distinct, back = np.unique(counts, axis=0, return_inverse=True)
            n = len(levels)
            found = [self.of_counts(row[:n], row[n:-1], float(row[-1])) for row in distinct]
            values[:, reader, modality] = np.array(found)[back.reshape(-1)]
        return values


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


def better(lower: FloatArray, higher: FloatArray) -> FloatArray:
    """1 where the second is rated higher, a half where both are rated the same."""
    return np.asarray((lower < higher) + 0.5 * (lower == higher), dtype=np.float64)


def _filled(bottom: FloatArray, name: str, study: ReaderStudy, cell: tuple[int, int]) -> FloatArray:
    """Refuse an empty denominator: no case of a class is left."""
    if not (bottom > 0).all():
        raise ContentError(
            f"{name}: reader {study.readers[cell[0]]}, modality {study.modalities[cell[1]]} has "
            "too few cases of one class; at least two normal and two abnormal are needed"
        )
    return bottom


def _wilcoxon(study: ReaderStudy) -> Pairs:
    rows, columns = study.normal, study.abnormal
    low, high = study.highest[..., rows], study.highest[..., columns]
    kernel = better(low[..., :, None], high[..., None, :])
    return Pairs(
        kernel=kernel,
        row_mass=(~np.isnan(low)).astype(np.float64),
        column_mass=(~np.isnan(high)).astype(np.float64),
        rows=rows,
        columns=columns,
    )


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
