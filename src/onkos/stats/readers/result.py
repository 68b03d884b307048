"""What the analysis of a reader study says: tests, means with intervals, refusals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from scipy import stats

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.method import Method

Factors = Literal["RRRC", "FRRC", "RRFC"]
AnalysisName = Literal["OR", "DBM", "U"]
WORDS: dict[Factors, str] = {
    "RRRC": "random readers, random cases",
    "FRRC": "fixed readers, random cases",
    "RRFC": "random readers, fixed cases",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderTest:
    """Whether modalities differ.

    Parameters
    ----------
    analysis, fom, covariance, factors
        What was compared and by which analysis; ``factors`` says to whom the answer applies:
        other readers and cases (RRRC), these readers and other cases (FRRC), other readers and
        these cases (RRFC).
    modalities
        Two names: a difference, first minus second. More: the overall test that all are equal,
        with no difference.
    difference, stderr, low, high
        Difference of the readers' mean figures of merit with its interval; NaN in an overall
        test of more than two.
    f, df1, df2, p
        F statistic with its degrees of freedom; ``df2`` is infinite where the test is a
        chi-square test (then ``f`` is chi-square by ``df1``).
    """

    analysis: AnalysisName
    fom: str
    covariance: str
    factors: Factors
    modalities: tuple[str, ...]
    difference: float
    stderr: float
    low: float
    high: float
    f: float
    df1: float
    df2: float
    p: float
    level: float = 0.95

    def row(self) -> dict[str, Any]:
        """Plain data as in ``readers.json``; None for what is infinite or not defined.

        The analysis stands there as ``method``.
        """
        numbers = {
            name: value if math.isfinite(value := getattr(self, name)) else None
            for name in ("difference", "stderr", "low", "high", "f", "df1", "df2", "p")
        }
        return {
            "method": self.analysis,
            "fom": self.fom,
            "covariance": self.covariance,
            "factors": self.factors,
            "modalities": list(self.modalities),
            "level": self.level,
            **numbers,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalityMean:
    """Mean figure of merit of the readers in one modality.

    The interval is not cut at 0 and 1. ``df`` is infinite where the interval is a normal one.
    """

    modality: str
    value: float
    stderr: float
    df: float
    low: float
    high: float

    def estimate(self, *, n: int, level: float, method: Method) -> Estimate:
        """The same as an :class:`Estimate`; ``n`` counts cases."""
        return Estimate(
            value=self.value, low=self.low, high=self.high, n=n, level=level, method=method
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorAnalysis:
    """One method with one choice of random factors.

    ``overall`` is None for a single modality; ``pairs`` holds every difference.
    ``denominator`` is the error term that the mean square of the modalities is compared with.
    """

    factors: Factors
    overall: ReaderTest | None
    pairs: tuple[ReaderTest, ...]
    means: tuple[ModalityMean, ...]
    denominator: float

    @property
    def tests(self) -> tuple[ReaderTest, ...]:
        """The overall test where there are more than two modalities, then every difference."""
        wide = self.overall is not None and len(self.overall.modalities) > 2
        return (*((self.overall,) if wide and self.overall else ()), *self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAnalysed:
    """What was not computed, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a test is of."""

    analysis: AnalysisName
    fom: str
    covariance: str
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ContentError(f"level {self.level}: expected a number between 0 and 1")


def f_test(
    label: Label,
    *,
    factors: Factors,
    modalities: tuple[str, ...],
    mean_square: float,
    denominator: float,
    df: tuple[float, float],
) -> ReaderTest:
    """F test of a mean square against its error term (chi-square where the second df is inf).

    Raises
    ------
    ContentError
        If the modalities differ and nothing varies to judge the difference by.
    """
    f = _ratio(mean_square, denominator, label)
    p = stats.chi2.sf(f * df[0], df[0]) if math.isinf(df[1]) else stats.f.sf(f, *df)
    return ReaderTest(
        analysis=label.analysis,
        fom=label.fom,
        covariance=label.covariance,
        factors=factors,
        modalities=modalities,
        **dict.fromkeys(("difference", "stderr", "low", "high"), math.nan),
        f=f,
        df1=df[0],
        df2=df[1],
        p=float(p),
        level=label.level,
    )


def t_test(
    label: Label,
    *,
    factors: Factors,
    modalities: tuple[str, ...],
    difference: float,
    variance: float,
    df: float,
) -> ReaderTest:
    """Test a difference by t (by z where ``df`` is infinite), with its interval.

    Raises
    ------
    ContentError
        If there is a difference and nothing varies to judge it by.
    """
    f = _ratio(difference**2, variance, label)
    low, high = interval(difference, variance=variance, df=df, level=label.level)
    return ReaderTest(
        analysis=label.analysis,
        fom=label.fom,
        covariance=label.covariance,
        factors=factors,
        modalities=modalities,
        difference=difference,
        stderr=math.sqrt(variance),
        low=low,
        high=high,
        f=f,
        df1=1.0,
        df2=df,
        p=float(2 * stats.t.sf(math.sqrt(f), df)),
        level=label.level,
    )


def mean_of(
    modality: str, value: float, *, variance: float, df: float, level: float
) -> ModalityMean:
    """Mean with a t interval (a normal one where ``df`` is infinite)."""
    low, high = interval(value, variance=variance, df=df, level=level)
    return ModalityMean(
        modality=modality, value=value, stderr=math.sqrt(variance), df=df, low=low, high=high
    )


def interval(value: float, *, variance: float, df: float, level: float) -> tuple[float, float]:
    """Two-sided t interval."""
    if variance < 0 or math.isnan(variance):
        raise ContentError(
            f"variance {variance:.3g} of the estimate {value:.3g}: negative; too few cases or "
            "readers for this method"
        )
    half = float(stats.t.ppf((1 + level) / 2, df)) * math.sqrt(variance)
    return value - half, value + half


def hillis_df(total: float, reader_part: float, df: float) -> float:
    """Hillis' degrees of freedom: of ``total``, of which only ``reader_part`` has ``df``.

    Without any reader part the whole is known from the cases and the df are infinite; without
    any variance at all they stay ``df``.

    References
    ----------
    Hillis SL. A comparison of denominator degrees of freedom methods for multiple observer ROC
    analysis. Stat Med 2007;26:596-619. doi:10.1002/sim.2532
    """
    if total <= 0:
        return df
    return math.inf if reader_part <= 0 else df * (total / reader_part) ** 2


def _ratio(square: float, denominator: float, label: Label) -> float:
    if denominator > 0:
        return square / denominator
    if abs(square) < 1e-24:
        return 0.0
    raise ContentError(
        f"{label.analysis}, {label.fom}: the modalities differ, but error variance is "
        f"{denominator:.3g}; nothing varies between readers or cases to judge the difference by"
    )
