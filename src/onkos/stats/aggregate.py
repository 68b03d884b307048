"""Mean of a metric over cases with its interval, the missed cases included."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.stats.bootstrap import bootstrap_mean
from onkos.stats.estimates import noted


def mean_with_misses(
    values: ArrayLike,
    *,
    missed: ArrayLike,
    patients: Sequence[Hashable],
    rng: np.random.Generator,
    miss_costs: float | None = None,
    level: float = 0.95,
) -> Estimate:
    """Estimate the mean of a metric over cases in which no miss is dropped.

    Parameters
    ----------
    values
        One value a case, e.g. Dice or HD95 in mm. At a missed case it may be NaN or infinite
        when ``miss_costs`` is given.
    missed
        One boolean a case: its target was not found at all. Always said, never guessed.
    patients
        The patient of each case; intervals resample patients.
    rng
        Source of the resamples.
    miss_costs
        What a missed case counts, whatever its value says; without it the value itself counts.
    level
        Confidence level.

    Returns
    -------
    Estimate
        ``n`` is the number of patients, ``missed`` how many of them had a missed case; the
        method says how many cases were missed and what each cost.

    Raises
    ------
    ContentError
        If a value that counts is not finite, or the lengths differ.
    """
    given, gone = np.array(values, dtype=np.float64), np.asarray(missed)
    if not given.shape == gone.shape == (len(patients),):
        raise ContentError(
            f"{given.shape} values and {gone.shape} misses for {len(patients)} cases; "
            "expected one each"
        )
    if gone.dtype != bool:
        raise ContentError(f"missed of type {gone.dtype}: expected a boolean for each case")
    if miss_costs is not None:
        given[gone] = miss_costs
    lost = {patient for patient, miss in zip(patients, gone, strict=True) if miss}
    found = bootstrap_mean(given, groups=patients, rng=rng, level=level, missed=len(lost))
    if not gone.any():
        return found
    price = "its own value" if miss_costs is None else f"{miss_costs:g}"
    return noted(
        found, f"{int(gone.sum())} of {len(patients)} cases missed, each counted as {price}"
    )
