"""Power and size of a study to show that an area under the ROC curve is above one half."""

from __future__ import annotations

import math

from scipy import stats

from onkos.core.errors import UsageError


def auc_power(auc: float, *, cases: float, controls: float, alpha: float = 0.05) -> float:
    """Power to show that an area is above one half.

    Parameters
    ----------
    auc
        The area expected, above 0.5 and below 1.
    cases, controls
        Diseased patients and others.
    alpha
        Level of the two-sided test.

    Raises
    ------
    UsageError
        If a number is out of its range.

    References
    ----------
    Obuchowski NA, Lieber ML, Wians FH. ROC curves in clinical chemistry: uses, misuses, and
    possible solutions. Clin Chem 2004;50:1118-1125. doi:10.1373/clinchem.2004.031823
    """
    _checked(auc, alpha)
    if not (cases > 0 and controls > 0):
        raise UsageError(f"{cases} cases and {controls} controls: expected some of each")
    null, there = _variance(0.5, controls / cases), _variance(auc, controls / cases)
    z = (math.sqrt(cases) * (auc - 0.5) - stats.norm.isf(alpha / 2) * math.sqrt(null)) / math.sqrt(
        there
    )
    return float(stats.norm.cdf(z))


def auc_cases(auc: float, *, power: float, controls_per_case: float, alpha: float = 0.05) -> float:
    """Diseased patients needed to show that an area is above one half; round up.

    Raises
    ------
    UsageError
        If a number is out of its range.
    """
    _checked(auc, alpha)
    if not (0 < power < 1 and controls_per_case > 0):
        raise UsageError(f"power {power}, {controls_per_case} controls a case: out of range")
    null, there = _variance(0.5, controls_per_case), _variance(auc, controls_per_case)
    reach = stats.norm.isf(alpha / 2) * math.sqrt(null) + stats.norm.ppf(power) * math.sqrt(there)
    return float((reach / (auc - 0.5)) ** 2)


def _variance(auc: float, controls_per_case: float) -> float:
    """Variance of an area times the number of cases, in the binormal model (Obuchowski 1994)."""
    a = 1.414 * float(stats.norm.ppf(auc))
    shape = (5 * a**2 + 8) + (a**2 + 8) / controls_per_case
    return 0.0099 * math.exp(-(a**2) / 2) * shape


def _checked(auc: float, alpha: float) -> None:
    if not 0.5 < auc < 1:
        raise UsageError(f"AUC {auc}: expected above 0.5 and below 1")
    if not 0 < alpha < 1:
        raise UsageError(f"alpha {alpha}: expected between 0 and 1")
