"""A difference with its interval and its test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import special

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.method import Method

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignificanceTest:
    """What every test of a difference returns.

    Parameters
    ----------
    difference
        First minus second, with its interval; the interval is two-sided whatever the test.
    statistic
        The test statistic.
    p
        The p-value under the alternative.
    error
        Standard error of the difference; NaN for a test that needs none.
    df
        Degrees of freedom; infinite for a normal statistic.
    alternative
        "greater" asks whether the first is larger.
    method
        What was compared and which test was made.
    """

    difference: Estimate
    statistic: float
    p: float
    error: float = math.nan
    df: float = math.inf
    alternative: Alternative = "two-sided"
    method: Method


def tail(statistic: float, *, df: float = math.inf, alternative: Alternative) -> float:
    """P-value of a statistic that is Student's t under the null (normal for infinite ``df``)."""
    if alternative not in ("two-sided", "greater", "less"):
        raise UsageError(f"alternative {alternative!r}: expected 'two-sided', 'greater' or 'less'")
    reach = {"greater": -statistic, "less": statistic, "two-sided": -abs(statistic)}[alternative]
    below = float(special.ndtr(reach) if math.isinf(df) else special.stdtr(df, reach))
    return min(1.0, 2 * below) if alternative == "two-sided" else below


def quantile(level: float, *, df: float = math.inf) -> float:
    """Half width, in standard errors, of the two-sided interval at ``level``."""
    if not 0 < level < 1:
        raise ContentError(f"level {level}: expected a number between 0 and 1")
    probability = (1 + level) / 2
    return float(special.ndtri(probability) if math.isinf(df) else special.stdtrit(df, probability))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wald:
    """A standard error, and what is needed to make an interval and a test of it.

    Parameters
    ----------
    error
        Standard error.
    n
        Patients.
    df
        Degrees of freedom of Student's t; infinite for a normal law.
    level
        Confidence level.
    method
        What is estimated, and which variance it has.
    """

    error: float
    n: int
    df: float = math.inf
    level: float = 0.95
    method: Method

    def estimate(self, value: float) -> Estimate:
        """Symmetric interval about a value."""
        half = quantile(self.level, df=self.df) * self.error
        return Estimate(
            value=value,
            low=value - half,
            high=value + half,
            n=self.n,
            level=self.level,
            method=self.method,
        )

    def test(self, value: float, *, alternative: Alternative = "two-sided") -> SignificanceTest:
        """Test whether a difference is zero.

        Raises
        ------
        ContentError
            If the standard error is zero while the difference is not: the data then hold
            nothing to judge the difference by.
        """
        if self.error == 0 and value != 0:
            raise ContentError(
                f"a difference of {value:.4g} with a standard error of zero cannot be tested "
                "this way; use a permutation test"
            )
        statistic = 0.0 if self.error == 0 else value / self.error
        return SignificanceTest(
            difference=self.estimate(value),
            statistic=statistic,
            p=tail(statistic, df=self.df, alternative=alternative),
            error=self.error,
            df=self.df,
            alternative=alternative,
            method=self.method,
        )
