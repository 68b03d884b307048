"""Reader studies by Obuchowski and Rockette's analysis of variance, with Hillis' tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from onkos.core.errors import ContentError, UsageError
from onkos.core.geometry import FloatArray
from onkos.stats.readers.covariance import ErrorCovariance
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
class ReaderAnova:
    """Mean squares of a table of figures of merit, readers by modalities; NaN without df.

    ``of_modality`` has the mean square of the readers in each modality, ``of_reader`` that of
    the modalities in each reader.
    """

    modality: float
    reader: float
    interaction: float
    of_modality: tuple[float, ...]
    of_reader: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTerms:
    """Mean error variance and covariances.

    ``cov1``: same reader, other modality; ``cov2``: other reader, same modality; ``cov3``:
    both other. 0 where there is only one of either.
    """

    var: float
    cov1: float
    cov2: float
    cov3: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceComponents:
    """Components of the Obuchowski-Rockette model; ``reader`` and ``interaction`` may be < 0."""

    reader: float
    interaction: float
    error: ErrorTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderResult:
    """One reader alone, cases random: the mean in each modality, and the differences."""

    reader: str
    var: float
    cov1: float
    means: tuple[ModalityMean, ...]
    pairs: tuple[ReaderTest, ...]


def anova(foms: FloatArray) -> ReaderAnova:
    """Two-way analysis of variance without replication; ``foms`` is readers by modalities."""
    readers, modalities = foms.shape
    by_reader, by_modality = foms.mean(axis=1), foms.mean(axis=0)
    rest = foms - by_reader[:, None] - by_modality + foms.mean()
    both = (readers - 1) * (modalities - 1)
    return ReaderAnova(
        modality=readers * float(_variance(by_modality)),
        reader=modalities * float(_variance(by_reader)),
        interaction=float((rest**2).sum() / both) if both else math.nan,
        of_modality=tuple(float(v) for v in _variance(foms)),
        of_reader=tuple(float(v) for v in _variance(foms.T)),
    )


def error_terms(matrix: FloatArray) -> ErrorTerms:
    """Means of an error covariance over its four kinds of pairs."""
    readers, modalities = matrix.shape[:2]
    over_readers = np.einsum("rmrn->mn", matrix)
    same_reader = float(over_readers.sum())
    same_modality = float(np.einsum("rmsm->", matrix))
    var = float(np.trace(over_readers))
    cells = readers * modalities
    other = float(matrix.sum()) - same_reader - same_modality + var
    return ErrorTerms(
        var=var / cells,
        cov1=_share(same_reader - var, cells * (modalities - 1)),
        cov2=_share(same_modality - var, cells * (readers - 1)),
        cov3=_share(other, cells * (readers - 1) * (modalities - 1)),
    )


def variance_components(covariance: ErrorCovariance, *, clamp: bool = False) -> VarianceComponents:
    """Components of variance of the Obuchowski-Rockette model.

    Parameters
    ----------
    covariance
        Figures of merit with their error covariance.
    clamp
        Take Cov2 - Cov3 as at least 0 in the component of the interaction, as RJafroc does; the
        Iowa program and MRMCaov do not.
    """
    means, error = anova(covariance.foms), error_terms(covariance.matrix)
    modalities = covariance.foms.shape[1]
    gap = error.cov2 - error.cov3
    gap = max(gap, 0.0) if clamp else gap
    interaction = means.interaction - error.var + error.cov1 + gap
    reader = (
        means.reader
        - error.var
        - (modalities - 1) * error.cov1
        + error.cov2
        + (modalities - 1) * error.cov3
        - interaction
    ) / modalities
    return VarianceComponents(reader=reader, interaction=interaction, error=error)


def analyse(
    study: ReaderStudy,
    covariance: ErrorCovariance,
    *,
    factors: Factors,
    level: float = 0.95,
) -> FactorAnalysis:
    """Compare modalities and give each modality's mean, by Obuchowski and Rockette.

    Parameters
    ----------
    study
        Names only.
    covariance
        Figures of merit with their error covariance; covariances of readings that share no case
        are 0 there, so nested designs need nothing else.
    factors
        RRRC: to other readers and cases. FRRC: to other cases, these readers. RRFC: to other
        readers, these cases.
    level
        Confidence level of every interval.

    Raises
    ------
    UsageError
        If readers are random and there is only one.
    ContentError
        If nothing varies to judge a difference by.

    References
    ----------
    Obuchowski NA, Rockette HE. Commun Stat Simul Comput 1995;24:285-308.
    doi:10.1080/03610919508813243. Hillis SL. Stat Med 2007;26:596-619. doi:10.1002/sim.2532.
    Hillis SL. A marginal-mean ANOVA approach for analyzing multireader multicase radiological
    imaging data. Stat Med 2014;33:330-360. doi:10.1002/sim.5926
    """
    label = Label(analysis="OR", fom=covariance.fom, covariance=covariance.method, level=level)
    readers, modalities = covariance.foms.shape
    if factors != "FRRC" and readers < 2:
        raise UsageError(
            f"{factors}: one reader cannot speak for other readers; ask for FRRC or add readers"
        )
    means, error = anova(covariance.foms), error_terms(covariance.matrix)
    averages = covariance.foms.mean(axis=0)
    singles = tuple(
        _single(study.modalities[m], averages[m], _Single(covariance, means, m), factors, level)
        for m in range(modalities)
    )
    if modalities < 2:
        return FactorAnalysis(
            factors=factors, overall=None, pairs=(), means=singles, denominator=math.nan
        )
    denominator, df = _denominator(means, error, covariance.foms.shape, factors)
    pairs = tuple(
        t_test(
            label,
            factors=factors,
            modalities=(study.modalities[a], study.modalities[b]),
            difference=float(averages[a] - averages[b]),
            variance=2 / readers * denominator,
            df=df,
        )
        for a, b in combinations(range(modalities), 2)
    )
    overall = f_test(
        label,
        factors=factors,
        modalities=study.modalities,
        mean_square=means.modality,
        denominator=denominator,
        df=(float(modalities - 1), df),
    )
    return FactorAnalysis(
        factors=factors, overall=overall, pairs=pairs, means=singles, denominator=denominator
    )


def each_reader(
    study: ReaderStudy, covariance: ErrorCovariance, *, level: float = 0.95
) -> tuple[ReaderResult, ...]:
    """Each reader alone: the mean in each modality and all differences, cases being random.

    The error variance of a reader's difference is pooled over the modalities, as in the Iowa
    program.
    """
    label = Label(analysis="OR", fom=covariance.fom, covariance=covariance.method, level=level)
    found = []
    for r, name in enumerate(study.readers):
        own = covariance.matrix[r, :, r, :]
        terms = error_terms(own[None, :, None, :])
        found.append(
            ReaderResult(
                reader=name,
                var=terms.var,
                cov1=terms.cov1,
                means=tuple(
                    mean_of(
                        modality,
                        float(covariance.foms[r, m]),
                        variance=max(float(own[m, m]), 0.0),
                        df=math.inf,
                        level=level,
                    )
                    for m, modality in enumerate(study.modalities)
                ),
                pairs=tuple(
                    t_test(
                        label,
                        factors="FRRC",
                        modalities=(study.modalities[a], study.modalities[b]),
                        difference=float(covariance.foms[r, a] - covariance.foms[r, b]),
                        variance=2 * (terms.var - terms.cov1),
                        df=math.inf,
                    )
                    for a, b in combinations(range(len(study.modalities)), 2)
                ),
            )
        )
    return tuple(found)


def _denominator(
    means: ReaderAnova, error: ErrorTerms, shape: tuple[int, ...], factors: Factors
) -> tuple[float, float]:
    """Error term of the modalities' mean square, and its degrees of freedom."""
    readers, modalities = shape
    gap = max(error.cov2 - error.cov3, 0.0)
    if factors == "FRRC":
        denominator = error.var - error.cov1 + (readers - 1) * gap
        if denominator < 0:
            raise ContentError(f"FRRC: error variance {denominator:.3g} is negative; too few cases")
        return denominator, math.inf
    df = float((readers - 1) * (modalities - 1))
    if factors == "RRFC":
        return means.interaction, df
    denominator = means.interaction + readers * gap
    return denominator, hillis_df(denominator, means.interaction, df)


@dataclass(frozen=True, slots=True)
class _Single:
    """One modality of a study."""

    covariance: ErrorCovariance
    means: ReaderAnova
    number: int

    @property
    def error(self) -> ErrorTerms:
        m = self.number
        return error_terms(self.covariance.matrix[:, m : m + 1, :, m : m + 1])


def _single(
    name: str, value: float, single: _Single, factors: Factors, level: float
) -> ModalityMean:
    """Mean of the readers in one modality, from that modality's data alone."""
    readers = len(single.covariance.foms)
    error = single.error
    shared = max(error.cov2, 0.0)
    spread = single.means.of_modality[single.number]
    df = float(readers - 1)
    if factors == "FRRC":
        variance, df = (error.var + (readers - 1) * shared) / readers, math.inf
    elif factors == "RRFC":
        variance = spread / readers
    else:
        total = spread + readers * shared
        variance, df = total / readers, hillis_df(total, spread, df)
    return mean_of(name, float(value), variance=max(variance, 0.0), df=df, level=level)


def single_terms(covariance: ErrorCovariance) -> tuple[ErrorTerms, ...]:
    """Error variance and Cov2 of each modality from its own data."""
    means = anova(covariance.foms)
    return tuple(_Single(covariance, means, m).error for m in range(covariance.foms.shape[1]))


def _variance(table: FloatArray) -> FloatArray:
    """Sample variance down the first axis; NaN of a single value."""
    if len(table) < 2:
        return np.full(table.shape[1:], np.nan)
    return np.asarray(table.var(axis=0, ddof=1))


def _share(total: float, count: int) -> float:
    return total / count if count else 0.0
