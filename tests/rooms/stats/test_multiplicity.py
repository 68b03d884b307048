"""Adjusted p-values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from onkos.core.errors import ContentError
from onkos.stats.multiplicity import benjamini_hochberg, holm


def test_benjamini_hochberg_agrees_with_scipy(rng):
    p = rng.uniform(size=30) ** 3
    assert benjamini_hochberg(p.tolist()) == pytest.approx(stats.false_discovery_control(p))
    assert benjamini_hochberg([]) == []


def test_holm_never_lies_below_benjamini_hochberg(rng):
    p = rng.uniform(size=20).tolist()
    assert (np.array(holm(p)) >= np.array(benjamini_hochberg(p)) - 1e-15).all()


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@pytest.mark.parametrize("wrong", [float("nan"), -0.1, 1.2])
def test_what_is_no_p_value_is_refused_by_place(adjust, wrong):
    with pytest.raises(ContentError, match=r"p-values at \[1\]"):
        adjust([0.2, wrong])
