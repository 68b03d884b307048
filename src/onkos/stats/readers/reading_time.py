"""How long reading takes: ratios of geometric mean times, readers and cases being random."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.method import Method
from onkos.stats.readers.dbm import analyse_values
from onkos.stats.readers.ratings import ReaderStudy
from onkos.stats.readers.result import WORDS, Factors, Label, ModalityMean, ReaderTest


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRatio:
    """Geometric mean reading time of the first by that of the second.

    ``ratio`` is 0.8 where reading takes a fifth less time in the first; ``p`` tests ratio 1.
    """

    names: tuple[str, str]
    ratio: Estimate
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingTimes:
    """Reading times of a study.

    Parameters
    ----------
    seconds
        Geometric mean time of a case in each modality, with its interval.
    ratios
        Every two modalities compared.
    cases, left_out
        Cases that were timed by every reader in every modality, and those that were not.
    """

    seconds: dict[str, Estimate]
    ratios: tuple[TimeRatio, ...]
    cases: int
    left_out: int


def compare(study: ReaderStudy, *, factors: Factors = "RRRC", level: float = 0.95) -> ReadingTimes:
    """Compare reading times between modalities, e.g. with and without software.

    Times are taken as log-normal: the logarithm has effects of modality, reader, case and their
    interactions, and the tests are those of Dorfman, Berbaum and Metz with Hillis' degrees of
    freedom, with log time in place of pseudovalues.

    Parameters
    ----------
    study
        With reading times.
    factors
        Which of readers and cases are random.
    level
        Confidence level.

    Raises
    ------
    ContentError
        If no times were given, or fewer than two cases were timed throughout.

    References
    ----------
    Hillis SL, Berbaum KS, Metz CE. Acad Radiol 2008;15:647-661. doi:10.1016/j.acra.2007.12.015.
    Limpert E, Stahel WA, Abbt M. Log-normal distributions across the sciences. BioScience
    2001;51:341-352. doi:10.1641/0006-3568(2001)051[0341:LNDATS]2.0.CO;2
    """
    log, left_out = _log_seconds(study)
    label = Label(analysis="DBM", fom="log reading time", covariance="none", level=level)
    found = analyse_values(study.modalities, log, label, factors=factors)
    n = log.shape[2]
    method = _method("geometric mean", factors)
    return ReadingTimes(
        seconds={mean.modality: _mean(mean, n, level, method) for mean in found.means},
        ratios=tuple(_ratio(test, n) for test in found.pairs),
        cases=n,
        left_out=left_out,
    )


def against_software(study: ReaderStudy, *, software: str, level: float = 0.95) -> TimeRatio:
    """Compare the readers' times with the software's on the same cases, in one modality.

    Raises
    ------
    UsageError
        If the study has several modalities, or the software is not among at least three readers.
    ContentError
        If no times were given, or fewer than two cases were timed throughout.
    """
    if len(study.modalities) != 1 or software not in study.readers or len(study.readers) < 3:
        raise UsageError(
            f"reading time: expected one modality, and {software!r} beside two readers or more; "
            f"there are {list(study.modalities)} and {list(study.readers)}"
        )
    log, _ = _log_seconds(study)
    place = study.readers.index(software)
    difference = np.delete(log, place, axis=0) - log[place]
    label = Label(analysis="DBM", fom="log reading time", covariance="none", level=level)
    mean = analyse_values(("readers",), difference, label, factors="RRRC").means[0]
    method = _method("ratio of geometric means", "RRRC")
    p = 1.0 if mean.value == 0 else float(2 * stats.t.sf(abs(mean.value) / mean.stderr, mean.df))
    return TimeRatio(
        names=("readers", software), ratio=_mean(mean, log.shape[2], level, method), p=p
    )


def _log_seconds(study: ReaderStudy) -> tuple[FloatArray, int]:
    """Log times of the cases timed throughout, and how many were not."""
    if study.seconds is None:
        raise ContentError("reading time: the study has no times; give a column time_s")
    timed = ~np.isnan(study.seconds).any(axis=(0, 1))
    if timed.sum() < 2:
        raise ContentError(
            f"reading time: {int(timed.sum())} of {timed.size} cases were timed by every reader in "
            "every modality; at least two are needed"
        )
    log = np.log(study.seconds[:, :, timed])
    return np.asarray(log, dtype=np.float64), int((~timed).sum())


def _method(what: str, factors: Factors) -> Method:
    """How times are compared: what of them, who and what is random."""
    return Method(what=what, by=f"log-normal times, {WORDS[factors]}")


def _mean(mean: ModalityMean, n: int, level: float, method: Method) -> Estimate:
    return Estimate(
        value=math.exp(mean.value),
        low=math.exp(mean.low),
        high=math.exp(mean.high),
        n=n,
        level=level,
        method=method,
    )


def _ratio(test: ReaderTest, n: int) -> TimeRatio:
    return TimeRatio(
        names=(test.modalities[0], test.modalities[1]),
        ratio=Estimate(
            value=math.exp(test.difference),
            low=math.exp(test.low),
            high=math.exp(test.high),
            n=n,
            level=test.level,
            method=_method("ratio of geometric means", test.factors),
        ),
        p=test.p,
    )
