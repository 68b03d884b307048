"""Inverse probability of censoring weights."""

from __future__ import annotations

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import FloatArray
from onkos.stats.survival import kernels
from onkos.stats.survival.followup import FollowUp


def uncensored(follow: FollowUp, times: FloatArray) -> FloatArray:
    """Kaplan-Meier estimate of still being uncensored just after each time.

    Events leave before censorings at the same time.

    Raises
    ------
    ContentError
        If a time lies beyond the follow-up, or nobody is uncensored then.
    """
    order = follow.order
    time = follow.time[order]
    curve = kernels.kaplan_meier_curve(np.ones(follow.n), time, follow.event[order], False)
    at = np.append(1.0, curve)[np.searchsorted(time, times, side="right")]
    if times.size and (times.max() > follow.longest or at.min() <= 0):
        worst = times.max() if times.max() > follow.longest else times[at <= 0].min()
        raise ContentError(
            f"nobody is known to be uncensored at time {worst:g} (longest follow-up "
            f"{follow.longest:g}, n = {follow.n}): events there cannot be weighted; end the "
            "comparison earlier (tau, horizon)"
        )
    return at
