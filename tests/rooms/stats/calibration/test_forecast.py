"""What predictions are refused."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.calibration import Forecast


def test_counts_cases_events_and_patients():
    forecast = Forecast(truth=[1, 0, 1], probability=[0.9, 0.2, 0.4], groups=["a", "a", "b"])
    assert (forecast.cases, forecast.events, forecast.patients) == (3, 2, 2)
    assert forecast.words == "2 events in 3 cases"


@pytest.mark.parametrize(
    ("truth", "probability", "message"),
    [
        ([1, 0], [0.5, np.nan], r"at \[1\] are \[nan\]"),
        ([1, 0], [0.5, 1.2], r"at \[1\] are \[1.2\]"),
        ([1, 2], [0.5, 0.2], r"truth holds \['2'\]"),
        ([1, 0, 1], [0.5, 0.2], r"truth of shape \(3,\)"),
        ([], [], "at least one"),
    ],
)
def test_what_is_no_forecast_is_refused(truth, probability, message):
    with pytest.raises(ContentError, match=message):
        Forecast(truth=truth, probability=probability)


def test_one_patient_a_case_is_asked_for():
    with pytest.raises(ContentError, match="1 groups for 2 cases"):
        Forecast(truth=[1, 0], probability=[0.5, 0.2], groups=["a"])


def test_certain_probabilities_have_no_odds():
    with pytest.raises(ContentError, match=r"at \[0, 2\] are exactly 0 or 1"):
        _ = Forecast(truth=[1, 0, 0], probability=[1.0, 0.5, 0.0]).logits
