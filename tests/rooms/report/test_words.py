"""Numbers in words: figures, intervals, signs, times."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.report import words


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (24.08, 22.8, 25.31, "24.1 (22.8–25.3)"),
        (0.8123, 0.75, 0.8671, "0.812 (0.750–0.867)"),
        (1234.4, 1100.0, 1500.0, "1234 (1100–1500)"),
        (-0.0123, -0.104, 0.08, "−0.012 (−0.104 to 0.080)"),
        (0.0, 0.0, 0.0, "0 (0–0)"),
        (0.0, 0.0, 0.12, "0.000 (0.000–0.120)"),
        (0.0002, -0.0021, 0.0034, "0.0002 (−0.0021 to 0.0034)"),
        (0.5, -math.inf, math.inf, "0.500 (no interval)"),
        (math.nan, math.nan, math.nan, "not estimable (no interval)"),
    ],
)
def test_a_number_and_its_interval_have_the_same_decimals(value, low, high, shown):
    assert str(words.ranged(value, low, high)) == shown


@given(
    value=st.floats(-1e5, 1e5).filter(lambda x: x == 0 or abs(x) > 1e-3),
    below=st.floats(0, 1e3),
    above=st.floats(0, 1e3),
)
def test_what_is_printed_is_the_value_to_three_figures(value, below, above):
    shown = words.ranged(value, value - below, value + above)
    back = float(shown.value.replace("−", "-"))
    largest = max(abs(value), abs(value - below), abs(value + above))
    assert back == pytest.approx(value, rel=0.006, abs=6e-4)
    assert abs(back) <= largest * 1.01 + 1e-3
    assert "-" not in str(shown)


def test_another_level_than_95_is_named():
    made = Estimate(value=0.5, low=0.4, high=0.6, n=3, level=0.9, method=Method(what="by hand"))
    assert str(words.estimated(made)) == "0.500 (90 %: 0.400–0.600)"
    assert words.estimated(made).method == "90 % interval; by hand; n = 3"


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0004, "<\N{NO-BREAK SPACE}0.001"),
        (0.0312, "0.031"),
        (0.4, "0.40"),
        (math.nan, "not testable"),
    ],
)
def test_p_values(p, shown):
    assert words.p_value(p) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.123, "0.12 s"), (42.4, "42 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_times(seconds, shown):
    assert words.seconds(seconds) == shown


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (Method(what="AUC"), "AUC"),
        (
            Method(what="AUC within folds", by="DeLong's variance, logit interval", repeats=5),
            "AUC within folds; DeLong's variance, logit interval; mean over 5 repeats of the folds",
        ),
        (
            Method(what="proportion", share=(151, 189), by="Wilson's interval"),
            "proportion; 151 of 189; Wilson's interval",
        ),
        (
            Method(
                what="mean over cases",
                by="percentile bootstrap by patient",
                resamples=2000,
                notes=("2 cases without an answer count as the worst", ""),
            ),
            "mean over cases; percentile bootstrap by patient, 2000 resamples; 2 cases without an "
            "answer count as the worst",
        ),
        (
            Method(what="auc", undefined="one class only"),
            "auc; not defined on these cases: one class only",
        ),
    ],
)
def test_a_method_is_one_sentence(made, said):
    assert words.method(made) == said
    assert (
        words.estimated(Estimate(value=0.5, low=0.4, high=0.6, n=3, method=made)).method
        == f"95 % interval; {said}; n = 3"
    )


def test_counts_of_a_proportion_stand_apart_from_its_method():
    made = Method(what="proportion", share=(151, 189), by="Wilson's interval")
    assert words.share(made) == "151 of 189"
    assert words.without_share(made) == "proportion; Wilson's interval"
    assert words.share(Method(what="AUC")) == ""


def test_names():
    assert words.person("Doe^Jane^Q") == "Doe, Jane Q"
    assert words.counted(1, "lesion") == "1 lesion"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
