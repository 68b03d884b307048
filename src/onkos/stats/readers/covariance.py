"""How the figures of merit of one set of readers vary from one set of cases to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.ranking import BoolArray
from onkos.stats.readers.comparisons import Comparisons
from onkos.stats.readers.foms import FigureOfMerit, PairMerit, require_kind, values
from onkos.stats.readers.ratings import ReaderStudy
from onkos.stats.resampling import IntArray

CovarianceMethod = Literal["jackknife", "DeLong", "unbiased", "bootstrap"]
RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ErrorCovariance:
    """Covariance of the errors of the figures of merit, readers and modalities being fixed.

    Parameters
    ----------
    matrix
        Shape (readers, modalities, readers, modalities).
    foms
        The figures of merit themselves, shape (readers, modalities).
    fom, method
        What was estimated and how.
    cases
        How many cases it rests on.
    """

    matrix: FloatArray
    foms: FloatArray
    fom: str
    method: str
    cases: int


def jackknife(study: ReaderStudy, fom: FigureOfMerit) -> ErrorCovariance:
    """Leave out one case at a time; only cases that enter the figure of merit.

    References
    ----------
    Hillis SL, Obuchowski NA, Schartz KM, Berbaum KS. A comparison of the Dorfman-Berbaum-Metz
    and Obuchowski-Rockette methods for ROC data. Stat Med 2005;24:1579-1607.
    doi:10.1002/sim.2024
    """
    without = leave_one_out(study, fom)
    n = len(without)
    centred = without - without.mean(axis=0)
    matrix = np.einsum("brm,bsn->rmsn", centred, centred) * ((n - 1) / n)
    return _finished(study, fom, matrix, method="jackknife", cases=n)


def leave_one_out(study: ReaderStudy, fom: FigureOfMerit) -> FloatArray:
    """Figures of merit without each case in turn, shape (cases left out, readers, modalities)."""
    require_complete(study, fom)
    left_out = counted(study, fom)
    return fom.without(study, left_out)


def delong(study: ReaderStudy, fom: FigureOfMerit) -> ErrorCovariance:
    """Covariance by structural components, for figures of merit that compare pairs of cases.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated
    receiver operating characteristic curves. Biometrics 1988;44:837-845. doi:10.2307/2531595
    """
    pairs = _plain_pairs(study, fom, "DeLong")
    n0, n1 = pairs.row_mass.sum(axis=-1), pairs.column_mass.sum(axis=-1)
    by_row, by_column = pairs.scores.row_sums(), pairs.scores.column_sums()
    theta = by_row.sum(axis=-1) / (n0 * n1)
    rows = (by_row / n1[..., None] - theta[..., None]) * pairs.row_mass
    columns = (by_column / n0[..., None] - theta[..., None]) * pairs.column_mass
    matrix = _component(rows, n0) + _component(columns, n1)
    return _finished(study, fom, matrix, method="DeLong", cases=len(study.cases))


def unbiased(study: ReaderStudy, fom: FigureOfMerit) -> ErrorCovariance:
    """Unbiased covariance: the square of the mean is estimated from pairs that share no case.

    References
    ----------
    Gallas BD. One-shot estimate of MRMC variance: AUC. Acad Radiol 2006;13:353-362.
    doi:10.1016/j.acra.2005.11.030
    """
    pairs = _plain_pairs(study, fom, "the unbiased estimate")
    cells = list(np.ndindex(*study.took_part.shape))
    by_row, by_column, low, high = (
        sums.reshape(len(cells), -1)
        for sums in (
            pairs.scores.row_sums(),
            pairs.scores.column_sums(),
            pairs.row_mass,
            pairs.column_mass,
        )
    )
    n0, n1 = low.sum(axis=1), high.sum(axis=1)
    apart = _sharing_no_case(by_row, by_column, pairs.scores.products(cells, cells))
    possible = _sharing_no_case(
        low * n1[:, None], high * n0[:, None], (low @ low.T) * (high @ high.T)
    )
    theta = by_row.sum(axis=1) / (n0 * n1)
    if (possible <= 0).any():
        raise ContentError(f"{fom.name}: the unbiased estimate needs two cases of each class")
    shape = (*study.took_part.shape, *study.took_part.shape)
    matrix = (np.outer(theta, theta) - apart / possible).reshape(shape)
    return _finished(study, fom, matrix, method="unbiased", cases=len(study.cases))


def bootstrap(
    study: ReaderStudy,
    fom: FigureOfMerit,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> ErrorCovariance:
    """Draw normal and abnormal cases anew, each class with its own number."""
    require_complete(study, fom)
    weights = np.zeros((resamples, len(study.cases)))
    for group in (study.normal, study.abnormal):
        weights[:, group] = rng.multinomial(
            len(group), np.full(len(group), 1 / len(group)), size=resamples
        )
    drawn = fom.over(study, weights)
    centred = drawn - drawn.mean(axis=0)
    matrix = np.einsum("brm,bsn->rmsn", centred, centred) / (resamples - 1)
    return _finished(study, fom, matrix, method="bootstrap", cases=len(counted(study, fom)))


def estimate(
    study: ReaderStudy,
    fom: FigureOfMerit,
    *,
    method: CovarianceMethod,
    rng: np.random.Generator,
) -> ErrorCovariance:
    """Estimate the covariance by the method named; ``rng`` is used by the bootstrap only."""
    if method == "bootstrap":
        return bootstrap(study, fom, rng=rng)
    return PLAIN[method](study, fom)


def counted(study: ReaderStudy, fom: FigureOfMerit) -> IntArray:
    """Indices of the cases that enter a figure of merit."""
    if fom.counted == "normal":
        return study.normal
    return study.abnormal if fom.counted == "abnormal" else np.arange(len(study.cases))


def require_complete(study: ReaderStudy, fom: FigureOfMerit) -> None:
    """Refuse a study in which a reader did not take part in a modality."""
    require_kind(study, fom)
    if not study.took_part.all():
        reader, modality = np.argwhere(~study.took_part)[0]
        raise ContentError(
            f"reader {study.readers[reader]} did not read in modality "
            f"{study.modalities[modality]}; analyse such a study by U-statistics"
        )


def block_of(read: BoolArray) -> IntArray:
    """Number cells that read exactly the same cases alike; refuses sets that overlap in part.

    Raises
    ------
    ContentError
        If two cells share some of their cases but not all.
    """
    cells = read.reshape(-1, read.shape[-1])
    together = cells.astype(np.float64) @ cells.T.astype(np.float64)
    same = (together == together.diagonal()) & (together == together.diagonal()[:, None])
    partly = (together > 0) & ~same
    if partly.any():
        raise ContentError(
            "some readings are missing: readers or modalities share part of their cases, neither "
            "all nor none; analyse such a study by U-statistics"
        )
    return np.asarray(np.argmax(same, axis=1), dtype=np.intp).reshape(read.shape[:2])


def _component(values: FloatArray, n: FloatArray) -> FloatArray:
    """Covariance of means from deviations of the cases; 0 where no case is shared."""
    if (n < 2).any():
        raise ContentError("DeLong's covariance needs at least two cases of each class a reader")
    root = np.sqrt(n * (n - 1))
    scaled = values / root[..., None]
    return np.asarray(np.einsum("rmi,sni->rmsn", scaled, scaled))


def _sharing_no_case(rows: FloatArray, columns: FloatArray, products: FloatArray) -> FloatArray:
    """Sum of products over pairs of pairs with no case in common, for each two cells.

    ``rows`` and ``columns`` have the sums of the cases' scores, shape (cells, cases);
    ``products`` the sums over the same pair in both cells.
    """
    total = rows.sum(axis=1)
    return np.asarray(np.outer(total, total) - rows @ rows.T - columns @ columns.T + products)


def _plain_pairs(study: ReaderStudy, fom: FigureOfMerit, what: str) -> Comparisons:
    require_complete(study, fom)
    if isinstance(fom, PairMerit):
        pairs = fom.pairs(study)
        if pairs.plain:
            block_of(study.read)
            return pairs
    raise ContentError(
        f"{fom.name}: {what} needs a mean over pairs of a normal and an abnormal case; "
        "use the jackknife or the bootstrap"
    )


def _finished(
    study: ReaderStudy, fom: FigureOfMerit, matrix: FloatArray, *, method: str, cases: int
) -> ErrorCovariance:
    """Set the covariance of readings without a common case to exactly 0."""
    read = study.read.reshape(-1, len(study.cases)).astype(np.float64)
    shared = ((read @ read.T) > 0).reshape(matrix.shape)
    return ErrorCovariance(
        matrix=np.where(shared, matrix, 0.0),
        foms=values(study, fom),
        fom=fom.name,
        method=method,
        cases=cases,
    )


PLAIN: dict[str, Callable[[ReaderStudy, FigureOfMerit], ErrorCovariance]] = {
    "jackknife": jackknife,
    "DeLong": delong,
    "unbiased": unbiased,
}
