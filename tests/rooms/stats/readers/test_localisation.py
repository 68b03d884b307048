"""Figures of merit of FROC and LROC studies on a study small enough to count by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.readers.assembly import assemble
from onkos.stats.readers.foms import values
from onkos.stats.readers.localisation import FROC_MERITS, alroc, pcl
from reader_toys import Rows


@pytest.fixture
def froc():
    """Normals: rated 2; unmarked. Abnormals: lesions 3 and missed, false mark 1; lesion 2."""
    rows = Rows().add("n1", 0, 2.0, "NL").add("n1", 0, 1.0, "NL")
    rows.add("a1", 1, 3.0, "LL").add("a1", 1, 1.0, "NL").add("a2", 1, 2.0, "LL")
    return assemble(rows, lesions={"n1": [], "n2": [], "a1": [1, 1], "a2": [1]})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("HrAuc", (1 + 1 + 0.5 + 1) / 4),
        ("AFROC", ((1 + 1) + (0 + 0.5) + (0.5 + 1)) / 6),
        ("wAFROC", ((1 + 1) / 2 + (0 + 0.5) / 2 + (0.5 + 1)) / 4),
        # comparators also a1 (1) and a2 (none): lesions 3, missed, 2 win 2, 0.5, 2 of 2
        ("AFROC1", (2 + 0.5 + 1.5 + 2 + 0.5 + 2) / 12),
        ("wAFROC1", (1 + 0.25 + 1.5 + 1 + 0.25 + 2) / 8),
        ("MaxLLF", 2 / 3),
        ("MaxNLF", 1.0),
        ("MaxNLFAllCases", 3 / 4),
        ("HrSe", 1.0),
        ("HrSp", 0.5),
        ("ExpTrnsfmSp", math.exp(-1.0)),
        # mean marks: n1 1.5, n2 none; a1 max(1, 3) and a2 2
        ("SongA1", 1.0),
        # n1 (2, 1): against a1 (3, 1) wins 2 + 0.5 of 4, against a2 (2) 1.5 of 2
        ("SongA2", 1.0),
    ],
)
def test_figures_of_merit_by_hand(froc, name, expected):
    assert values(froc, FROC_MERITS[name])[0, 0] == pytest.approx(expected)


@pytest.fixture
def lroc():
    """Normals 1, 2, 3, 4; abnormals right at 5 and 3, wrong at 4.5."""
    rows = Rows()
    for number, rating in enumerate((1.0, 2.0, 3.0, 4.0)):
        rows.add(f"n{number}", 0, rating, "NL")
    rows.add("a", 1, 5.0, "LL").add("b", 1, 3.0, "LL").add("c", 1, 4.5, "LL_IL")
    return assemble(rows)


@pytest.mark.parametrize(
    ("at", "share", "area"),
    [
        (0.25, 1 / 3, 0.25 / 3),
        (0.375, 0.5, 0.25 / 3 + 0.125 * (1 / 3 + 1 / 2) / 2),
        (1.0, 2 / 3, 0.25 / 3 + 0.25 / 2 + 0.5 * 2 / 3),
    ],
)
def test_lroc_curve_by_hand(lroc, at, share, area):
    assert values(lroc, pcl(at))[0, 0] == pytest.approx(share)
    assert values(lroc, alroc(at))[0, 0] == pytest.approx(area)


def test_a_fraction_that_is_none_is_refused(lroc):
    with pytest.raises(ContentError, match=r"false-positive fraction 1.5: expected 0 to 1"):
        values(lroc, pcl(1.5))


def test_nothing_marked_at_all_is_chance():
    rows = Rows().add("n", 0, np.nan).add("a", 1, np.nan)
    study = assemble(rows, lesions={"n": [], "a": [1.0]})
    assert values(study, FROC_MERITS["wAFROC"])[0, 0] == 0.5
    assert values(study, FROC_MERITS["MaxLLF"])[0, 0] == 0.0
