"""How many readers and cases the next study needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from onkos.core.errors import UsageError
from onkos.stats.readers.dbm import CaseComponents
from onkos.stats.readers.obuchowski_rockette import VarianceComponents
from onkos.stats.readers.result import Factors

_MOST_CASES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """What a finished study says about the variability of the next one.

    Parameters
    ----------
    interaction
        Variance of modality by reader; taken as 0 if negative.
    var, cov1, cov2, cov3
        Error variance and covariances of a study of ``cases`` cases.
    cases
        Cases of the pilot study. Cases are added in its ratio of normal to abnormal ones.
    """

    interaction: float
    var: float
    cov1: float
    cov2: float
    cov3: float
    cases: int

    @classmethod
    def of_or(cls, components: VarianceComponents, *, cases: int) -> Pilot:
        """Take the components of an Obuchowski-Rockette analysis."""
        error = components.error
        return cls(
            interaction=components.interaction,
            var=error.var,
            cov1=error.cov1,
            cov2=error.cov2,
            cov3=error.cov3,
            cases=cases,
        )

    @classmethod
    def of_dbm(cls, components: CaseComponents, *, cases: int) -> Pilot:
        """Take the components of a Dorfman-Berbaum-Metz analysis.

        References
        ----------
        Hillis SL, Obuchowski NA, Schartz KM, Berbaum KS. Stat Med 2005;24:1579-1607.
        doi:10.1002/sim.2024
        """
        c = components
        return cls(
            interaction=c.modality_reader,
            var=(c.case + c.modality_case + c.reader_case + c.error) / cases,
            cov1=(c.case + c.reader_case) / cases,
            cov2=(c.case + c.modality_case) / cases,
            cov3=c.case / cases,
            cases=cases,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Chance that a study of two modalities of this size finds the difference."""

    readers: int
    cases: int
    power: float
    noncentrality: float
    df2: float
    critical: float


def power(
    pilot: Pilot,
    *,
    difference: float,
    readers: int,
    cases: int,
    factors: Factors = "RRRC",
    alpha: float = 0.05,
) -> Power:
    """Power to find a difference between two modalities.

    Parameters
    ----------
    pilot
        Variability.
    difference
        True difference of the mean figures of merit; its sign does not matter.
    readers, cases
        Size of the study planned.
    factors
        To whom the answer shall apply.
    alpha
        Two-sided level of the test.

    Raises
    ------
    UsageError
        If the size or the difference makes no study.

    References
    ----------
    Hillis SL, Obuchowski NA, Berbaum KS. Power estimation for multireader ROC methods: an
    updated and unified approach. Acad Radiol 2011;18:129-142. doi:10.1016/j.acra.2010.09.007
    """
    fewest = 1 if factors == "FRRC" else 2
    if readers < fewest or cases < 2 or not 0 < alpha < 1 or not math.isfinite(difference):
        raise UsageError(
            f"{readers} readers, {cases} cases, difference {difference}, alpha {alpha}: expected "
            f"at least {fewest} readers and 2 cases, a finite difference, alpha between 0 and 1"
        )
    scale = pilot.cases / cases
    gap = max(pilot.cov2 - pilot.cov3, 0.0)
    own = pilot.var - pilot.cov1 - gap
    interaction = max(pilot.interaction, 0.0)
    of_readers = interaction + scale * own
    if factors == "FRRC":
        total, df = scale * (own + readers * gap), math.inf
    elif factors == "RRFC":
        total, df = of_readers, float(readers - 1)
    else:
        total = of_readers + readers * scale * gap
        df = math.inf if of_readers <= 0 else (readers - 1) * (total / of_readers) ** 2
    return _power(total, df, difference=difference, size=(readers, cases), alpha=alpha)


def power_by_dbm(
    components: CaseComponents,
    *,
    difference: float,
    readers: int,
    cases: int,
    alpha: float = 0.05,
) -> Power:
    """Power to other readers and cases from DBM components, by Hillis and Berbaum's first rule.

    It works from the components of the pseudovalues, each taken as at least 0; :func:`power` is
    to be preferred, this one is here to compare with older protocols.

    References
    ----------
    Hillis SL, Berbaum KS. Power estimation for the Dorfman-Berbaum-Metz method. Acad Radiol
    2004;11:1260-1273. doi:10.1016/j.acra.2004.08.009
    """
    c = components
    of_readers = c.error + cases * max(c.modality_reader, 0.0)
    of_cases = readers * max(c.modality_case, 0.0)
    total = (of_readers + of_cases) / cases
    df = (readers - 1) * ((of_readers + of_cases) / of_readers) ** 2
    return _power(total, df, difference=difference, size=(readers, cases), alpha=alpha)


def cases_for(
    pilot: Pilot,
    *,
    difference: float,
    readers: int,
    power_wanted: float = 0.8,
    factors: Factors = "RRRC",
    alpha: float = 0.05,
) -> Power | None:
    """Fewest cases that give the power with so many readers; None if 2000 do not."""

    def at(cases: int) -> Power:
        return power(
            pilot,
            difference=difference,
            readers=readers,
            cases=cases,
            factors=factors,
            alpha=alpha,
        )

    low, high = 1, _MOST_CASES
    if at(high).power < power_wanted:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle).power >= power_wanted else (middle, high)
    return at(high)


def alternatives(
    pilot: Pilot,
    *,
    difference: float,
    readers: Sequence[int] = (3, 4, 5, 6, 8, 10, 12, 15, 20),
    power_wanted: float = 0.8,
    factors: Factors = "RRRC",
    alpha: float = 0.05,
) -> tuple[Power, ...]:
    """Sizes that all give the power, one for each number of readers that can."""
    found = [
        cases_for(
            pilot,
            difference=difference,
            readers=number,
            power_wanted=power_wanted,
            factors=factors,
            alpha=alpha,
        )
        for number in readers
    ]
    return tuple(size for size in found if size is not None)


def _power(
    total: float, df: float, *, difference: float, size: tuple[int, int], alpha: float
) -> Power:
    """Power of the F test (chi-square where ``df`` is infinite) of two modalities."""
    if total <= 0:
        raise UsageError(
            f"error variance {total:.3g} is not positive; the pilot study is too small to plan by"
        )
    readers, cases = size
    noncentrality = readers * difference**2 / (2 * total)
    if math.isinf(df):
        critical = float(stats.chi2.isf(alpha, 1))
        found = float(stats.ncx2.sf(critical, 1, noncentrality)) if noncentrality else alpha
    else:
        critical = float(stats.f.isf(alpha, 1, df))
        found = float(stats.ncf.sf(critical, 1, df, noncentrality)) if noncentrality else alpha
    return Power(
        readers=readers,
        cases=cases,
        power=found,
        noncentrality=noncentrality,
        df2=df,
        critical=critical,
    )
