"""Power and size of a study of one area; pROC's values are in tests/golden."""

from __future__ import annotations

import pytest

from onkos.core.errors import UsageError
from onkos.stats.power import auc_cases, auc_power


def test_power_of_the_size_asked_for_is_the_power_asked_for():
    cases = auc_cases(0.7, power=0.9, controls_per_case=2)
    assert auc_power(0.7, cases=cases, controls=2 * cases) == pytest.approx(0.9)
    assert auc_power(0.7, cases=2 * cases, controls=4 * cases) > 0.99


def test_numbers_out_of_range_are_refused():
    with pytest.raises(UsageError, match=r"AUC 0\.5"):
        auc_power(0.5, cases=10, controls=10)
    with pytest.raises(UsageError, match="alpha 5"):
        auc_power(0.7, cases=10, controls=10, alpha=5)
    with pytest.raises(UsageError, match="0 cases"):
        auc_power(0.7, cases=0, controls=10)
    with pytest.raises(UsageError, match="out of range"):
        auc_cases(0.7, power=1, controls_per_case=1)
