"""Figures of merit of studies with marks: FROC and LROC."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.readers.comparisons import Comparisons, RankScores, ReaderCell, TableScores, better
from onkos.stats.readers.foms import (
    HR_AUC,
    Counted,
    CurveMerit,
    FigureOfMerit,
    PairMerit,
    ShareMerit,
    compared,
)
from onkos.stats.readers.ratings import ReaderStudy


def _lesion_pairs(study: ReaderStudy, *, weighted: bool, all_cases: bool) -> Comparisons:
    """Compare the highest false mark of a case with every lesion of another."""
    marks = study.require_marks("AFROC")
    rows = np.arange(len(study.cases)) if all_cases else study.normal
    columns = study.abnormal
    each = marks.weight[columns] if weighted else (marks.weight[columns] > 0).astype(np.float64)
    read = study.read.astype(np.float64)
    mass = np.ones(len(columns)) if weighted else each.sum(axis=1)
    return Comparisons(
        scores=RankScores(
            low=marks.highest_false[..., rows],
            low_weight=read[..., rows],
            high=marks.lesion[..., columns, :],
            high_weight=read[..., columns, None] * each,
        ),
        row_mass=read[..., rows],
        column_mass=read[..., columns] * mass,
        rows=rows,
        columns=columns,
    )


def _afroc(name: str, *, weighted: bool, all_cases: bool) -> PairMerit:
    def pairs(study: ReaderStudy) -> Comparisons:
        return _lesion_pairs(study, weighted=weighted, all_cases=all_cases)

    return PairMerit(name=name, kinds=("FROC",), pairs=pairs)


def _song_a1(study: ReaderStudy) -> Comparisons:
    """Compare mean ratings: of a case's false or of its true marks, whichever is higher."""
    marks = study.require_marks("SongA1")
    typical = np.maximum(_mean_mark(marks.false), _mean_mark(marks.lesion))
    return compared(study, typical)


def _song_a2(study: ReaderStudy) -> Comparisons:
    """Compare all marks of one case with all of the other: which of the two mostly wins."""
    marks = study.require_marks("SongA2")
    every = np.concatenate([marks.false, marks.lesion], axis=-1)
    rows, columns = study.normal, study.abnormal
    read = study.read.astype(np.float64)

    def table(cell: ReaderCell) -> FloatArray:
        low, high = every[cell][rows], every[cell][columns]
        there = [~np.isneginf(side) for side in (low, high)]
        n0, n1 = there[0].sum(axis=1)[:, None], there[1].sum(axis=1)[None, :]
        wins = np.zeros((len(rows), len(columns)))
        for i, j in np.ndindex(every.shape[-1], every.shape[-1]):
            both = there[0][:, i, None] & there[1][None, :, j]
            wins += better(low[:, i, None], high[None, :, j]) * both
        mostly = better(n0 * n1 / 2.0, wins)
        won = np.where(n0 * n1 > 0, mostly, better(np.sign(n0), np.sign(n1)))
        return np.asarray(won * read[cell][rows][:, None] * read[cell][columns])

    plain = compared(study, read)
    return replace(plain, scores=TableScores(table=table, shape=study.took_part.shape))


def _mean_mark(ratings: FloatArray) -> FloatArray:
    """Mean rating of the marks of a case; minus infinity without a mark."""
    there = ~np.isneginf(ratings)
    total = np.where(there, ratings, 0.0).sum(axis=-1)
    count = there.sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), -np.inf)


AFROC = _afroc("AFROC", weighted=False, all_cases=False)
AFROC1 = _afroc("AFROC1", weighted=False, all_cases=True)
WAFROC = _afroc("wAFROC", weighted=True, all_cases=False)
WAFROC1 = _afroc("wAFROC1", weighted=True, all_cases=True)
SONG_A1 = PairMerit(name="SongA1", kinds=("FROC",), pairs=_song_a1)
SONG_A2 = PairMerit(name="SongA2", kinds=("FROC",), pairs=_song_a2)


def _marked(study: ReaderStudy) -> FloatArray:
    return np.asarray(study.read & ~np.isneginf(study.highest), dtype=np.float64)


def _hr_se(study: ReaderStudy) -> tuple[FloatArray, FloatArray]:
    whole = (study.read & study.truth).astype(np.float64)
    return whole * _marked(study), whole


def _hr_sp(study: ReaderStudy) -> tuple[FloatArray, FloatArray]:
    whole = (study.read & ~study.truth).astype(np.float64)
    return whole * (1 - _marked(study)), whole


def _max_llf(study: ReaderStudy) -> tuple[FloatArray, FloatArray]:
    marks = study.require_marks("MaxLLF")
    hit = (~np.isneginf(marks.lesion) & (marks.weight > 0)).sum(axis=-1, dtype=np.float64)
    read = study.read.astype(np.float64)
    return hit * read, marks.lesions.astype(np.float64) * read


def _false_marks(study: ReaderStudy, among: FloatArray) -> tuple[FloatArray, FloatArray]:
    marks = study.require_marks("MaxNLF")
    count = np.count_nonzero(~np.isneginf(marks.false), axis=-1)
    return np.asarray(count * among, dtype=np.float64), among


def _max_nlf(study: ReaderStudy) -> tuple[FloatArray, FloatArray]:
    return _false_marks(study, (study.read & ~study.truth).astype(np.float64))


def _max_nlf_all(study: ReaderStudy) -> tuple[FloatArray, FloatArray]:
    return _false_marks(study, study.read.astype(np.float64))


def _exp_minus(rate: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-rate), dtype=np.float64)


def _froc_share(
    name: str, parts: Callable[[ReaderStudy], tuple[FloatArray, FloatArray]], counted: Counted
) -> ShareMerit:
    return ShareMerit(name=name, kinds=("FROC",), parts=parts, counted=counted)


HR_SE = _froc_share("HrSe", _hr_se, "abnormal")
HR_SP = _froc_share("HrSp", _hr_sp, "normal")
MAX_LLF = _froc_share("MaxLLF", _max_llf, "abnormal")
MAX_NLF = _froc_share("MaxNLF", _max_nlf, "normal")
MAX_NLF_ALL_CASES = _froc_share("MaxNLFAllCases", _max_nlf_all, "all")
EXP_SP = ShareMerit(
    name="ExpTrnsfmSp", kinds=("FROC",), parts=_max_nlf, counted="normal", finish=_exp_minus
)


def pcl(false_positive_fraction: float) -> CurveMerit:
    """Share of abnormal cases marked in the right place at a false-positive fraction (LROC)."""

    def of_counts(normal: FloatArray, correct: FloatArray, abnormal: float) -> float:
        x, y = _lroc(normal, correct, abnormal)
        return _lower_at(x, y, false_positive_fraction)

    return CurveMerit(
        name=f"PCL at {false_positive_fraction:g}", kinds=("LROC",), of_counts=of_counts
    )


def alroc(false_positive_fraction: float = 1.0) -> CurveMerit:
    """Area under the LROC curve up to a false-positive fraction."""

    def of_counts(normal: FloatArray, correct: FloatArray, abnormal: float) -> float:
        x, y = _lroc(normal, correct, abnormal)
        end = _lower_at(x, y, false_positive_fraction)
        kept = x < false_positive_fraction
        across = np.append(x[kept], false_positive_fraction)
        return float(np.trapezoid(np.append(y[kept], end), across))

    return CurveMerit(
        name=f"ALROC to {false_positive_fraction:g}", kinds=("LROC",), of_counts=of_counts
    )


def _lroc(
    normal: FloatArray, correct: FloatArray, abnormal: float
) -> tuple[FloatArray, FloatArray]:
    """Operating points of the LROC curve, from the strictest threshold on."""
    x = np.concatenate([[0.0], np.cumsum(normal[::-1]) / normal.sum()])
    y = np.concatenate([[0.0], np.cumsum(correct[::-1]) / abnormal])
    return x, y


def _lower_at(x: FloatArray, y: FloatArray, at: float) -> float:
    """Height of a curve of straight pieces; the lower end of a vertical step."""
    if not 0 <= at <= 1:
        raise ContentError(f"false-positive fraction {at}: expected 0 to 1")
    after = int(np.searchsorted(x, at - 1e-12, side="left"))
    if math.isclose(x[after], at, abs_tol=1e-12):
        return float(y[after])
    share = (at - x[after - 1]) / (x[after] - x[after - 1])
    return float(y[after - 1] + share * (y[after] - y[after - 1]))


FROC_MERITS: dict[str, FigureOfMerit] = {
    merit.name: merit
    for merit in (
        *(HR_AUC, AFROC, AFROC1, WAFROC, WAFROC1, SONG_A1, SONG_A2),
        *(MAX_LLF, MAX_NLF, MAX_NLF_ALL_CASES, HR_SE, HR_SP, EXP_SP),
    )
}
