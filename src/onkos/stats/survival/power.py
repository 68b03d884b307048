"""Power of a trial with two arms and a time-to-event endpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import norm

from onkos.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoArmStudy:
    """Two arms whose hazards are compared.

    Parameters
    ----------
    experimental, control
        Patients of each arm.
    experimental_share, control_share
        Share of each arm expected to have the event during the study.
    hazard_ratio
        Experimental over control that is to be found.
    alpha
        Two-sided level of the test.

    Raises
    ------
    UsageError
        If a number lies outside its range, or no event would be seen.
    """

    experimental: int
    control: int
    experimental_share: float
    control_share: float
    hazard_ratio: float
    alpha: float = 0.05

    def __post_init__(self) -> None:
        sizes = self.experimental >= 1 and self.control >= 1
        shares = 0 <= self.experimental_share <= 1 and 0 <= self.control_share <= 1
        rest = self.hazard_ratio > 0 and math.isfinite(self.hazard_ratio) and 0 < self.alpha < 1
        if not (sizes and shares and rest and self.events > 0):
            raise UsageError(
                f"{self}: expected patients in both arms, shares from 0 to 1 with some event, a "
                "positive hazard ratio and alpha between 0 and 1"
            )

    @property
    def events(self) -> float:
        """Events expected in both arms."""
        return self.experimental * self.experimental_share + self.control * self.control_share

    @property
    def power(self) -> float:
        """Chance of a significant result if the hazard ratio is true; planning, not data.

        References
        ----------
        Freedman LS. Tables of the number of patients required in clinical trials using the
        logrank test. Stat Med 1982;1:121-129. doi:10.1002/sim.4780010204
        """
        k, ratio = self.experimental / self.control, self.hazard_ratio
        shift = math.sqrt(k * self.events) * abs(ratio - 1) / (k * ratio + 1)
        return float(norm.cdf(shift - norm.ppf(1 - self.alpha / 2)))
