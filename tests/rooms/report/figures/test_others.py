"""Survival, agreement, confusion, forests and distributions."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.report import figures
from onkos.report.figures import Sample, Spread
from onkos.stats.agreement.bland_altman import bland_altman
from onkos.stats.proportions import wilson

SAMPLE = Sample(n=9)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            "kaplan_meier",
            "one: 20 patients at first, 0.500 (0.300–0.700) free of the event at the end",
        ),
        ("kaplan_meier", "log-rank p = 0.4"),
        ("bland_altman", "25 pairs"),
        ("forest", "site, not known not estimable (no interval), n 0, missed 0"),
        ("confusion", "of 2 one, 1 called one, 1 called b"),
        ("distribution", "30 cases of which 3 missed"),
    ],
)
def test_they_say_what_they_show(drawing, kind, said):
    assert said in drawing(kind).about


def test_a_miss_is_drawn_apart_and_counts_in_the_mean():
    values = np.array([0.8, 0.9, 0.0])
    spread = {
        gone: Spread(
            name="core",
            values=values,
            missed=np.array([False, False, gone]),
            estimate=wilson(17, 30),
        )
        for gone in (True, False)
    }
    with_miss, without = (
        figures.distribution([spread[gone]], label="Dice", sample=SAMPLE) for gone in (True, False)
    )
    assert "3 cases of which 1 missed" in with_miss.about
    assert "3 cases of which 0 missed" in without.about
    assert with_miss.svg != without.svg


def test_nothing_to_draw_is_refused():
    with pytest.raises(ContentError, match="expected at least one"):
        figures.rocs([], sample=SAMPLE)
    with pytest.raises(ContentError, match="expected at least one"):
        figures.kaplan_meier([], sample=SAMPLE)
    with pytest.raises(ContentError, match="expected at least one"):
        figures.forest([], label="Dice", sample=SAMPLE)
    with pytest.raises(ContentError, match="expected at least one"):
        figures.distribution([], label="Dice", sample=SAMPLE)
    a = np.arange(5.0)
    b = a + np.array([0.1, 0.0, -0.1, 0.2, 0.0])
    with pytest.raises(ContentError, match="one pair each"):
        figures.bland_altman(a[:4], b, limits=bland_altman(a, b), sample=SAMPLE)
