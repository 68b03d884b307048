"""Reader studies by Dorfman, Berbaum and Metz: analysis of variance of pseudovalues."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from onkos.core.errors import ContentError, UsageError
from onkos.core.geometry import FloatArray
from onkos.stats.readers.covariance import leave_one_out
from onkos.stats.readers.foms import FigureOfMerit, values
from onkos.stats.readers.ratings import ReaderStudy
from onkos.stats.readers.result import (
    FactorAnalysis,
    Factors,
    Label,
    ModalityMean,
    ReaderTest,
    f_test,
    hillis_df,
    mean_of,
    t_test,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAnova:
    """Mean squares of pseudovalues: modality T, reader R, case C and what they do together.

    ``t_of_reader`` to ``tc_of_reader`` have one value a reader, ``r_of_modality`` to
    ``rc_of_modality`` one a modality. NaN without degrees of freedom.
    """

    t: float
    r: float
    c: float
    tr: float
    tc: float
    rc: float
    trc: float
    r_of_modality: tuple[float, ...]
    c_of_modality: tuple[float, ...]
    rc_of_modality: tuple[float, ...]
    t_of_reader: tuple[float, ...]
    c_of_reader: tuple[float, ...]
    tc_of_reader: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseComponents:
    """Components of variance of the Dorfman-Berbaum-Metz model; they may be negative."""

    reader: float
    case: float
    modality_reader: float
    modality_case: float
    reader_case: float
    error: float


def pseudovalues(study: ReaderStudy, fom: FigureOfMerit) -> FloatArray:
    """Jackknife pseudovalues, centred so that their mean is the figure of merit.

    Returns
    -------
    FloatArray
        Shape (readers, modalities, cases that enter the figure of merit).

    Raises
    ------
    ContentError
        If a reader did not read every case in every modality.
    """
    if not study.read.all():
        raise ContentError("DBM needs every reader to read every case in every modality")
    without = leave_one_out(study, fom)
    n = len(without)
    whole = values(study, fom)
    raw = n * whole - (n - 1) * without
    centred = raw - raw.mean(axis=0) + whole
    return np.ascontiguousarray(np.moveaxis(centred, 0, -1))


def anova(pseudo: FloatArray) -> CaseAnova:
    """Three-way analysis of variance without replication of (readers, modalities, cases)."""
    squares, shape = _squares(pseudo), pseudo.shape
    readers, modalities, cases = (size - 1 for size in shape)
    per_modality = [_squares(pseudo[:, m : m + 1]) for m in range(shape[1])]
    per_reader = [_squares(pseudo[r : r + 1]) for r in range(shape[0])]
    return CaseAnova(
        t=_mean(squares[1], modalities),
        r=_mean(squares[0], readers),
        c=_mean(squares[2], cases),
        tr=_mean(squares[3], readers * modalities),
        tc=_mean(squares[5], modalities * cases),
        rc=_mean(squares[4], readers * cases),
        trc=_mean(squares[6], readers * modalities * cases),
        r_of_modality=tuple(_mean(s[0], readers) for s in per_modality),
        c_of_modality=tuple(_mean(s[2], cases) for s in per_modality),
        rc_of_modality=tuple(_mean(s[4], readers * cases) for s in per_modality),
        t_of_reader=tuple(_mean(s[1], modalities) for s in per_reader),
        c_of_reader=tuple(_mean(s[2], cases) for s in per_reader),
        tc_of_reader=tuple(_mean(s[5], modalities * cases) for s in per_reader),
    )


def variance_components(pseudo: FloatArray) -> CaseComponents:
    """Components of variance of pseudovalues."""
    mean = anova(pseudo)
    readers, modalities, cases = pseudo.shape
    return CaseComponents(
        reader=(mean.r - mean.tr - mean.rc + mean.trc) / (modalities * cases),
        case=(mean.c - mean.tc - mean.rc + mean.trc) / (modalities * readers),
        modality_reader=(mean.tr - mean.trc) / cases,
        modality_case=(mean.tc - mean.trc) / readers,
        reader_case=(mean.rc - mean.trc) / modalities,
        error=mean.trc,
    )


def analyse(
    study: ReaderStudy, fom: FigureOfMerit, *, factors: Factors, level: float = 0.95
) -> FactorAnalysis:
    """Compare modalities and give each modality's mean, by Dorfman, Berbaum and Metz.

    With Hillis' degrees of freedom it agrees with Obuchowski and Rockette's method with the
    jackknife, but for fixed readers, where it has F with (I-1)(K-1) in place of chi-square.

    Parameters
    ----------
    study
        Every reader read every case in every modality.
    fom
        The figure of merit.
    factors
        Which of readers and cases are random.
    level
        Confidence level of every interval.

    Raises
    ------
    UsageError
        If readers are random and there is only one.
    ContentError
        If readings are missing, or nothing varies to judge a difference by.

    References
    ----------
    Dorfman DD, Berbaum KS, Metz CE. Invest Radiol 1992;27:723-731.
    doi:10.1097/00004424-199209000-00015. Hillis SL, Berbaum KS, Metz CE. Recent developments in
    the Dorfman-Berbaum-Metz procedure for multireader ROC study analysis. Acad Radiol
    2008;15:647-661. doi:10.1016/j.acra.2007.12.015
    """
    label = Label(analysis="DBM", fom=fom.name, covariance="jackknife", level=level)
    return analyse_values(study.modalities, pseudovalues(study, fom), label, factors=factors)


def analyse_values(
    names: tuple[str, ...], pseudo: FloatArray, label: Label, *, factors: Factors
) -> FactorAnalysis:
    """Analyse any value that each reader has of each case in each modality.

    ``pseudo`` has shape (readers, modalities, cases): pseudovalues, or log reading times.
    """
    readers, modalities, cases = pseudo.shape
    if factors != "FRRC" and readers < 2:
        raise UsageError(
            f"{factors}: one reader cannot speak for other readers; ask for FRRC or add readers"
        )
    mean = anova(pseudo)
    averages = pseudo.mean(axis=(0, 2))
    singles = tuple(
        _single(mean, pseudo, m, factors=factors, label=label, name=name)
        for m, name in enumerate(names)
    )
    if modalities < 2:
        return FactorAnalysis(
            factors=factors, overall=None, pairs=(), means=singles, denominator=math.nan
        )
    denominator, df = _denominator(mean, pseudo.shape, factors)
    return FactorAnalysis(
        factors=factors,
        overall=f_test(
            label,
            factors=factors,
            modalities=names,
            mean_square=mean.t,
            denominator=denominator,
            df=(float(modalities - 1), df),
        ),
        pairs=tuple(
            t_test(
                label,
                factors=factors,
                modalities=(names[a], names[b]),
                difference=float(averages[a] - averages[b]),
                variance=2 / (readers * cases) * denominator,
                df=df,
            )
            for a, b in combinations(range(modalities), 2)
        ),
        means=singles,
        denominator=denominator,
    )


def each_reader(
    study: ReaderStudy, fom: FigureOfMerit, *, level: float = 0.95
) -> tuple[tuple[ReaderTest, ...], ...]:
    """All differences of each reader alone, cases being random; one tuple a reader.

    The error mean square is pooled over the modalities, its degrees of freedom are those of one
    difference (cases - 1), which is conservative where there are more than two modalities.
    """
    label = Label(analysis="DBM", fom=fom.name, covariance="jackknife", level=level)
    pseudo = pseudovalues(study, fom)
    _, modalities, cases = pseudo.shape
    mean, own = anova(pseudo), pseudo.mean(axis=2)
    return tuple(
        tuple(
            t_test(
                label,
                factors="FRRC",
                modalities=(study.modalities[a], study.modalities[b]),
                difference=float(own[r, a] - own[r, b]),
                variance=2 / cases * mean.tc_of_reader[r],
                df=float(cases - 1),
            )
            for a, b in combinations(range(modalities), 2)
        )
        for r in range(len(study.readers))
    )


def _denominator(mean: CaseAnova, shape: tuple[int, ...], factors: Factors) -> tuple[float, float]:
    """Error term of the modalities' mean square, and its degrees of freedom."""
    readers, modalities, cases = shape
    df = float((readers - 1) * (modalities - 1))
    if factors == "FRRC":
        return mean.tc, float((modalities - 1) * (cases - 1))
    if factors == "RRFC":
        return mean.tr, df
    denominator = mean.tr + max(mean.tc - mean.trc, 0.0)
    return denominator, hillis_df(denominator, mean.tr, df)


def _single(
    mean: CaseAnova,
    pseudo: FloatArray,
    number: int,
    *,
    factors: Factors,
    label: Label,
    name: str,
) -> ModalityMean:
    """Mean of the readers in one modality, from that modality's pseudovalues alone."""
    readers, _, cases = pseudo.shape
    spread, of_case = mean.r_of_modality[number], mean.c_of_modality[number]
    df = float(readers - 1)
    if factors == "FRRC":
        total, df = of_case, float(cases - 1)
    elif factors == "RRFC":
        total = spread
    else:
        total = spread + max(of_case - mean.rc_of_modality[number], 0.0)
        df = hillis_df(total, spread, df)
    return mean_of(
        name,
        float(pseudo[:, number].mean()),
        variance=total / (readers * cases),
        df=df,
        level=label.level,
    )


def _squares(pseudo: FloatArray) -> tuple[float, ...]:
    """Sums of squares: R, T, C, RT, RC, TC and the rest."""
    size = pseudo.size
    grand = pseudo.mean()

    def centred(*axes: int) -> FloatArray:
        return np.asarray(pseudo.mean(axis=axes, keepdims=True) - grand)

    r, t, c = centred(1, 2), centred(0, 2), centred(0, 1)
    rt, rc, tc = centred(2) - r - t, centred(1) - r - c, centred(0) - t - c
    rest = pseudo - grand - r - t - c - rt - rc - tc
    return tuple(float((x**2).sum() * (size / x.size)) for x in (r, t, c, rt, rc, tc, rest))


def _mean(square: float, df: int) -> float:
    return square / df if df else math.nan
