"""Software alone against readers: one algorithm, several radiologists, the same cases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from onkos.core.errors import UsageError
from onkos.core.geometry import FloatArray
from onkos.stats.readers import obuchowski_rockette as orm
from onkos.stats.readers.covariance import CovarianceMethod, ErrorCovariance, estimate
from onkos.stats.readers.foms import FigureOfMerit
from onkos.stats.readers.ratings import ReaderStudy
from onkos.stats.readers.result import (
    Factors,
    Label,
    ModalityMean,
    ReaderTest,
    hillis_df,
    mean_of,
    t_test,
)

StandaloneDesign = Literal["1T-RRFC", "1T-RRRC", "2T-RRRC"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standalone:
    """Software against the mean of the readers.

    Parameters
    ----------
    software, readers
        Figure of merit of the software and of each reader.
    spread
        Sample variance of the readers' figures of merit.
    test
        Readers' mean minus software.
    reader_mean, software_mean
        Means with intervals. In the 1T analyses the readers' mean has the width of the
        difference, and the software is without one (1T-RRFC: a constant; 1T-RRRC: it is inside
        the difference).
    error
        Error variance and covariances: of the differences (1T-RRRC), of both modalities
        (2T-RRRC); None where cases are fixed.
    components
        Variance components of the 2T-RRRC model.
    """

    software: float
    readers: tuple[float, ...]
    spread: float
    test: ReaderTest
    reader_mean: ModalityMean
    software_mean: ModalityMean | None
    error: orm.ErrorTerms | None
    components: orm.VarianceComponents | None = None


def against_readers(
    study: ReaderStudy,
    fom: FigureOfMerit,
    *,
    software: str,
    design: StandaloneDesign = "1T-RRRC",
    covariance: CovarianceMethod = "jackknife",
    level: float = 0.95,
) -> Standalone:
    """Compare software that read alone with the readers, on one modality.

    Parameters
    ----------
    study
        One modality (use :meth:`ReaderStudy.part` to choose it); the software is one of its
        readers.
    fom
        The figure of merit.
    software
        Name of the reader that is the software.
    design
        1T-RRFC: the answer is about these cases; a t test against the software's value.
        1T-RRRC: about other readers and cases; each reader's difference from the software is
        the datum. 2T-RRRC: software and readers as two modalities, the software's reading
        repeated for each reader; same test, with intervals for both.
    covariance
        How the covariance over cases is estimated; not by bootstrap, which needs an rng:
        estimate it and use :func:`compare` instead.
    level
        Confidence level.

    Raises
    ------
    UsageError
        If the study has more than one modality, the software is not among the readers, or
        fewer than two readers are left.

    References
    ----------
    Hillis SL, Obuchowski NA, Berbaum KS. Power estimation for multireader ROC methods: an
    updated and unified approach. Acad Radiol 2011;18:129-142. doi:10.1016/j.acra.2010.09.007.
    Chakraborty DP. Observer Performance Methods for Diagnostic Imaging. CRC Press 2017.
    """
    if covariance == "bootstrap":
        raise UsageError("stand-alone: give a bootstrapped covariance to compare() itself")
    errors = estimate(study, fom, method=covariance, rng=np.random.default_rng(0))
    return compare(study, errors, software=software, design=design, level=level)


def compare(
    study: ReaderStudy,
    covariance: ErrorCovariance,
    *,
    software: str,
    design: StandaloneDesign = "1T-RRRC",
    level: float = 0.95,
) -> Standalone:
    """Compare as :func:`against_readers`, from a covariance estimated before."""
    if len(study.modalities) != 1:
        raise UsageError(
            f"stand-alone: {len(study.modalities)} modalities {list(study.modalities)}; choose one"
        )
    if software not in study.readers or len(study.readers) < 3:
        raise UsageError(
            f"stand-alone: software {software!r} and at least two others must be among the "
            f"readers {list(study.readers)}"
        )
    place = study.readers.index(software)
    others = [r for r in range(len(study.readers)) if r != place]
    if design == "2T-RRRC":
        return _two_modalities(study, covariance, place, others, level=level)
    return _differences(study, covariance, place, others, design=design, level=level)


def _differences(
    study: ReaderStudy,
    covariance: ErrorCovariance,
    place: int,
    others: list[int],
    *,
    design: StandaloneDesign,
    level: float,
) -> Standalone:
    """Each reader's difference from the software as one datum."""
    foms, matrix = covariance.foms[:, 0], covariance.matrix[:, 0, :, 0]
    readers = len(others)
    spread = float(foms[others].var(ddof=1))
    contrast = np.zeros((readers, len(foms)))
    contrast[np.arange(readers), others], contrast[:, place] = 1, -1
    random_cases = design == "1T-RRRC"
    factors: Factors = "RRRC" if random_cases else "RRFC"
    error = orm.error_terms((contrast @ matrix @ contrast.T)[:, None, :, None])
    total, df = spread, float(readers - 1)
    if random_cases:
        total = spread + readers * max(error.cov2, 0.0)
        df = hillis_df(total, spread, df)
    name, mean = study.modalities[0], float(foms[others].mean())
    return Standalone(
        software=float(foms[place]),
        readers=tuple(float(f) for f in foms[others]),
        spread=spread,
        test=t_test(
            _label(covariance, level),
            factors=factors,
            modalities=(f"readers, {name}", f"{study.readers[place]}, {name}"),
            difference=mean - float(foms[place]),
            variance=total / readers,
            df=df,
        ),
        reader_mean=mean_of("readers", mean, variance=total / readers, df=df, level=level),
        software_mean=None,
        error=error if random_cases else None,
    )


def _two_modalities(
    study: ReaderStudy,
    covariance: ErrorCovariance,
    place: int,
    others: list[int],
    *,
    level: float,
) -> Standalone:
    """Software and readers as two modalities of one Obuchowski-Rockette analysis."""
    foms: FloatArray = covariance.foms[:, 0]
    index = np.array([[r, place] for r in others])
    doubled = ErrorCovariance(
        matrix=covariance.matrix[:, 0, :, 0][index[:, :, None, None], index[None, None]],
        foms=foms[index],
        fom=covariance.fom,
        method=covariance.method,
        cases=covariance.cases,
    )
    names = ("readers", study.readers[place])
    anova, error = orm.anova(doubled.foms), orm.error_terms(doubled.matrix)
    gap = max(error.cov2 - error.cov3, 0.0)
    total = anova.interaction + len(others) * gap
    means = tuple(_mean(name, doubled, number, level=level) for number, name in enumerate(names))
    return Standalone(
        software=float(foms[place]),
        readers=tuple(float(f) for f in foms[others]),
        spread=float(foms[others].var(ddof=1)),
        test=t_test(
            _label(covariance, level),
            factors="RRRC",
            modalities=names,
            difference=means[0].value - means[1].value,
            variance=2 * total / len(others),
            df=hillis_df(total, anova.interaction, float(len(others) - 1)),
        ),
        reader_mean=means[0],
        software_mean=means[1],
        error=error,
        components=orm.variance_components(doubled),
    )


def _mean(name: str, doubled: ErrorCovariance, number: int, *, level: float) -> ModalityMean:
    """Mean in one of the two; the software's does not vary between readers."""
    readers = len(doubled.foms)
    spread = float(doubled.foms[:, number].var(ddof=1)) if number == 0 else 0.0
    total = spread + readers * max(orm.single_terms(doubled)[number].cov2, 0.0)
    df = hillis_df(total, spread, float(readers - 1)) if total > 0 else math.inf
    value = float(doubled.foms[:, number].mean())
    return mean_of(name, value, variance=total / readers, df=df, level=level)


def _label(covariance: ErrorCovariance, level: float) -> Label:
    return Label(analysis="OR", fom=covariance.fom, covariance=covariance.method, level=level)
