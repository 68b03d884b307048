"""Intraclass correlation where its ends are hard to compute."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.stats.agreement.icc import icc


@pytest.mark.parametrize("scale", [1.0, 1e6])
@pytest.mark.parametrize("error", [0.0, 1e-3, 0.1])
def test_readers_that_mirror_each_other_have_an_interval(rng, scale, error):
    first = rng.normal(size=12)
    second = 1.0 - first + error * rng.normal(size=12)
    found = icc(scale * np.stack([first, second], axis=1))
    for name in ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)"):
        estimate = found.by_name[name]
        assert estimate.value < -0.5
        assert math.isfinite(estimate.low)
        assert math.isfinite(estimate.high)
        assert -1 - 1e-9 <= estimate.low <= estimate.value <= estimate.high < 0.5
